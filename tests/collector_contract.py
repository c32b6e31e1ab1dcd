"""What every platform collector owes, whatever the platform: one test per promise, run against a scripted server.

A subclass says what its platform answers in each case (`class TestTikTok(CollectorContract)`); bodies that can be
derived from the valid ones (cut off, wrong type, renamed, unknown fields, persons) are derived here.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, ClassVar, cast
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.base import CollectError, Look, Meter, Unmetered, Wallet
from collectors.client import Client
from config.models import Channel, Owner, PlatformName
from config.platforms import Platforms
from store.records import FailureKind, Post, Reading
from tests.scripted_server import Asked, Said, Script, Scripted, always, cut_short, edited, scripted
from tests.site_server import MAILBOX, PERSON
from tests.wallets import APP_SECRET, RENEWED, TOKEN, wallet

HCMC = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
SECRETS = (TOKEN, RENEWED, APP_SECRET)
NOTHING = (b"", b"{}", b"[]", b"null", b'{"error": {"code": 5, "message": "mau"}}')
"""What a server may say with status 200 and mean nothing by it."""
ODD_VALUES: tuple[Any, ...] = (None, "", "x", -1, 0, 10**30, 1.5, True, [], {}, [None], {"a": 1}, "2026-13-40")
FEWEST_POSTS = 2
"""What `valid` has to bring at least, so that the promises mean something."""


class CollectorContract:
    """The promises. Attributes and the methods of the first block are the platform's part."""

    platform: ClassVar[PlatformName]
    collect: ClassVar[staticmethod[[Channel, Look], Awaitable[Reading]]]
    """Assign as `staticmethod(tiktok.collect)`."""
    address: ClassVar[str]
    count_key: ClassVar[str]
    """A key whose value is a count of the channel: another type there is drift."""
    needed_key: ClassVar[str]
    """A key without which an answer means nothing: renamed, it is drift."""
    person_keys: ClassVar[tuple[str, ...]] = ("from", "to", "author", "owner", "name_of_person", "email", "user")
    """Every key in which the platform can say something about a person."""

    def platforms(self, url: str) -> Platforms:
        """The settings that send every request of this platform to *url*."""
        raise NotImplementedError

    def valid(self) -> Script:
        """A healthy account with at least two posts and a count of followers."""
        raise NotImplementedError

    def empty_account(self) -> Script:
        """A healthy account without posts."""
        raise NotImplementedError

    def hidden_count(self) -> Script:
        """A healthy account that does not say how many followers it has."""
        raise NotImplementedError

    def three_pages(self) -> tuple[Script, int]:
        """A list in three pages that overlap, and how many posts there really are."""
        raise NotImplementedError

    def repeated_cursor(self) -> Script:
        """A list whose next page is always the same page."""
        raise NotImplementedError

    def invalid_token(self) -> Said:
        raise NotImplementedError

    def missing_permission(self) -> Said:
        raise NotImplementedError

    def throttled(self) -> Said:
        return Said(b"{}", 429)

    def server_error(self) -> Said:
        return Said(b"<html><body>Sorry</body></html>", 502)

    def wallet(self) -> Wallet:
        return wallet(self.platform)

    def meter(self) -> Meter:
        return Unmetered()

    # --- how a look is made -------------------------------------------------------------------------------------

    def channel(self) -> Channel:
        owners = (Owner(unit="doan-mau", start=date(2020, 1, 1)),)
        return Channel(slug="kenh-mau", platform=self.platform, name="Kênh mẫu", address=self.address, owners=owners)

    def look(
        self,
        script: Script,
        *,
        cursor: Mapping[str, Any] | None = None,
        now: datetime = NOW,
        memory: dict[str, Any] | None = None,
        back_to: datetime | None = None,
        wallet: Wallet | None = None,
        tries: int = 2,
    ) -> Reading:
        """One look at a scripted platform; no secret may stand in an address, a reading or an error."""
        with scripted(script) as served:
            look_at = self._look_at(
                served,
                tries,
                cursor=cursor or {},
                now=now,
                back_to=back_to,
                wallet=wallet or self.wallet(),
                memory={} if memory is None else memory,
                meter=self.meter(),
                platforms=self.platforms(served.url),
            )
            try:
                reading = asyncio.run(look_at)
            except CollectError as error:
                assert_says_what_to_do(error)
                raise
            finally:
                assert_shows_no_secret("".join(asked.target for asked in served.asked))
        assert_shows_no_secret(repr(reading))
        json.dumps(dict(reading.cursor))
        return reading

    async def _look_at(self, served: Scripted, tries: int, now: datetime, **known: Any) -> Reading:
        async with Client(
            contact="mau@doan.example",
            allow=[served.place],
            gap_seconds=0,
            deadline_seconds=20,
            tries=tries,
            now=lambda: now,
        ) as client:
            return await type(self).collect(self.channel(), Look(client, now, HCMC, **known))

    def refusal(self, script: Script, **known: Any) -> CollectError:
        with pytest.raises(CollectError) as caught:
            self.look(script, **known)
        return caught.value

    # --- the promises -------------------------------------------------------------------------------------------

    def test_a_healthy_account_is_read(self) -> None:
        reading = self.look(self.valid())
        assert len(reading.posts) >= FEWEST_POSTS
        assert any(snapshot.followers for snapshot in reading.snapshots)
        assert all(post.published_at and post.published_at.utcoffset() == timedelta(0) for post in reading.posts)

    def test_an_invalid_token_is_a_failed_look(self) -> None:
        assert self.refusal(always(self.invalid_token())).kind is FailureKind.AUTH

    def test_a_channel_that_was_never_connected_says_how_to_connect_it(self) -> None:
        error = self.refusal(self.valid(), wallet=wallet(self.platform, None))
        assert error.kind is FailureKind.AUTH
        assert "nhip connect" in error.sentence

    def test_a_missing_permission_is_a_failed_look(self) -> None:
        assert self.refusal(always(self.missing_permission())).kind is FailureKind.PERMISSION

    def test_an_account_without_posts_is_zero_posts_and_no_error(self) -> None:
        reading = self.look(self.empty_account())
        assert reading.posts == ()
        assert reading.complete

    def test_a_hidden_count_is_missing_and_not_zero(self) -> None:
        reading = self.look(self.hidden_count())
        assert [snapshot.followers for snapshot in reading.snapshots if snapshot.followers is not None] == []

    def test_three_pages_that_overlap_give_no_post_twice(self) -> None:
        script, count = self.three_pages()
        found = ids(self.look(script).posts)
        assert len(found) == len(set(found)) == count

    def test_a_repeated_cursor_ends_and_is_never_called_complete(self) -> None:
        try:
            reading = self.look(self.repeated_cursor())
        except CollectError as error:
            drifted = error.kind is FailureKind.DRIFT
        else:
            drifted = not reading.complete
        assert drifted

    def test_a_second_look_holds_the_same_posts_wherever_it_claims_to_have_looked(self) -> None:
        memory: dict[str, Any] = {}
        first = self.look(self.valid(), memory=memory)
        second = self.look(self.valid(), cursor=first.cursor, now=NOW + timedelta(hours=15), memory=memory)
        assert len(ids(second.posts)) == len(set(ids(second.posts)))
        if not second.unchanged:
            assert set(ids(covered(first.posts, second.coverage_from))) <= set(ids(second.posts))
        known = {post.platform_id: post for post in first.posts}
        assert [post for post in second.posts if known[post.platform_id] != post] == []

    @pytest.mark.parametrize("cursor", [{"a": [1]}, {"newest": "x"}, {"swept_at": -1, "known": None}])
    def test_a_foreign_cursor_does_no_harm(self, cursor: Mapping[str, Any]) -> None:
        assert set(ids(self.look(self.valid(), cursor=cursor).posts)) == set(ids(self.look(self.valid()).posts))

    @pytest.mark.parametrize("nothing", NOTHING)
    def test_an_answer_of_nothing_is_a_failed_look(self, nothing: bytes) -> None:
        assert self.refusal(always(Said(nothing)), tries=1).kind in {FailureKind.DRIFT, FailureKind.AUTH}

    @pytest.mark.parametrize("nothing", NOTHING)
    def test_a_list_of_nothing_proves_nothing(self, nothing: bytes) -> None:
        """The account answers well, everything after it does not."""
        script, asked_before = self.valid(), list[Asked]()

        def answer(asked: Asked) -> Said:
            asked_before.append(asked)
            return script(asked) if len(asked_before) == 1 else Said(nothing)

        with suppress(CollectError):
            assert self.look(answer, tries=1).coverage_from is None

    def test_too_many_requests_are_a_throttle_with_an_end(self) -> None:
        error = self.refusal(always(self.throttled()), tries=1)
        assert error.kind is FailureKind.THROTTLED
        assert error.retry_at is not None
        assert error.retry_at > NOW

    def test_a_broken_server_is_a_network_failure(self) -> None:
        assert self.refusal(always(self.server_error())).kind is FailureKind.NETWORK

    def test_a_truncated_body_is_a_failed_look(self) -> None:
        self.refusal(cut_short(self.valid()), tries=1)

    def test_half_a_json_document_is_a_failed_look(self) -> None:
        script = self.valid()
        self.refusal(lambda asked: halved(script(asked)), tries=1)

    def test_a_page_of_html_with_status_200_is_a_failed_look(self) -> None:
        self.refusal(always(Said(b"<html><body>Hello</body></html>")), tries=1)

    def test_a_count_of_another_type_is_drift(self) -> None:
        changed = edited(self.valid(), each_object(lambda one: {**one, self.count_key: ["?"]}, having=self.count_key))
        assert self.refusal(changed).kind is FailureKind.DRIFT

    def test_a_renamed_field_is_drift(self) -> None:
        renamed = edited(self.valid(), each_object(self._renamed, having=self.needed_key))
        assert self.refusal(renamed).kind is FailureKind.DRIFT

    def _renamed(self, one: dict[str, Any]) -> dict[str, Any]:
        return {f"{key}_v2" if key == self.needed_key else key: value for key, value in one.items()}

    def test_a_field_we_do_not_know_changes_nothing(self) -> None:
        more = edited(self.valid(), each_object(lambda one: {**one, "brand_new_field": {"a": [1, None]}}))
        assert self.look(more).posts == self.look(self.valid()).posts

    def test_no_person_ever_enters_a_reading(self) -> None:
        person = {"id": "1", "name": PERSON, "email": MAILBOX}
        named = {key: value for key in self.person_keys for value in (person,)}
        crowded = edited(self.valid(), each_object(lambda one: {**named, "person": PERSON, **one}))
        reading = self.look(crowded)
        assert len(reading.posts) >= FEWEST_POSTS
        assert PERSON not in repr(reading)
        assert MAILBOX not in repr(reading)

    def test_damaged_bodies_give_a_reading_or_a_collect_error(self) -> None:
        script = self.valid()

        @settings(max_examples=60, deadline=None)
        @given(st.integers(0, 2**32))
        def check(seed: int) -> None:
            try:
                reading = self.look(damaged(script, Random(seed)), tries=1)
            except CollectError:
                return
            assert len(ids(reading.posts)) == len(set(ids(reading.posts)))
            assert all(post.platform_id for post in reading.posts)

        check()


def ids(posts: tuple[Post, ...]) -> list[str]:
    return [post.platform_id for post in posts]


def covered(posts: tuple[Post, ...], since: datetime | None) -> tuple[Post, ...]:
    """The posts that a reading with this coverage has to hold."""
    return tuple(post for post in posts if since is not None and post.published_at and post.published_at >= since)


def halved(said: Said) -> Said:
    return replace(said, body=said.body[: len(said.body) // 2])


def assert_shows_no_secret(text: str) -> None:
    assert [secret for secret in SECRETS if secret in text] == []


def assert_says_what_to_do(error: CollectError) -> None:
    assert_shows_no_secret(f"{error} {error.detail} {error.sentence} {error.as_failure()}")
    assert error.sentence.endswith(".")
    assert "Đề nghị" in error.sentence or "Hệ thống" in error.sentence or "hệ thống" in error.sentence


def each_object(edit: Callable[[dict[str, Any]], dict[str, Any]], having: str | None = None) -> Callable[[Any], Any]:
    """An edit of every JSON object of a document, or of those that have a certain key."""

    def walk(node: Any) -> Any:
        if isinstance(node, list):
            return [walk(one) for one in node]
        if not isinstance(node, dict):
            return node
        inner = {key: walk(value) for key, value in node.items()}
        return edit(inner) if having is None or having in inner else inner

    return walk


def damaged(script: Script, random: Random) -> Script:
    """The same script with each body damaged at one place: a byte, a value or a key."""

    def answer(asked: Asked) -> Said:
        said = script(asked)
        if random.random() < 0.3:
            return replace(said, body=_bytes_damaged(said.body, random))
        document = json.loads(said.body)
        places = list(_places(document))
        if places and random.random() < 0.9:
            holder, key = random.choice(places)
            _damage(holder, key, random)
        return replace(said, body=json.dumps(document).encode())

    return answer


def _bytes_damaged(body: bytes, random: Random) -> bytes:
    at = random.randrange(len(body) + 1)
    return body[:at] + random.choice([b"", b"\x00", b"{", b'"', b"\xff", b"\\ud800"]) + body[at + random.randrange(3) :]


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) of a document."""
    pairs = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in cast("Any", pairs):
        yield node, key
        yield from _places(value)


def _damage(holder: Any, key: Any, random: Random) -> None:
    if random.random() < 0.3:
        del holder[key]
    else:
        holder[key] = random.choice(ODD_VALUES)
