"""The rules: what is worth telling. A new rule is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from alerts.base import Finding, Rule
from alerts.rules import figure, pipeline, quiet, source, suspect, target, token
from alerts.watched import Watched

RULES: Mapping[Rule, Callable[[Watched], list[Finding]]] = {
    Rule.TOKEN: token.find,
    Rule.SOURCE: source.find,
    Rule.PIPELINE: pipeline.find,
    Rule.QUIET: quiet.find,
    Rule.SUSPECT: suspect.find,
    Rule.FIGURE: figure.find,
    Rule.TARGET: target.find,
}
"""Each gives every subject of which it can say something bad, or cannot say anything."""
