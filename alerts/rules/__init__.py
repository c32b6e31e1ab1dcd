"""The rules: what is worth telling, and what proves that it is over. A new rule is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from alerts.base import Finding, Rule
from alerts.rules import figure, pipeline, quiet, source, suspect, target, token
from alerts.watched import Watched
from store.records import Case


class Check(NamedTuple):
    """What a rule can say."""

    find: Callable[[Watched], list[Finding]]
    """Every subject of which it can say something bad, or cannot say anything."""
    ended: Callable[[Watched, Case], datetime | None]
    """When that ended of which a case is, and which is not found any more; None without a proof that it got better."""


RULES: Mapping[Rule, Check] = {
    Rule.TOKEN: Check(token.find, token.ended),
    Rule.SOURCE: Check(source.find, source.ended),
    Rule.PIPELINE: Check(pipeline.find, pipeline.ended),
    Rule.QUIET: Check(quiet.find, quiet.ended),
    Rule.SUSPECT: Check(suspect.find, suspect.ended),
    Rule.FIGURE: Check(figure.find, figure.ended),
    Rule.TARGET: Check(target.find, target.ended),
}
