"""Dates as Vietnamese sites print them: day first, local time, no guesses."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.website.dates import FIRST_YEAR, LAST_YEAR, Moment, read_date
from store.records import Confidence
from tests.site_server import HCMC, PAYLOADS

NOON = datetime(2026, 11, 20, 12, tzinfo=HCMC)


def read(text: str) -> Moment | None:
    return read_date(text, HCMC, NOON)


def local(moment: Moment | None) -> str:
    """The moment as the table writes it: with a time only when the text states one."""
    if moment is None:
        return ""
    form = "%Y-%m-%d" if moment.confidence is Confidence.DAY else "%Y-%m-%dT%H:%M"
    return moment.at.astimezone(HCMC).strftime(form)


def seen_on_real_pages() -> list[tuple[str, str]]:
    with (PAYLOADS / "date_strings.csv").open(encoding="utf-8", newline="") as file:
        rows = [(row["text"], row["expected_local_Asia_Ho_Chi_Minh"]) for row in csv.DictReader(file)]
    told = {
        "RELATIVE -2h": "2026-11-20T10:00",
        "RELATIVE yesterday 09:00": "2026-11-19T09:00",
        "YEARLESS": "",
    }
    return [(text, told.get(expected, expected)) for text, expected in rows]


@pytest.mark.parametrize(("text", "expected"), seen_on_real_pages())
def test_every_date_seen_on_a_real_page_is_read_right(text: str, expected: str) -> None:
    assert local(read(text)) == expected


MORE_FORMS = {
    "20 Tháng 11, 2026": "2026-11-20",
    "Ngày 5 tháng 11 năm 2026": "2026-11-05",
    "Ngày 5 tháng mười một năm 2026": "2026-11-05",
    "Thứ 6, 20/11/2026": "2026-11-20",
    "CN, 22/11/2026": "2026-11-22",
    "2026-11-20T08:30:00+07:00": "2026-11-20T08:30",
    "2026-11-20T01:30:00.000Z": "2026-11-20T08:30",
    "2026-11-20 08:30": "2026-11-20T08:30",
    "Fri, 20 Nov 2026 08:30:00 +0700": "2026-11-20T08:30",
    "Fri, 20 Nov 2026 08:30:00 GMT+7": "2026-11-20T08:30",
    "20 Nov 2026 01:30:00 EST": "2026-11-20T13:30",
    "November 20, 2026 8:30 am": "2026-11-20T08:30",
    "20/11/2026 12:10 SA": "2026-11-20T00:10",
    "20/11/2026 12:10 CH": "2026-11-20T12:10",
    "20/11/2026 lúc 7 giờ tối": "2026-11-20T19:00",
    "3 ngày trước": "2026-11-17",
    "5 phút trước": "2026-11-20T11:55",
    "Hôm nay, 07:15": "2026-11-20T07:15",
    "Hôm qua": "2026-11-19",
    "Lượt xem: 1.234 | 05/11/2026": "2026-11-05",
}


@pytest.mark.parametrize(("text", "expected"), MORE_FORMS.items())
def test_other_usual_forms_are_read_too(text: str, expected: str) -> None:
    assert local(read(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "05/11/26",
        "20/11",
        "Tháng 11",
        "11/20/2026",
        "31/02/2026",
        "00/00/0000",
        "0000-00-00 00:00:00",
        "-0001-11-30T00:00:00",
        "01/01/1970",
        "Thu, 01 Jan 1970 00:00:00 GMT",
        "21/04/3077",
        "9999-12-31T23:59:59Z",
        "Lượt xem: 20112026",
        "2.345.678",
        "hôm sau",
    ],
)
def test_what_is_no_sure_date_is_none(text: str) -> None:
    assert read(text) is None


def test_a_date_alone_is_local_midnight_with_the_confidence_of_a_day() -> None:
    assert read("20/11/2026") == Moment(datetime(2026, 11, 19, 17, tzinfo=UTC), Confidence.DAY)


def test_the_last_minute_of_the_year_stays_in_its_year() -> None:
    assert local(read("Thu, 31 Dec 2026 16:59:59 GMT")) == "2026-12-31T23:59"
    assert local(read("Thu, 31 Dec 2026 17:00:00 GMT")) == "2027-01-01T00:00"


FIRST = int(datetime(FIRST_YEAR, 1, 2, tzinfo=UTC).timestamp())
LAST = int(datetime(LAST_YEAR, 12, 30, tzinfo=UTC).timestamp())
moments = st.integers(FIRST, LAST).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(moments, st.integers(-12, 14))
def test_machine_dates_come_back_whatever_their_offset(at: datetime, hours: int) -> None:
    shifted = at.astimezone(timezone(timedelta(hours=hours)))
    for text in (shifted.isoformat(), format_datetime(shifted)):
        assert read(text) == Moment(at, Confidence.EXACT)


@given(moments)
def test_printed_dates_are_always_day_first(at: datetime) -> None:
    there = at.astimezone(HCMC).replace(second=0)
    printed = (
        f"{there:%d/%m/%Y %H:%M}",
        f"{there:%H:%M} | {there:%d-%m-%Y}",
        f"{there.day}.{there.month}.{there.year} - {there.hour}h{there:%M}",
        f"ngày {there.day} tháng {there.month} năm {there.year}, {there.hour} giờ {there.minute:02d} phút",
        f"{there:%d/%m/%Y %I:%M} {'CH' if there.hour >= 12 else 'SA'}",
    )
    assert {read(text) for text in printed} == {Moment(there.astimezone(UTC), Confidence.EXACT)}


@given(st.text(max_size=400) | st.text(alphabet="0123456789/-.: T+Zhgiờtháng,", max_size=60))
def test_any_text_gives_a_plausible_utc_moment_or_none(text: str) -> None:
    moment = read(text)
    if moment is not None:
        assert moment.at.tzinfo is UTC
        assert FIRST_YEAR - 1 <= moment.at.year <= LAST_YEAR
