"""Small districts and frames for the tests of the indicators: only what a case needs is said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from config.models import Channel, Config, District, Unit
from metrics.asking import Ask, Facts
from metrics.periods import Period, year
from store.records import Precision, Source

HCMC = ZoneInfo("Asia/Ho_Chi_Minh")
Y2026 = year(2026, HCMC)
DISTRICT: dict[str, Any] = {
    "organisation": {"name": "Quận Đoàn mẫu", "contact": "phong@don-vi.example"},
    "kinds": {"phuong": {"name": "Phường"}, "quan": {"name": "Quận", "grassroots": False}},
    "labels": {"tin-tot": {"name": "Tin tốt", "every": "day", "clause": "II-CT.2", "phrases": ["tin tốt"]}},
}
FIGURES = ["unit", "measure", "period_start", "period_end", "value", "numerator", "denominator", "at", "turn"]


def at(text: str) -> datetime:
    """A local moment «2026-11-20», at noon, or «2026-11-20 08:30»."""
    return datetime.fromisoformat(text if " " in text else f"{text} 12:00").replace(tzinfo=HCMC).astimezone(UTC)


def unit(slug: str, start: str = "2020-01-01", until: str | None = None, **more: Any) -> Unit:
    return Unit.model_validate({"slug": slug, "name": slug, "kind": "phuong", "start": start, "until": until, **more})


def channel(slug: str, platform: str = "facebook", unit: str = "a", start: str = "2020-01-01", **more: Any) -> Channel:
    address = "https://trang-mau.example" if platform == "website" else slug
    owners = more.pop("owners", [{"unit": unit, "start": start}])
    facts = {"slug": slug, "platform": platform, "name": slug, "address": address, "owners": owners}
    return Channel.model_validate({**facts, **more})


def config_of(units: Sequence[Unit] = (), channels: Sequence[Channel] = (), **district: Any) -> Config:
    whole = District.model_validate({**DISTRICT, **district})
    by_slug = {one.slug: one for one in units or [unit("a")]}
    return Config(Path("/"), whole, by_slug, {one.slug: one for one in channels})


def point(
    slug: str,
    day: str,
    followers: int | None,
    precision: Precision = Precision.EXACT,
    source: Source = Source.FACEBOOK_PAGE,
    suspect: int = 0,
    **more: int | None,
) -> dict[str, Any]:
    """One row as Store.series gives it; `day` is a local day (noon) or moment."""
    counts = {"followers": followers, "likes": None, "posts": None, "views": None, **more}
    names = {"precision": precision.name.lower(), "source": source.name.lower(), "suspect": suspect}
    return {"channel": slug, "observed_at": at(day), **counts, **names}


def series(*points: dict[str, Any]) -> pd.DataFrame:
    """The frame of these points with the types that the store gives."""
    columns = list(point("x", "2026-01-01", None))
    frame = pd.DataFrame(list(points), columns=columns)
    frame["observed_at"] = pd.to_datetime(frame["observed_at"], utc=True)
    return frame.astype({**dict.fromkeys(("followers", "likes", "posts", "views"), "Int64"), "suspect": "int64"})


def look(slug: str, started: str, since: str | None = None, state: str = "done", outcome: str = "ok") -> dict[str, Any]:
    covers = at(since) if since else None
    facts = {"channel": slug, "state": state, "complete": state == "done", "coverage_from": covers}
    return {**facts, "started_at": at(started), "outcome": outcome}


def failed(slug: str, started: str) -> dict[str, Any]:
    return look(slug, started, state="failed", outcome="network")


def looks(*rows: dict[str, Any]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=list(look("x", "2026-01-01")))
    return frame.assign(**{name: pd.to_datetime(frame[name], utc=True) for name in ("coverage_from", "started_at")})


def post(number: int, slug: str, published: str, seen: str | None = None, is_share: bool = False) -> dict[str, Any]:
    facts = {"id": number, "channel": slug, "published_at": at(published), "first_seen_at": at(seen or published)}
    return {**facts, "is_share": is_share, "gone_at": None, "date_confidence": "exact"}


def posts(*rows: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(post(1, "x", "2026-01-01")))


def figure(
    slug: str,
    numerator: int | None = None,
    denominator: int | None = None,
    value: int | None = None,
    period: Period = Y2026,
    told: str = "2026-06-01",
    turn: int = 1,
    measure: str = "linked",
) -> dict[str, Any]:
    numbers = {"value": value, "numerator": numerator, "denominator": denominator}
    key = {"unit": slug, "measure": measure, "period_start": period.start, "period_end": period.end}
    return {**key, **numbers, "at": at(told), "by": "Đoàn phường (mẫu)", "source_note": "báo cáo (mẫu)", "turn": turn}


def figures(*rows: dict[str, Any]) -> pd.DataFrame:
    frame = pd.DataFrame(list(rows), columns=list(figure("x")))
    frame["at"] = pd.to_datetime(frame["at"], utc=True)
    return frame.astype(dict.fromkeys(("value", "numerator", "denominator"), "Int64"))


def facts(config: Config, as_of: str, **frames: pd.DataFrame) -> Facts:
    return Facts(config, at(as_of), **frames)


def ask(by: Any = "channel", period: Period = Y2026, **more: Any) -> Ask:
    return Ask(period, by=by, **more)


def day(text: str) -> date:
    return date.fromisoformat(text)


def share(value: Any, digits: int = 4) -> float | None:
    """A ratio as a plain rounded number; None when missing."""
    return None if pd.isna(value) else round(float(value), digits)
