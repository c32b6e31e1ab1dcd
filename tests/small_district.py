"""A little district of feeds on loopback for tests of the whole pipeline."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

from tests.real_sites import serving

FRIDAY = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
"""09:00 on Friday of week 47, local time."""

DISTRICT = """
[organisation]
name = "Quận Đoàn thử nghiệm"
contact = "thu@doan-mau.example"
illustration = true
[calendar]
public_holidays = false
[kinds.phuong]
name = "Phường"
[labels.tin-tot]
name = "Tin tốt"
every = "day"
clause = "mục II-CT.2"
phrases = ["tin tốt"]
not_followed_by = ["nghiệp"]
[labels.cau-chuyen-dep]
name = "Câu chuyện đẹp"
every = "week"
clause = "mục II-CT.2"
phrases = ["câu chuyện đẹp"]
[network]
allow = [{allow}]
gap_seconds = 0
deadline_seconds = 5
"""

UNIT = '[units.{slug}]\nname = "Đoàn phường {slug}"\nkind = "phuong"\nstart = 2025-07-01\n'
CHANNEL = (
    '[channels.{slug}]\nplatform = "website"\nname = "Trang {slug}"\naddress = "{address}"\n'
    'owners = [{{ unit = "{unit}", start = 2025-07-01 }}]\n'
    'website = {{ way = "feed", at = "{address}" }}\n'
)


def write_config(folder: Path, addresses: Sequence[str]) -> Path:
    """A configuration with one unit and one website per address."""
    folder.mkdir(parents=True, exist_ok=True)
    allow = ", ".join(f'"{address.split("/")[2]}"' for address in dict.fromkeys(addresses))
    (folder / "district.toml").write_text(DISTRICT.replace("{allow}", allow), encoding="utf-8")
    units = [UNIT.format(slug=f"don-vi-{number}") for number in range(len(addresses))]
    (folder / "units.toml").write_text("\n".join(units), encoding="utf-8")
    channels = [
        CHANNEL.format(slug=f"trang-{number}", unit=f"don-vi-{number}", address=address)
        for number, address in enumerate(addresses)
    ]
    (folder / "channels.toml").write_text("\n".join(channels), encoding="utf-8")
    return folder


def feed(host: str, items: Sequence[tuple[str, datetime]]) -> str:
    """An RSS feed of (title, published) items."""
    body = "".join(
        f"<item><title>{title}</title><link>{host}/bai/{at:%Y%m%d%H%M}</link><pubDate>{format_datetime(at)}</pubDate></item>"
        for title, at in items
    )
    return f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Tin</title>{body}</channel></rss>'


def daily_items(last: datetime, days: int) -> list[tuple[str, datetime]]:
    return [(f"Tin tốt ngày thứ {n}", last - timedelta(days=n)) for n in range(days)]


class FeedSite:
    """A static site with one feed, to publish in."""

    def __init__(self, folder: Path, base: str) -> None:
        self.file, self.base, self.address = folder / "feed.xml", base, f"{base}/feed.xml"
        self.editions = 0

    def publish(self, *items: tuple[str, datetime]) -> None:
        """Make the feed hold exactly these (title, published); every edition is a second newer than the last."""
        self.editions += 1
        self.file.write_text(feed(self.base, items), encoding="utf-8")
        os.utime(self.file, (FRIDAY.timestamp() + self.editions,) * 2)

    def link(self, published: datetime) -> str:
        return f"{self.base}/bai/{published:%Y%m%d%H%M}"


@contextmanager
def feed_site(folder: Path, *items: tuple[str, datetime]) -> Iterator[FeedSite]:
    folder.mkdir(parents=True, exist_ok=True)
    with serving(folder) as base:
        site = FeedSite(folder, base)
        site.publish(*items)
        yield site


@contextmanager
def feeds_on_loopback(folder: Path, count: int, days: int = 10, asked: list[str] | None = None) -> Iterator[list[str]]:
    """`count` static feeds, one per file; yields their addresses. Every path asked for lands in *asked*."""
    folder.mkdir(parents=True, exist_ok=True)
    with serving(folder, asked=asked) as base:
        names = [f"feed-{number}.xml" for number in range(count)]
        for number, name in enumerate(names):
            items = daily_items(FRIDAY - timedelta(minutes=number + 1), days)
            (folder / name).write_text(feed(f"{base}/{number}", items), encoding="utf-8")
        yield [f"{base}/{name}" for name in names]
