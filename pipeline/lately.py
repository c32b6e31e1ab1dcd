"""Posts and looks of the stretches of time that several questions ask about, each row read from the store once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import pandas as pd

from metrics.cadence import Known
from metrics.periods import Period
from store.verbs import Store

Stretch = tuple[datetime, datetime]
POSTS = ("id", "published_at", "date_confidence", "is_share", "first_seen_at", "gone_at")
LOOKS = ("state", "outcome", "complete", "coverage_from", "started_at")
"""All that the indicators ask: with the texts of the posts, a check would take three times the memory."""


class Lately:
    """What `Store.posts` and `Store.looks` answer at a moment; stretches that overlap are read as one."""

    def __init__(self, store: Store, as_of: datetime, stretches: Iterable[Stretch] = ()) -> None:
        self.store, self.as_of = store, as_of
        self._stretches = joined(stretches)
        self._posts: dict[Stretch, pd.DataFrame] = {}
        self._looks: dict[Stretch, pd.DataFrame] = {}

    def posts(self, start: datetime, end: datetime) -> pd.DataFrame:
        """Posts published in [*start*, *end*), as they were known; columns: channel and `POSTS`."""
        stretch = self._around(start, end)
        if stretch not in self._posts:
            self._posts[stretch] = self.store.posts(*stretch, as_of=self.as_of, columns=POSTS)
        posts = self._posts[stretch]
        return posts[posts["published_at"].ge(start) & posts["published_at"].lt(end)]

    def looks(self, start: datetime, end: datetime) -> pd.DataFrame:
        """Finished looks that touch [*start*, *end*), also later than the moment; columns: channel and `LOOKS`."""
        stretch = self._around(start, end)
        if stretch not in self._looks:
            self._looks[stretch] = self.store.looks(*stretch, columns=LOOKS)
        looks = self._looks[stretch]
        covers = looks["coverage_from"].fillna(looks["started_at"])
        return looks[looks["started_at"].ge(start) & covers.lt(end)]

    def known(self, period: Period) -> Known:
        """What is known of a period and its whole weeks, with the labels of the posts."""
        span = period.with_whole_weeks()
        posts = self.posts(span.start_at, span.end_at)
        labels = self.store.labels(posts["id"].tolist(), self.as_of)
        return Known(posts, labels, self.looks(span.start_at, span.end_at))

    def _around(self, start: datetime, end: datetime) -> Stretch:
        return next((one for one in self._stretches if one[0] <= start and end <= one[1]), (start, end))


def joined(stretches: Iterable[Stretch]) -> list[Stretch]:
    """The same time in order, in stretches that do not touch."""
    found: list[Stretch] = []
    for start, end in sorted(stretches):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found
