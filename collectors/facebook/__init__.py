"""Facebook Pages through the Graph API: counts, posts, Reels where they can be read, and two years of followers."""

from __future__ import annotations

from collectors.facebook.consent import CONSENT
from collectors.facebook.visit import collect

__all__ = ["CONSENT", "collect"]
