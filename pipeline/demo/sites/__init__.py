"""The websites of the simulated district, one class for each way in which real units make theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.demo.sites.base import Site, SiteServer
from pipeline.demo.sites.blogger import Blogger
from pipeline.demo.sites.feeds import Atom, Joomla, JsonFeed, Rss, SharePoint
from pipeline.demo.sites.nukeviet import NukeViet
from pipeline.demo.sites.pages import DatedListing, SitemapSite, UndatedListing
from pipeline.demo.sites.wordpress import PlainWordPress, WordPress
from pipeline.demo.strict import Clock, Diary
from pipeline.demo.world import Account

KINDS: dict[str, type[Site]] = {
    "wordpress": WordPress,
    "wordpress-plain": PlainWordPress,
    "nukeviet": NukeViet,
    "rss": Rss,
    "atom": Atom,
    "json": JsonFeed,
    "joomla": Joomla,
    "sharepoint": SharePoint,
    "blogger": Blogger,
    "sitemap": SitemapSite,
    "listing-dated": DatedListing,
    "listing-undated": UndatedListing,
}
LISTING = {"item": "div.tin", "link": "a.tieude"}
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "wordpress": {"way": "wordpress"},
    "wordpress-plain": {},
    "nukeviet": {"way": "nukeviet", "counter": True},
    "rss": {"way": "feed", "at": Rss.door},
    "atom": {"way": "feed", "at": Atom.door},
    "json": {"way": "feed", "at": JsonFeed.door},
    "joomla": {"way": "feed", "at": Joomla.door},
    "sharepoint": {"way": "feed", "at": SharePoint.door},
    "blogger": {"way": "blogger"},
    "sitemap": {"way": "sitemap"},
    "listing-dated": {"way": "listing", "listing": {**LISTING, "date": "span.ngay"}},
    "listing-undated": {"way": "listing", "listing": LISTING, "article_date": "p.dang"},
}
"""The table `website` of the channel in channels.toml; an empty one leaves the search to the program."""


def server(account: Account, clock: Clock, diary: Diary) -> SiteServer:
    """The website of an account as one handler for everything."""
    return SiteServer(KINDS[account.kind](account), clock, diary)
