"""Sheets about posts: how many each month on each platform and beside the years before, and which moved most people.

A month counts where every channel was read whole on all its days. A channel that was never read, or since its first
good look not whole in more than a quarter of its months (and in two at least), is not counted at all, and named: else
it alone would leave its platform without any month.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd

from config.models import Channel
from dashboards.charts import Aim
from metrics.coverage import covered_days
from metrics.periods import Period, day_edges, local_day
from pipeline.year_asked import SECOND, Year
from pipeline.year_sheets import Sheet, Words, channel_names, platforms_of, sheet

YEARS_BACK = 3
UNREAD = 0.25
"""A channel with a larger share of months that were not read whole is left out."""
COLUMNS = ("published_at", "is_share", "gone_at")
LOOKS = ("state", "outcome", "complete", "coverage_from", "started_at")
WAITING = 2
"""Days at the end: a look proves the days before it, and today's may still come."""
INTERACTIONS = ["reactions", "comments", "shares"]
Bools = npt.NDArray[np.bool_]


def sheets_of_posts(year: Year, read: Read) -> Iterator[Sheet]:
    yield by_month(year, read)
    yield beside(year, read)
    yield top(year)


class Read:
    """The own posts of this year and of those before, and of which months all is known."""

    def __init__(self, year: Year) -> None:
        first = date(year.period.start.year - YEARS_BACK, 1, 1)
        self.year, self.span = year, Period(first, year.days.end, year.zone)
        self.months = pd.DatetimeIndex(self.span.days()).to_period("M")

    @cached_property
    def channels(self) -> list[Channel]:
        return [one for one in self.year.config.channels.values() if not one.sample and self._due(one).any()]

    @cached_property
    def left_out(self) -> list[str]:
        """The channels that too often could not be read; slugs."""
        return [one.slug for one in self.channels if self._is_unread(one)]

    @cached_property
    def posts(self) -> pd.DataFrame:
        """channel, platform, day (naive local midnight) of the own posts of the channels that count."""
        counted = [one.slug for one in self.channels if one.slug not in self.left_out]
        found = self.year.store.posts(self.span.start_at, self.year.until + SECOND, counted, self.year.as_of, COLUMNS)
        here = found["gone_at"].isna() | (found["gone_at"] > pd.Timestamp(self.year.until))
        own = found[here & ~found["is_share"].astype(bool)]
        platforms = {one.slug: one.platform for one in self.channels}
        days = local_day(own["published_at"], self.year.zone)
        return pd.DataFrame({"platform": own["channel"].astype(str).map(platforms), "day": days})

    def known(self, platform: str, days: Period) -> pd.Series[bool]:
        """Whether all is known of each month of these days, index: month."""
        inside = self._inside(days)
        counted = [one for one in self.channels if one.platform == platform and one.slug not in self.left_out]
        watched = self._anybody & bool(counted)
        whole = np.logical_and.reduce([watched, *(~self._due(one) | self._covered[one.slug] for one in counted)])
        return pd.Series(whole[inside]).groupby(self.months[inside]).all()

    def _is_unread(self, channel: Channel) -> bool:
        """Never read, or too many months since its first good look not read whole."""
        covered = self._covered[channel.slug]
        due = self._due(channel) & (np.arange(len(covered)) >= covered.argmax())
        if not (covered & due).any():
            return True
        missed = pd.Series(~covered[due]).groupby(self.months[due]).any()
        return bool(missed.sum() > max(1, UNREAD * len(missed)))

    def _inside(self, days: Period) -> Bools:
        return np.array([days.start <= day < days.end for day in self.span.days()])

    def _due(self, channel: Channel) -> Bools:
        """The days on which somebody owns the channel."""
        days = np.array(self.span.days(), dtype="datetime64[D]")
        owned = np.zeros(len(days), dtype=bool)
        for one in channel.owners:
            until = np.datetime64(one.until or self.span.end)
            owned |= (days >= np.datetime64(one.start)) & (days < until)
        return owned

    @cached_property
    def _anybody(self) -> Bools:
        """The days on which the district had any channel: before them nothing is known."""
        due = [np.zeros(len(self.months), bool), *(self._due(one) for one in self.channels)]
        return np.asarray(np.logical_or.reduce(due), dtype=bool)

    @cached_property
    def _covered(self) -> dict[str, Bools]:
        """By channel, the days that complete looks prove; of a year that goes on, the last days still wait for them."""
        looks = self.year.store.looks(self.span.start_at, self.year.as_of + SECOND, columns=LOOKS)
        looks = looks[looks["started_at"] <= pd.Timestamp(self.year.as_of)]
        found = {one.slug: np.zeros(len(self.months), dtype=bool) for one in self.channels}
        for channel, first, end in covered_days(looks, day_edges(self.span)).itertuples(index=False):
            if channel in found:
                found[channel][max(first, 0) : end] = True
        if not self.year.is_over:
            for days in found.values():
                days[-WAITING:] = True
        return found


def by_month(year: Year, read: Read) -> Sheet:
    """The posts of the year, on each platform in each month; a month at its edge holds only the days of the year."""
    platforms = list(dict.fromkeys(one.platform for one in read.channels))
    rows = [row for platform in platforms for row in _months(read, platform, year.days)]
    frame = pd.DataFrame(rows, columns=["platform", "month", "posts"]).astype({"posts": "Int64"})
    frame["month"] = pd.to_datetime(frame["month"])
    title = f"Bài đăng theo tháng, năm {year.number}"
    return sheet(year, "posts-by-month/all", frame, Words(title, _source(year, read)))


def _months(read: Read, platform: str, days: Period) -> Iterator[tuple[str, pd.Timestamp, int | None]]:
    posts = read.posts[read.posts["platform"] == platform]["day"]
    posts = posts[(posts >= pd.Timestamp(days.start)) & (posts < pd.Timestamp(days.end))]
    counts = posts.dt.to_period("M").value_counts()
    known = read.known(platform, days)
    for month, whole in zip(pd.PeriodIndex(known.index), known, strict=True):
        yield platform, month.to_timestamp(), int(counts.get(month, 0)) if whole else None


def beside(year: Year, read: Read) -> Sheet:
    """All posts of each calendar month, this year and those before, where they are wholly known."""
    platforms = list(dict.fromkeys(one.platform for one in read.channels))
    rows = [row for platform in platforms for row in _months(read, platform, read.span)]
    months = pd.DataFrame(rows, columns=["platform", "month", "posts"]).astype({"posts": "Float64"})
    sums = months.groupby("month")["posts"].agg(lambda counts: counts.sum(skipna=False))
    last = pd.Timestamp(year.days.end)
    begun = pd.DatetimeIndex(sums.index)
    whole = begun + pd.offsets.MonthBegin() <= last
    frame = pd.DataFrame({"year": begun.year, "month": begun.month, "value": sums.to_numpy(), "whole": whole})
    frame = frame[frame.groupby("year")["value"].transform("count") > 0]
    frame = frame.astype({"year": "int64", "month": "int64", "value": "Float64", "whole": "bool"})
    words = Words("Bài đăng so với cùng kỳ các năm trước", _source(year, read))
    return sheet(year, "year-comparison/posts", frame, words, Aim(noun="bài"))


def _source(year: Year, read: Read) -> str:
    """«Facebook, TikTok (58/59 kênh)»"""
    platforms = platforms_of(year.config, (one.slug for one in read.channels)) or "các kênh"
    whole, less = len(read.channels), len(read.channels) - len(read.left_out)
    return f"{platforms} ({less}/{whole} kênh đọc đủ)" if less < whole else platforms


def top(year: Year) -> Sheet:
    """The posts of the year with the most interactions that their platforms tell; none is told of a website."""
    days = year.days
    found = year.store.post_totals(days.start_at, year.until + SECOND, year.until)
    channels, names = year.config.channels, channel_names(year.config)
    found = found[found["channel"].isin(list(channels))]
    frame = found[["title", "published_at"]].assign(
        channel=found["channel"].map(names),
        platform=found["channel"].map({slug: one.platform for slug, one in channels.items()}),
        total=found[INTERACTIONS].sum(axis=1, min_count=1).astype("Int64"),
    )
    told = platforms_of(year.config, found.loc[frame["total"].notna(), "channel"])
    words = Words(f"Bài đăng được tương tác nhiều nhất, năm {year.number}", told or "các kênh")
    return sheet(year, "top-posts/interactions", frame, words, Aim(noun="lượt tương tác"))
