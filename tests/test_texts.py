"""The sentences of messages: those of the program read well, those of the team are checked when they are read."""

import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alerts.base import Rule
from alerts.values import values_of
from config.alert_models import LADDERS
from config.problems import Problem
from config.templates import UNKNOWN, Places, TemplateError, parse
from config.texts import FIXED, LETTER, ROLES, TABLES, own_texts, packaged_texts, places_of
from tests.command_line import ROOT
from tests.message_builders import FACTS, FRIDAY, district

STEPS: dict[str, list[str]] = {rule: [step.name for step in ladder] for rule, ladder in LADDERS.items()}
PACKAGED = packaged_texts().templates
ANY = {name: f"({name})" for places in map(places_of, PACKAGED) for name in places.names}
ENDING_ELSEWHERE = ("heading", "greeting", "subject", "acknowledged", "snoozed", "key", "intro")
"""Keys, or parts of them, whose texts are no whole sentences."""


def refused(raw: dict[str, Any]) -> list[str]:
    problems: list[Problem] = []
    own_texts(raw, {**STEPS, "quiet": ["noticed", "urge"]}, problems)
    return [str(problem) for problem in problems]


def filled(text: str, **values: str | None) -> str:
    return parse(text, Places(("don_vi",), ("tu_ngay", "so_ngay"))).fill(values)


# --- what the program brings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", PACKAGED, ids=".".join)
def test_a_packaged_sentence_is_polite_and_whole(place):
    sentence = PACKAGED[place].fill(ANY)
    assert not re.search(r"!|im lặng|[][{}]|  | [.,]", sentence, re.IGNORECASE)
    if not any(part in place[2] for part in ENDING_ELSEWHERE):
        assert sentence.endswith((".", ")"))  # a value in brackets may be a sentence of its own


@pytest.mark.parametrize(
    "place", [place for place in PACKAGED if place[0] != LETTER and place[2] != "more"], ids=".".join
)
def test_a_packaged_sentence_reads_with_real_facts_and_with_as_few_as_there_may_be(place):
    table, _, key = place
    whole = values_of(table, FACTS[Rule(table)], district(), FRIDAY.date())
    few = {name: value for name, value in whole.items() if name in places_of(place).always}
    for values in (whole, few):
        sentence = PACKAGED[place].fill(values)
        assert not re.search(rf"{UNKNOWN}|None|  | [.,)]|\(\)|\.\.", sentence), sentence
    assert len(PACKAGED[place].fill(few)) > 20 or key == "heading"


@pytest.mark.parametrize("rule", Rule)
def test_a_rule_gives_exactly_the_values_that_its_sentences_may_name(rule):
    assert list(values_of(rule, FACTS[rule], district(), FRIDAY.date())) != []
    assert set(values_of(rule, FACTS[rule], district(), FRIDAY.date())) == set(TABLES[rule].names)
    assert set(values_of(rule, {}, district(), FRIDAY.date())) == set(TABLES[rule].names)


def test_what_a_rule_always_knows_is_never_missing():
    for rule in Rule:
        values = values_of(rule, FACTS[rule], district(), FRIDAY.date())
        assert [name for name in TABLES[rule].always if values[name] is None] == []


def test_every_step_of_the_usual_ladders_has_a_sentence_for_everybody_who_is_told():
    texts = packaged_texts()
    for rule, ladder in LADDERS.items():
        for step in ladder:
            assert all(texts.has(rule, step.name, role) for role in step.to), (rule, step.name)
        for key in ("heading", "open", "back", "more"):
            assert all(texts.has(rule, key, role) for role in ROLES if role != "unit"), (rule, key)


def test_the_fixed_keys_are_all_that_is_no_step():
    keys = {(table, key) for table, _, key in PACKAGED if table != LETTER}
    assert {key for table, key in keys if key not in STEPS[table]} == set(FIXED)


@pytest.mark.parametrize("table", TABLES)
def test_the_documentation_lists_what_a_sentence_may_name(table):
    (line,) = re.findall(rf"(?m)^\| `{table}` \|(.*)\|$", (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8"))
    always, sometimes, *_ = line.split("|")
    assert re.findall(r"`(\w+)`", always) == list(TABLES[table].always)
    assert re.findall(r"`(\w+)`", sometimes.partition("(")[0]) == list(TABLES[table].sometimes)


# --- templates --------------------------------------------------------------------------------------------------


def test_a_part_in_brackets_disappears_when_its_value_is_missing():
    text = "{don_vi}: chưa có bài[ từ ngày {tu_ngay}][ ({so_ngay} ngày)]."
    assert filled(text, don_vi="A", tu_ngay="05/11", so_ngay="15") == "A: chưa có bài từ ngày 05/11 (15 ngày)."
    assert filled(text, don_vi="A", tu_ngay=None) == "A: chưa có bài."


def test_a_part_needs_all_of_its_values():
    assert filled("{don_vi}[ từ {tu_ngay}, {so_ngay} ngày].", don_vi="A", tu_ngay="05/11") == "A."


def test_what_the_rules_always_give_is_called_unknown_when_an_old_case_lacks_it():
    assert filled("Đơn vị {don_vi}.") == f"Đơn vị {UNKNOWN}."


def test_two_full_stops_become_one_and_three_stay():
    assert filled("{don_vi}.", don_vi="Đề nghị kiểm tra.") == "Đề nghị kiểm tra."
    assert filled("{don_vi}", don_vi="chờ...") == "chờ..."


@pytest.mark.parametrize("value", ["{don_vi}", "[x]", "{0}", "{x.__class__}", "%s", "\\1"])
def test_a_value_is_never_read_as_a_template(value):
    assert filled("«{don_vi}»", don_vi=value) == f"«{value}»"


def test_a_value_stays_on_one_line_of_visible_signs():
    hostile = "Đoàn\r\nBcc: x@y.example\u2028\u202eẩn\u200b\x00\x1b[31m" + "a" * 400
    sentence = filled("{don_vi}", don_vi=hostile)
    assert sentence.startswith("Đoàn Bcc: x@y.example ẩn[31maaa")
    assert len(sentence) == 300
    assert sentence.isprintable()


# --- what the team writes ---------------------------------------------------------------------------------------


def test_one_sentence_of_the_team_takes_the_place_of_ours_and_the_others_stay():
    problems: list[Problem] = []
    texts = own_texts({"quiet": {"unit": {"remind": "Kính mong đơn vị đăng bài."}}}, STEPS, problems)
    assert problems == []
    assert texts.fill("quiet", "remind", "unit", {}) == "Kính mong đơn vị đăng bài."
    assert texts.fill("quiet", "remind", "team", ANY) == packaged_texts().fill("quiet", "remind", "team", ANY)


def test_a_role_reads_its_own_sentence_where_there_is_one():
    texts = own_texts({"source": {"committee": {"noticed": "Báo cáo: {kenh}."}}}, STEPS, [])
    assert texts.fill("source", "noticed", "committee", {"kenh": "X"}) == "Báo cáo: X."
    assert texts.fill("source", "noticed", "team", {"kenh": "X"}) == "X: hệ thống chưa đọc được."


def test_a_unit_reads_only_what_is_written_for_units():
    assert not packaged_texts().has("source", "noticed", "unit")
    assert packaged_texts().has("source", "noticed", "committee")


def test_a_new_step_of_the_ladder_may_have_its_sentence():
    assert refused({"quiet": {"urge": "{don_vi}: đề nghị nhắc lại."}}) == []


LISTS = "dùng một trong: {}"
LONG = "a" * 501
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "unknown place with a near one": (
        {"quiet": {"noticed": "{don_vj}"}},
        "bảng [quiet], khóa «noticed»: không có chỗ điền «don_vj». Cách sửa: có phải ý là «don_vi».",
    ),
    "unknown place far from all": (
        {"source": {"unit": {"back": "{xyz}"}}},
        "bảng [source.unit], khóa «back»: không có chỗ điền «xyz». Cách sửa: dùng một trong: "
        "kenh, don_vi, tu_luc, so_ngay, ly_do.",
    ),
    "place of another rule": (
        {"quiet": {"noticed": "{nen_tang}, {don_vi}"}},
        "bảng [quiet], khóa «noticed»: không có chỗ điền «nen_tang». Cách sửa: dùng một trong: "
        "don_vi, han, tu_ngay, so_ngay, nhip, kenh, ghi_chu.",
    ),
    "place where none is": (
        {"token": {"heading": "Kênh {kenh}"}},
        "bảng [token], khóa «heading»: không có chỗ điền «kenh». Cách sửa: viết câu này không có chỗ điền.",
    ),
    "place that may be missing": (
        {"quiet": {"noticed": "{don_vi} từ {tu_ngay}"}},
        "bảng [quiet], khóa «noticed»: {tu_ngay} có khi không có số liệu. Cách sửa: "
        "đặt phần câu ấy trong ngoặc vuông, ví dụ [ … {tu_ngay}].",
    ),
    "key of the message left out": (
        {"letter": {"key": "Hết."}},
        "bảng [letter], khóa «key»: thiếu chỗ điền {ma}. Cách sửa: viết {ma} vào chỗ thích hợp.",
    ),
    "empty": (
        {"letter": {"next": " \n "}},
        "bảng [letter], khóa «next»: đang để trống. Cách sửa: "
        "viết ít nhất một chữ, hoặc bỏ dòng này để dùng câu có sẵn.",
    ),
    "too long": (
        {"letter": {"next": LONG}},
        "bảng [letter], khóa «next»: dài hơn 500 ký tự. Cách sửa: viết ngắn lại.",
    ),
    "invisible": (
        {"letter": {"next": "a\u202eb"}},
        "bảng [letter], khóa «next»: có ký tự không in được. Cách sửa: xóa ký tự ấy rồi gõ lại.",
    ),
    "no text": (
        {"letter": {"next": 5}},
        'bảng [letter], khóa «next»: đây không phải là chữ. Cách sửa: đặt câu trong ngoặc kép, ví dụ "Kính gửi".',
    ),
    "unknown key": (
        {"letter": {"gretting": "a"}},
        "bảng [letter], khóa «gretting»: không có khóa «gretting». Cách sửa: có phải ý là «greeting».",
    ),
    "unknown step": (
        {"quiet": {"unit": {"shout": "a"}}},
        "bảng [quiet.unit], khóa «shout»: không có khóa «shout». Cách sửa: dùng một trong: "
        "heading, noticed, remind, call, report, open, back, more, urge.",
    ),
    "unknown table": ({"quite": {}}, "khóa «quite»: không có bảng «quite». Cách sửa: có phải ý là «quiet»."),
    "no table": (
        {"quiet": "a"},
        "khóa «quiet»: đây không phải là một bảng. Cách sửa: viết [quiet] rồi các dòng.",
    ),
    "role that is no table": (
        {"quiet": {"unit": "a"}},
        "bảng [quiet], khóa «unit»: không có khóa «unit». Cách sửa: dùng một trong: "
        "heading, noticed, remind, call, report, open, back, more, urge.",
    ),
    **{
        f"trick {trick}": (
            {"quiet": {"noticed": trick}},
            f"bảng [quiet], khóa «noticed»: «{shown}» không phải là chỗ điền. Cách sửa: "
            "viết tên trong ngoặc nhọn như {don_vi}.",
        )
        for trick, shown in {
            "{don_vi.__class__}": "{don_vi.__class__}",
            "{don_vi!r}": "{don_vi!r}",
            "{don_vi:>99}": "{don_vi:>99}",
            "{0}": "{0}",
            "{}": "{}",
            "{đơn_vị}": "{đơn_vị}",
            "{don_vi": "{",
            "don_vi}": "}",
            "{{don_vi}}": "{",
        }.items()
    },
    "bracket never closed": (
        {"quiet": {"noticed": "a[ từ {tu_ngay}"}},
        "bảng [quiet], khóa «noticed»: thiếu dấu ] đóng ngoặc vuông. Cách sửa: thêm dấu ] sau phần câu có thể bỏ.",
    ),
    "bracket never opened": (
        {"quiet": {"noticed": "a]"}},
        "bảng [quiet], khóa «noticed»: có dấu ] mà không có dấu [. Cách sửa: "
        "thêm dấu [ trước phần câu có thể bỏ, hoặc bỏ dấu ].",
    ),
    "bracket in a bracket": (
        {"quiet": {"noticed": "[a[{tu_ngay}]]"}},
        "bảng [quiet], khóa «noticed»: ngoặc vuông lồng trong ngoặc vuông. Cách sửa: "
        "đóng phần trước bằng dấu ] rồi mới mở phần sau.",
    ),
    "bracket for nothing": (
        {"quiet": {"noticed": "a [b]"}},
        "bảng [quiet], khóa «noticed»: phần [b] không có chỗ điền nào. Cách sửa: "
        "bỏ ngoặc vuông, hoặc đặt chỗ điền vào trong.",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_wrong_is_told_exactly(name):
    raw, told = BAD[name]
    assert refused(raw) == [f"texts.toml, {told}"]


def test_all_problems_come_at_once():
    assert len(refused({"letter": {"next": "", "key": "x"}, "oops": {}, "quiet": {"noticed": "{x}"}})) == 4


@given(st.text(alphabet="{}[]. \n\x00aăđon_vi!:0tugay", max_size=60))
@example("{don_vi}[ {tu_ngay}]")
def test_any_braces_are_a_sentence_or_a_problem(text):
    places = Places(("don_vi",), ("tu_ngay",))
    with suppress(TemplateError):
        template = parse(text, places)
        assert not re.search(r"[][{}]", template.fill({"don_vi": "Ơ", "tu_ngay": None}))
        assert template.names <= {"don_vi", "tu_ngay"}
