"""Channels, uploads and videos of the simulated YouTube, in the shape of the Data API and of the Atom feed."""

from __future__ import annotations

import base64
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from pipeline.demo.totals import Totals, chance
from pipeline.demo.world import Account, Counts, Item, Trouble

FEED_ENTRIES = 15
NUMBER_BITS = 24
SCRAMBLE = 0x9E3779B97F4A7C15
"""Odd, so that multiplying by it can be undone."""
UNSCRAMBLE = pow(SCRAMBLE, -1, 2**64)
NAMESPACES = (
    'xmlns:yt="http://www.youtube.com/xml/schemas/2015" xmlns:media="http://search.yahoo.com/mrss/" '
    'xmlns="http://www.w3.org/2005/Atom"'
)


def video_id(account: Account, item: Item) -> str:
    """Eleven characters: whose video it is and its number, scrambled so that ids look like ids."""
    told = (account_mark(account.id) << NUMBER_BITS | item.number) * SCRAMBLE % 2**64
    return base64.urlsafe_b64encode(told.to_bytes(8)).decode()[:11]


@lru_cache(maxsize=10_000)
def account_mark(channel_id: str) -> int:
    """Forty bits that stand for the channel in the ids of its videos."""
    return chance(2**40, channel_id)


def mark_and_number(number: str) -> tuple[int, int]:
    """The mark of the account and the item's number that a video id is made of; nonsense for a foreign id."""
    try:
        told = int.from_bytes(base64.urlsafe_b64decode(f"{number}=")) * UNSCRAMBLE % 2**64
    except ValueError:
        return 0, 0
    return told >> NUMBER_BITS, told % 2**NUMBER_BITS


def uploads_of(account: Account) -> str:
    """The id of the list of uploads."""
    return f"UU{account.id[2:]}"


def moment(at: datetime) -> str:
    return f"{at.isoformat()[:19]}Z"


def floored(count: int) -> int:
    """Cut down to three significant digits, as YouTube shows subscribers from 1,000 up."""
    step = int(10 ** max(len(str(count)) - 3, 0))
    return count // step * step


def uploaded(item: Item) -> datetime:
    return item.uploaded_at or item.published_at


def public_since(item: Item) -> datetime:
    """From when on everybody sees it: a live stream is announced before it begins, a scheduled video is private."""
    return uploaded(item) if item.kind == "live" else item.published_at


def is_public(item: Item, at: datetime) -> bool:
    return public_since(item) <= at and (item.gone_at is None or at < item.gone_at)


class UploadsOf(dict[str, "Uploads"]):
    """The lists of uploads by their ids, each made when it is first asked for."""

    def __init__(self, accounts: Mapping[str, Account]) -> None:
        super().__init__()
        self._accounts = {uploads_of(account): account for account in accounts.values()}

    def find(self, playlist: str) -> Uploads | None:
        if playlist in self._accounts and playlist not in self:
            self[playlist] = Uploads(self._accounts[playlist])
        return self.get(playlist)


class Uploads:
    """The list of uploads of one channel, ordered by the moment of uploading."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._order = sorted(account.items, key=uploaded)
        self._moments = [uploaded(item) for item in self._order]
        moments = ((uploaded(item), item.published_at, item.gone_at) for item in account.items)
        self._changes = sorted(at for three in moments for at in three if at is not None)

    def state(self, at: datetime) -> int:
        """A number that changes whenever the list does."""
        return bisect_right(self._changes, at)

    def listed(self, at: datetime) -> list[Item]:
        """Newest upload first, with the videos that are private until their time comes."""
        found = self._order[: bisect_right(self._moments, at)]
        return [item for item in reversed(found) if item.gone_at is None or at < item.gone_at]


def channel(account: Account, totals: Totals, at: datetime, parts: Iterable[str]) -> dict[str, Any]:
    made = {"snippet": _channel_snippet, "contentDetails": _channel_lists}
    body: dict[str, Any] = {"kind": "youtube#channel", "etag": f"e_{account.slug}", "id": account.id}
    for part in parts:
        if part in made:
            body[part] = made[part](account)
        elif part == "statistics":
            body[part] = _channel_statistics(account, totals, at)
    return body


def _channel_snippet(account: Account) -> dict[str, Any]:
    words = {"title": account.name, "description": "Dữ liệu minh họa"}
    return {
        **words,
        "customUrl": f"@{account.handle.removeprefix('@')}",
        "publishedAt": moment(account.opened_at),
        "thumbnails": {},
        "localized": words,
        "country": "VN",
    }


def _channel_lists(account: Account) -> dict[str, Any]:
    return {"relatedPlaylists": {"likes": "", "uploads": uploads_of(account)}}


def _channel_statistics(account: Account, totals: Totals, at: datetime) -> dict[str, Any]:
    zero, hidden = account.has(Trouble.ZERO, at), account.has(Trouble.HIDDEN, at)
    body: dict[str, Any] = {"viewCount": "0" if zero else str(totals.views(at))}
    if not hidden:
        body["subscriberCount"] = "0" if zero else str(floored(account.followers(at)))
    return body | {"hiddenSubscriberCount": hidden, "videoCount": "0" if zero else str(totals.published(at))}


def playlist_item(account: Account, item: Item, at: datetime, position: int, parts: Iterable[str]) -> dict[str, Any]:
    """One line of the list of uploads; a placeholder while the video is private."""
    number, public = video_id(account, item), is_public(item, at)
    content = {"videoId": number}
    if public:
        content["videoPublishedAt"] = moment(public_since(item))
    snippet = {
        "publishedAt": moment(uploaded(item)),
        "channelId": account.id,
        "title": item.title if public else "Private video",
        "description": item.text if public else "This video is private.",
        "thumbnails": {},
        "channelTitle": account.name,
        "playlistId": uploads_of(account),
        "position": position,
        "resourceId": {"kind": "youtube#video", "videoId": number},
    }
    status = {"privacyStatus": "public" if public else "private"}
    told = {"snippet": snippet, "contentDetails": content, "status": status}
    chosen = {part: told[part] for part in parts if part in told}
    return {"kind": "youtube#playlistItem", "etag": f"e_{number}", "id": f"UEw{number}", **chosen}


def video(account: Account, item: Item, at: datetime, parts: Iterable[str]) -> dict[str, Any]:
    """One public video of `videos.list`."""
    upcoming = item.published_at > at
    told: dict[str, Any] = {
        "snippet": {
            "publishedAt": moment(public_since(item)),
            "channelId": account.id,
            "title": item.title,
            "description": item.text,
            "thumbnails": {},
            "channelTitle": account.name,
            "categoryId": "22",
            "liveBroadcastContent": "upcoming" if upcoming else "none",
            "localized": {"title": item.title, "description": item.text},
        },
        "contentDetails": {"duration": "P0D" if upcoming else iso_duration(item.seconds)},
        "statistics": {**statistics(account, item, at), "favoriteCount": "0"},
    }
    if item.kind == "live":
        told["liveStreamingDetails"] = {
            "scheduledStartTime" if upcoming else "actualStartTime": moment(item.published_at)
        }
    number = video_id(account, item)
    chosen = {part: told[part] for part in parts if part in told}
    return {"kind": "youtube#video", "etag": f"e_{number}", "id": number, **chosen}


def video_stats(account: Account, item: Item, at: datetime, parts: Iterable[str]) -> dict[str, Any]:
    """One public video of `videos:batchGetStats`."""
    told = {
        "snippet": {"publishTime": moment(public_since(item))},
        "statistics": statistics(account, item, at),
        "contentDetails": {"duration": f"{item.seconds}s"},
    }
    number = video_id(account, item)
    chosen = {part: told[part] for part in parts if part in told}
    return {"kind": "youtube#videoStats", "etag": f"e_{number}", "id": number, **chosen}


def statistics(account: Account, item: Item, at: datetime) -> dict[str, str]:
    """Counts as strings; a hidden one is absent."""
    counts = counts_of(account, item, at)
    body = {"viewCount": str(counts.views)}
    if not item.likes_hidden:
        body["likeCount"] = str(counts.reactions)
    if not item.comments_off:
        body["commentCount"] = str(counts.comments)
    return body


def counts_of(account: Account, item: Item, at: datetime) -> Counts:
    return Counts(0, 0, 0, 0) if account.has(Trouble.ZERO, at) else item.counts(at)


def iso_duration(seconds: int) -> str:
    minutes, rest = divmod(seconds, 60)
    return f"PT{f'{minutes}M' if minutes else ''}{f'{rest}S' if rest or not minutes else ''}"


def feed(account: Account, at: datetime) -> bytes:
    """The Atom feed: the newest fifteen."""
    home = f"https://www.youtube.com/channel/{account.id}"
    author = f"<author><name>{escape(account.name)}</name><uri>{home}</uri></author>"
    entries = "".join(_entry(account, item, at, author) for item in islice(account.public(at), FEED_ENTRIES))
    bare = account.id[2:]
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<feed {NAMESPACES}>\n'
        f'<link rel="self" href="http://www.youtube.com/feeds/videos.xml?channel_id={account.id}"/>'
        f"<id>yt:channel:{bare}</id><yt:channelId>{bare}</yt:channelId><title>{escape(account.name)}</title>"
        f'<link rel="alternate" href="{home}"/>{author}'
        f"<published>{_atom_moment(account.opened_at)}</published>\n{entries}</feed>\n"
    ).encode()


def _entry(account: Account, item: Item, at: datetime, author: str) -> str:
    number, counts, title = video_id(account, item), counts_of(account, item, at), escape(item.title)
    published = _atom_moment(item.published_at)
    stars = f'<media:starRating count="{counts.reactions}" average="5.00" min="1" max="5"/>'
    return (
        f"<entry><id>yt:video:{number}</id><yt:videoId>{number}</yt:videoId><yt:channelId>{account.id}</yt:channelId>"
        f"<title>{title}</title>"
        f'<link rel="alternate" href={quoteattr(f"https://www.youtube.com/watch?v={number}")}/>{author}'
        f"<published>{published}</published><updated>{published}</updated>"
        f"<media:group><media:title>{title}</media:title>"
        f"<media:description>{escape(item.text)}</media:description>"
        f'<media:community>{stars}<media:statistics views="{counts.views}"/></media:community></media:group></entry>\n'
    )


def _atom_moment(at: datetime) -> str:
    return f"{at.isoformat()[:19]}+00:00"
