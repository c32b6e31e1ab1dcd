"""Which posts carry which label: the words of the movement in every spelling, and their false friends."""

import csv
import unicodedata
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.folding import bare, fold, spelled
from config.load import load_config, write_example
from config.models import Channel, Config, District, Label, LabelWords, Organisation, Owner
from metrics.labels import label_posts, rules_digest
from store.records import Evidence, StoredText

NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)
SAVED = Path(__file__).parent / "payloads" / "web" / "keyword_variants.csv"
VARIANTS = list(csv.DictReader(SAVED.read_text(encoding="utf-8").splitlines()))
CLASSES = {"good_news": {"tin-tot"}, "good_story": {"cau-chuyen-dep"}, "both": {"tin-tot", "cau-chuyen-dep"}}


def label(name: str, **words: Any) -> Label:
    return Label(name=name, every="day", clause="II-CT.2", **words)


def words_of(evidence: str, kind: str) -> tuple[str, ...]:
    """The variants of the saved list that are hashtags, or phrases, of one class."""
    wanted = (row["variant"] for row in VARIANTS if row["class"] in {evidence, "both"})
    return tuple(word for word in wanted if word.startswith("#") == (kind == "hashtags"))


EVERY_VARIANT = {
    "tin-tot": label(
        "Tin tốt",
        hashtags=words_of("good_news", "hashtags"),
        phrases=words_of("good_news", "phrases"),
        categories=("Tin tốt", "Mỗi ngày 1 tin tốt"),
        not_followed_by=("nghiệp",),
    ),
    "cau-chuyen-dep": label(
        "Câu chuyện đẹp",
        hashtags=words_of("good_story", "hashtags"),
        phrases=words_of("good_story", "phrases"),
    ),
}


def config_of(labels: dict[str, Label] | None = None, **words: LabelWords) -> Config:
    """Two channels: `web`, and `special` with its own words."""
    organisation = Organisation(name="x", contact="y")
    district = District(organisation=organisation, kinds={}, labels=labels or EVERY_VARIANT)
    owner = (Owner(unit="u", start=date(2025, 7, 1)),)
    more = {slug.replace("_", "-"): extra for slug, extra in words.items()}
    channels = [
        Channel(slug="web", platform="website", name="w", address="https://a.example", owners=owner),
        Channel(slug="special", platform="facebook", name="s", address="1", owners=owner, labels=more),
    ]
    return Config(Path("/"), district, {}, {channel.slug: channel for channel in channels})


def found(
    title: str, config: Config | None = None, *, channel: str = "web", excerpt: str = "", categories: Any = ()
) -> dict[str, dict[Evidence, str]]:
    """The labels of one post, each with its evidence."""
    post = StoredText(7, channel, title, excerpt, categories)
    labels: dict[str, dict[Evidence, str]] = {}
    for one in label_posts([post], config or config_of(), NOW):
        assert (one.post_id, one.at, one.upheld) == (7, NOW, True)
        labels.setdefault(one.label, {})[one.evidence] = one.detail
    return labels


@pytest.mark.parametrize("row", VARIANTS, ids=lambda row: str(row["variant"]))
@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("frame", ["{}", "Đoàn trường: {}.", "“{}” – 20/11", "(({}))"])
def test_every_saved_variant_gets_its_class(row: dict[str, str], form: Any, frame: str) -> None:
    text = unicodedata.normalize(form, frame.format(row["variant"]))
    assert set(found(text)) == CLASSES.get(row["class"], set())


@pytest.mark.parametrize("row", VARIANTS, ids=lambda row: str(row["variant"]))
def test_the_saved_keys_are_our_fold(row: dict[str, str]) -> None:
    assert fold(row["variant"]).replace(" ", "") == row["folded_key"]


MOTTO = {"moingaymottintot", "moingay1tintot", "moituanmotcauchuyendep", "moituan1cauchuyendep"}
"""The plan's own words, written as one."""


def test_the_example_labels_what_is_sure_and_no_unconfirmed_hashtag(tmp_path: Path) -> None:
    write_example(tmp_path)
    config = load_config(tmp_path)
    for row in VARIANTS:
        sure = row["confidence"] in {"high", "medium"} or row["folded_key"] in MOTTO
        expected = CLASSES.get(row["class"], set()) if sure else set()
        assert set(found(row["variant"], config)) == expected, row["variant"]


@pytest.mark.parametrize(
    "text",
    [
        "thông tin tốt nghiệp THPT 2026",
        "TIN TỐT NGHIỆP",
        "tin tot nghiep",
        "tin tốt – nghiệp",
        "doanh nghiệp uy tín tốt",  # the marks say another word
        "bản tin tốtt",
        "tintốt",
        "bảntin tốt",
        "tin. Tốt quá",
        "tin, tốt",
        "# tintot",
        "#tintotnghiep",
        "#tin_tot",
        "",
    ],
)
def test_false_friends_carry_no_label(text: str) -> None:
    assert found(text) == {}


@pytest.mark.parametrize(
    ("text", "evidence", "detail"),
    [
        ("TIN TỐT trong ngày", Evidence.PHRASE, "tin tốt"),
        ("tin tot trong ngay", Evidence.PHRASE, "tin tot"),
        ("Tin \u00a0 tốt", Evidence.PHRASE, "tin   tốt"),
        ("Ｔｉｎ tốt", Evidence.PHRASE, "tin tốt"),
        ("tin\u200b tốt", Evidence.PHRASE, "tin tốt"),
        ("tin tốt. Nghiệp vụ công tác Đoàn", Evidence.PHRASE, "tin tốt"),
        ("tin tốt nghiệp, và một tin tốt khác", Evidence.PHRASE, "tin tốt"),
        ("hôm nay #TinTot", Evidence.HASHTAG, "#tintot"),
        ("＃ＴＩＮＴＯＴ", Evidence.HASHTAG, "#tintot"),
        ("#MỗiNgàyMộtTinTốt!", Evidence.HASHTAG, "#moingaymottintot"),
        ("Đẹp#tintốt#khác", Evidence.HASHTAG, "#tintot"),
    ],
)
def test_spellings_that_mean_it(text: str, evidence: Evidence, detail: str) -> None:
    assert found(text)["tin-tot"][evidence] == detail


def test_the_tone_may_sit_where_the_writer_learned_it() -> None:
    config = config_of({"hoa-binh": label("x", phrases=("thủy chung hoà bình",))})
    assert found("THUỶ CHUNG HÒA BÌNH", config)
    assert not found("thủy chung hóa bình", config)


def test_punctuation_in_a_phrase_is_free_but_its_words_are_not() -> None:
    config = config_of({"x": label("x", phrases=('"người tốt, việc tốt"',))})
    assert all(found(text, config) for text in ("người tốt việc tốt", "Người tốt – việc tốt", "người tốt,việc tốt"))
    assert not found("người tốt làm việc tốt", config)


def test_a_false_friend_is_a_whole_word() -> None:
    config = config_of({"x": label("x", phrases=("tin tốt",), not_followed_by=("nghi",))})
    assert found("tin tốt nghiệp", config)
    assert not found("tin tốt nghi", config)


def test_a_phrase_does_not_begin_in_the_title_and_end_in_the_excerpt() -> None:
    assert found("Bản tin", excerpt="tốt") == {}
    assert "tin-tot" in found("x", excerpt="một tin tốt")


@pytest.mark.parametrize("name", ["Tin tốt", "TIN TỐT", "tin-tot", " Tin  Tốt "])
def test_a_category_counts_when_it_is_the_whole_name(name: str) -> None:
    assert found("x", categories=("Khác", name)) == {"tin-tot": {Evidence.CATEGORY: name}}
    assert found("x", categories=(f"{name} khác",)) == {}


def test_each_kind_of_evidence_is_kept_once() -> None:
    shown = found("tin tốt, tin tốt #tintot #tintot", categories=["Tin tốt", "tin tot"])
    assert shown["tin-tot"] == {
        Evidence.HASHTAG: "#tintot",
        Evidence.PHRASE: "tin tốt",
        Evidence.CATEGORY: "Tin tốt",
    }


def test_the_words_of_a_channel_count_on_that_channel_only() -> None:
    config = config_of(tin_tot=LabelWords(categories=("Gương sáng quanh ta",), hashtags=("doanphuong",)))
    assert "tin-tot" in found("x", config, channel="special", categories=("gương sáng quanh ta",))
    assert "tin-tot" in found("#DoanPhuong", config, channel="special")
    assert found("#DoanPhuong", config, channel="web") == {}
    assert "tin-tot" in found("một tin tốt", config, channel="special")


def test_a_post_of_a_channel_that_is_gone_gets_the_common_rules() -> None:
    assert "tin-tot" in found("một tin tốt", channel="closed")


def test_no_posts_have_no_labels() -> None:
    assert label_posts([], config_of(), NOW) == []


WORDS = LabelWords(phrases=("gương sáng",))


@pytest.mark.parametrize(
    "config",
    [
        config_of({"a": label("A", phrases=("tin tốt", "tin vui"))}),
        config_of({"a": label("A", phrases=("tin tốt",), hashtags=("tintot",))}),
        config_of({"a": label("A", phrases=("tin tốt",), categories=("tin tốt",))}),
        config_of({"a": label("A", phrases=("tin tốt",), not_followed_by=("nghiệp",))}),
        config_of({"a": label("A", phrases=("tin tot",))}),
        config_of({"b": label("A", phrases=("tin tốt",))}),
        config_of({"a": label("A", phrases=("tin tốt",))}, a=WORDS),
    ],
)
def test_the_digest_changes_with_every_rule(config: Config) -> None:
    assert rules_digest(config) != rules_digest(config_of({"a": label("A", phrases=("tin tốt",))}))


@pytest.mark.parametrize(
    "config",
    [
        config_of({"a": label("B", phrases=(" TIN  TỐT ",)).model_copy(update={"clause": "y", "every": "week"})}),
        config_of({"a": label("A", phrases=("tin tốt", "Tin tốt"))}),
        config_of({"a": label("A", phrases=("tin tốt",))}, a=LabelWords()),
        config_of({"a": label("A", phrases=("tin tốt",))}, a=LabelWords(phrases=("TIN TỐT",))),
    ],
)
def test_the_digest_stays_when_no_rule_changes(config: Config) -> None:
    assert rules_digest(config) == rules_digest(config_of({"a": label("A", phrases=("tin tốt",))}))


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_every_letter_keeps_its_place(text: str) -> None:
    assert len(bare(spelled(text))) == len(spelled(text))


VIETNAMESE = st.text(alphabet="aăâđeêioôơuưyàảãáạằẳẵắặầẩẫấậ ĐÀẢ 19#,-", max_size=40)


@given(VIETNAMESE)
def test_unicode_form_case_and_width_change_no_fold(text: str) -> None:
    wide = "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in text)
    for other in (unicodedata.normalize("NFD", text), text.upper(), text.lower(), wide):
        assert fold(other) == fold(text)


@given(VIETNAMESE, VIETNAMESE)
def test_a_phrase_is_found_wherever_it_stands(before: str, after: str) -> None:
    assert "cau-chuyen-dep" in found(f"{before} Câu chuyện đẹp | {after}")


@pytest.mark.parametrize(
    ("text", "is_labelled"),
    [
        ("Cung cấp thông tin tốt cho thanh niên", False),
        ("Niềm tin tốt đẹp vào Đảng", False),
        ("Thông báo: tin tốt hôm nay", True),
        ("Thông tin tốt hôm nay, và một tin tốt khác", True),
        ("tin tốt", True),
    ],
)
def test_words_before_a_phrase_can_make_it_a_false_friend(text: str, is_labelled: bool, tmp_path: Path) -> None:
    write_example(tmp_path)
    assert ("tin-tot" in found(text, load_config(tmp_path))) is is_labelled
