"""One simulated Page for tests: lists in pages with cursors, Reels, insights, tokens, and troubles on demand."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.scripted_server import Asked, Said, says

PAYLOADS = Path(__file__).parent / "payloads" / "facebook"
PAGE = "104729385617204"
COUNTS = {"followers_count": 812, "fan_count": 812}


def sample(name: str) -> bytes:
    return (PAYLOADS / name).read_bytes()


def load(name: str) -> Any:
    return json.loads(sample(name))


def refuses(name: str, status: int) -> Said:
    """A sample error as an answer."""
    return Said(sample(f"errors/{name}.json"), status)


def a_post(number: int, at: datetime, **other: Any) -> dict[str, Any]:
    return {
        "id": f"{PAGE}_{number}",
        "created_time": f"{at:%Y-%m-%dT%H:%M:%S}+0000",
        "message": f"Tin tốt số {number} (mẫu)\nDữ liệu minh họa.",
        "permalink_url": f"https://www.facebook.com/mau/posts/{number}",
        "status_type": "added_photos",
        "is_published": True,
        "shares": {"count": 2},
        "reactions": {"data": [], "summary": {"total_count": number}},
        "comments": {"data": [], "summary": {"total_count": 1}},
        "attachments": {"data": [{"media_type": "photo", "type": "photo"}]},
        **other,
    }


@dataclass
class Page:
    """A script for `scripted`; what it was asked stands in `asked`."""

    posts: Sequence[Mapping[str, Any]] = ()
    counts: Mapping[str, Any] = field(default_factory=lambda: COUNTS)
    reels: Sequence[Mapping[str, Any]] | None = ()
    """None: the Page does not let them be read."""
    overlap: int = 0
    """How many posts of a page come again on the next one."""
    stuck: bool = False
    """Every further page is the same page."""
    most: int = 100
    """More posts at once are too much."""
    lists: bool = True
    """False: the Page's own answer holds no list."""
    breaks_at: int | None = None
    """The list ends with a server error at this page."""
    followed_since: datetime | None = None
    insights: Said | None = None
    page_token: str | None = None
    dead_tokens: frozenset[str] | set[str] = frozenset()
    headers: Mapping[str, str] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def __call__(self, asked: Asked) -> Said:
        self.asked.append(asked)
        if asked.headers["authorization"].removeprefix("Bearer ") in self.dead_tokens:
            return refuses("190_460", 400)
        said = self._answer(asked, asked.path.rpartition("/")[2])
        return Said(said.body, said.status, {**said.headers, **self.headers})

    def _answer(self, asked: Asked, edge: str) -> Said:
        if edge == "insights":
            return self.insights or says({"data": self._history(asked.query), "paging": {}})
        if edge == "video_reels":
            return self._reels()
        fields = asked.query["fields"]
        if fields == "access_token":
            return says({"access_token": self.page_token, "id": PAGE} if self.page_token else {"id": PAGE})
        if edge == "published_posts":
            return self._list(asked.query.get("after", ""), int(asked.query["limit"]), bare=True)
        size = re.search(r"published_posts\.limit\((\d+)\)", fields)
        assert size is not None
        return self._list("", int(size[1]), bare=False)

    def _list(self, after: str, size: int, *, bare: bool) -> Said:
        if size > self.most:
            return refuses("001_reduce_data_http500", 500)
        start = int(after or 0)
        if self.breaks_at is not None and start >= self.breaks_at * size:
            return refuses("002_service_http500", 500)
        listed: dict[str, Any] = {"data": list(self.posts[start : start + size])}
        if self.stuck or start + size < len(self.posts):
            onward = str(size if self.stuck else start + size - self.overlap)
            listed["paging"] = {"cursors": {"before": "x", "after": onward}, "next": "https://graph.example/?after=x"}
        if bare:
            return says(listed)
        own = {"published_posts": listed} if self.lists and self.posts else {}
        return says({"id": PAGE, "is_published": True, **self.counts, **own})

    def _reels(self) -> Said:
        if self.reels is None:
            return refuses("100_33_object_missing", 400)
        shown = [
            {
                "id": str(reel["id"]).partition("_")[2],
                "created_time": reel["created_time"],
                "description": reel["message"],
                "permalink_url": f"/reel/{reel['id']}/",
                "length": 58.4,
            }
            for reel in self.reels
        ]
        return says({"data": shown, "paging": {"cursors": {"before": "a", "after": "b"}}})

    def _history(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """A value for every day that ends after `since` and not after `until`."""
        if self.followed_since is None:
            return []
        since, until = (datetime.fromisoformat(query[name]).replace(tzinfo=UTC) for name in ("since", "until"))
        days = [since + timedelta(days=number) for number in range(1, (until - since).days + 1)]
        values = [
            {"value": 800 + day.day, "end_time": f"{day:%Y-%m-%d}T08:00:00+0000"}
            for day in days
            if day >= self.followed_since
        ]
        return [{"name": query["metric"], "period": "day", "values": values}] if values else []
