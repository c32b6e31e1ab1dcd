"""Blogger: its JSON feed states the exact total and is paged by `start-index`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from pipeline.demo.sites.base import Asked, Reply, Site, as_json, home, iso, not_found, slug_of
from pipeline.demo.world import Item

A_PAGE = 150
PARAMETERS = {"alt", "max-results", "start-index", "orderby", "published-min", "published-max"}


class Blogger(Site):
    generator: ClassVar[str] = "blogger"

    def answer(self, asked: Asked) -> Reply:
        if asked.path == "/feeds/posts/summary" or asked.path.startswith("/feeds/posts/summary/-/"):
            return self._posts(asked)
        return home(self) if asked.path == "/" else not_found()

    def _posts(self, asked: Asked) -> Reply:
        query = asked.query
        if unknown := sorted(query.keys() - PARAMETERS):
            return as_json({}, 400, violation=f"asks for «{unknown[0][:60]}»")
        if query.get("alt") != "json":
            return as_json({}, 400, violation="asks for a feed that is not JSON")
        label = asked.path.partition("/-/")[2]
        since = datetime.fromisoformat(query.get("published-min", "2000-01-01T00:00:00Z"))
        found = [i for i in self.visible() if i.published_at >= since and label in {"", i.category}]
        first, size = int(query.get("start-index", "1")), min(int(query.get("max-results", "25")), A_PAGE)
        feed: dict[str, Any] = {
            "title": _text(self.account.name),
            "openSearch$totalResults": {"$t": str(len(found))},
            "openSearch$startIndex": {"$t": str(first)},
            "openSearch$itemsPerPage": {"$t": str(size)},
        }
        if entries := [_entry(item, asked.base) for item in found[first - 1 : first - 1 + size]]:
            feed["entry"] = entries
        return as_json({"version": "1.0", "encoding": "UTF-8", "feed": feed})


def _entry(item: Item, base: str) -> dict[str, Any]:
    at = iso(item.published_at, milliseconds=True)
    link = f"{base}/{at[:4]}/{at[5:7]}/{slug_of(item)}-{item.number}.html"
    return {
        "id": {"$t": f"tag:blogger.com,1999:blog-1.post-{item.number}"},
        "published": {"$t": at},
        "updated": {"$t": at},
        "category": [{"scheme": "http://www.blogger.com/atom/ns#", "term": item.category}],
        "title": _text(item.title),
        "summary": _text(item.text),
        "link": [{"rel": "alternate", "type": "text/html", "href": link}],
    }


def _text(words: str) -> dict[str, str]:
    return {"type": "text", "$t": words}
