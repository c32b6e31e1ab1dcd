"""What is asked of a Page and its posts, and how the answers become records. Nothing here names a person.

The field lists are the whole of what we ever ask: `limit(0)` summaries bring totals without the people behind
them, and a field that is not declared in a Struct does not exist for us (facts: Facebook 1.6).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from collectors.base import CollectError
from collectors.facebook.errors import FACEBOOK, OUR_FAULT
from collectors.payload import Count
from collectors.refusals import understood
from collectors.website.text import excerpt, normal_url, plain
from store.records import Confidence, Counts, DateSource, FailureKind, Post

HOME = "https://www.facebook.com/"
POST_FIELDS = (
    "id,created_time,message,story,permalink_url,status_type,is_published,parent_id,shares,"
    "reactions.limit(0).summary(total_count),comments.limit(0).filter(stream).summary(total_count),"
    "attachments{media_type,type}"
)
PAGE_FIELDS = "followers_count,fan_count,is_published"
EARLIEST, LATEST = datetime(1900, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
"""A Page may date a post back to long before there was a Facebook: one of these must not fail the others."""
HIDDEN_PAGE = (
    "Trang đang bị ẩn với công chúng nên không tính là im lặng. "
    "Đề nghị người quản trị Trang đăng công khai lại Trang trong phần cài đặt."
)
KINDS = {
    "added_photos": "photo",
    "added_video": "video",
    "created_event": "event",
    "created_note": "article",
    "photo": "photo",
    "album": "photo",
    "video": "video",
    "event": "event",
    "link": "link",
}
"""By `status_type`, else by the `media_type` of the first attachment."""

ObjectId = Annotated[str, msgspec.Meta(pattern=r"^[0-9]+(_[0-9]+)?$", max_length=60)]


class Summary(msgspec.Struct):
    total_count: Count | None = None


class Summed(msgspec.Struct):
    summary: Summary | None = None

    def total(self) -> int | None:
        return self.summary.total_count if self.summary else None


class Shares(msgspec.Struct):
    count: Count | None = None


class Attachment(msgspec.Struct):
    media_type: str = ""


class Attachments(msgspec.Struct):
    data: list[Attachment] = []


class PagePost(msgspec.Struct):
    """What is read of one post."""

    id: ObjectId
    created_time: str
    message: str = ""
    story: str = ""
    permalink_url: str = ""
    status_type: str = ""
    is_published: bool = True
    parent_id: str = ""
    shares: Shares | None = None
    reactions: Summed | None = None
    comments: Summed | None = None
    attachments: Attachments | None = None


class Cursors(msgspec.Struct):
    after: str = ""


class Paging(msgspec.Struct):
    """`next` is an address with the token inside: only whether it is there is ever used."""

    cursors: Cursors | None = None
    next: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET

    def onward(self) -> str | None:
        """The cursor of the next page; None on the last one."""
        if isinstance(self.next, msgspec.UnsetType) or self.cursors is None:
            return None
        return self.cursors.after or None


class PostList(msgspec.Struct):
    data: list[PagePost]
    paging: Paging | None = None


class PageAnswer(msgspec.Struct):
    is_published: bool
    followers_count: Count | None = None
    fan_count: Count | None = None
    published_posts: PostList | None = None


@dataclass(frozen=True, slots=True)
class Batch:
    """One page of a list: its posts, and the cursor of the next page if there is one."""

    posts: tuple[Post, ...]
    after: str | None = None


@dataclass(frozen=True, slots=True)
class PageFacts:
    """What a Page says of itself. `batch` is None when the answer holds no list, which says nothing about posts."""

    followers: int | None
    likes: int | None
    batch: Batch | None


def parse_page(body: bytes) -> PageFacts:
    """A Page's counts and newest posts; CollectError(PERMISSION) while the Page is hidden from the public."""
    answer = understood(body, PageAnswer, FACEBOOK)
    if not answer.is_published:
        raise CollectError(FailureKind.PERMISSION, "the page is not published", sentence=HIDDEN_PAGE)
    listed = answer.published_posts
    return PageFacts(answer.followers_count, answer.fan_count, None if listed is None else to_batch(listed))


def parse_posts(body: bytes) -> Batch:
    return to_batch(understood(body, PostList, FACEBOOK))


def to_batch(listed: PostList) -> Batch:
    """The public posts of one page of the list; scheduled ones are not out yet."""
    posts = tuple(to_post(one) for one in listed.data if one.is_published)
    return Batch(posts, listed.paging.onward() if listed.paging else None)


def to_post(one: PagePost) -> Post:
    title, rest = split_words(one.message or one.story)
    return Post(
        platform_id=one.id,
        title=title,
        link=normal_url(one.permalink_url, HOME) or f"{HOME}{one.id}",
        published_at=moment_of(one.created_time),
        date_source=DateSource.API,
        date_confidence=Confidence.EXACT,
        excerpt=rest,
        kind=kind_of(one),
        is_share=one.status_type == "shared_story",
        counts=counts_of(one),
    )


def split_words(words: str) -> tuple[str, str]:
    """The first line that says something, and the rest of the text, both plain and capped."""
    first, _, rest = words.strip().partition("\n")
    return plain(first), excerpt(rest)


def counts_of(one: PagePost) -> Counts:
    """Totals as shown. Facebook leaves `shares` out when there are none; any other absence is a missing count."""
    return Counts(
        reactions=one.reactions.total() if one.reactions else None,
        comments=one.comments.total() if one.comments else None,
        shares=one.shares.count if one.shares else 0,
    )


def kind_of(one: PagePost) -> str:
    if one.status_type == "shared_story" and one.parent_id:
        return "share"
    if one.status_type in KINDS:
        return KINDS[one.status_type]
    media = one.attachments.data[0].media_type if one.attachments and one.attachments.data else ""
    return KINDS.get(media, "status")


def moment_of(text: str) -> datetime:
    """A Graph moment such as 2026-11-18T16:59:59+0000, in UTC; CollectError(DRIFT) for anything else."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or not EARLIEST <= at < LATEST:
        raise CollectError(FailureKind.DRIFT, "unreadable moment in a graph answer", sentence=OUR_FAULT)
    return at.astimezone(UTC)
