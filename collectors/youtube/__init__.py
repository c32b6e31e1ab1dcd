"""YouTube channels through the Data API, the owner's Analytics, or the public feed: counts and videos."""

from __future__ import annotations

from collectors.youtube.api import BUCKETS
from collectors.youtube.consent import CONSENT
from collectors.youtube.visit import collect

__all__ = ["BUCKETS", "CONSENT", "collect"]
