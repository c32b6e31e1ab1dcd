"""How the program talks to the platforms: addresses, versions, the public names of our apps, and pace.

What is secret stands in no file: app secrets and keys come from the environment or the encrypted table. The
addresses are settings for proxies, for tests and for the simulated district.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from config.values import Model, Text, Url

Version = Annotated[str, StringConstraints(pattern=r"^v[0-9]{2}\.[0-9]$")]


class Platform(Model):
    """What all platforms have in common."""

    app_id: Text | None = None
    """The public name of our app: app id, client key, client id."""
    redirect: Url | None = None
    """Where the consent page sends the browser; the address is then pasted into `nhip connect`."""
    concurrent: Annotated[int, Field(ge=1, le=64)] = 4
    """Requests under way at the same time."""
    gap_seconds: Annotated[float, Field(ge=0, le=60)] = 0.3
    """Pause before a place is free again."""


class Facebook(Platform):
    base: Url = "https://graph.facebook.com"
    consent: Url = "https://www.facebook.com"
    version: Version = "v26.0"


class TikTok(Platform):
    base: Url = "https://open.tiktokapis.com"
    consent: Url = "https://www.tiktok.com"
    business_base: Url = "https://business-api.tiktok.com"
    business_app_id: Text | None = None


class YouTube(Platform):
    base: Url = "https://youtube.googleapis.com"
    feeds_base: Url = "https://www.youtube.com"
    analytics_base: Url = "https://youtubeanalytics.googleapis.com"
    consent: Url = "https://accounts.google.com"
    oauth_base: Url = "https://oauth2.googleapis.com"


class Zalo(Platform):
    base: Url = "https://openapi.zalo.me"
    oauth_base: Url = "https://oauth.zaloapp.com"


class Platforms(Model):
    """The table `platforms` of district.toml."""

    facebook: Facebook = Facebook()
    tiktok: TikTok = TikTok()
    youtube: YouTube = YouTube()
    zalo: Zalo = Zalo()
