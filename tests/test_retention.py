"""Letting go of what may not be kept: 30 days for what a plain YouTube key reads, nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from store.records import EVER, KEPT_FOR, Counts, Reading, Snapshot, Source
from store.verbs import Store
from tests.store_builders import FRIDAY, UNIT, a_channel, a_failure, a_post, days, dump, look, see

NOW = FRIDAY + days(60)


@pytest.fixture
def channels(store: Store) -> Store:
    """Two YouTube channels and a website."""
    tubes = [a_channel(slug, platform="youtube", address=f"UC{slug}") for slug in ("khoa", "chu")]
    store.sync([UNIT], [*tubes, a_channel("trang")], FRIDAY - days(90))
    return store


def counted(store: Store, slug: str, source: Source, *ages: float) -> None:
    """Snapshots of these ages, in days before NOW, one look each."""
    for age in ages:
        look(store, slug, Reading((Snapshot(NOW - days(age), source, 1_000),)), NOW - days(age))


def ages(store: Store, slug: str) -> list[float]:
    found = store.series(EVER, NOW + days(1), [slug])["observed_at"]
    return sorted((NOW - at.to_pydatetime()) / days(1) for at in found)


def test_what_a_key_read_is_dropped_after_thirty_days_and_not_before(channels: Store):
    counted(channels, "khoa", Source.YOUTUBE_KEY, 31, 30, 29, 1)
    assert channels.purge([], NOW) == 1
    assert ages(channels, "khoa") == [1, 29, 30]


@pytest.mark.parametrize("source", sorted(set(Source) - set(KEPT_FOR)))
def test_every_other_source_lives_on(channels: Store, source: Source):
    counted(channels, "chu", source, 400, 31, 1)
    assert channels.purge(["khoa"], NOW + days(1000)) == 0
    assert len(ages(channels, "chu")) == 3


def test_dropping_twice_is_dropping_once(channels: Store):
    counted(channels, "khoa", Source.YOUTUBE_KEY, 40, 35, 2)
    channels.purge(["khoa"], NOW)
    once = dump(channels)
    assert channels.purge(["khoa"], NOW) == 0
    assert dump(channels) == once


def videos(store: Store, slug: str, age: float, **more: Any) -> None:
    posts = [a_post(f"{slug}-cu", NOW - days(59), counts=Counts(views=int(1_000 - age)), excerpt="Nội dung", **more)]
    see(store, slug, posts, NOW - days(age), coverage_from=NOW - days(59.5))


def test_counts_of_posts_go_with_their_channels_and_stay_with_an_owner(channels: Store):
    for slug in ("khoa", "chu"):
        for age in (45, 31, 3):
            videos(channels, slug, age)
    assert channels.purge(["khoa"], NOW) == 2
    assert len(dump(channels)["post_count"]) == 1 + 3


def test_the_words_of_a_video_that_is_gone_go_and_the_fact_that_it_was_there_stays(channels: Store):
    videos(channels, "khoa", 50)
    for age in (40, 39):
        see(channels, "khoa", [], NOW - days(age), coverage_from=NOW - days(59.5))
    see(channels, "khoa", [], NOW - days(1), coverage_from=NOW - days(59.5))
    channels.purge(["khoa"], NOW)
    (post,) = channels.posts(EVER, NOW).to_dict("records")
    assert (post["title"], post["excerpt"]) == ("", "")
    assert post["link"]
    assert post["published_at"] == NOW - days(59)


def test_words_that_a_look_refreshed_within_thirty_days_stay(channels: Store):
    videos(channels, "khoa", 50)
    videos(channels, "khoa", 20)
    channels.purge(["khoa"], NOW)
    assert channels.posts(EVER, NOW)["title"].tolist() == ["Bài khoa-cu"]


def test_words_that_nobody_could_refresh_go(channels: Store):
    videos(channels, "khoa", 50)
    look(channels, "khoa", a_failure(), NOW - days(1))
    channels.purge(["khoa"], NOW)
    assert channels.posts(EVER, NOW)["title"].tolist() == [""]


def test_a_dropped_title_does_not_come_up_for_judging_again(channels: Store):
    videos(channels, "khoa", 50)
    channels.replace_rule_labels(channels.posts_to_label("r"), [], "r")
    channels.purge(["khoa"], NOW)
    assert channels.posts_to_label("r") == []


def test_what_will_be_dropped_is_told_with_its_oldest_moment(channels: Store):
    counted(channels, "khoa", Source.YOUTUBE_KEY, 29, 2)
    counted(channels, "chu", Source.YOUTUBE_OWNER, 29)
    (row,) = channels.bound_rows().to_dict("records")
    assert (row["channel"], row["source"], row["rows"]) == ("khoa", "youtube_key", 2)
    assert row["oldest"] == NOW - days(29)
