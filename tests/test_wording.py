"""What the receivers read: polite, whole, the same as text and as HTML, with the key at the end, whatever the names."""

import re
from dataclasses import replace
from datetime import date
from html import unescape
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.base import Item, Rule
from alerts.letters import Written, shorten_for
from alerts.values import joined, values_of
from alerts.wording import MOST, letter_of, trial_letter
from config.alert_models import LADDERS
from config.plan_files import packaged_plans, read_plan
from store.records import CaseState
from tests.message_builders import FACTS, FRIDAY, MONDAY, case, district, item

KEY = "digest/truyen-thong/2026-11-20"
HOSTILE = '<script>alert("1")</script>\r\nSubject: x\n\n- Mã tin: giả {don_vi} [y] \u202e& \x00'


def daily(receiver: str, *items: Any, **organisation: Any) -> Written:
    config = district(**organisation)
    return letter_of(receiver, items, [], config, "daily", key=f"digest/{receiver}/2026-11-20", now=FRIDAY)


def weekly(receiver: str, items: Any = (), standing: Any = ()) -> Written:
    return letter_of(receiver, items, standing, district(), "weekly", key=f"week/{receiver}/2026-W47", now=MONDAY)


def words_of(html: str) -> str:
    """What a reader sees of the page, without its title."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html.partition("</title>")[2])).split())


# --- whole messages ---------------------------------------------------------------------------------------------

UNIT_REMINDER = """\
Kính gửi Đoàn phường An Lạc,
Quận Đoàn mẫu đề nghị đơn vị lưu ý:

Chưa ghi nhận tin, bài mới từ ngày 05/11/2026 (15 ngày) trên Trang Tuổi trẻ An Lạc. Đề nghị đơn vị quan tâm đăng tin, \
bài mới. Lưu ý: Video ngắn (Reels) của Trang không đọc được.

Nếu đơn vị đã đăng, đã gửi ở nơi khác hoặc đang có khó khăn, đề nghị phản hồi qua truyen-thong@doan-mau.example để \
cập nhật.
Số liệu đến 07:30 ngày 20/11/2026.
Mã tin: digest/an-lac/2026-11-20"""
TEAM_DIGEST = """\
Dữ liệu minh họa.

Kính gửi Tổ truyền thông,
Ngày 20/11/2026 có 3 việc cần lưu ý.

ĐƠN VỊ CHƯA CÓ TIN, BÀI MỚI
- Đoàn phường Tân Tạo: chưa ghi nhận tin, bài mới từ ngày 28/10/2026 (23 ngày). Đề nghị gọi điện hỏi đơn vị có khó \
khăn gì.
- Đoàn phường An Lạc: chưa ghi nhận tin, bài mới từ ngày 05/11/2026 (15 ngày), hạn là ngày 13/11/2026. Bình thường \
đơn vị đăng khoảng 2 ngày một lần. Lưu ý: Video ngắn (Reels) của Trang không đọc được.

CHỈ TIÊU CÓ NGUY CƠ
- Người theo dõi Trang tăng 5 %: nguy cơ. Tăng 1,2 %, đến hôm nay cần 4,4 %; cần thêm 38 lượt mỗi tuần. Căn cứ mục \
II-CT.4, Kế hoạch «ke-hoach».

ĐÃ ỔN TRỞ LẠI
- Đoàn phường Bình Tân: hoạt động trở lại.

Việc đã có người lo: ghi nhận bằng «nhip alert ack». Cần chờ thêm: tạm hoãn bằng «nhip alert snooze».
Số liệu đến 07:30 ngày 20/11/2026.
Mã tin: digest/truyen-thong/2026-11-20"""
TOKEN_WARNING = """\
Kính gửi Tổ truyền thông,
Ngày 20/11/2026 có 1 việc cần lưu ý.

QUYỀN ĐỌC KÊNH CẦN CẤP LẠI
- Quyền đọc «TikTok: Bản tin Thanh niên» có hạn đến ngày 04/12/2026 (còn 14 ngày). Đề nghị chạy «nhip connect tiktok \
--channel ban-tin».

Việc đã có người lo: ghi nhận bằng «nhip alert ack». Cần chờ thêm: tạm hoãn bằng «nhip alert snooze».
Số liệu đến 07:30 ngày 20/11/2026.
Mã tin: digest/truyen-thong/2026-11-20"""


def test_the_reminder_of_a_unit():
    letter = daily("an-lac", item(Rule.QUIET, "remind"))
    assert letter.text == UNIT_REMINDER
    assert letter.subject == "Quận Đoàn mẫu: đề nghị đơn vị lưu ý, ngày 20/11/2026"


def test_the_digest_of_the_team():
    tan_tao: dict[str, Any] = {
        "unit_name": "Đoàn phường Tân Tạo",
        "last_post": "2026-10-28",
        "rhythm_days": None,
        "notes": [],
    }
    items = [
        item(Rule.QUIET, "back", 3, unit_name="Đoàn phường Bình Tân"),
        item(Rule.TARGET, "noticed", 4),
        item(Rule.QUIET, "noticed", 1),
        item(Rule.QUIET, "call", 2, **tan_tao),
    ]
    letter = daily("truyen-thong", *items, illustration=True)
    assert letter.text == TEAM_DIGEST
    assert letter.subject == "[Dữ liệu minh họa] Quận Đoàn mẫu: 3 việc cần lưu ý ngày 20/11/2026"


def test_the_warning_of_a_token():
    assert daily("truyen-thong", item(Rule.TOKEN, "left-14")).text == TOKEN_WARNING


WHOLE = [
    daily(receiver, item(Rule(rule), step.name), item(Rule(rule), "back", 2))
    for rule, ladder in LADDERS.items()
    for step in ladder
    for receiver in {"unit": ["an-lac"], "team": ["truyen-thong"], "committee": ["thuong-vu"]}[step.to[0]]
]


@pytest.mark.parametrize("letter", [*WHOLE, weekly("truyen-thong"), weekly("an-lac"), weekly("thuong-vu")])
def test_every_message_is_polite_complete_and_ends_with_its_key(letter):
    assert re.search(r"\nSố liệu đến \d\d:\d\d ngày \d\d/\d\d/2026\.\nMã tin: (digest|week)/\S+$", letter.text)
    assert not re.search(r"!|im lặng|chưa rõ|None|[{}]| {2}", letter.text, re.IGNORECASE)
    assert words_of(letter.html).upper() == " ".join(letter.text.replace("\n- ", "\n").split()).upper()


@pytest.mark.parametrize("step", ["noticed", "remind", "call", "report", "back"])
def test_a_unit_is_never_called_silent_and_reads_of_no_command(step):
    letter = daily("an-lac", item(Rule.QUIET, step))
    assert "đơn vị" in letter.text
    assert not re.search(r"im lặng|nhip |!", letter.text + letter.subject, re.IGNORECASE)


def test_made_up_data_say_so_in_the_subject_the_text_and_the_page():
    letter = daily("an-lac", item(Rule.QUIET, "remind"), illustration=True)
    assert letter.subject.startswith("[Dữ liệu minh họa] ")
    assert letter.text.startswith("Dữ liệu minh họa.\n")
    assert letter.html.count("Dữ liệu minh họa") == 2
    assert "minh họa" not in "".join(daily("an-lac", item(Rule.QUIET, "remind")))


# --- what is said -----------------------------------------------------------------------------------------------


def test_what_cannot_wait_stands_first():
    rules = [Rule.SUSPECT, Rule.TARGET, Rule.FIGURE, Rule.QUIET, Rule.SOURCE, Rule.PIPELINE]
    letter = daily(
        "truyen-thong", *(item(rule, "noticed", n) for n, rule in enumerate(rules)), item(Rule.TOKEN, "left-1")
    )
    headings = [line for line in letter.text.splitlines() if line.isupper() and not line.startswith("-")]
    assert headings == [
        "HOẠT ĐỘNG CỦA HỆ THỐNG", "QUYỀN ĐỌC KÊNH CẦN CẤP LẠI", "KÊNH HỆ THỐNG CHƯA ĐỌC ĐƯỢC",
        "ĐƠN VỊ CHƯA CÓ TIN, BÀI MỚI", "BÁO CÁO, NHIỆM VỤ QUÁ HẠN", "CHỈ TIÊU CÓ NGUY CƠ",
        "SỐ LIỆU KHÁC THƯỜNG, CẦN XÁC NHẬN",
    ]  # fmt: skip


def test_five_hundred_units_are_thirty_lines_and_a_number_in_the_thousands_form():
    items = [item(Rule.QUIET, "noticed", n, unit_name=f"Đoàn {n:04}") for n in range(1530)]
    letter = daily("truyen-thong", *items)
    assert letter.text.count("\n- ") == MOST + 1
    assert "\n- và 1.500 đơn vị khác.\n" in letter.text
    assert "Danh sách đầy đủ: chạy «nhip alert list»." in letter.text
    assert letter.subject == "Quận Đoàn mẫu: 1.530 việc cần lưu ý ngày 20/11/2026"
    assert "Danh sách" not in daily("truyen-thong", *items[:MOST]).text


def test_the_highest_step_comes_first_and_then_what_lasts_longest():
    steps = [("noticed", 1), ("call", 3), ("call", 2), ("report", 4)]
    letter = daily("truyen-thong", *(item(Rule.QUIET, step, n, unit_name=f"Đoàn {n}") for step, n in steps))
    assert re.findall(r"^- Đoàn (\d)", letter.text, re.MULTILINE) == ["4", "2", "3", "1"]


def test_a_consent_that_is_refused_has_no_end_to_tell():
    letter = daily("truyen-thong", item(Rule.TOKEN, "left-30", ends=None, days_left=None))
    assert "Nền tảng không còn nhận quyền đọc «TikTok: Bản tin Thanh niên»." in letter.text
    back = daily("truyen-thong", item(Rule.TOKEN, "back", ends=None, days_left=None))
    assert "Quyền đọc «TikTok: Bản tin Thanh niên» đã được cấp lại." in back.text


@pytest.mark.parametrize(
    ("ends", "words"),
    [("2026-11-21", "còn 1 ngày"), ("2026-11-20", "hết hạn hôm nay"), ("2026-11-18", "quá hạn 2 ngày")],
)
def test_the_days_of_a_consent_are_counted_on_the_day_of_the_message(ends, words):
    assert f"({words})" in daily("truyen-thong", item(Rule.TOKEN, "left-1", ends=ends)).text


def test_a_dead_network_is_not_called_a_late_schedule():
    letter = daily("truyen-thong", item(Rule.PIPELINE, "noticed", detail="network", until=None))
    assert "không thông từ 06:30 ngày 19/11/2026. 66 kênh chưa đọc được." in letter.text
    assert "đúng lịch" not in letter.text


def test_the_team_reads_whom_messages_did_not_reach_at_once_and_in_the_weekly_list():
    facts: dict[str, Any] = {"detail": "outbox", "receivers": ["Ban Thường vụ (mẫu)", "Đoàn phường An Lạc"]}
    said = (
        "Trong 7 ngày qua có tin không gửi được đến Ban Thường vụ (mẫu), Đoàn phường An Lạc, việc nhắc vẫn tính tiếp."
    )
    assert said in daily("truyen-thong", item(Rule.PIPELINE, "noticed", **facts)).text
    assert said in weekly("truyen-thong", standing=[case(Rule.PIPELINE, **facts)]).text


def test_a_unit_without_any_known_post_is_told_no_day():
    letter = daily("an-lac", item(Rule.QUIET, "remind", last_post=None, silent_days=None, notes=[], channel_names=[]))
    assert "\nChưa ghi nhận tin, bài mới. Đề nghị" in letter.text


def test_a_duty_that_is_no_units_is_told_without_one():
    letter = daily("truyen-thong", item(Rule.FIGURE, "noticed", unit=None, unit_name=None))
    assert "Chưa có kết quả «Cán bộ Đoàn được bồi dưỡng», hạn ngày 10/11/2026" in letter.text


@pytest.mark.parametrize("slug", ["doan-phuong-2026", "mttq-ninh-binh-2017"])
def test_a_target_names_its_clause_and_its_plan(slug):
    plan = read_plan(packaged_plans()[slug], [])
    assert plan
    config = replace(district(), plans={slug: plan})
    said = letter_of(
        "truyen-thong", [item(Rule.TARGET, "noticed", plan=slug)], [], config, "daily", key=KEY, now=FRIDAY
    )
    named = f"số {plan.document.number}" if plan.document.number else f"«{plan.document.title}»"
    assert f"Căn cứ mục II-CT.4, Kế hoạch {named}." in said.text


def test_only_good_news_is_announced_as_such():
    letter = daily("truyen-thong", item(Rule.QUIET, "back"), item(Rule.SOURCE, "back", 2))
    assert letter.subject == "Quận Đoàn mẫu: 2 việc đã ổn trở lại, ngày 20/11/2026"
    assert "- Đoàn phường An Lạc: hoạt động trở lại.\n" in letter.text
    assert "alert ack" not in letter.text


# --- the weekly digest ------------------------------------------------------------------------------------------


def test_a_week_in_which_all_is_well_is_one_short_line():
    letter = weekly("truyen-thong")
    assert letter.subject == "Quận Đoàn mẫu: tổng hợp tuần 47 (16/11–22/11/2026)"
    assert "Tổng hợp tuần 47 (16/11–22/11/2026): không có việc nào cần xử lý." in letter.text
    assert len(letter.text.splitlines()) == 5


def test_the_committee_reads_that_nothing_is_to_be_reported_and_not_that_nothing_is_open():
    text = weekly("thuong-vu").text
    assert "không có việc nào cần báo cáo để xin ý kiến. Tổ truyền thông tiếp tục theo dõi" in text
    assert "không có việc nào cần xử lý" not in text


def test_the_weekly_digest_lists_what_stands_once_and_says_how():
    standing = [
        case(Rule.QUIET, 1),
        case(Rule.QUIET, 2, CaseState.ACKNOWLEDGED, unit_name="Đoàn phường Tân Tạo"),
        case(Rule.SOURCE, 3, CaseState.SNOOZED),
        case(Rule.FIGURE, 4, CaseState.RESOLVED),
    ]
    letter = weekly("thuong-vu", [item(Rule.QUIET, "report", 1)], standing)
    assert ": 1 việc mới, 2 việc còn mở từ trước." in letter.text
    assert letter.text.partition("CÒN MỞ TỪ TRƯỚC\n")[2].startswith(
        "- Trang thông tin Tân Tạo (Đoàn phường Tân Tạo): hệ thống chưa đọc được từ 06:30 ngày 19/11/2026 (4 ngày) "
        "(tạm hoãn đến hết ngày 25/11/2026).\n"
        "- Đoàn phường Tân Tạo: chưa ghi nhận tin, bài mới từ ngày 05/11/2026 (18 ngày) (đã biết).\n\n"
    )


def test_a_flood_of_one_rule_does_not_hide_the_others_of_the_week():
    letter = weekly("truyen-thong", standing=[case(Rule.QUIET, n) for n in range(40)] + [case(Rule.TARGET, 50)])
    assert "\n- và 10 đơn vị khác.\n- Người theo dõi Trang tăng 5 %: nguy cơ." in letter.text


def test_a_trial_is_called_one():
    letter = trial_letter("truyen-thong", district(illustration=True), key="trial/truyen-thong", now=FRIDAY)
    assert letter.subject == "[Dữ liệu minh họa] Quận Đoàn mẫu: tin thử"
    assert letter.text.endswith("\nĐây là tin thử để kiểm tra đường gửi. Nơi nhận không cần làm gì thêm.\n\n"
                                "Mã tin: trial/truyen-thong")  # fmt: skip


# --- hostile names and broken facts -----------------------------------------------------------------------------


@pytest.mark.parametrize("rule", Rule)
def test_hostile_names_are_inert(rule):
    names = [name for name, value in FACTS[rule].items() if isinstance(value, str) and not value.startswith("2026")]
    facts: dict[str, Any] = {name: HOSTILE for name in names if name != "detail"}
    step = LADDERS[rule.value][0].name
    tame: dict[str, Any] = dict.fromkeys(facts, "x")
    harmless = daily("truyen-thong", item(rule, step, **tame))
    letter = daily("truyen-thong", item(rule, step, **facts), name=HOSTILE, contact=HOSTILE)
    assert "\n" not in letter.subject
    assert letter.text.count("\n") == harmless.text.count("\n")
    assert re.sub(r"\n", "", letter.text).isprintable()
    assert re.findall(r"<[^>]+>", letter.html) == re.findall(r"<[^>]+>", harmless.html)


@pytest.mark.parametrize("rule", Rule)
@pytest.mark.parametrize("facts", [{}, {name: None for facts in FACTS.values() for name in facts}])
def test_a_case_of_an_older_version_without_the_facts_can_be_told(rule, facts):
    bare = replace(case(rule), facts=facts)
    letter = daily("truyen-thong", Item("truyen-thong", bare, LADDERS[rule.value][0].name, facts))
    assert "None" not in letter.text
    assert letter.text.count("\n- ") == 1


def test_a_count_of_zero_that_is_doubted_is_told_as_zero():
    assert " là 0, khác nhiều" in daily("truyen-thong", item(Rule.SUSPECT, "noticed", value=0)).text


def test_days_are_counted_in_the_zone_of_the_district():
    values = values_of("source", {"failed_since": "2026-11-19T17:00:00+00:00"}, district(), date(2026, 11, 21))
    assert values["tu_luc"] == "00:00 ngày 20/11/2026"
    assert values["so_ngay"] == "1"


@pytest.mark.parametrize(
    ("names", "text"),
    [([], None), (["A"], "A"), (["A", "B", "C"], "A, B, C"), (list("ABCDE"), "A, B, C và 2 kênh khác")],
)
def test_many_channels_are_three_and_a_number(names, text):
    assert joined(names) == text


# --- short texts ------------------------------------------------------------------------------------------------


def test_a_text_that_is_too_long_loses_whole_lines_and_keeps_its_end():
    long = daily("truyen-thong", *(item(Rule.QUIET, "noticed", n) for n in range(30))).text
    short = shorten_for(long, 2000)
    assert len(long) > 3000
    assert 1800 < len(short) <= 2000
    kept, _, end = short.partition("… (lược bớt ")
    assert long.startswith(kept)
    count = int(end.split()[0])
    assert count == sum(1 for line in long.rpartition("\n\n")[0][len(kept) :].split("\n") if line)
    assert end.endswith("để vừa tin nhắn)\n\n" + long.rpartition("\n\n")[2])


def test_a_text_that_fits_stays_as_it_is():
    assert shorten_for("a\n\nb", 4) == "a\n\nb"


def test_one_line_that_is_longer_than_all_that_fits_is_cut():
    assert shorten_for("a" * 1_000_000, 2000) == "a" * 1999 + "…"
    assert shorten_for("a" * 1_000_000 + "\n\nMã tin: x", 2000) == "… (lược bớt 1 dòng để vừa tin nhắn)\n\nMã tin: x"


@given(st.text(alphabet="ab\n", max_size=400), st.integers(100, 300))
def test_a_shortened_text_always_fits(text, limit):
    short = shorten_for(text, limit)
    assert len(short) <= limit
    assert short.endswith("…") or short.split("\n")[-1] == text.split("\n")[-1]
