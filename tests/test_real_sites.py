"""From an address to this week's line, against real web software: as a new user would do it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.command_line import Said, nhip
from tests.conftest import need
from tests.invariants import assert_invariants
from tests.real_sites import (
    NEED_HUGO,
    NEED_WORDPRESS,
    WordPress,
    build_hugo,
    have_hugo,
    have_wordpress,
    running_wordpress,
    serving,
)
from tests.small_district import feed

HCMC = ZoneInfo("Asia/Ho_Chi_Minh")
NINE = "2025-11-21T09:00"
UNIT = "binh-tan"
WEEK_46 = [f"2025-11-{day}" for day in range(10, 17)]
WEEK_47 = [f"2025-11-{day}" for day in range(17, 24)]


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=HCMC)


ARTICLES: list[tuple[str, datetime]] = [
    ("Đăng ký hẹn giờ: mỗi ngày một tin tốt", local("2025-11-22T08:00:00")),
    ("Mỗi ngày một tin tốt: hiến máu", local("2025-11-21T00:30:00")),
    ("Câu chuyện đẹp của người giữ cầu", local("2025-11-19T10:00:00")),
    ("Tin tốt cuối ngày", local("2025-11-18T23:50:00")),
    ("Thông tin tốt nghiệp năm 2025", local("2025-11-17T09:00:00")),
    ("Tin tốt chủ nhật", local("2025-11-16T23:59:00")),
    ("Tin tốt thứ hai tuần trước", local("2025-11-10T00:00:00")),
    ("Bài cũ", local("2025-11-03T07:00:00")),
]
TIN_TOT_47 = dict.fromkeys(WEEK_47, "missed") | {
    "2025-11-18": "met",
    "2025-11-21": "met",
    "2025-11-22": "pending",
    "2025-11-23": "pending",
}
TIN_TOT_46 = dict.fromkeys(WEEK_46, "missed") | {"2025-11-10": "met", "2025-11-16": "met"}
STORY_47, STORY_46 = {"2025-11-17": "met"}, {"2025-11-10": "missed"}


def new_district(folder: Path, address: str) -> Path:
    """`nhip init`, and the two lines that a person edits."""
    assert nhip("init", folder).code == 0
    place = address.split("/")[2]
    edit(folder / "channels.toml", 'address = "https://doan-mau.example/"', f'address = "{address}"')
    edit(folder / "district.toml", "allow = []", f'allow = ["{place}"]\ngap_seconds = 0')
    edit(folder / "district.toml", "gap_seconds = 2.0", "# gap_seconds = 2.0")
    edit(folder / "district.toml", "illustration = false", "illustration = true")  # or no look has another date
    return folder


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def check(folder: Path, *words: str) -> Said:
    return nhip("--config", folder, "check", *words, "--json")


def collect_now(folder: Path, at: str) -> dict[str, object]:
    """One unscheduled look; what it said about the only channel."""
    (look,) = nhip("--config", folder, "collect", "--now", "--at", at, "--json").json()["looks"]
    assert isinstance(look, dict)
    return look


def rows(folder: Path, query: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "nhip.sqlite3")) as connection:
        return connection.execute(query).fetchall()


def assert_the_right_days(folder: Path) -> None:
    """Doctor, collect, check: what ARTICLES must look like at nine on Friday; and again changes nothing."""
    doctor = nhip("--config", folder, "doctor")
    assert (doctor.code, doctor.err) == (0, ""), doctor.out
    collected = nhip("--config", folder, "collect", "--at", NINE)
    assert (collected.code, collected.err) == (0, ""), collected.out
    assert_the_weeks(folder, NINE)
    before = rows(folder, "SELECT * FROM post ORDER BY id")
    assert len(before) == len(ARTICLES)
    assert nhip("--config", folder, "collect", "--at", NINE).code == 0
    assert collect_now(folder, "2025-11-21T09:10")["failed"] is False
    assert rows(folder, "SELECT * FROM post ORDER BY id") == before
    assert_the_weeks(folder, "2025-11-21T09:11")
    assert check(folder, "--at", "2025-11-22T08:00").states(UNIT)["2025-11-22"] == "met"
    assert_invariants(f"sqlite:///{folder / 'nhip.sqlite3'}")


def assert_the_weeks(folder: Path, at: str) -> None:
    this_week, last_week = check(folder, "--at", at), check(folder, "--week", "2025-W46", "--at", at)
    assert this_week.states(UNIT) == TIN_TOT_47
    assert this_week.states(UNIT, "cau-chuyen-dep") == STORY_47
    assert last_week.states(UNIT) == TIN_TOT_46
    assert last_week.states(UNIT, "cau-chuyen-dep") == STORY_46
    assert (this_week.code, last_week.code) == (1, 1)


# --- WordPress --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wordpress(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WordPress]:
    need(have_wordpress(), f"needs a real WordPress: {NEED_WORDPRESS}")
    with running_wordpress(tmp_path_factory.mktemp("wordpress")) as site:
        yield site


@pytest.fixture
def published(wordpress: WordPress) -> Iterator[list[int]]:
    """ARTICLES on the WordPress, oldest first as people write them; their ids in the order of ARTICLES."""
    items = [{"title": title, "at": f"{at:%Y-%m-%d %H:%M:%S}"} for title, at in reversed(ARTICLES)]
    ids = list(reversed(wordpress.publish(*items)))
    yield ids
    wordpress.delete(*ids)


def test_a_wordpress_gives_the_right_days_and_weeks(wordpress: WordPress, published: list[int], tmp_path: Path):
    folder = new_district(tmp_path / "quận", wordpress.url)
    doctor = nhip("--config", folder, "doctor", "--json").json()["channels"]
    assert [(finding["way"], finding["readable"]) for finding in doctor] == [("wordpress", True)]
    assert_the_right_days(folder)
    links = {link for (link,) in rows(folder, "SELECT link FROM post")}
    assert all(str(link).startswith(wordpress.url) for link in links)
    assert len(links) == len(published)


def test_a_deleted_post_is_gone_after_two_complete_looks(wordpress: WordPress, published: list[int], tmp_path: Path):
    folder = new_district(tmp_path / "quận", wordpress.url)
    nhip("--config", folder, "collect", "--at", NINE)
    wordpress.delete(published[3])
    gone = "SELECT missing_since IS NOT NULL, gone_at IS NOT NULL FROM post WHERE title = 'Tin tốt cuối ngày'"
    collect_now(folder, "2025-11-21T10:00")
    assert rows(folder, gone) == [(1, 0)]
    assert check(folder, "--at", "2025-11-21T10:01").states(UNIT) == TIN_TOT_47
    collect_now(folder, "2025-11-21T11:00")
    assert rows(folder, gone) == [(1, 1)]
    assert rows(folder, "SELECT count(*) FROM post WHERE gone_at IS NOT NULL") == [(1,)]


def test_new_posts_and_their_columns_arrive_with_the_next_look(
    wordpress: WordPress, published: list[int], tmp_path: Path
):
    folder = new_district(tmp_path / "quận", wordpress.url)
    nhip("--config", folder, "collect", "--at", NINE)
    new = wordpress.publish(
        {"title": "Tin tốt bổ sung", "at": "2025-11-20 23:59:59"},
        {"title": "Gương sáng quanh ta", "at": "2025-11-19 00:00:00", "category": "Tin tốt"},
        {"title": "Gương sáng quanh ta", "at": "2025-11-17 12:00:00", "category": "Thông báo"},
    )
    assert collect_now(folder, "2025-11-21T10:00")["outcome"] == "ok"
    wordpress.delete(*new)
    states = check(folder, "--at", "2025-11-21T10:01").states(UNIT)
    assert states == TIN_TOT_47 | {"2025-11-20": "met", "2025-11-19": "met"}


def test_the_whole_history_of_a_wordpress_is_read_on_the_first_look(wordpress: WordPress, tmp_path: Path):
    first = local("2025-11-20T08:00:00")
    days = [first - timedelta(days=n) for n in range(130)]
    ids = wordpress.publish(*({"title": "Tin tốt", "at": f"{day:%Y-%m-%d %H:%M:%S}"} for day in days))
    folder = new_district(tmp_path / "quận", wordpress.url)
    nhip("--config", folder, "collect", "--at", NINE)
    wordpress.delete(*ids)
    assert rows(folder, "SELECT count(*) FROM post") == [(130,)]
    assert set(check(folder, "--week", "2025-W30", "--at", NINE).states(UNIT).values()) == {"met"}


# --- Hugo and a plain file --------------------------------------------------------------------------------------


def test_a_hugo_site_gives_the_right_days_and_weeks(tmp_path: Path):
    need(have_hugo(), f"needs a real Hugo: {NEED_HUGO}")
    public = tmp_path / "site" / "public"
    public.mkdir(parents=True)
    with serving(public) as base:
        build_hugo(tmp_path / "site", ARTICLES, base)
        assert_the_right_days(new_district(tmp_path / "quận", f"{base}/"))


def test_a_plain_rss_file_gives_the_right_days_and_weeks(tmp_path: Path):
    (tmp_path / "site").mkdir()
    with serving(tmp_path / "site") as base:
        (tmp_path / "site" / "rss.xml").write_text(feed(base, ARTICLES), "utf-8")
        assert_the_right_days(new_district(tmp_path / "quận", f"{base}/rss.xml"))
