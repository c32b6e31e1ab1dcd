"""Videos as posts, and channels as snapshots. Nothing here asks YouTube."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from collectors.website.text import excerpt, plain
from collectors.youtube.errors import drift
from collectors.youtube.known import Recent, moment
from collectors.youtube.shapes import ChannelItem, Listed, Video, VideoCounts, number, seconds
from store.records import Confidence, Counts, DateSource, Post, Precision, Snapshot, Source

SHORTENED_FROM = 1000
"""From here up YouTube cuts subscribers down to three digits. Whether owners get more digits is unconfirmed."""
WATCH = "https://www.youtube.com/watch?v="


def snapshot_of(channel: ChannelItem, now: datetime, source: Source) -> Snapshot:
    """The channel's counts; hidden subscribers are missing. Views and videos are exact, but lag."""
    counts = channel.statistics
    followers = None if counts.hidden_subscriber_count else number(counts.subscriber_count)
    if followers is None and not counts.hidden_subscriber_count:
        raise drift("a channel that neither shows nor hides its subscribers")
    is_cut = followers is not None and followers >= SHORTENED_FROM
    return Snapshot(
        now,
        source,
        followers=followers,
        posts=number(counts.video_count),
        views=number(counts.view_count),
        precision=Precision.FLOOR3 if is_cut else Precision.EXACT,
    )


def counts_of(counts: VideoCounts | None) -> Counts | None:
    """Hidden likes and closed comments are missing; YouTube tells nobody how often a video was shared."""
    if counts is None:
        return None
    return Counts(
        reactions=number(counts.like_count), comments=number(counts.comment_count), views=number(counts.view_count)
    )


def is_upcoming(video: Video) -> bool:
    """Whether it is only announced: a live or a premiere is a post from the moment it starts."""
    live = video.live_streaming_details
    return video.snippet.live_broadcast_content == "upcoming" and (live is None or live.actual_start_time is None)


def recent_of(video: Video, listed: Listed | None, now: datetime) -> Recent:
    """When a video counts as published: its start if it was live, else as the list says, else as it says itself."""
    live = video.live_streaming_details
    start = None if live is None else live.actual_start_time
    stated = None if listed is None else listed.content_details.video_published_at
    uploaded = None if listed is None else listed.snippet.published_at
    published = seconds(start or stated or video.snippet.published_at)
    return Recent(
        published=published,
        uploaded=published if uploaded is None else seconds(uploaded),
        counted=int(now.timestamp()),
        kind="video" if start is None else "live",
    )


def post_of_video(video: Video, about: Recent) -> Post:
    return _post(video.id, video.snippet.title, video.snippet.description, about, counts_of(video.statistics))


def post_of_listed(item: Listed, about: Recent, counts: Mapping[str, VideoCounts]) -> Post:
    """A video whose details are known from an earlier look; without counts when it was not asked for them."""
    return _post(item.id, item.snippet.title, item.snippet.description, about, counts_of(counts.get(item.id)))


def _post(video_id: str, title: str, description: str, about: Recent, counts: Counts | None) -> Post:
    return Post(
        platform_id=video_id,
        title=plain(title),
        link=f"{WATCH}{video_id}",
        published_at=moment(about.published),
        date_source=DateSource.API,
        date_confidence=Confidence.EXACT,
        excerpt=excerpt(description),
        kind=about.kind,
        counts=counts,
    )
