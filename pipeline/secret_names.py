"""What the stored secrets are called, and where else they may come from.

A token is «facebook» when one grant opens all channels, else «tiktok:slug»; the secret of our app is
«app:tiktok», the plain key of YouTube «key:youtube».
"""

from __future__ import annotations

from collections.abc import Mapping

from collectors.consent import Consent
from config.secrets import Secret, read_secret

KEYED = "youtube"
"""The one platform that also answers to a plain key."""
_APP, _KEY = "app:", "key:"


def token_name(grant: str, consent: Consent, slug: str) -> str:
    return grant if consent.shared else f"{grant}:{slug}"


def app_name(grant: str) -> str:
    return _APP + grant


def key_name(grant: str) -> str:
    return _KEY + grant


def is_token(name: str) -> bool:
    """Whether it is something an owner granted, rather than a secret of our own app."""
    return not name.startswith((_APP, _KEY))


def split(name: str) -> tuple[str, str]:
    """The grant and the channel of a token; no channel when it opens all of them."""
    grant, _, slug = name.partition(":")
    return grant, slug


def connect_words(name: str) -> str:
    """The command that brings this token back."""
    grant, slug = split(name)
    return f"nhip connect {grant} --channel {slug}" if slug else f"nhip connect {grant}"


def variable(grant: str, what: str) -> str:
    """The variable that wins over the table: NHIP_TIKTOK_BUSINESS_SECRET, NHIP_YOUTUBE_KEY."""
    return f"NHIP_{grant.upper().replace('-', '_')}_{what}"


def given_app_secret(grant: str, environ: Mapping[str, str]) -> Secret | None:
    return read_secret(variable(grant, "SECRET"), environ)


def given_key(grant: str, environ: Mapping[str, str]) -> Secret | None:
    return read_secret(variable(grant, "KEY"), environ)
