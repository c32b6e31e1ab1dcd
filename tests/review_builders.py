"""A worked week for the tests of the review: units, channels, targets and cells, each said in one word."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd

from metrics.periods import parse_period
from metrics.review_facts import PROGRESS, Week
from tests.metric_builders import HCMC, channel, config_of, unit

WEEK_47 = parse_period("2026-W47", HCMC)  # Monday 16 to Sunday 22 November 2026
BEFORE = date(2026, 11, 9)
LABELS = {
    "tin-tot": {"name": "Tin tốt", "every": "day", "clause": "II-CT.2", "phrases": ["tin tốt"]},
    "dep": {"name": "Câu chuyện đẹp", "every": "week", "clause": "II-CT.2", "phrases": ["câu chuyện đẹp"]},
}
CONFIG = config_of(
    [unit("mot"), unit("hai"), unit("ba"), unit("bon"), unit("nam")],
    [channel("trang-mot", unit="mot"), channel("trang-hai", unit="hai")],
    labels=LABELS,
)
STATES = {"+": "met", "-": "missed", "o": "missed", "?": "unknown", "!": "unknown", ".": "pending", "z": "resting"}
"""A labelled post, none, one without a label, not seen, a failed look, still to come, a rest day."""


def cells(**units: str) -> pd.DataFrame:
    """Days of the week before and of week 47, and after a blank the two weeks: «------- +++++..  -+»."""
    rows = [row for slug, signs in units.items() for row in _cells_of(slug, signs.split())]
    frame = pd.DataFrame(rows).astype({"slot": "datetime64[s]"})
    states = sorted({*STATES.values()})
    return frame.astype({name: pd.CategoricalDtype(states) for name in ("any_post", "labelled", "confirmed")})


def _cells_of(slug: str, parts: list[str]) -> list[dict[str, Any]]:
    first, second, weeks = parts
    days = [_cell(slug, "tin-tot", "day", BEFORE + timedelta(days=n), sign) for n, sign in enumerate(first + second)]
    return days + [_cell(slug, "dep", "week", BEFORE + timedelta(weeks=n), sign) for n, sign in enumerate(weeks)]


def _cell(slug: str, label: str, every: str, slot: date, sign: str) -> dict[str, Any]:
    posted, state = sign in "+o", STATES[sign]
    reason = "chưa đọc trọn ngày này" if sign in "?!" else ""
    return {
        "unit": slug, "label": label, "every": every, "slot": slot, "due": sign != "z", "reason": reason,
        "any_post": "met" if posted else state, "labelled": state, "confirmed": state, "failed": sign == "!",
        "own_posts": int(posted), "posts": (1,) if sign == "+" else (), "sure": True, "gone": False,
    }  # fmt: skip


def target(row: str, status: str, subject: str = "", plan: str = "ke-hoach", **more: Any) -> dict[str, Any]:
    """One line of the check; high is what has been reached of the target at best."""
    facts = {"clause": "II-CT.4", "title": f"Chỉ tiêu {row}", "low": None, "high": None, "target": 0.05}
    told = {"sentence": f"{row} {status}.", "needed_per_week": None, "heads": None}
    return {"plan": plan, "row": row, "subject": subject, "status": status} | facts | told | more


def targets(*rows: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=[*PROGRESS, "needed_per_week", "heads"])


def followers(slug: str, *counts: int | None, precision: str = "exact") -> list[dict[str, Any]]:
    """Rows as Store.value_at gives them, a week apart; the last one ends week 47."""
    ends = [WEEK_47.end_at - timedelta(weeks=number) for number in range(len(counts))][::-1]
    return [
        {
            "channel": slug,
            "moment": end,
            "observed_at": end - timedelta(hours=3),
            "followers": count,
            "precision": precision,
        }
        for end, count in zip(ends, counts, strict=True)
    ]


def points(*channels: list[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame([row for one in channels for row in one]).astype({"followers": "Int64"})
    return frame.astype(dict.fromkeys(("moment", "observed_at"), "datetime64[s, UTC]"))


def week(**more: Any) -> Week:
    return Week(CONFIG, WEEK_47, **more)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=HCMC)
