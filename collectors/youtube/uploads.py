"""The uploads list: newest upload first, which is not the order of publishing.

A video may be uploaded weeks before it is published. So a part of the list proves nothing about days before its
oldest upload, plus the longest time that a video of this channel waited.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from collectors.youtube.api import Api
from collectors.youtube.errors import STALE_PAGE, RefusedError
from collectors.youtube.known import FULL_EVERY, RECENT, SWEEP_EVERY, Known, Recent, has_passed, moment
from collectors.youtube.shapes import Listed, seconds
from store.records import EVER

MOST_PAGES = 400
"""The list stops at about 20,000 videos anyway."""
MOST_EMPTY = 3
DAILY_PAGES, SWEEP_PAGES = 2, 4
OVERLAP = timedelta(days=7)

CIRCLE = "YouTube đưa danh sách video lặp vòng; chỉ đọc được {count} video. Hệ thống đọc lại lần sau."
TOO_MANY = "Kênh có nhiều video hơn mức đọc một lần; chỉ đọc {count} video tải lên gần nhất."


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of the list one look reads: at least `pages`, and back to `wanted`."""

    full: bool
    sweep: bool
    pages: int
    wanted: datetime
    etag: str


def plan_of(known: Known, now: datetime, horizon: datetime) -> Plan:
    """The first look and one a month read everything back to the horizon of the first look; one a week, 35 days.

    The others read two pages at least, and as far as a week before the last look; only they may hear «unchanged».
    """
    if has_passed(known.full_at, FULL_EVERY, now):
        since = min(horizon, moment(known.since)) if known.since else horizon
        return Plan(full=True, sweep=True, pages=1, wanted=since, etag="")
    if has_passed(known.swept_at, SWEEP_EVERY, now):
        return Plan(full=False, sweep=True, pages=SWEEP_PAGES, wanted=now - RECENT, etag="")
    wanted = max(now - RECENT, moment(known.looked_at) - OVERLAP)
    return Plan(full=False, sweep=False, pages=DAILY_PAGES, wanted=wanted, etag=known.etag)


@dataclass(slots=True)
class Listing:
    """What was read of the list, each video once; `note` says why less was read than planned."""

    items: dict[str, Listed] = field(default_factory=dict)
    etag: str = ""
    ended: bool = False
    note: str = ""
    oldest: int | None = None
    """The upload that was longest ago, hidden and deleted videos included."""
    first_page_until: int | None = None
    """The same for the first page, which is all that its ETag speaks of."""

    def add(self, page: Iterable[Listed]) -> int:
        """How many of the page's videos were new."""
        before = len(self.items)
        for item in page:
            self.items[item.id] = item
            uploaded = uploaded_at(item)
            if uploaded is not None:
                self.oldest = uploaded if self.oldest is None else min(self.oldest, uploaded)
        return len(self.items) - before

    def proves_from(self, plan: Plan, recent: Mapping[str, Recent]) -> datetime | None:
        """From when on no video can be missing; None when nothing is sure."""
        if self.ended and not self.note:
            return EVER
        if self.oldest is None:
            return None
        return moment(self.oldest + self._longest_wait(plan.wanted, recent))

    def etag_for(self, plan: Plan, recent: Mapping[str, Recent], now: datetime) -> str:
        """The ETag; "" while a video that still waits to be published may stand below the first page."""
        if self.first_page_until is None:
            return self.etag
        settled = self.first_page_until + self._longest_wait(plan.wanted, recent) <= now.timestamp()
        return self.etag if settled else ""

    def _longest_wait(self, wanted: datetime, recent: Mapping[str, Recent]) -> int:
        """Seconds between upload and publishing; what was published before *wanted* does not matter."""
        pairs = [(one.published, one.uploaded) for one in recent.values()]
        for item in self.items.values():
            published, uploaded = published_at(item), uploaded_at(item)
            if published is not None and uploaded is not None:
                pairs.append((published, uploaded))
        return max([0, *(at - uploaded for at, uploaded in pairs if at >= wanted.timestamp())])


async def read_uploads(api: Api, playlist: str, plan: Plan, recent: Mapping[str, Recent]) -> Listing | None:
    """The list as far as planned; None when its first page is still the one that the ETag stands for."""
    try:
        return await _turn_pages(api, playlist, plan, recent)
    except RefusedError as error:
        if error.reason not in STALE_PAGE:
            raise
    return await _turn_pages(api, playlist, plan, recent)


async def _turn_pages(api: Api, playlist: str, plan: Plan, recent: Mapping[str, Recent]) -> Listing | None:
    page, etag = await api.uploads(playlist, etag=plan.etag)
    if page is None:
        return None
    listing, tokens, empty = Listing(etag=etag), set[str](), 0
    for turned in range(1, MOST_PAGES + 1):
        empty = 0 if listing.add(page.items) else empty + 1
        if not page.next_page_token:
            listing.ended = True
            return listing
        if turned == 1:
            listing.first_page_until = listing.oldest
        if page.next_page_token in tokens or empty == MOST_EMPTY:
            listing.note = CIRCLE.format(count=len(listing.items))
            return listing
        if turned >= plan.pages and _reaches(listing, plan, recent):
            return listing
        tokens.add(page.next_page_token)
        page = (await api.uploads(playlist, page.next_page_token))[0] or page
    listing.note = TOO_MANY.format(count=len(listing.items))
    return listing


def _reaches(listing: Listing, plan: Plan, recent: Mapping[str, Recent]) -> bool:
    proved = listing.proves_from(plan, recent)
    return proved is not None and proved <= plan.wanted


def is_public(item: Listed) -> bool:
    """Placeholders of private and deleted videos stand in the list as well, and for the owner unlisted ones."""
    return item.status.privacy_status == "public"


def published_at(item: Listed) -> int | None:
    """Epoch seconds; None when the list does not say."""
    at = item.content_details.video_published_at
    return None if at is None else seconds(at)


def uploaded_at(item: Listed) -> int | None:
    at = item.snippet.published_at
    return published_at(item) if at is None else seconds(at)
