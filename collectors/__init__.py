"""One module per platform: ask, parse, return a Reading. No database."""

from __future__ import annotations

from collectors import website
from collectors.base import Collect

COLLECTORS: dict[str, Collect] = {
    "website": website.collect,
}
