"""One scripted YouTube channel: its uploads list by pages, its videos, its statistics and its Analytics report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tests.collector_contract import NOW
from tests.scripted_server import Asked, Said, says

PAYLOADS = Path(__file__).parent / "payloads" / "youtube"
CHANNEL = "UCaaaaaaaaaaaaaaaaaaaaaA"
PACIFIC = ZoneInfo("America/Los_Angeles")
DAY = timedelta(days=1)


def body(name: str) -> bytes:
    return (PAYLOADS / name).read_bytes()


def saved(name: str) -> Any:
    return json.loads(body(name))


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def reason(status: int, word: str) -> Said:
    """A refusal in YouTube's envelope."""
    return says({"error": {"code": status, "message": "?", "errors": [{"reason": word}]}}, status)


@dataclass(frozen=True)
class Clip:
    """A video; `state` is its privacy, `live` none, upcoming, or ended."""

    number: int
    published: datetime
    uploaded: datetime | None = None
    state: str = "public"
    live: str = "none"
    started: datetime | None = None
    counts: tuple[tuple[str, str], ...] = (("viewCount", "90"), ("likeCount", "5"), ("commentCount", "1"))

    @property
    def id(self) -> str:
        return f"clip{self.number:07d}"

    def listed(self) -> dict[str, Any]:
        content = {"videoId": self.id}
        if self.state == "public":
            content["videoPublishedAt"] = stamp(self.published)
        snippet = {"title": f"Tin tốt số {self.number} (mẫu)", "description": "#tintot"}
        snippet["publishedAt"] = stamp(self.uploaded or self.published)
        return {"snippet": snippet, "contentDetails": content, "status": {"privacyStatus": self.state}}

    def whole(self) -> dict[str, Any]:
        snippet = {"title": f"Tin tốt số {self.number} (mẫu)", "description": "#tintot"}
        snippet |= {"publishedAt": stamp(self.published), "liveBroadcastContent": self.live}
        found: dict[str, Any] = {"id": self.id, "snippet": snippet, "statistics": dict(self.counts)}
        if self.live != "none" or self.started:
            start = {"actualStartTime": stamp(self.started)} if self.started else {}
            found["liveStreamingDetails"] = {"scheduledStartTime": stamp(NOW), **start}
        return found


def daily(count: int, newest: datetime = NOW - timedelta(hours=3)) -> list[Clip]:
    """One video a day, newest first."""
    return [Clip(count - back, newest - back * DAY) for back in range(count)]


@dataclass
class Tube:
    """Answers as YouTube does. Fields may be changed between two looks."""

    clips: Sequence[Clip] = ()
    subscribers: str | None = "1240"
    stated: int | None = None
    page: int = 50
    overlap: int = 0
    etag: str = ""
    batch: Said | None = None
    """What videos:batchGetStats says instead of counts."""
    own: str = CHANNEL
    changes: dict[date, tuple[int, int]] = field(default_factory=dict)
    refuses: dict[str, Said] = field(default_factory=dict)
    """By method: what it says instead."""
    asked: list[Asked] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Said:
        self.asked.append(asked)
        method = asked.path.rpartition("/")[2]
        if method in self.refuses:
            return self.refuses[method]
        answers = {
            "channels": self._channels,
            "playlistItems": self._uploads,
            "videos": self._videos,
            "videos:batchGetStats": self._counts,
            "reports": self._report,
        }
        return answers[method](asked)

    def count(self, method: str) -> int:
        return sum(asked.path.endswith(f"/{method}") for asked in self.asked)

    def _channels(self, asked: Asked) -> Said:
        if "mine" in asked.query:
            return says({"items": [{"id": self.own}]})
        stated = len(self.clips) if self.stated is None else self.stated
        counts: dict[str, Any] = {"viewCount": "845213", "videoCount": str(stated)}
        counts["hiddenSubscriberCount"] = self.subscribers is None
        if self.subscribers is not None:
            counts["subscriberCount"] = self.subscribers
        item = {"id": CHANNEL, "snippet": {"publishedAt": "2021-03-26T02:00:00.123456Z"}, "statistics": counts}
        item["contentDetails"] = {"relatedPlaylists": {"uploads": "UUmau"}}
        return says({"items": [item], "pageInfo": {"totalResults": 1}})

    def _uploads(self, asked: Asked) -> Said:
        if not self.clips:
            return Said(body("error_404_playlistNotFound.json"), 404)
        if self.etag and asked.headers.get("if-none-match") == self.etag:
            return Said(status=304)
        start = int(asked.query.get("pageToken", "T0")[1:])
        shown = sorted(self.clips, key=lambda clip: clip.uploaded or clip.published, reverse=True)
        page: dict[str, Any] = {"items": [clip.listed() for clip in shown[start : start + self.page]]}
        if start + self.page < len(shown):
            page["nextPageToken"] = f"T{start + self.page - self.overlap}"
        page["pageInfo"] = {"totalResults": len(shown)}
        return says(page, ETag=self.etag) if self.etag else says(page)

    def _asked_for(self, asked: Asked) -> list[Clip]:
        ids = asked.query["id"].split(",")
        assert 0 < len(ids) <= 50
        return [clip for clip in self.clips if clip.id in ids and clip.state == "public"]

    def _videos(self, asked: Asked) -> Said:
        return says({"items": [clip.whole() for clip in self._asked_for(asked)]})

    def _counts(self, asked: Asked) -> Said:
        if self.batch:
            return self.batch
        return says({"items": [{"id": clip.id, "statistics": dict(clip.counts)} for clip in self._asked_for(asked)]})

    def _report(self, asked: Asked) -> Said:
        first, last = (date.fromisoformat(asked.query[name]) for name in ("startDate", "endDate"))
        days = [day for day in sorted(self.changes) if first <= day <= last]
        headers = [{"name": name} for name in ("subscribersLost", "day", "subscribersGained")]
        rows = [[self.changes[day][1], day.isoformat(), self.changes[day][0]] for day in days]
        return says({"columnHeaders": headers, "rows": rows})
