"""Days on which nothing is due, and why."""

from datetime import date
from typing import Any

import pandas as pd
import pytest

from config.models import District
from metrics.calendar import rest_days

TET = {16: "Giao thừa Tết Nguyên Đán", 17: "Tết Nguyên Đán", 18: "Mùng hai Tết Nguyên Đán"}


def district(**calendar: Any) -> District:
    school = {"name": "Trường", "breaks": [{"name": "Nghỉ hè", "start": "2026-06-01", "until": "2026-08-24"}]}
    return District.model_validate(
        {
            "organisation": {"name": "Quận Đoàn", "contact": "phong@don-vi.example"},
            "kinds": {"phuong": {"name": "Phường"}, "truong-hoc": school},
            "labels": {"tin-tot": {"name": "Tin", "every": "day", "clause": "x", "phrases": ["tin tốt"]}},
            "calendar": calendar,
        }
    )


def resting(kind: str, start: str, end: str, **calendar: Any) -> dict[str, str]:
    frame = rest_days(district(**calendar), date.fromisoformat(start), date.fromisoformat(end))
    own = frame[frame["kind"] == kind]
    return {f"{day:%Y-%m-%d}": reason for day, reason in zip(own["day"], own["reason"], strict=True)}


def test_tet_rests_with_its_name() -> None:
    found = resting("phuong", "2026-02-16", "2026-02-19")
    assert found == {f"2026-02-{day}": name for day, name in TET.items()}


def test_the_weekends_around_tet_belong_to_it() -> None:
    found = resting("phuong", "2026-02-13", "2026-02-24")
    assert list(found) == [f"2026-02-{day}" for day in range(14, 23)]
    assert found["2026-02-15"] == found["2026-02-16"]


def test_a_weekend_beside_a_short_holiday_is_due() -> None:
    assert list(resting("phuong", "2026-04-30", "2026-05-05")) == ["2026-04-30", "2026-05-01"]


@pytest.mark.parametrize(
    ("day", "name"),
    [
        ("2025-01-29", "Tết Nguyên Đán"),
        ("2026-02-17", "Tết Nguyên Đán"),
        ("2027-02-06", "Tết Nguyên Đán"),
        ("2028-01-26", "Tết Nguyên Đán"),
        ("2026-04-26", "Ngày Giỗ Tổ Hùng Vương"),
        ("2026-11-24", "Ngày Văn hóa Việt Nam"),
    ],
)
def test_known_holidays_rest(day: str, name: str) -> None:
    year = int(day[:4])
    assert resting("phuong", f"{year}-01-01", f"{year + 1}-01-01")[day] == name


def test_the_end_of_the_stretch_does_not_count() -> None:
    assert resting("phuong", "2026-02-18", "2026-02-18") == {}
    assert list(resting("phuong", "2025-12-31", "2026-01-02")) == ["2026-01-01"]


def test_a_removed_holiday_is_due_again() -> None:
    assert resting("phuong", "2026-11-23", "2026-11-26", remove=[date(2026, 11, 24)]) == {}


def test_an_added_day_rests_under_its_own_name() -> None:
    added = [{"day": date(2026, 11, 20), "name": "Đại hội"}]
    assert resting("phuong", "2026-11-16", "2026-11-23", add=added) == {"2026-11-20": "Đại hội"}


def test_weekdays_rest_only_when_told() -> None:
    assert resting("phuong", "2026-11-16", "2026-11-23") == {}
    found = resting("phuong", "2026-11-16", "2026-11-23", rest_weekdays=["sat", "sun"])
    assert found == {"2026-11-21": "Thứ Bảy", "2026-11-22": "Chủ nhật"}


def test_a_removed_saturday_is_a_working_day_in_lieu() -> None:
    calendar = {"rest_weekdays": ["sat", "sun"], "remove": [date(2026, 11, 21)]}
    assert list(resting("phuong", "2026-11-16", "2026-11-23", **calendar)) == ["2026-11-22"]


def test_public_holidays_can_be_switched_off() -> None:
    assert resting("phuong", "2026-02-01", "2026-03-01", public_holidays=False) == {}


def test_a_break_rests_only_its_own_kind_and_ends_before_its_until() -> None:
    assert resting("phuong", "2026-08-20", "2026-08-26") == {}
    found = resting("truong-hoc", "2026-08-20", "2026-08-26")
    assert list(found) == ["2026-08-20", "2026-08-21", "2026-08-22", "2026-08-23"]
    assert set(found.values()) == {"Nghỉ hè"}


def test_a_day_out_of_the_common_calendar_stays_in_the_break() -> None:
    assert resting("truong-hoc", "2026-07-01", "2026-07-02", remove=[date(2026, 7, 1)]) == {"2026-07-01": "Nghỉ hè"}


def test_the_frame_is_typed_even_when_empty() -> None:
    frame = rest_days(district(public_holidays=False), date(2026, 11, 16), date(2026, 11, 17))
    assert frame.empty
    assert frame["day"].dtype == "datetime64[s]"
    assert isinstance(frame, pd.DataFrame)
