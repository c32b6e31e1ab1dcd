"""Dates as Vietnamese sites write them: always day first, local unless they say otherwise.

Two-digit years, dates without a year and American order are refused (None): a wrong day is worse than no day.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from config.folding import bare, spelled
from store.records import Confidence

FIRST_YEAR = 2004
LAST_YEAR = 2099
TEXT_CAP = 300

MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
SPELLED = {
    name: number
    for number, name in enumerate(
        ("mot", "hai", "ba", "tu", "nam", "sau", "bay", "tam", "chin", "muoi", "muoi mot", "muoi hai"),
        start=1,
    )
} | {"gieng": 1, "chap": 12}
OFFSETS = {"GMT": UTC, "UTC": UTC, "UT": UTC, "Z": UTC, "+0000": UTC, "+0700": timezone(timedelta(hours=7))}

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_SPELLED = "|".join(sorted(SPELLED, key=len, reverse=True))
DATE_FORMS = tuple(
    re.compile(form)
    for form in (
        r"(?<!\d)(?P<day>\d{1,2})\s?([/.-])\s?(?P<month>\d{1,2})\s?\2\s?(?P<year>\d{4})(?!\d)",
        r"(?<!\d)(?P<year>\d{4})([/.-])(?P<month>\d{1,2})\2(?P<day>\d{1,2})(?!\d)",
        rf"(?<!\d)(?P<day>\d{{1,2}})\s+thang\s+(?P<month>\d{{1,2}}|{_SPELLED})\s*(?:,|/|-|nam)?\s*(?P<year>\d{{4}})(?!\d)",
        r"\bth(?:ang)?\s?(?P<month>\d{1,2})\s+(?P<day>\d{1,2}),?\s+(?P<year>\d{4})(?!\d)",
        rf"(?<!\d)(?P<day>\d{{1,2}})[\s-](?P<month>{_MONTH})\.?,?[\s-](?P<year>\d{{4}})(?!\d)",
        rf"\b(?P<month>{_MONTH})\.?\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?,?\s+(?P<year>\d{{4}})(?!\d)",
    )
)
OFFSET = re.compile(
    r"(?:\b(?:gmt|utc)\s?|(?<=\d)\s?)(?P<sign>[+-])\s?(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?(?!\d)"
)
ZULU = re.compile(r"(?<=\d)\s?z\b|\b(?:gmt|utc)\b(?!\s?[+-])")
TIME = re.compile(
    r"(?<![\d:])(?P<hour>\d{1,2})\s?(?::\s?|gio|g|h)\s?(?:(?P<minute>\d{1,2})(?::(?P<second>\d{2}))?)?(?:\.\d+)?"
    r"(?:\s?(?:phut|p(?!m)))?\s?(?P<half>(?:sa|ch|am|pm|sang|trua|chieu|toi|dem)\b)?"
)
NUKEVIET = re.compile(r"(\d{4}-\d{2}-\d{2})([+-]\d{2})(\d{2}:\d{2}:\d{2})$")
RFC_LIKE = re.compile(r"(?:[A-Za-z]{3},?\s*)?\d{1,2}\s+[A-Za-z]{3,9}\s+\d{4}\s+\d")
AGO = re.compile(
    r"(?<!\d)(?P<number>\d{1,3})\s+(?P<unit>giay|phut|gio|tieng|ngay|tuan|second|minute|hour|day|week)s?\s+(?:truoc|ago)\b"
)
DAYS_BACK = {"hom nay": 0, "hom qua": 1, "hom kia": 2, "today": 0, "yesterday": 1}
DAY_WORD = re.compile(r"\b(hom nay|hom qua|hom kia|today|yesterday)\b")
AGO_STEPS = {
    "giay": (timedelta(seconds=1), Confidence.EXACT),
    "second": (timedelta(seconds=1), Confidence.EXACT),
    "phut": (timedelta(minutes=1), Confidence.EXACT),
    "minute": (timedelta(minutes=1), Confidence.EXACT),
    "gio": (timedelta(hours=1), Confidence.HOUR),
    "tieng": (timedelta(hours=1), Confidence.HOUR),
    "hour": (timedelta(hours=1), Confidence.HOUR),
    "ngay": (timedelta(days=1), Confidence.DAY),
    "day": (timedelta(days=1), Confidence.DAY),
    "tuan": (timedelta(weeks=1), Confidence.LOW),
    "week": (timedelta(weeks=1), Confidence.LOW),
}


class Moment(NamedTuple):
    """A point in time in UTC and how surely the text says it."""

    at: datetime
    confidence: Confidence


def read_date(text: str, zone: ZoneInfo, now: datetime) -> Moment | None:
    """The moment a text states, or None when it states none that can be trusted.

    A date without a time is local midnight with confidence DAY. *now* serves phrases like «2 giờ trước» only.
    """
    moment = machine_date(text, zone)
    if moment is not None:
        return moment
    words = bare(spelled(text[:TEXT_CAP]))
    moment = _printed(words, zone) or _relative(words, zone, now)
    return moment if moment and FIRST_YEAR <= moment.at.year <= LAST_YEAR else None


def machine_date(text: str, zone: ZoneInfo) -> Moment | None:
    """The moment of an RFC 822 or ISO 8601 text; None when it is neither. Naive means local."""
    text = text[:TEXT_CAP].strip()
    try:
        at = _rfc822(text) if text[3:4] == "," else _iso(text)
        if at is None and RFC_LIKE.match(text) and "+" not in text[-3:]:
            at = parsedate_to_datetime(text)
        return None if at is None else _as_moment(at, zone, dated_only=len(text) == 10)
    except (ValueError, OverflowError, IndexError, TypeError):
        return None


def _rfc822(text: str) -> datetime | None:
    """«Fri, 20 Nov 2026 01:30:00 GMT» by its fixed columns."""
    month = MONTHS.get(text[8:11].lower())
    offset = OFFSETS.get(text[26:]) or _numeric_offset(text[26:])
    if month is None or offset is None or text[25:26] != " " or text[19] != ":" or text[22] != ":":
        return None
    hour, minute, second = int(text[17:19]), int(text[20:22]), int(text[23:25])
    return datetime(int(text[12:16]), month, int(text[5:7]), hour, minute, second, tzinfo=offset)


def _numeric_offset(text: str) -> timezone | None:
    if len(text) != 5 or text[0] not in "+-" or not text[1:].isdecimal():
        return None
    size = timedelta(hours=int(text[1:3]), minutes=int(text[3:5]))
    return timezone(-size if text[0] == "-" else size)


def _iso(text: str) -> datetime | None:
    if text[4:5] != "-" or len(text) < 10:
        return None
    if broken := NUKEVIET.match(text):  # NukeViet: an unescaped T in the date format prints the zone in its place
        text = f"{broken[1]}T{broken[3]}{broken[2]}"
    return datetime.fromisoformat(text)


def _as_moment(at: datetime, zone: ZoneInfo, *, dated_only: bool) -> Moment | None:
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        return None
    if at.tzinfo is not UTC:
        at = (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    return Moment(at, Confidence.DAY if dated_only else Confidence.EXACT)


def _printed(words: str, zone: ZoneInfo) -> Moment | None:
    for form in DATE_FORMS:
        found = form.search(words)
        if found:
            rest = f"{words[: found.start()]} | {words[found.end() :]}"
            return _moment_of(found, rest, zone)
    return None


def _moment_of(found: re.Match[str], rest: str, zone: ZoneInfo) -> Moment | None:
    year, day = int(found["year"]), int(found["day"])
    offset, rest = _offset_in(rest)
    clock = _clock_in(rest)
    hour, minute, second = clock or (0, 0, 0)
    try:
        at = datetime(year, _month(found["month"]), day, hour, minute, second, tzinfo=(clock and offset) or zone)
    except ValueError:
        return None
    return _as_moment(at, zone, dated_only=clock is None)


def _month(text: str) -> int:
    if text.isdecimal():
        return int(text)
    return SPELLED.get(text) or MONTHS[text[:3]]


def _offset_in(rest: str) -> tuple[timezone | None, str]:
    """The offset a text states and the text without it, so that «+07:00» is not read as a time of day."""
    if found := OFFSET.search(rest):
        size = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"] or 0))
        if size <= timedelta(hours=14):
            signed = -size if found["sign"] == "-" else size
            return timezone(signed), rest[: found.start()] + " " + rest[found.end() :]
    return (UTC if ZULU.search(rest) else None), rest


def _clock_in(rest: str) -> tuple[int, int, int] | None:
    for found in TIME.finditer(rest):
        hour, minute, second = int(found["hour"]), int(found["minute"] or 0), int(found["second"] or 0)
        half = found["half"] or ""
        if half in {"ch", "pm", "chieu", "toi"} and hour < 12:
            hour += 12
        if half in {"sa", "am", "sang"} and hour == 12:
            hour = 0
        if hour < 24 and minute < 60 and second < 60:
            return hour, minute, second
    return None


def _relative(words: str, zone: ZoneInfo, now: datetime) -> Moment | None:
    if found := AGO.search(words):
        step, confidence = AGO_STEPS[found["unit"]]
        at = now - int(found["number"]) * step
        if confidence in {Confidence.DAY, Confidence.LOW}:
            at = at.astimezone(zone).replace(hour=0, minute=0, second=0)
        return Moment(at.astimezone(UTC).replace(microsecond=0), confidence)
    if found := DAY_WORD.search(words):
        day = now.astimezone(zone) - timedelta(days=DAYS_BACK[found[1]])
        clock = _clock_in(words[: found.start()] + " | " + words[found.end() :])
        hour, minute, second = clock or (0, 0, 0)
        at = day.replace(hour=hour, minute=minute, second=second, microsecond=0)
        return Moment(at.astimezone(UTC), Confidence.EXACT if clock else Confidence.DAY)
    return None
