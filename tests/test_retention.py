"""Letting go of what may not be kept: 30 days for what a plain YouTube key reads, nothing else."""

from __future__ import annotations

import time
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import delete, event

from config.secrets import Secret
from pipeline import jobs
from store.records import EVER, KEPT_FOR, Counts, Reading, Snapshot, Source, TokenSet, Verdict
from store.schema import snapshot
from store.vault import Vault
from store.verbs import Store, open_store
from tests.invariants import assert_invariants
from tests.killing import CONTEXT
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
    assert channels.purge(["chu"], NOW + days(1000)) == 0
    assert len(ages(channels, "chu")) == 3


def test_who_gave_consent_keeps_the_counts_until_the_consent_ends(channels: Store, tmp_path: Path):
    for slug in ("khoa", "chu"):
        for age in (45, 31, 3):
            videos(channels, slug, age)
    tokens = channels.tokens(Vault(tmp_path, {"NHIP_KEY": Fernet.generate_key().decode()}))
    for name in ("youtube:chu", "key:youtube", "tiktok:khoa", "app:youtube"):
        tokens.keep(name, TokenSet(Secret("bi-mat")), NOW)
    assert jobs.let_go(channels, NOW) == 2
    tokens.lose("youtube:chu", 1)
    assert jobs.let_go(channels, NOW) == 2


def test_what_is_left_still_agrees_with_the_ledger(channels: Store):
    counted(channels, "khoa", Source.YOUTUBE_KEY, 40, 35, 31, 29, 2)
    counted(channels, "chu", Source.YOUTUBE_OWNER, 40, 2)
    counted(channels, "trang", Source.SITE, 50)
    url = channels.database.url.render_as_string(hide_password=False)
    assert_invariants(url)
    with pytest.raises(AssertionError, match="kept for too long"):
        assert_invariants(url, purged_at=NOW)
    channels.purge([], NOW)
    assert_invariants(url, purged_at=NOW)
    with pytest.raises(AssertionError, match="other snapshots than its looks declare"):
        assert_invariants(url)


@pytest.mark.parametrize(("slug", "source", "age"), [("chu", "YOUTUBE_OWNER", 2), ("trang", "SITE", 50)])
def test_a_purge_that_took_anything_else_would_be_noticed(channels: Store, slug: str, source: str, age: int):
    counted(channels, slug, Source[source], age)
    channels.database.write(lambda connection: connection.execute(delete(snapshot)))
    with pytest.raises(AssertionError, match="other snapshots than its looks declare"):
        assert_invariants(channels.database.url.render_as_string(hide_password=False), purged_at=NOW)


def test_a_channel_that_left_the_configuration_is_bound_by_the_same_terms(channels: Store):
    videos(channels, "khoa", 45)
    counted(channels, "khoa", Source.YOUTUBE_KEY, 40)
    channels.sync([UNIT], [a_channel("trang")], NOW - days(20))
    assert channels.purge([], NOW) == 2
    assert channels.posts(EVER, NOW)["title"].tolist() == [""]


def test_a_persons_word_outlives_what_it_was_about(channels: Store):
    for age, followers in ((40, 5_000), (39, 100)):
        see = Snapshot(NOW - days(age), Source.YOUTUBE_KEY, followers)
        look(channels, "khoa", Reading((see,)), NOW - days(age))
    word = Verdict("khoa", NOW - days(39), Source.YOUTUBE_KEY, True, "Ban Tuyên giáo", "Kênh vừa gộp", NOW)
    channels.add_verdict(word)
    channels.purge([], NOW)
    assert len(dump(channels)["verdict"]) == 1
    with pytest.raises(LookupError):
        channels.add_verdict(replace(word, accepted=False))
    counted(channels, "khoa", Source.YOUTUBE_KEY, 1)
    assert channels.series(EVER, NOW)["suspect"].tolist() == [0]


def stand_still(url: str, moment: str, parent: Connection) -> None:
    """Purges, says when *moment* has come, and goes no further."""

    def reach(*_: object) -> None:
        parent.send(moment)
        time.sleep(60)

    with open_store(url) as store:
        if moment == "before commit":
            event.listen(store.database.engine, "commit", reach)
        store.purge([], NOW)
        reach()


@pytest.mark.parametrize(("moment", "left"), [("before commit", 4), ("committed", 1)])
def test_a_kill_while_dropping_drops_all_or_nothing(channels: Store, store_url: str, moment: str, left: int):
    counted(channels, "khoa", Source.YOUTUBE_KEY, 40, 35, 31, 2)
    ours, theirs = CONTEXT.Pipe()
    child = CONTEXT.Process(target=stand_still, args=(store_url, moment, theirs))
    child.start()
    assert ours.recv() == moment
    child.kill()
    child.join()
    assert len(ages(channels, "khoa")) == left
    channels.purge([], NOW)
    assert_invariants(store_url, purged_at=NOW)


def test_dropping_twice_is_dropping_once(channels: Store):
    counted(channels, "khoa", Source.YOUTUBE_KEY, 40, 35, 2)
    channels.purge(["chu"], NOW)
    once = dump(channels)
    assert channels.purge(["chu"], NOW) == 0
    assert dump(channels) == once


def videos(store: Store, slug: str, age: float, **more: Any) -> None:
    posts = [a_post(f"{slug}-cu", NOW - days(59), counts=Counts(views=int(1_000 - age)), excerpt="Nội dung", **more)]
    see(store, slug, posts, NOW - days(age), coverage_from=NOW - days(59.5))


def test_counts_of_posts_go_with_their_channels_and_stay_with_an_owner(channels: Store):
    for slug in ("khoa", "chu"):
        for age in (45, 31, 3):
            videos(channels, slug, age)
    assert channels.purge(["chu"], NOW) == 2
    assert len(dump(channels)["post_count"]) == 1 + 3


def test_the_words_of_a_video_that_is_gone_go_and_the_fact_that_it_was_there_stays(channels: Store):
    videos(channels, "khoa", 50)
    for age in (40, 39):
        see(channels, "khoa", [], NOW - days(age), coverage_from=NOW - days(59.5))
    see(channels, "khoa", [], NOW - days(1), coverage_from=NOW - days(59.5))
    channels.purge(["chu"], NOW)
    (post,) = channels.posts(EVER, NOW).to_dict("records")
    assert (post["title"], post["excerpt"]) == ("", "")
    assert post["link"]
    assert post["published_at"] == NOW - days(59)


def test_words_that_a_look_refreshed_within_thirty_days_stay(channels: Store):
    videos(channels, "khoa", 50)
    videos(channels, "khoa", 20)
    channels.purge(["chu"], NOW)
    assert channels.posts(EVER, NOW)["title"].tolist() == ["Bài khoa-cu"]


def test_words_that_nobody_could_refresh_go(channels: Store):
    videos(channels, "khoa", 50)
    look(channels, "khoa", a_failure(), NOW - days(1))
    channels.purge(["chu"], NOW)
    assert channels.posts(EVER, NOW)["title"].tolist() == [""]


def test_a_dropped_title_does_not_come_up_for_judging_again(channels: Store):
    videos(channels, "khoa", 50)
    channels.replace_rule_labels(channels.posts_to_label("r"), [], "r")
    channels.purge(["chu"], NOW)
    assert channels.posts_to_label("r") == []


def test_what_will_be_dropped_is_told_with_its_oldest_moment(channels: Store):
    counted(channels, "khoa", Source.YOUTUBE_KEY, 29, 2)
    counted(channels, "chu", Source.YOUTUBE_OWNER, 29)
    (row,) = channels.bound_rows().to_dict("records")
    assert (row["channel"], row["source"], row["rows"]) == ("khoa", "youtube_key", 2)
    assert row["oldest"] == NOW - days(29)
