"""The ways of reading a site, by their name in channels.toml, best first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from collectors.website import blogger, feed, listing, nukeviet, sitemap, wordpress
from collectors.website.visit import Visit
from store.records import Reading

WAYS: dict[str, Callable[[Visit], Awaitable[Reading]]] = {
    "wordpress": wordpress.read,
    "nukeviet": nukeviet.read,
    "blogger": blogger.read,
    "feed": feed.read,
    "sitemap": sitemap.read,
    "listing": listing.read,
}
