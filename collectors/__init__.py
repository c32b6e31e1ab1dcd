"""One module per platform: ask, parse, return a Reading. No database."""

from __future__ import annotations

from collectors import facebook, tiktok, website, youtube, zalo
from collectors.base import Collect
from collectors.consent import Consent

COLLECTORS: dict[str, Collect] = {
    "facebook": facebook.collect,
    "tiktok": tiktok.collect,
    "website": website.collect,
    "youtube": youtube.collect,
    "zalo": zalo.collect,
}

CONSENTS: dict[str, Consent] = {
    "facebook": facebook.CONSENT,
    "tiktok": tiktok.CONSENT,
    "tiktok-business": tiktok.BUSINESS_CONSENT,
    "youtube": youtube.CONSENT,
    "zalo": zalo.CONSENT,
}
"""The doors that an owner can open for us; the name of a door is the *grant* that a wallet is asked for."""
