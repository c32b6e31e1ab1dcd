"""The review of a week, worked by hand: what is told, in which order, and what may not be said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from metrics.review import review
from metrics.review_facts import Duty, Item, Owed, Review
from metrics.review_moves import weekly_moves
from tests.review_builders import cells, followers, points, target, targets, week


def sentences(items: tuple[Item, ...]) -> list[str]:
    return [item.sentence for item in items]


def keys(items: tuple[Item, ...]) -> list[str]:
    return [item.key for item in items]


# --- changes -----------------------------------------------------------------------------------------------------


def test_a_target_under_another_word_is_a_change_and_an_equal_one_is_none():
    before = targets(target("CT1", "on_pace"), target("CT2", "met"))
    now = targets(target("CT1", "behind"), target("CT2", "met"))
    (one,) = review(week(now=now, before=before)).changes
    assert one.sentence == "Chỉ tiêu CT1: từ «Đúng tiến độ» sang «Chậm»."
    assert (one.key, one.plan, one.clause, one.status) == ("ke-hoach/CT1/", "ke-hoach", "II-CT.4", "behind")


def test_the_biggest_change_comes_first_and_of_equal_ones_the_worse():
    before = targets(target("CT1", "behind"), target("CT2", "met"), target("CT3", "on_pace"))
    now = targets(target("CT1", "on_pace"), target("CT2", "not_met"), target("CT3", "behind"))
    assert keys(review(week(now=now, before=before)).changes) == ["ke-hoach/CT2/", "ke-hoach/CT3/", "ke-hoach/CT1/"]


@pytest.mark.parametrize("word", ["not_due", "due_soon", "standing", "shown", "resting"])
def test_what_only_the_calendar_changes_is_no_change(word: str):
    now, before = targets(target("CT1", "met")), targets(target("CT1", word))
    assert review(week(now=now, before=before)).changes == ()


def test_a_target_that_is_new_is_no_change():
    assert review(week(now=targets(target("CT1", "behind")))).changes == ()


def test_of_one_target_the_whole_is_told_and_not_its_channels_too():
    lines = [target("CT1", "met"), target("CT1", "met", "trang-mot")]
    turned = [line | {"status": "behind"} for line in lines]
    assert keys(review(week(now=targets(*turned), before=targets(*lines))).changes) == ["ke-hoach/CT1/"]
    only = review(week(now=targets(turned[1]), before=targets(lines[1])))
    assert sentences(only.changes) == ["Chỉ tiêu CT1 (trang-mot): từ «Đạt» sang «Chậm»."]


def test_there_are_five_changes_at_most_with_a_record_and_a_move_among_them():
    rows = [target(f"CT{n}", "met") for n in range(1, 7)]
    worse = [row | {"status": "behind"} for row in rows]
    moves = weekly_moves(
        points(
            followers("trang-mot", *range(1_000, 1_130, 10), 1_150),
            followers("trang-hai", *range(5_000, 6_300, 100), 6_260),
        )
    )
    found = review(week(now=targets(*worse), before=targets(*rows), moves=moves))
    statuses = [f"ke-hoach/CT{n}/" for n in (1, 2, 3)]
    assert keys(found.changes) == [*statuses, "channel/trang-mot", "channel/trang-hai"]
    assert found.unlisted == {"changes": 3, "risks": 3}
    assert sentences(found.changes)[3:] == [
        "trang-mot: tăng 30 lượt theo dõi trong 7 ngày (1.120 → 1.150), mức tăng cao nhất trong 13 tuần.",
        "trang-hai: tăng 60 lượt theo dõi trong 7 ngày (6.200 → 6.260).",
    ]


# --- moves -------------------------------------------------------------------------------------------------------


MOVES = [
    ("a rise", [2_000, 2_100], "exact", (100, 100, False)),
    ("a fall", [2_000, 1_900], "exact", (-100, -100, False)),
    ("nothing", [2_000, 2_000], "exact", None),
    ("fewer than ten are not told", [200, 209], "exact", None),
    ("less than a thousandth is not told", [20_000, 20_019], "exact", None),
    ("one step of a cut count may be one person", [12_300, 12_400], "floor3", None),
    ("two steps are one step for sure", [12_300, 12_500], "floor3", (101, 299, False)),
    ("a missing end", [2_000, None], "exact", None),
    ("a missing beginning", [None, 2_000], "exact", None),
    ("from nothing there is no share", [0, 500], "exact", None),
    ("eight known weeks make a record", [*[None] * 4, *range(1_000, 1_090, 10), 1_200], "exact", (120, 120, True)),
    ("seven do not", [*[None] * 5, *range(1_000, 1_080, 10), 1_200], "exact", (130, 130, False)),
    ("as much as once before is no record", [1_000, 1_050, *[1_050] * 11, 1_100], "exact", (50, 50, False)),
    ("a fall is no record", [*range(1_000, 1_130, 10), 1_100], "exact", (-20, -20, False)),
]


@pytest.mark.parametrize(("counts", "precision", "told"), [case[1:] for case in MOVES], ids=[case[0] for case in MOVES])
def test_a_move_is_what_is_sure_of_it(counts: list[Any], precision: str, told: tuple[int, int, bool] | None):
    rows = weekly_moves(points(followers("trang-mot", *counts, precision=precision))).to_dict("records")
    assert [(row["low"], row["high"], bool(row["record"])) for row in rows] == ([] if told is None else [told])


def test_an_uncertain_move_is_told_as_one():
    found = review(week(moves=weekly_moves(points(followers("trang-mot", 12_500, 12_300, precision="floor3")))))
    told = "trang-mot: giảm từ 101 đến 299 lượt theo dõi trong 7 ngày (12.500 → 12.300)."
    assert sentences(found.changes) == [told]


def test_a_count_read_long_before_the_end_of_the_week_is_no_end():
    frame = points(followers("trang-mot", 2_000, 2_100))
    assert weekly_moves(frame.assign(observed_at=frame["moment"] - timedelta(days=4))).empty


def test_without_any_count_nothing_has_moved():
    nothing = points(followers("trang-mot", None, None))
    assert review(week(moves=weekly_moves(nothing))).changes == ()


# --- risks -------------------------------------------------------------------------------------------------------


def test_at_risk_stands_before_behind_and_then_the_one_that_lacks_most():
    now = targets(
        target("CT1", "behind", high=0.01),
        target("CT2", "at_risk", high=0.04),
        target("CT3", "at_risk", high=0.01, needed_per_week=38, sentence="Lượt theo dõi tăng 1 %: nguy cơ."),
        target("CT4", "met", high=0.06),
        target("CT10", "not_met", high=0.0),
    )
    found = review(week(now=now))
    assert keys(found.risks) == ["ke-hoach/CT3/", "ke-hoach/CT2/", "ke-hoach/CT1/"]
    assert found.unlisted["risks"] == 1
    told = "Chỉ tiêu CT3: lượt theo dõi tăng 1 %: nguy cơ."
    assert (found.risks[0].sentence, found.risks[0].needed_per_week) == (told, 38)


def test_a_target_is_one_risk_whatever_its_channels_say_and_units_are_none():
    now = targets(
        target("CT1", "at_risk"),
        target("CT1", "at_risk", "trang-mot/likes", high=0.01),
        target("CT1", "at_risk", "trang-hai", high=0.03),
        target("CT2", "at_risk", "mot"),
    )
    (risk,) = review(week(now=now)).risks
    assert risk.key == "ke-hoach/CT1/trang-mot/likes"
    assert risk.sentence.startswith("trang-mot: ")


@pytest.mark.parametrize(("heads", "hidden"), [(None, False), (9, True), (10, False)])
def test_fewer_than_ten_persons_are_not_told(heads: int | None, hidden: bool):
    row = target("CT6", "behind", heads=heads, needed_per_week=1, sentence="Số người tăng (8 → 9).")
    (risk,) = review(week(now=targets(row))).risks
    assert (risk.sentence == "Chỉ tiêu CT6: chậm; dưới 10 người nên không nêu số.") is hidden
    assert risk.needed_per_week == (None if hidden else 1)


# --- units -------------------------------------------------------------------------------------------------------


PRESENCE = [
    ("a post without a label is a post", "------- --o---- --", "", ""),
    ("three proved days are quiet", "------+ ---.... ..", "quiet", "16/11/2026 (3 ngày đã xác minh, đến 18/11/2026)"),
    ("two are too early", "------+ --..... ..", "", ""),
    ("a silence goes on over the weeks", "++++--- -...... +.", "quiet", "13/11/2026 (4 ngày"),
    ("it may be older than what is known", "------- ---.... ..", "quiet", "09/11/2026 hoặc sớm hơn (10 ngày"),
    ("an unseen day ends what is proved", "+++---? ---.... ..", "quiet", "16/11/2026 (3 ngày"),
    ("a rest day proves nothing and hinders nothing", "++++++z ---.... ..", "quiet", "16/11/2026 (3 ngày"),
    (
        "a last day may wait for its look",
        "++++++- ---?... ..",
        "quiet",
        "15/11/2026 (4 ngày đã xác minh, đến 18/",
    ),
    ("three such days may not", "++++++- ---???. ..", "unverified", "chưa đọc trọn ngày này"),
    ("an unseen day in between is not silence", "++++++- -?-.... ..", "unverified", "chưa đọc trọn ngày này"),
    ("a failed look is not silence", "++++++- ---!... ..", "failed", "đề nghị kiểm tra kết nối"),
    ("a week of failed looks is ours", "+++++++ !!!!... ..", "failed", "hệ thống chưa đọc được"),
    ("a week of rest", "------- zzzzzzz z.", "", ""),
]


@pytest.mark.parametrize(
    ("signs", "state", "told"), [case[1:] for case in PRESENCE], ids=[case[0] for case in PRESENCE]
)
def test_only_what_is_proved_is_called_quiet(signs: str, state: str, told: str):
    found = review(week(cells=cells(mot=signs)))
    said = {name: getattr(found, name) for name in ("quiet", "unverified", "failed") if getattr(found, name)}
    assert list(said) == [state] * bool(state)
    assert all(told in one for items in said.values() for one in sentences(items))


def test_the_longest_silence_comes_first_and_is_told_politely():
    found = review(week(cells=cells(mot="++++++- ---.... ..", hai="+++---- ---.... ..")))
    assert keys(found.quiet) == ["unit/hai", "unit/mot"]
    told = "hai: chưa ghi nhận tin, bài mới từ ngày 12/11/2026 (7 ngày đã xác minh, đến 18/11/2026)."
    assert found.quiet[0].sentence == told
    assert "im lặng" not in told


def praised(*rows: tuple[str, str, int | None]) -> tuple[Item, ...]:
    """The praise of the review for (unit, group, place), as `commend` gives them."""
    frame = pd.DataFrame(rows, columns=["unit", "group", "place"]).astype({"place": "Int64"})
    told = frame.assign(reason=[f"có tin tốt của {unit}" for unit in frame["unit"]])
    return review(week(praise=told, praise_source=("III.5", "ke-hoach"))).praise


def test_the_candidates_are_praised_by_their_places_and_nobody_else_is_named():
    found = praised(
        ("hai", "candidate", 2), ("mot", "candidate", 1), ("ba", "too_little", None), ("bon", "not_yet", None)
    )
    assert sentences(found) == [
        "mot (thứ 1): có tin tốt của mot.",
        "hai (thứ 2): có tin tốt của hai.",
        "1 đơn vị chưa đủ số liệu để xét; đề nghị xem bằng «nhip commend».",
    ]
    assert [(one.clause, one.plan) for one in found] == [("III.5", "ke-hoach")] * 2 + [("", "")]


def test_without_a_candidate_the_review_says_so():
    (found,) = praised(("mot", "not_yet", None))
    assert found.sentence == "Chưa có đơn vị nào đủ điều kiện đề nghị tuyên dương."


def test_the_motto_is_counted_over_all_units_beside_the_week_before():
    found = review(week(cells=cells(mot="++----- +++++.. -+", hai="+++++++ ++-++.. +.", ba="------- ?????.. --")))
    assert sentences(found.motto) == [
        "Tin tốt: 1/3 đơn vị thực hiện đủ đến nay, 1 đơn vị còn thiếu, 1 đơn vị chưa xác minh được; "
        "cộng 9 ngày có tin tốt (tuần trước 9).",
        "Câu chuyện đẹp: 1/3 đơn vị thực hiện đủ đến nay, 1 đơn vị còn thiếu, 1 đơn vị còn thời gian; "
        "cộng 1 tuần có câu chuyện đẹp (tuần trước 1).",
    ]
    assert {item.clause for item in found.motto} == {"II-CT.2"}


# --- what is to be done ------------------------------------------------------------------------------------------


def a_duty(row: str, due: date, days: int) -> Duty:
    return Duty(f"ke-hoach/{row}", "III.1", f"Việc {row}", "Ban Tuyên giáo", due, days)


DUTIES = [
    a_duty("NV2", date(2026, 11, 25), 5),
    a_duty("NV10", date(2026, 11, 18), -2),
    a_duty("NV3", date(2026, 11, 20), 0),
    a_duty("NV4", date(2026, 11, 15), -5),
]


def test_duties_stand_by_their_day_with_the_late_ones_first():
    assert sentences(review(week(duties=DUTIES)).duties) == [
        "Việc NV4: hạn 15/11/2026 (đã qua hạn 5 ngày); Ban Tuyên giáo.",
        "Việc NV10: hạn 18/11/2026 (đã qua hạn 2 ngày); Ban Tuyên giáo.",
        "Việc NV3: hạn 20/11/2026 (hôm nay); Ban Tuyên giáo.",
        "Việc NV2: hạn 25/11/2026 (còn 5 ngày); Ban Tuyên giáo.",
    ]


def test_of_many_late_duties_the_last_ones_are_named_and_the_others_counted():
    late = [a_duty(f"NV{n}", date(2026, 11, n), n - 20) for n in range(1, 6)]
    assert keys(review(week(duties=late)).duties) == [
        *(f"duty/ke-hoach/NV{n}/2026-11-0{n}" for n in (3, 4, 5)),
        "duty/late",
    ]
    told = "2 việc khác quá hạn từ trước đó; đề nghị xem bằng «nhip task list»."
    assert sentences(review(week(duties=late)).duties)[-1] == told


def test_what_two_plans_ask_in_the_same_words_is_told_once_with_both_clauses():
    before = targets(target("CT1", "on_pace"), target("CT1", "on_pace", plan="khac", clause="II.4"))
    now = targets(target("CT1", "behind"), target("CT1", "behind", plan="khac", clause="II.4"))
    found = review(week(now=now, before=before))
    for (one,) in (found.changes, found.risks):
        assert (one.clause, one.plan, one.key) == ("II-CT.4", "ke-hoach; II.4, khac", "ke-hoach/CT1/")


def test_an_overdue_figure_names_five_units_and_counts_the_rest():
    owed = Owed("ke-hoach/CT3", "Tỷ lệ liên kết", "II-CT.3", "Năm 2026", date(2026, 10, 10), tuple("gfedcba"))
    (item,) = review(week(owed=[owed])).owed
    assert item.sentence == (
        "Tỷ lệ liên kết, Năm 2026: 7 đơn vị chưa báo cáo, hạn nộp 10/10/2026 đã qua. "
        "Đề nghị bổ sung: a, b, c, d, e và 2 đơn vị khác."
    )


def test_suspects_are_counted_by_channel_and_tokens_say_what_to_do():
    found = review(week(suspects=["trang-hai", "trang-mot", "trang-hai"], tokens=[("TikTok", "Còn 5 ngày. Đề nghị …")]))
    assert [one.split(";")[0] for one in sentences(found.suspects)] == [
        "trang-hai: 2 số liệu khác thường đang chờ xác nhận",
        "trang-mot: 1 số liệu khác thường đang chờ xác nhận",
    ]
    assert sentences(found.tokens) == ["TikTok: Còn 5 ngày. Đề nghị …"]


def test_an_empty_week_is_empty_lists():
    found = review(week())
    assert all(getattr(found, name) == () for name in Review.__dataclass_fields__ if name != "unlisted")


# --- properties --------------------------------------------------------------------------------------------------


NOW = [
    *(target(f"CT{n}", status, high=0.01 * n) for n, status in enumerate(["behind", "at_risk", "behind", "met"])),
    target("CT1", "at_risk", "trang-mot", high=0.01),
    target("CT1", "at_risk", "trang-hai", high=0.01),
]
THEN = [row | {"status": "on_pace"} for row in NOW]
CELLS = cells(mot="+++---- ---.... -.", hai="+++++++ +++.... ++", ba="+++++++ -!-.... +.", bon="+++++++ ?-+.... +.")
POINTS = points(
    followers("trang-mot", *range(1_000, 1_140, 10)), followers("trang-hai", *range(2_000, 2_260, 20), 2_300)
)


def shuffled(data: st.DataObject, frame: pd.DataFrame) -> pd.DataFrame:
    return frame.iloc[data.draw(st.permutations(range(len(frame))))]


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_the_order_of_what_is_given_changes_nothing(data: st.DataObject):
    def built(frames: Sequence[pd.DataFrame], due: Any) -> Review:
        now, before, days, ends = frames
        suspects = ["trang-hai", "trang-mot"]
        facts = {"now": now, "before": before, "cells": days, "moves": weekly_moves(ends), "duties": due}
        return review(week(suspects=suspects, **facts))

    frames = (targets(*NOW), targets(*THEN), CELLS, POINTS)
    mixed = [shuffled(data, frame) for frame in frames]
    assert built(mixed, data.draw(st.permutations(DUTIES))) == built(frames, DUTIES)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text("+-o?!.z", min_size=16, max_size=16), min_size=1, max_size=5))
def test_nobody_is_called_quiet_on_a_day_that_was_not_seen(drawn: list[str]):
    """Whatever the days were: a quiet unit has three proved days, no post, and no failed look this week."""
    slugs = ("mot", "hai", "ba", "bon", "nam")
    units = {slug: f"{signs[:7]} {signs[7:14]} {signs[14:]}" for slug, signs in zip(slugs, drawn, strict=False)}
    found = review(week(cells=cells(**units)))
    for key in keys(found.quiet):
        signs = units[key.removeprefix("unit/")]
        days = signs.split()[1]
        assert not set(days) & set("+o!")
        assert days.count("?") <= 2
        assert signs.rsplit(" ", 1)[0].count("-") >= 3
    listed = [key for name in ("quiet", "unverified", "failed") for key in keys(getattr(found, name))]
    assert len(listed) == len(set(listed))
