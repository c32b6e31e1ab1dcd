"""What people corrected after a week was closed, from the audit log: told beside the paper, never mixed into it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from config.measures import load_measures
from config.models import Config
from metrics.periods import Period
from pipeline.workplace import local_text
from store.verbs import Store

Row = Mapping[Any, Any]


def later_edits(config: Config, store: Store, week: Period, closed_at: datetime) -> list[str]:
    """One Vietnamese sentence for every change by hand since then that bears on the week; figures are not repeated."""
    log = store.audit()
    posts = {str(number) for number in store.posts(week.start_at, week.end_at)["id"].tolist()}
    rows = log[log["at"] >= closed_at].to_dict("records")
    return [f"{_when(config, row)}, {row['by']}: {told}." for row in rows for told in _told(config, week, posts, row)]


def _when(config: Config, row: Row) -> str:
    return local_text(row["at"].to_pydatetime(), config.district.tz)


def _told(config: Config, week: Period, posts: set[str], row: Row) -> Iterator[str]:
    """Nothing for a change that does not touch the week."""
    parts = row["subject"].split("/")
    if row["action"] == "label.confirm" and parts[0].removeprefix("post ") in posts:
        label = config.district.labels.get(parts[1])
        yield f"xác nhận lại nhãn «{label.name if label else parts[1]}» của một bài trong tuần"
    elif row["action"] == "count.judge" and week.start_at <= datetime.fromisoformat(parts[2]) <= week.end_at:
        channel = config.channels.get(parts[0])
        yield f"cho ý kiến về số liệu khác thường của {channel.name if channel else parts[0]}"
    elif row["action"] in ("figure.report", "figure.approve") and _overlaps(week, parts[2], parts[3]):
        verb = "báo cáo" if row["action"] == "figure.report" else "phê duyệt"
        rule, unit = load_measures().get(parts[1]), config.units.get(parts[0])
        yield f"{verb} «{rule.name if rule else parts[1]}» của {unit.name if unit else parts[0]}"


def _overlaps(week: Period, start: str, end: str) -> bool:
    return date.fromisoformat(start) < week.end and week.start < date.fromisoformat(end)
