"""The program against the truth: whole districts are played, and the store may say nothing that is not so.

Every rule of the house has one test here, and every test judges every district. The soak adds districts in which
every trouble strikes at random.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pandas as pd
import pytest

from metrics.periods import local_date
from pipeline.demo.district import ZONE
from pipeline.demo.play import Story
from pipeline.demo.texts import CATEGORY_OF_NEWS, CATEGORY_OF_STORIES, NEWS_MARKS, STORY_MARKS
from pipeline.demo.world import DAY, Account, Item, Trouble, World
from store.records import Confidence, FailureKind
from tests.truth import Play, Seen, is_public, played, random_spells, rows, with_spells

AUTUMN = datetime(2026, 11, 20, 13, tzinfo=UTC)  # the clocks of California change on 1 November
NEW_YEAR = datetime(2027, 1, 12, 13, tzinfo=UTC)
LEAP_DAY = datetime(2028, 3, 20, 13, tzinfo=UTC)  # Tết, 29 February, and the clocks change on 12 March
MERGER = datetime(2026, 7, 25, 13, tzinfo=UTC)
CALM = (Story(8, 40, AUTUMN, 5), Story(6, 40, MERGER, 6), Story(7, 42, LEAP_DAY, 7), Story(16, 25, NEW_YEAR, 8))
SOAK = tuple(Story(8, 50, (AUTUMN, NEW_YEAR, LEAP_DAY, MERGER)[seed % 4], seed) for seed in range(100, 120))

LIVE = {"facebook_page", "tiktok_display", "youtube_key", "youtube_owner", "zalo_oa"}
PAST = {"facebook_insights", "tiktok_business", "youtube_analytics"}
LABELS = {CATEGORY_OF_NEWS: "tin-tot", CATEGORY_OF_STORIES: "cau-chuyen-dep"}
SHOWS_AS = {("facebook", "live"): "video"}
NEW_COVER = "updated their cover photo."
LET_GO = ""
"""Words that were read without the owner's consent are kept for 30 days only."""
MEANS: dict[Trouble, set[FailureKind]] = {
    Trouble.TOKEN_DEAD: {FailureKind.AUTH},
    Trouble.PERMISSION: {FailureKind.PERMISSION},
    Trouble.THROTTLED: {FailureKind.THROTTLED},
    Trouble.OUTAGE: {FailureKind.NETWORK},
    Trouble.HTML: {FailureKind.DRIFT},
    Trouble.SLOW: {FailureKind.NETWORK},
    Trouble.UNPUBLISHED: {FailureKind.PERMISSION, FailureKind.GONE, FailureKind.DRIFT},
}


def in_trouble(world: World) -> World:
    return with_spells(world, partial(random_spells, world))


@pytest.fixture(
    scope="module",
    params=[*CALM, *(pytest.param(story, marks=pytest.mark.soak) for story in SOAK)],
    ids=lambda story: f"seed-{story.seed}",
)
def truth(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Play:
    story: Story = request.param
    change = in_trouble if story in SOAK else lambda world: world
    return played(tmp_path_factory.mktemp("truth"), story, change)


def test_nothing_is_asked_that_must_not_be_asked(truth: Play):
    assert list(truth.violations) == []


def test_nothing_is_stored_that_was_not_public_when_it_was_first_seen(truth: Play):
    assert truth.posts.keys() - truth.items.keys() == set()
    assert [seen for seen, item, row in truth.named() if not is_public(item, row.first_seen_at)] == []


def test_every_post_has_its_own_date(truth: Play):
    exact = [one for one in truth.named() if one[2].date_confidence == Confidence.EXACT]
    seconds = {seen: abs(row.published_at - item.published_at) for seen, item, row in exact}
    assert {seen: off for seen, off in seconds.items() if off >= timedelta(minutes=1)} == {}
    assert {truth.accounts[seen[0]].platform for seen in seconds} >= {"facebook", "tiktok", "youtube", "zalo"}


def test_every_post_has_its_own_title_and_kind(truth: Play):
    social = [one for one in truth.named() if truth.accounts[one[0][0]].platform != "website"]
    titles = {seen: row.title for seen, item, row in social if row.title != item.title}
    assert {seen: title for seen, title in titles.items() if not title.endswith(NEW_COVER) and title != LET_GO} == {}
    kinds = {seen: SHOWS_AS.get((truth.accounts[seen[0]].platform, item.kind), item.kind) for seen, item, _ in social}
    assert {seen: row.kind for seen, _, row in social if row.kind != kinds[seen]} == {}
    assert [seen for seen, item, row in social if row.is_share != (item.kind == "share")] == []


def test_what_was_public_within_the_claim_of_a_look_is_stored(truth: Play):
    assert {(look.channel, look.started_at, seen[1]) for look, seen, _ in lost(truth)} == set()
    assert {truth.accounts[look.channel].platform for look in truth.claims} >= {"facebook", "tiktok", "youtube", "zalo"}


def lost(truth: Play) -> Iterator[tuple[Any, Seen, Item]]:
    """What the looks should have brought by their own word, and did not."""
    owned = defaultdict(list)
    for seen, item in truth.items.items():
        owned[seen[0]].append((seen, item))
    for look in truth.claims:
        for seen, item in owned[look.channel]:
            if item.published_at > look.coverage_from and can_see(look, item):
                row = truth.posts.get(seen)
                if row is None or row.first_seen_at > look.started_at:
                    yield look, seen, item


def test_no_post_that_is_public_is_ever_called_gone(truth: Play):
    names = {(row.channel, row.platform_id): seen for seen, _, row in truth.named()}
    assert [(at, seen) for at, seen in truth.gone if is_public(truth.items[names[seen]], at)] == []


def test_a_deleted_post_is_gone_after_two_looks_that_cover_it(truth: Play):
    whole = [look for look in truth.claims if look.complete]
    late = {}
    for seen, item, row in truth.named():
        covering = [
            look.started_at
            for look in whole
            if look.channel == seen[0] and look.coverage_from < row.published_at and look.started_at > row.first_seen_at
        ]
        due = [at for at in covering if item.gone_at is not None and at >= item.gone_at][1:2]
        if due and row.gone_at != due[0]:
            late[seen] = (due[0], row.gone_at)
    assert late == {}


def test_followers_are_the_truth_of_that_moment_or_doubted(truth: Play):
    wrong = [
        (row.channel, row.observed_at, row.followers)
        for row in rows(truth.frames["series"])
        if row.source in LIVE and not row.suspect & 1 and not is_true(truth.accounts[row.channel], row)
    ]
    assert [(slug, at, count) for slug, at, count in wrong if has_number(truth, slug, at)] == []


def has_number(truth: Play, slug: str, at: datetime) -> bool:
    """Whether the channel had shown a number before: without one, nobody can doubt its very first count."""
    series = truth.frames["series"]
    earlier = series[series["channel"].eq(slug) & series["source"].isin(LIVE) & series["observed_at"].lt(at)]
    return bool(earlier["followers"].gt(0).any())


def test_past_days_are_the_truth_of_their_end(truth: Play):
    past = [row for row in rows(truth.frames["series"]) if row.source in PAST]
    wrong = [row for row in past if not is_true(truth.accounts[row.channel], row)]
    assert [(row.channel, row.observed_at, row.source, row.followers) for row in wrong] == []
    assert {row.source for row in past} >= {"facebook_insights", "tiktok_business"}


def is_true(account: Account, row: Any) -> bool:
    at = row.observed_at.to_pydatetime()
    if account.has(Trouble.HIDDEN, at) and row.source in LIVE and account.platform == "youtube":
        return bool(pd.isna(row.followers))
    true = account.followers(at)
    step = 10 ** max(len(str(true)) - 3, 0) if account.platform == "youtube" and row.precision == "floor3" else 1
    return bool(row.followers == true // step * step)


def test_no_zero_ever_counts(truth: Play):
    values = truth.frames["values"]
    zeros = rows(values[values["followers"].eq(0)])
    false = [row for row in zeros if truth.accounts[row.channel].followers(row.moment) != 0]
    assert [row for row in false if has_number(truth, row.channel, row.observed_at)] == []
    assert values["followers"].gt(0).any()


def test_a_failed_look_brings_nothing(truth: Play):
    failed = {(look.channel, look.started_at) for look in truth.looks if look.state == "failed"}
    assert [look for look in truth.looks if look.state == "failed" and (look.snapshots or look.posts)] == []
    assert [row for row in truth.posts.values() if (row.channel, row.first_seen_at) in failed] == []
    assert [
        row for row in rows(truth.frames["series"]) if row.source in LIVE and (row.channel, row.observed_at) in failed
    ] == []


def test_looks_fail_for_the_reason_that_there_is(truth: Play):
    failed = [look for look in truth.looks if look.state == "failed"]
    odd = [(look.channel, look.started_at, look.outcome) for look in failed if not is_explained(truth, look)]
    assert odd == []
    assert [look for look in failed if not look.error.endswith(".")] == []


def is_explained(truth: Play, look: Any) -> bool:
    """Whether one of the account's own troubles means this; a consent that died once is dead until it is renewed."""
    account = truth.accounts[look.channel]
    begun = (spell for spell in account.spells if spell.start <= look.started_at)
    there = {spell.trouble for spell in begun if spell.trouble is Trouble.TOKEN_DEAD or spell.covers(look.started_at)}
    return look.outcome in {kind for trouble in there for kind in MEANS.get(trouble, ())}


def test_labels_are_those_that_the_unit_wrote(truth: Play):
    said = truth.frames["labels"].groupby("post_id")["label"].agg(set).to_dict()
    wrong = {}
    for seen, item, row in truth.named():
        read, written = said.get(row.id, set()), {label_of(truth.accounts[seen[0]], item)} - {""}
        if read != written and row.title != LET_GO:
            wrong[seen] = (read, written)
    assert wrong == {}


def label_of(account: Account, item: Item) -> str:
    """The label that can be read, «» for none: TikTok gives away no more than 150 characters of a caption."""
    is_cut = account.platform == "tiktok" and not label_stands_within(item, 150)
    return "" if is_cut else LABELS.get(item.category, "")


def label_stands_within(item: Item, characters: int) -> bool:
    text = f"{item.title} {item.text}"
    marks = [mark for mark in (*NEWS_MARKS, *STORY_MARKS) if mark in text]
    return not marks or any(mark in text[:characters] for mark in marks)


def test_no_unit_is_said_to_have_missed_what_it_published(truth: Play):
    cells = truth.frames["cells"]
    accused = cells[cells["any_post"].eq("missed") | cells["labelled"].eq("missed")]
    shown = shown_days(truth)
    wrong = []
    for row in rows(accused):
        days = {row.slot.date() + DAY * n for n in range(7 if row.every == "week" else 1)}
        published = {label for day in days for label in shown[row.unit, day]}
        if (row.any_post == "missed" and published) or (row.labelled == "missed" and row.label in published):
            wrong.append((row.unit, row.slot, row.label, row.any_post, row.labelled))
    assert wrong == []
    assert len(accused) > 0


def shown_days(truth: Play) -> dict[tuple[str, Any], set[str]]:
    """The labels («» for none) of what each unit published on each local day, and a look of ours could see."""
    shown: dict[tuple[str, Any], set[str]] = defaultdict(set)
    looked = defaultdict(list)
    for look in truth.looks:
        looked[look.channel].append(look)
    for (slug, _), item in truth.items.items():
        account, day = truth.accounts[slug], local_date(item.published_at, ZONE)
        if item.kind == "share" or not any(can_see(look, item) for look in looked[slug]):
            continue
        for owner in truth.config.channels[slug].owners:
            if owner.start <= day and (owner.until is None or day < owner.until):
                shown[owner.unit, day].add(label_of(account, item))
    return shown


def can_see(look: Any, item: Item) -> bool:
    """Whether a look saw an item, by its own word: one that was not let at the Reels says so in a note."""
    without_reels = any("Reels" in note for note in look.notes or ())
    return look.state == "done" and is_public(item, look.started_at) and not (item.kind == "reel" and without_reels)
