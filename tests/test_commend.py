"""Who is proposed for commendation, worked by hand: the rule, the places, and what is said of everybody else."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from metrics.asking import Ask
from metrics.commend import Group, Lack, Rules, commend, rule_sentences
from metrics.growth import audience_growth
from metrics.pace import Pace
from metrics.progress import Target, progress
from tests.metric_builders import DISTRICT, Y2026, channel, config_of, day, facts, point, series, unit

LABELS = config_of(
    labels={
        **DISTRICT["labels"],
        "dep": {"name": "Câu chuyện đẹp", "every": "week", "clause": "II-CT.2", "phrases": ["câu chuyện đẹp"]},
    }
).district.labels
CLAUSE = "II-CT.4"
DAYS, WEEKS = pd.date_range("2026-08-01", periods=60), pd.date_range("2026-09-28", periods=9, freq="7D")
STATES = {"m": "met", "x": "missed", "?": "unknown", ".": "pending", "z": "resting"}
GOOD_DAYS, GOOD_WEEKS = "m" * 20, "mmmm"


def cells(name: str, days: str, weeks: str = GOOD_WEEKS, confirmed: str = "", gone: str = "") -> pd.DataFrame:
    """Cells as `cadence` gives them; one letter for each day and week, x in *confirmed* and *gone* marks days."""
    rows = [
        _cell(name, "tin-tot", "day", DAYS[n], letter, confirmed[n : n + 1], gone[n : n + 1])
        for n, letter in enumerate(days)
    ]
    rows += [_cell(name, "dep", "week", WEEKS[n], letter) for n, letter in enumerate(weeks)]
    return pd.DataFrame(rows)


def _cell(
    name: str, label: str, every: str, slot: pd.Timestamp, letter: str, confirmed: str = "", gone: str = ""
) -> dict[str, Any]:
    state = STATES[letter]
    word = "met" if confirmed else "pending" if state == "met" else state
    cell = {"unit": name, "label": label, "every": every, "slot": slot, "due": letter != "z", "any_post": state}
    reason = {"?": "chưa đọc trọn ngày này", "z": "Chủ nhật"}.get(letter, "")
    return {**cell, "labelled": state, "confirmed": word, "reason": reason, "sure": True, "gone": bool(gone)}


def grown(name: str, base: int, now: int, platform: str = "facebook") -> pd.DataFrame:
    """One row of `progress` on 20 November, half of a year's 5 % and more being due: 4,42 %."""
    config = config_of([unit(name)], [channel("kenh", platform, name)])
    points = series(point("kenh", "2025-12-31", base), point("kenh", "2026-11-20", now))
    measured = audience_growth(facts(config, "2026-11-20", points=points), Ask(Y2026, by="unit"))
    return progress(measured.rows, Target(0.05, Pace.LINE), Y2026, day("2026-11-20"))


NOTHING_OPEN = pd.DataFrame({"unit": [], "incident": []})
GREW = {name: grown(name, 1_000, 1_100) for name in "abc"}


def proposed(
    found: Sequence[pd.DataFrame],
    growth: Sequence[pd.DataFrame] = tuple(GREW.values()),
    incidents: pd.DataFrame = NOTHING_OPEN,
    rules: Rules | None = None,
) -> pd.DataFrame:
    return commend(pd.concat(found), pd.concat(growth), incidents, LABELS, CLAUSE, rules)


def only(days: str, weeks: str = GOOD_WEEKS, growth: pd.DataFrame | None = None, **more: Any) -> dict[Any, Any]:
    (row,) = proposed([cells("a", days, weeks)], [GREW["a"] if growth is None else growth], **more).to_dict("records")
    return row


BY_HAND = {
    "everything kept": (GOOD_DAYS, GOOD_WEEKS, Lack.NONE),
    "19 of 20 days is 95 %": ("m" * 19 + "x", GOOD_WEEKS, Lack.NONE),
    "18 of 20 days": ("m" * 18 + "xx", GOOD_WEEKS, Lack.DAYS),
    "one day in 20 not verified": ("m" * 19 + "?" + "m", GOOD_WEEKS, Lack.NONE),
    "all verified days kept, two in 22 not verified": ("m" * 20 + "??", GOOD_WEEKS, Lack.UNVERIFIED),
    "one day in five not verified": ("m" * 20 + "?" * 5, GOOD_WEEKS, Lack.UNVERIFIED),
    "more than one day in five not verified": ("m" * 20 + "?" * 6, GOOD_WEEKS, Lack.UNVERIFIED),
    "19 days only": ("m" * 19, GOOD_WEEKS, Lack.FEW_DAYS),
    "19 days, and many at rest or to come": ("m" * 19 + "z" * 9 + "." * 9, GOOD_WEEKS, Lack.FEW_DAYS),
    "rest days and days to come are not asked for": ("m" * 20 + "zz.", "mmmz.", Lack.NONE),
    "a week without a story": (GOOD_DAYS, "mmxm", Lack.WEEKS),
    "19 days of 22, two surely missed": ("m" * 19 + "xx?", GOOD_WEEKS, Lack.DAYS),
    "18 days of 20, one missed and one not verified": ("m" * 18 + "x?m", GOOD_WEEKS, Lack.UNVERIFIED),
    "one week in five not verified": (GOOD_DAYS, "mmmm?", Lack.UNVERIFIED),
    "two weeks in four not verified": (GOOD_DAYS, "mm??", Lack.UNVERIFIED),
    "no week is over": (GOOD_DAYS, "..", Lack.FEW_DAYS),
    "a unit that rests all the time": ("z" * 30, "zzzz", Lack.FEW_DAYS),
    "never looked at": ("?" * 30, "????", Lack.FEW_DAYS),
}  # fmt: skip


@pytest.mark.parametrize(("days", "weeks", "lack"), BY_HAND.values(), ids=BY_HAND)
def test_the_motto_by_hand(days, weeks, lack):
    row = only(days, weeks)
    assert row["lack"] == lack
    assert row["candidate"] == (lack is Lack.NONE)


GROWTHS = {
    "4.5 % where 4.42 % are due": (grown("a", 1_000, 1_045), Lack.NONE),
    "4.4 % where 4.42 % are due": (grown("a", 1_000, 1_044), Lack.GROWTH),
    "YouTube shows 12,900 of 12,300: 4.0 to 5.7 %": (
        grown("a", 12_300, 12_900, "youtube").assign(low=0.04, high=0.057), Lack.GROWTH_UNKNOWN,
    ),
    "nothing to grow from": (grown("a", 0, 300), Lack.GROWTH_UNKNOWN),
    "Facebook grew, TikTok did not": (
        pd.concat([GREW["a"], grown("a", 1_000, 1_010, "tiktok")]), Lack.GROWTH,
    ),
    "TikTok opened after the baseline": (
        pd.concat([GREW["a"], grown("a", 1_000, 1_010, "tiktok").assign(why="new")]), Lack.NONE,
    ),
    "only a channel that opened after the baseline": (GREW["a"].assign(why="new"), Lack.GROWTH_UNKNOWN),
    "one of the channels could not be read": (GREW["a"].assign(why="failed"), Lack.GROWTH_UNKNOWN),
    "growth of another unit": (GREW["b"], Lack.GROWTH_UNKNOWN),
}  # fmt: skip


@pytest.mark.parametrize(("growth", "lack"), GROWTHS.values(), ids=GROWTHS)
def test_growth_by_hand(growth, lack):
    assert only(GOOD_DAYS, growth=growth)["lack"] == lack


def test_a_candidate_is_told_with_its_numbers_and_clauses():
    assert only(GOOD_DAYS)["sentence"] == (
        "Đề nghị xem xét tuyên dương: có tin tốt 20/20 ngày (II-CT.2); có câu chuyện đẹp 4/4 tuần (II-CT.2); "
        "lượt theo dõi Facebook tăng 10 % (1.000 → 1.100, 1/1 kênh), chỉ tiêu 5 %, mức cần có đến nay 4,4 % (II-CT.4)."
    )


NOT_YET, TOO_LITTLE = "Chưa đưa vào danh sách đề nghị: ", "Chưa đủ số liệu để xét: "
LATER = "hệ thống sẽ xét lại khi có thêm số liệu."
TOLD = {
    "m" * 19 + "xx?": f"{NOT_YET}có tin tốt 19/22 ngày (II-CT.2), 1 ngày chưa xác minh; cần từ 95 % số ngày.",
    "m" * 19: f"{TOO_LITTLE}mới có 19 ngày đến hạn được xác minh, cần ít nhất 20 ngày; {LATER}",
    "z" * 20: f"{TOO_LITTLE}đơn vị nghỉ theo lịch cả kỳ; {LATER}",
    "m" * 20 + "?" * 10: f"{TOO_LITTLE}mới xác minh được 20/30 ngày; đề nghị kiểm tra việc thu thập của các kênh.",
}


@pytest.mark.parametrize(("days", "told"), TOLD.items())
def test_the_others_are_told_politely_what_comes_first(days, told):
    assert only(days)["sentence"] == told


def test_slow_growth_is_told_beside_what_should_be_there_by_now():
    told = only(GOOD_DAYS, growth=grown("a", 1_000, 1_020))["sentence"]
    assert told == (
        "Chưa đưa vào danh sách đề nghị: lượt theo dõi Facebook tăng 2 % (1.000 → 1.020, 1/1 kênh), chỉ tiêu 5 %, "
        "mức cần có đến nay 4,4 % (II-CT.4)."
    )


def test_units_of_which_too_little_is_known_are_a_group_of_their_own():
    rows = proposed([cells("a", GOOD_DAYS), cells("b", "m" * 20 + "?" * 5), cells("c", "x" * 20)])
    groups = dict(zip(rows["unit"], rows["group"], strict=True))
    assert groups == {"a": Group.CANDIDATE, "b": Group.TOO_LITTLE, "c": Group.NOT_YET}


def test_where_no_plan_asks_for_growth_nobody_lacks_it():
    rows = commend(cells("a", GOOD_DAYS), None, NOTHING_OPEN, LABELS, "")
    assert rows["sentence"].tolist() == [
        "Đề nghị xem xét tuyên dương: có tin tốt 20/20 ngày (II-CT.2); có câu chuyện đẹp 4/4 tuần (II-CT.2)."
    ]
    assert rows["growth"].isna().all()
    both = commend(pd.concat([cells("a", GOOD_DAYS), cells("b", GOOD_DAYS)]), None, NOTHING_OPEN, LABELS, "")
    assert both["place"].tolist() == [1, 1]


def test_the_rule_is_stated_with_its_numbers_and_clauses():
    asked, known, order = rule_sentences(LABELS, CLAUSE)
    assert asked == (
        "Chỉ xét tập thể. Điều kiện: có tin tốt ở ít nhất 95 % số ngày đến hạn (II-CT.2); có câu chuyện đẹp ở 100 % số "
        "tuần đến hạn (II-CT.2); lượt theo dõi tăng đủ mức cần có đến nay (II-CT.4); không còn số liệu chờ xác nhận."
    )
    assert known.startswith("Số liệu tối thiểu: 20 ngày đến hạn được xác minh và xác minh được từ 80 % số ngày")
    assert order.startswith("Xếp thứ tự: tỷ lệ ngày có tin, rồi")
    assert "theo dõi" not in rule_sentences(LABELS, "")[0]


def test_what_is_still_open_comes_last_and_is_named():
    open_now = pd.DataFrame({"unit": ["a"], "incident": ["số theo dõi ngày 03/11 cần kiểm tra (mẫu)"]})
    row = only(GOOD_DAYS, incidents=open_now)
    assert row["lack"] == Lack.INCIDENT
    assert "số theo dõi ngày 03/11 cần kiểm tra (mẫu); đề nghị xử lý trước khi xét." in row["sentence"]
    assert only("m" * 5, incidents=open_now)["lack"] == Lack.FEW_DAYS


def test_an_item_that_was_deleted_since_is_pointed_out():
    (told,) = proposed([cells("a", GOOD_DAYS, gone="xx")], [GREW["a"]])["sentence"]
    assert told.endswith("2 ngày có bài nay đã gỡ, đề nghị xem lại.")


def test_places_go_by_days_then_by_confirmation_then_by_growth():
    full, less = "m" * 40, "m" * 39 + "x"
    found = [cells("a", less), cells("b", full), cells("c", full, confirmed="x" * 3), cells("d", full)]
    growth = [GREW["a"], GREW["b"], GREW["c"], grown("d", 1_000, 1_200)]
    rows = proposed(found, growth)
    assert rows[["unit", "place"]].to_numpy().tolist() == [["c", 1], ["d", 2], ["b", 3], ["a", 4]]


def test_equals_share_a_place_and_the_next_is_skipped():
    found = [cells("a", "m" * 39 + "x"), cells("b", "m" * 40), cells("c", "m" * 40)]
    assert proposed(found)[["unit", "place"]].to_numpy().tolist() == [["b", 1], ["c", 1], ["a", 3]]


def test_those_who_are_no_candidates_have_no_place():
    rows = proposed([cells("a", "x" * 40), cells("b", "m" * 40)])
    assert rows["unit"].tolist() == ["b", "a"]
    assert rows["place"].isna().tolist() == [False, True]


def test_nobody_may_be_good_enough():
    rows = proposed([cells("a", "x" * 40), cells("b", "?" * 40)])
    assert not rows["candidate"].any()
    assert rows["place"].isna().all()


def test_the_thresholds_are_what_the_rules_say():
    assert only("m" * 5, rules=Rules(fewest_days=5))["candidate"]
    assert only("m" * 10 + "x" * 10, rules=Rules(days_kept=0.5))["candidate"]
    assert only(GOOD_DAYS, "mx", rules=Rules(weeks_kept=0.5))["candidate"]
    assert only("m" * 20 + "?" * 20, rules=Rules(verified=0.5, days_kept=0.5))["candidate"]


def test_a_period_without_any_unit_proposes_nobody_whatever_is_open():
    waiting = pd.DataFrame({"unit": ["a"], "incident": ["số liệu khác thường của Trang mẫu chờ xác nhận"]})
    assert proposed([cells("a", "m")[:0]], incidents=waiting).empty


SLOTS = st.text("mmmmmmmmmmmmx?", min_size=15, max_size=40)
STORIES = st.text("mmmmmmmm?", min_size=1, max_size=8)
EVERYBODY = st.fixed_dictionaries({name: st.tuples(SLOTS, STORIES) for name in "abc"})


@settings(max_examples=30, deadline=None)
@given(EVERYBODY, st.integers(0, 999))
def test_the_order_of_the_rows_changes_nothing(units, seed):
    whole, growth = pd.concat([cells(name, *own) for name, own in units.items()]), pd.concat(GREW.values())
    mixed = [frame.sample(frac=1, random_state=seed) for frame in (whole, growth)]
    assert_frame_equal(proposed([whole], [growth]), proposed(mixed[:1], mixed[1:]))


@settings(max_examples=60, deadline=None)
@given(SLOTS, STORIES, st.integers(1, 9), st.data())
def test_what_is_not_known_never_makes_a_candidate(days, weeks, more, data):
    place = data.draw(st.integers(0, len(days) - 1))
    blinded = days[:place] + "?" + days[place + 1 :]
    for other in (days + "?" * more, blinded):
        assert only(days, weeks)["candidate"] or not only(other, weeks)["candidate"]
    assert only(days, weeks)["candidate"] or not only(days, weeks + "?")["candidate"]


@settings(max_examples=60, deadline=None)
@given(SLOTS, STORIES, st.data())
def test_one_more_good_day_never_costs_the_candidacy(days, weeks, data):
    place = data.draw(st.integers(0, len(days) - 1))
    better = days[:place] + "m" + days[place + 1 :]
    for other in (days + "m", better):
        assert only(other, weeks)["candidate"] or not only(days, weeks)["candidate"]
