"""The simulated district: who exists, what happens there, and the configuration that is written of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from config.load import load_config
from config.models import Config
from config.plan_files import packaged_plans
from config.plan_scope import bound_channel
from metrics.labels import label_posts
from pipeline.demo import sites
from pipeline.demo.calendar import SCHOOL, is_break, is_new_year
from pipeline.demo.district import ZONE, DemoChannel, District, Plot, Temper, make_district
from pipeline.demo.folder import write_folder
from pipeline.demo.host import PLATFORMS
from pipeline.demo.play import Story, looked_at
from pipeline.demo.story import QUIET_FOR, make_world, platform_id, tell
from pipeline.demo.world import Account, Item, Trouble, World
from store.records import StoredText

START = datetime(2025, 11, 20, 17, tzinfo=UTC)
DAYS = 365
TET = date(2026, 2, 26)
"""The last day on which everybody speaks of it."""
DISTRICT = make_district(7, 20, START, DAYS)
WORLD = tell(DISTRICT)
BY_SLUG = {account.slug: account for account in WORLD.accounts}
Choose = Callable[[DemoChannel], bool]


def lives(choose: Choose, district: District = DISTRICT) -> list[tuple[DemoChannel, Account]]:
    accounts = {account.slug: account for account in (WORLD if district is DISTRICT else tell(district)).accounts}
    return [(channel, accounts[channel.slug]) for channel in district.channels if choose(channel)]


def within_story(account: Account) -> list[Item]:
    return [item for item in account.items if START <= item.published_at < WORLD.end]


def local_day(item: Item) -> date:
    return item.published_at.astimezone(ZONE).date()


def is_old(account: Account) -> bool:
    return account.opened_at < START


def everything(world: World) -> list[tuple[object, ...]]:
    return [(a.slug, a.id, a.opened_at, list(a.items), list(a.audience), list(a.spells)) for a in world.accounts]


def posts_a_day(choose: Choose, days: Callable[[date], bool]) -> float:
    """Items per channel and day, on the days of the story that are chosen."""
    found = lives(choose)
    all_days = [START.astimezone(ZONE).date() + timedelta(days=n + 1) for n in range(DAYS - 1)]
    wanted = {day for day in all_days if days(day)}
    count = sum(local_day(item) in wanted for _, account in found for item in account.items)
    return count / len(wanted) / len(found)


def test_the_same_seed_tells_the_same_story_and_another_seed_another() -> None:
    assert everything(make_world(7, 20, START, DAYS)) == everything(WORLD)
    assert everything(make_world(8, 20, START, DAYS)) != everything(WORLD)


def test_a_larger_district_changes_nothing_in_the_story_of_the_first_units() -> None:
    larger = {account.slug: account for account in make_world(7, 60, START, DAYS).accounts}
    assert all(list(larger[slug].items) == list(account.items) for slug, account in BY_SLUG.items())


def test_about_sixty_channels_on_all_platforms_and_twelve_kinds_of_websites() -> None:
    platforms = Counter(account.platform for account in WORLD.accounts)
    assert platforms.keys() == {"facebook", "tiktok", "youtube", "zalo", "website"}
    assert 55 <= platforms.total() <= 65
    assert sorted(account.kind for account in WORLD.on("website").values()) == sorted(sites.KINDS)
    assert len(DISTRICT.units) == 21


def test_everything_in_a_year_that_can_break_breaks_once_at_least() -> None:
    seen = {
        spell.trouble
        for account in WORLD.accounts
        for spell in account.spells
        if spell.start < WORLD.end and spell.until > START
    }
    assert seen == set(Trouble)


def test_items_are_numbered_from_one_in_the_order_of_distinct_moments() -> None:
    for account in WORLD.accounts:
        moments = [item.published_at for item in account.items]
        assert moments == sorted(set(moments))
        assert [item.number for item in account.items] == list(range(1, len(moments) + 1))
        assert all(moment >= account.opened_at for moment in moments)


def test_the_quiet_unit_posted_to_the_day_and_then_nowhere_any_more() -> None:
    silence = WORLD.end - QUIET_FOR
    quiet = lives(lambda channel: Plot.QUIET in channel.plots)
    newest = [account.items[-1].published_at for _, account in quiet]
    assert len(quiet) == 3
    assert silence - timedelta(days=3) < max(newest) < silence


def test_no_other_active_unit_is_silent_for_two_weeks_at_the_end() -> None:
    active = lives(lambda c: c.main and c.temper is not Temper.WEAK and Plot.QUIET not in c.plots)
    for channel, account in active:
        if channel.owners[-1].until is None:
            assert account.visible(WORLD.end)[0].published_at > WORLD.end - timedelta(days=14), channel.slug


def test_one_page_loses_its_token_three_weeks_before_the_end_and_goes_on_posting() -> None:
    [(_, page)] = lives(lambda channel: Plot.TOKEN_DIES in channel.plots)
    assert not page.has(Trouble.TOKEN_DEAD, WORLD.end - timedelta(days=23))
    assert page.has(Trouble.TOKEN_DEAD, WORLD.end - timedelta(days=20))
    assert page.has(Trouble.TOKEN_DEAD, WORLD.end)
    assert page.visible(WORLD.end)[0].published_at > WORLD.end - timedelta(days=4)


@pytest.mark.parametrize("seed", range(4))
def test_schools_publish_nothing_in_their_breaks(seed: int) -> None:
    schools = lives(lambda channel: channel.unit_kind == SCHOOL, make_district(seed, 20, START, DAYS))
    days = {local_day(item) for _, account in schools for item in account.items}
    assert len(days) > 150
    assert not [day for day in days if is_break(SCHOOL, day)]
    assert not [day for day in days if date(2026, 6, 1) <= day < date(2026, 8, 24)]


def test_nearly_nothing_is_published_at_the_lunar_new_year() -> None:
    def usual(day: date) -> bool:
        return not is_new_year(day)

    assert is_new_year(date(2026, 2, 17))
    assert posts_a_day(lambda _: True, is_new_year) < 0.1 * posts_a_day(lambda _: True, usual)


def test_weekends_are_calmer_most_of_all_at_schools_and_offices() -> None:
    def share_of_weekend(choose: Choose) -> float:
        return posts_a_day(choose, lambda d: d.weekday() > 4) / posts_a_day(choose, lambda d: d.weekday() < 5)

    wards = share_of_weekend(lambda channel: channel.unit_kind == "phuong")
    offices = share_of_weekend(lambda channel: channel.unit_kind in {SCHOOL, "co-quan"})
    assert offices < 0.6 < wards < 1


def test_the_days_of_the_union_are_the_loudest() -> None:
    loud = {(3, 26), (5, 19), (10, 15)}
    peak = posts_a_day(lambda _: True, lambda day: (day.month, day.day) in loud)
    assert peak > 1.3 * posts_a_day(lambda _: True, lambda day: day.weekday() < 5)


def test_diligent_units_have_a_good_item_on_nearly_every_day_and_weak_ones_seldom() -> None:
    def share_of_days(temper: Temper) -> float:
        found = lives(lambda c: c.main and c.temper is temper and c.unit_kind == "phuong" and not c.plots)
        days = [{local_day(i) for i in within_story(a) if i.category == "Tin tốt"} for _, a in found if is_old(a)]
        return sum(map(len, days)) / len(days) / DAYS

    assert share_of_days(Temper.STEADY) > 0.9
    assert 0.6 < share_of_days(Temper.AVERAGE) < 0.85
    assert share_of_days(Temper.WEAK) < 0.35


def test_two_wards_become_one_on_the_first_of_july_and_hand_their_channels_over() -> None:
    merged = [unit for unit in DISTRICT.units if unit.until is not None]
    [heir] = {heir for unit in merged for heir in unit.successors}
    handed = lives(lambda channel: channel.owners[-1].unit == heir and len(channel.owners) == 2)
    assert [unit.until for unit in merged] == [date(2026, 7, 1)] * 2
    assert {channel.owners[0].unit for channel, _ in handed} == {unit.slug for unit in merged}
    assert all(a.visible(WORLD.end)[0].published_at > WORLD.end - timedelta(days=10) for _, a in handed)
    [(_, closed)] = lives(lambda channel: Plot.CLOSED in channel.plots)
    assert local_day(closed.items[-1]) < date(2026, 7, 1)


def test_some_audiences_reach_five_per_cent_and_some_do_not() -> None:
    old = [a for a in WORLD.accounts if a.platform != "website" and is_old(a)]
    growth = {a.slug: a.followers(WORLD.end) / a.followers(START) - 1 for a in old}
    reached = [slug for slug, share in growth.items() if share >= 0.05]
    assert 0.25 < len(reached) / len(old) < 0.8
    assert growth["fanpage-quan-doan"] < 0.05 < growth["tiktok-trong-toi"]


def test_the_special_accounts_are_what_the_story_promises() -> None:
    def one(plot: Plot) -> Account:
        [(_, account)] = lives(lambda channel: plot in channel.plots)
        return account

    assert max(one(Plot.TINY).audience) < 100
    assert list(one(Plot.EMPTY).items) == []
    assert one(Plot.HIDDEN).has(Trouble.HIDDEN, START)
    assert {item.kind for item in one(Plot.REELS_ONLY).items} == {"reel"}
    purged = one(Plot.PURGED).audience
    assert min(after / before for before, after in pairwise(purged)) < 0.9


def test_items_are_scheduled_deleted_shared_and_stripped_of_their_counts_now_and_then() -> None:
    items = [item for account in WORLD.on("facebook").values() for item in account.items]
    for wanted in (
        [item for item in items if item.uploaded_at and item.uploaded_at < item.published_at],
        [item for item in items if item.gone_at and item.gone_at > item.published_at],
        [item for item in items if item.kind == "share"],
        [item for item in items if item.likes_hidden],
        [item for item in items if item.comments_off],
    ):
        assert 0.002 < len(wanted) / len(items) < 0.25
    assert {i.uploaded_at is None for a in WORLD.on("youtube").values() for i in a.items} == {True, False}


def test_ids_have_the_shape_of_the_platform() -> None:
    assert all(len(page) == 17 and page.isdecimal() for page in WORLD.on("facebook"))
    assert all(channel.startswith("UC") and len(channel) == 24 for channel in WORLD.on("youtube"))
    assert all(len(official) == 19 for official in WORLD.on("zalo"))


def test_everything_made_up_says_so() -> None:
    names = [*(unit.name for unit in DISTRICT.units), *(account.name for account in WORLD.accounts)]
    assert all("(mẫu)" in name for name in names)
    assert all("Dữ liệu minh họa" in item.text for account in WORLD.accounts for item in account.items)


def test_thousands_of_units_cost_nothing_until_they_are_asked() -> None:
    district = make_district(7, 2000, START, DAYS)
    assert len({unit.slug for unit in district.units}) == 2001
    assert len({channel.slug for channel in district.channels}) == len(district.channels)
    assert 2.5 < len(district.channels) / 2000 < 3.5
    assert len(tell(district).accounts[-1].items) > 10


def test_units_and_their_channels_begin_with_the_story_and_their_audiences_earlier() -> None:
    first = START.astimezone(ZONE).date()
    others = [unit for unit in DISTRICT.units if unit.start != date(2026, 7, 1)]
    assert {unit.start for unit in others} == {first}
    old = lives(lambda channel: channel.owners[0].unit in {unit.slug for unit in others})
    assert {channel.owners[0].start for channel, _ in old} == {first}
    assert all(account.opened_at < START - timedelta(days=89) for _, account in old)


def test_the_heir_has_the_members_of_both_parts() -> None:
    merged = [unit for unit in DISTRICT.units if unit.until is not None]
    [heir] = [unit for unit in DISTRICT.units if unit.slug in merged[0].successors]
    assert heir.members == sum(unit.members or 0 for unit in merged)


@pytest.mark.parametrize(
    ("start", "days", "merges"),
    [((2026, 6, 30), 2, True), ((2026, 6, 30), 1, False), ((2026, 7, 1), 30, False), ((2026, 10, 1), 50, False)],
)
def test_there_is_no_merger_unless_the_first_of_july_lies_inside(
    start: tuple[int, int, int], days: int, merges: bool
) -> None:
    district = make_district(7, 20, datetime(*start, tzinfo=ZONE), days)
    ends = {unit.until for unit in district.units} | {owner.until for c in district.channels for owner in c.owners}
    assert (district.merger is not None) == merges
    assert ends == ({None, date(2026, 7, 1)} if merges else {None})
    if not merges:
        assert {unit.start for unit in district.units} == {date(*start)}
        assert not [account for channel, account in lives(lambda c: Plot.CLOSED in c.plots, district)]


def test_the_breaks_of_the_configuration_cover_every_day_on_which_schools_rest(tmp_path: Path) -> None:
    district = make_district(7, 6, START, 3 * 366)
    write_folder(tmp_path, district, addresses(district))
    breaks = load_config(tmp_path).district.kinds[SCHOOL].breaks
    days = [district.first_day + timedelta(days=n) for n in range(3 * 366 + 1)]
    assert [d for d in days if is_break(SCHOOL, d)] == [d for d in days if any(b.start <= d < b.until for b in breaks)]


@pytest.mark.parametrize("until", [datetime(2026, 11, 20, hour, 30, tzinfo=UTC) for hour in (1, 11, 12)])
def test_one_account_reads_zero_at_the_very_last_look_and_at_no_other(tmp_path: Path, until: datetime) -> None:
    story = Story(units=6, days=30, until=until)
    district = make_district(story.seed, story.units, story.start, story.days)
    write_folder(tmp_path, district, addresses(district))
    looks = looked_at(load_config(tmp_path), story)
    account = tell(district).on("zalo")[platform_id(story.seed, district_channel(district, "zalo-phuong-cau-may"))]
    assert [at for at in looks if account.has(Trouble.ZERO, at)] == looks[-1:]


def district_channel(district: District, slug: str) -> DemoChannel:
    [found] = [channel for channel in district.channels if channel.slug == slug]
    return found


def test_every_channel_has_a_name_of_its_own_that_tells_the_platform() -> None:
    names = {channel.name: channel.platform for channel in DISTRICT.channels}
    assert len(names) == len(DISTRICT.channels)
    words = {"facebook": "Fanpage", "tiktok": "TikTok", "youtube": "YouTube", "zalo": "Zalo OA", "website": "Trang tin"}
    assert [name for name, platform in names.items() if not name.startswith(words[platform])] == []


def test_at_tet_everybody_speaks_of_tet_or_of_spring() -> None:
    told = [item.title for a in WORLD.accounts for item in a.items if date(2026, 2, 1) <= local_day(item) <= TET]
    assert len(told) > 100
    assert [
        title for title in told if not any(word in title.lower() for word in ("tết", "xuân", "tất niên", "cuối năm"))
    ] == []


IN_SEASON = {
    "áo dài": ((3, 1), (3, 8)),
    "26/3": ((3, 9), (3, 28)),
    "30/4": ((4, 22), (5, 1)),
    "19/5": ((5, 12), (5, 19)),
    "1/6": ((5, 26), (6, 1)),
    "hè tình nguyện": ((6, 2), (8, 31)),
    "27/7": ((7, 20), (7, 27)),
    "2/9": ((8, 27), (9, 2)),
    "15/10": ((10, 8), (10, 15)),
    "20/11": ((11, 14), (11, 20)),
    "22/12": ((12, 15), (12, 22)),
}


@pytest.mark.parametrize("word", IN_SEASON)
def test_a_season_is_spoken_of_in_its_days_and_on_no_other(word: str) -> None:
    told = {local_day(item) for a in WORLD.accounts for item in a.items if speaks_of(word, item.title)}
    first, last = IN_SEASON[word]
    assert told
    assert {day for day in told if not first <= (day.month, day.day) <= last} == set()


def speaks_of(word: str, title: str) -> bool:
    return re.search(rf"(?<!\d){word}(?!\d)", title.lower()) is not None


def test_too_small_a_district_is_refused() -> None:
    with pytest.raises(ValueError, match="6 units or more"):
        make_district(7, 5, START, DAYS)


@pytest.mark.parametrize(("units", "days"), [(6, 1), (20, 365), (120, 30)])
def test_the_folder_loads_as_a_configuration(tmp_path: Path, units: int, days: int) -> None:
    district = make_district(7, units, START, days)
    write_folder(tmp_path, district, addresses(district))
    config = load_config(tmp_path)
    assert list(config.units) == [unit.slug for unit in district.units]
    assert [channel.slug for channel in config.watched()] == [channel.slug for channel in district.channels]
    assert config.district.organisation.illustration
    assert "(mẫu)" in config.district.organisation.name
    assert config.district.platforms.facebook.base == "http://127.0.0.1:9000"
    assert config.district.network.gap_seconds == 0
    assert "127.0.0.1:9000" in config.district.network.allow
    assert "Dữ liệu minh họa" in (tmp_path / "channels.toml").read_text(encoding="utf-8")


def test_every_packaged_plan_binds_it_and_every_channel_a_plan_names_is_one_of_its_own(tmp_path: Path) -> None:
    write_folder(tmp_path, DISTRICT, addresses(DISTRICT))
    config = load_config(tmp_path)
    assert set(config.plans) == set(packaged_plans())
    named = [(plan, name) for plan in config.plans.values() for name in plan.channels if name != "web-quan-doan"]
    assert len(named) == 7
    assert all(bound_channel(config, plan, name) for plan, name in named)


def test_a_website_that_is_not_served_is_an_example_entry(tmp_path: Path) -> None:
    write_folder(tmp_path, DISTRICT, {})
    config = load_config(tmp_path)
    assert all(channel.sample == (channel.platform == "website") for channel in config.channels.values())


def test_the_label_rules_find_exactly_the_items_that_were_told_as_labelled(tmp_path: Path) -> None:
    write_folder(tmp_path, DISTRICT, {})
    config = load_config(tmp_path)
    items = [item for account in WORLD.accounts for item in within_story(account)]
    named = {"Tin tốt": {"tin-tot"}, "Câu chuyện đẹp": {"cau-chuyen-dep"}}
    assert found_labels(config, items) == [named.get(item.category, set()) for item in items]


def found_labels(config: Config, items: list[Item]) -> list[set[str]]:
    """The labels of items by their words alone, as on a platform without categories."""
    texts = [StoredText(n, "fanpage-quan-doan", item.title, item.text, ()) for n, item in enumerate(items)]
    found: list[set[str]] = [set() for _ in items]
    for label in label_posts(texts, config, START):
        found[label.post_id].add(label.label)
    return found


def addresses(district: District) -> dict[str, str]:
    """Addresses as a host would hand them out."""
    platforms = {f"{name}.{setting}": "http://127.0.0.1:9000" for name in PLATFORMS for setting in PLATFORMS[name]}
    websites = [channel.slug for channel in district.channels if channel.platform == "website"]
    return platforms | {slug: f"http://127.0.0.1:{port}" for port, slug in enumerate(websites, 10_000)}
