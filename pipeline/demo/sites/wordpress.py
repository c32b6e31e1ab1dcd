"""WordPress 6: its REST interface by pretty or plain links, and its feed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from typing import Any, ClassVar

from pipeline.demo.district import ZONE
from pipeline.demo.sites.base import Asked, Reply, Site, as_json, home, not_found, slug_of
from pipeline.demo.sites.feeds import rss, rss_item
from pipeline.demo.texts import CATEGORY_OF_NEWS, CATEGORY_OF_STORIES, ORDINARY_CATEGORIES
from pipeline.demo.world import Account, Item

TERMS = {name: number for number, name in enumerate((CATEGORY_OF_NEWS, CATEGORY_OF_STORIES, *ORDINARY_CATEGORIES), 3)}
FIELDS = {"id", "date", "date_gmt", "modified_gmt", "link", "title", "excerpt", "categories", "tags", "slug"}
PARAMETERS = {"per_page", "page", "orderby", "order", "after", "before", "categories", "_fields"}
FEED_ITEMS = 10


class WordPress(Site):
    generator: ClassVar[str] = "WordPress 6.8"
    plain_links: ClassVar[bool] = False

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._written: dict[int, dict[str, Any]] = {}

    def answer(self, asked: Asked) -> Reply:
        route = self._route(asked)
        if route == "/wp/v2/posts":
            return self._posts(asked)
        if route == "/wp/v2/categories":
            return _terms(asked.query)
        if route == "/wp/v2/tags":
            return as_json([])
        if route:
            return _error("rest_no_route", 404)
        if asked.path == "/feed/":
            return self._feed(asked)
        return self._home(asked) if asked.path == "/" else not_found()

    def _route(self, asked: Asked) -> str:
        """The route of the REST interface that is asked for; "" when it is none."""
        if self.plain_links:
            return asked.query.get("rest_route", "")
        return asked.path.removeprefix("/wp-json") if asked.path.startswith("/wp-json/") else ""

    def _posts(self, asked: Asked) -> Reply:
        query = {name: value for name, value in asked.query.items() if name != "rest_route"}
        if unknown := sorted((query.keys() - PARAMETERS) | (_fields(query) - FIELDS)):
            return _error("rest_invalid_param", 400, f"asks for «{unknown[0][:60]}»")
        size, number = int(query.get("per_page", "10")), int(query.get("page", "1"))
        if not 1 <= size <= 100:
            return _error("rest_invalid_param", 400, "asks for more than 100 items a page")
        found = self._found(query)
        pages = -(-len(found) // size)
        if number > max(1, pages):
            return _error("rest_post_invalid_page_number", 400)
        wanted = _fields(query) or FIELDS
        chosen = [self._post(item, asked.base) for item in found[(number - 1) * size : number * size]]
        shown = [{name: value for name, value in post.items() if name in wanted} for post in chosen]
        return as_json(shown, headers={"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(pages)})

    def _found(self, query: Mapping[str, str]) -> list[Item]:
        """The items asked for; `after` is compared by the site's own clock and strictly."""
        found = list(self.visible())
        if "categories" in query:
            found = [item for item in found if str(TERMS[item.category]) == query["categories"]]
        if "after" in query:
            after = datetime.fromisoformat(query["after"])
            after = after if after.tzinfo else after.replace(tzinfo=ZONE)
            found = [item for item in found if item.published_at > after]
        return found

    def _post(self, item: Item, base: str) -> dict[str, Any]:
        if item.number not in self._written:
            gmt = item.published_at.astimezone(UTC).replace(tzinfo=None).isoformat()
            self._written[item.number] = {
                "id": item.number,
                "date": item.published_at.astimezone(ZONE).replace(tzinfo=None).isoformat(),
                "date_gmt": gmt,
                "modified_gmt": gmt,
                "slug": slug_of(item),
                "link": f"{base}/?p={item.number}" if self.plain_links else f"{base}/{slug_of(item)}-{item.number}/",
                "title": {"rendered": escape(item.title).replace(" - ", " &#8211; ")},
                "excerpt": {"rendered": f"<p>{escape(item.text)}</p>\n", "protected": False},
                "categories": [TERMS[item.category]],
                "tags": [],
            }
        return self._written[item.number]

    def _feed(self, asked: Asked) -> Reply:
        items = self.pieces(self.visible(FEED_ITEMS), lambda item: self._feed_item(item, asked.base))
        return rss(self.account, items, asked.base, "https://wordpress.org/?v=6.8")

    def _feed_item(self, item: Item, base: str) -> str:
        guid = f"<guid isPermaLink='false'>{base}/?p={item.number}</guid>"
        return rss_item(item, str(self._post(item, base)["link"]), guid)

    def _home(self, asked: Asked) -> Reply:
        interface = f"{asked.base}/?rest_route=/" if self.plain_links else f"{asked.base}/wp-json/"
        feed = '<link rel="alternate" type="application/rss+xml" href="/feed/">'
        return home(self, feed, {"Link": f'<{interface}>; rel="https://api.w.org/"'})


class PlainWordPress(WordPress):
    """A site that switched pretty links off: everything hangs on the query."""

    plain_links: ClassVar[bool] = True


def _fields(query: Mapping[str, str]) -> set[str]:
    return {name for name in query.get("_fields", "").split(",") if name}


def _terms(query: Mapping[str, str]) -> Reply:
    terms = [{"id": number, "name": name} for name, number in TERMS.items()]
    wanted = query.get("include", "").split(",")
    return as_json([term for term in terms if str(term["id"]) in wanted or "include" not in query])


def _error(code: str, status: int, violation: str = "") -> Reply:
    return as_json({"code": code, "message": "(mẫu)", "data": {"status": status}}, status, violation=violation)
