"""Pages, posts and Reels of the simulated Facebook, in the shape of the Graph API."""

from __future__ import annotations

import base64
from collections.abc import Callable, Container, Iterable, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from pipeline.demo.facebook_errors import bad_parameter, no_such_field, too_much_data
from pipeline.demo.facebook_fields import Field
from pipeline.demo.strict import names
from pipeline.demo.texts import CATEGORY_OF_NEWS, CATEGORY_OF_STORIES
from pipeline.demo.totals import chance
from pipeline.demo.world import Account, Counts, Item, Trouble

PAGE_FIELDS = names(
    "id name username link followers_count fan_count is_published has_transitioned_to_new_page_experience "
    "verification_status category published_posts access_token"
)
POST_FIELDS = names(
    "id created_time message story permalink_url status_type is_published parent_id shares reactions comments "
    "attachments updated_time"
)
REEL_FIELDS = names("id created_time description permalink_url length")
ATTACHMENT_FIELDS = frozenset({"media_type", "type"})
MODIFIERS = {
    "published_posts": frozenset({"limit"}),
    "reactions": frozenset({"limit", "summary"}),
    "comments": frozenset({"limit", "summary", "filter"}),
}
DEFAULT_FIELDS = ("id", "created_time", "message")
STATUS = {"photo": "added_photos", "video": "added_video", "live": "added_video", "share": "shared_story"}
ATTACHMENT = {
    "photo": {"media_type": "photo", "type": "photo"},
    "video": {"media_type": "video", "type": "video_inline"},
    "live": {"media_type": "video", "type": "video_inline"},
    "share": {"media_type": "link", "type": "share"},
}
LABELLED = frozenset({CATEGORY_OF_NEWS, CATEGORY_OF_STORIES})
NOTHING = Counts(0, 0, 0, 0)
REMEMBERED = 5_000
"""Posts whose unchanging part is kept in memory."""

Complain = Callable[[str], None]


def moment(at: datetime) -> str:
    """As the Graph API writes it: UTC, without the colon in the offset."""
    return f"{at.isoformat()[:19]}+0000"


def post_number(item: Item) -> str:
    """The second half of a post's id, fifteen digits."""
    return f"{int(item.published_at.timestamp())}{item.number % 100_000:05d}"


def reel_number(item: Item) -> str:
    return f"1{post_number(item)}"


def is_post(item: Item) -> bool:
    """Reels are in no list of posts."""
    return item.kind != "reel"


def cursor_of(item: Item) -> str:
    return base64.urlsafe_b64encode(f"QVFI:{item.number}".encode()).decode()


def number_in(cursor: str | None) -> int | None:
    """The item that a cursor stands at; None when there is no cursor."""
    if cursor is None:
        return None
    try:
        stem, _, number = base64.urlsafe_b64decode(cursor.encode()).decode().partition(":")
        if stem != "QVFI":
            raise bad_parameter("Invalid cursors values")
        return int(number)
    except ValueError as error:
        raise bad_parameter("Invalid cursors values") from error


def limit_in(text: str | None) -> int:
    """How many are asked for: 25 unless said, 100 at most."""
    if text is None:
        return 25
    if not text.isdecimal() or int(text) > 100:
        raise bad_parameter("Param limit must be a number less than or equal to 100")
    return int(text)


class Posts:
    """Renders what was asked for, and complains about fields that show persons."""

    def __init__(self, complain: Complain) -> None:
        self._complain = complain
        self._unchanging: dict[tuple[str, int], dict[str, Any]] = {}

    def check_page(self, fields: Iterable[Field]) -> None:
        """Refuse a question about a Page that it does not answer."""
        for one in fields:
            self._known(one, PAGE_FIELDS, "Page")
            if one.name == "published_posts":
                self.check_posts(one.children)

    def check_posts(self, fields: Iterable[Field]) -> None:
        """Totals only: `limit(0).summary(...)`. Anything else would bring persons or their words."""
        for one in fields:
            self._known(one, POST_FIELDS, "Post")
            counted = one.name in {"reactions", "comments"}
            if counted and (one.children or one.modifiers.get("limit") != "0"):
                self._refuse(one.name, "Post")
            for child in one.children:
                self._known(child, ATTACHMENT_FIELDS, "StoryAttachment")

    def check_reels(self, fields: Iterable[Field]) -> None:
        for one in fields:
            self._known(one, REEL_FIELDS, "Video")

    def _known(self, one: Field, allowed: Container[str], node_type: str) -> None:
        if one.name not in allowed or not MODIFIERS.get(one.name, frozenset()).issuperset(one.modifiers):
            self._refuse(one.name, node_type)

    def _refuse(self, name: str, node_type: str) -> None:
        self._complain(f"asked for «{name[:60]}» of a {node_type}")
        raise no_such_field(name, node_type)

    def posts(
        self, account: Account, at: datetime, fields: tuple[Field, ...], page: Mapping[str, str], url: str
    ) -> Any:
        """One page of posts, newest first; *page* holds `limit` and `after`, *url* leads to the next one."""
        limit = limit_in(page.get("limit"))
        if limit > 10 and account.has(Trouble.TOO_MUCH_DATA, at):
            raise too_much_data()
        wanted = fields or tuple(Field(name) for name in DEFAULT_FIELDS)
        found, more = one_page(account, at, is_post, limit, page.get("after"))
        return listing([self._post(account, item, at, wanted) for item in found], found, url if more else None)

    def reels(
        self, account: Account, at: datetime, fields: tuple[Field, ...], page: Mapping[str, str], url: str
    ) -> Any:
        """One page of Reels, newest first."""
        limit = limit_in(page.get("limit"))
        found, more = one_page(account, at, lambda item: item.kind == "reel", limit, page.get("after"))
        wanted = {one.name for one in fields} or set(DEFAULT_FIELDS)
        return listing([_reel(item, wanted) for item in found], found, url if more else None)

    def _post(self, account: Account, item: Item, at: datetime, fields: tuple[Field, ...]) -> dict[str, Any]:
        fixed = self._fixed(account, item)
        counts = NOTHING if account.has(Trouble.ZERO, at) else item.counts(at)
        post = {"id": fixed["id"]}
        for one in fields:
            if one.name in fixed:
                post[one.name] = fixed[one.name]
            elif one.name == "shares" and counts.shares:
                post["shares"] = {"count": counts.shares}
            elif one.name == "reactions":
                post["reactions"] = total(one, counts.reactions)
            elif one.name == "comments":
                post["comments"] = total(one, counts.comments)
        return post

    def _fixed(self, account: Account, item: Item) -> dict[str, Any]:
        """What of a post does not change with time."""
        key = account.id, item.number
        if key not in self._unchanging:
            if len(self._unchanging) >= REMEMBERED:
                self._unchanging.clear()
            self._unchanging[key] = _unchanging(account, item)
        return self._unchanging[key]


def _unchanging(account: Account, item: Item) -> dict[str, Any]:
    number = post_number(item)
    post = {
        "id": f"{account.id}_{number}",
        "created_time": moment(item.published_at),
        "updated_time": moment(item.published_at),
        "permalink_url": f"https://www.facebook.com/{account.handle}/posts/pfbid0{number}",
        "status_type": STATUS.get(item.kind, "mobile_status_update"),
        "is_published": True,
    }
    words = f"{item.title}\n{item.text}".strip()
    if not words or _is_cover(account, item):
        post |= {"story": f"{account.name} updated their cover photo.", "status_type": "mobile_status_update"}
    else:
        post["message"] = words
    if item.kind == "share":
        post["parent_id"] = f"100{chance(10**12, account.id, item.number):012d}_{number}"
    if item.kind in ATTACHMENT:
        post["attachments"] = {"data": [ATTACHMENT[item.kind]]}
    return post


def _is_cover(account: Account, item: Item) -> bool:
    """One unlabelled photo in forty is a new cover photo, which has a story and no message."""
    return item.kind == "photo" and item.category not in LABELLED and chance(40, account.id, item.number) == 0


def total(asked: Field, count: int) -> dict[str, Any]:
    """The answer to `limit(0)`: no names, and the total when the summary was asked for."""
    return {"data": [], "summary": {"total_count": count}} if "summary" in asked.modifiers else {"data": []}


def one_page(
    account: Account, at: datetime, wanted: Callable[[Item], bool], limit: int, after: str | None
) -> tuple[list[Item], bool]:
    """So many items after the cursor, and whether there are more."""
    rest = (item for item in account.public(at, before=number_in(after)) if wanted(item))
    found = list(islice(rest, limit + 1))
    return found[:limit], len(found) > limit


def listing(data: list[dict[str, Any]], items: list[Item], next_url: str | None) -> dict[str, Any]:
    """Data with cursors; the address of the next page holds the token, as the real one does."""
    if not items:
        return {"data": data}
    paging: dict[str, Any] = {"cursors": {"before": cursor_of(items[0]), "after": cursor_of(items[-1])}}
    if next_url:
        paging["next"] = f"{next_url}&after={paging['cursors']['after']}"
    return {"data": data, "paging": paging}


def _reel(item: Item, wanted: set[str]) -> dict[str, Any]:
    number = reel_number(item)
    reel = {
        "id": number,
        "description": f"{item.title}\n{item.text}".strip(),
        "created_time": moment(item.published_at),
        "permalink_url": f"/reel/{number}/",
        "length": float(item.seconds),
    }
    return {name: value for name, value in reel.items() if name in wanted or name == "id"}
