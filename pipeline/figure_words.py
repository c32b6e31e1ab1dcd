"""Reported figures as people and programs may see them: a small number of persons is never shown."""

from __future__ import annotations

from config.measures import Measure
from pipeline.figure_sums import Numbers
from pipeline.show import number

FEWEST = 10
"""A unit's count of persons below this is not shown: people would know who is meant."""
FEW = f"< {FEWEST}"


def shown(rule: Measure, one: int | None) -> int | str | None:
    """The number, «< 10» for a few persons, None for a number that is missing."""
    return FEW if rule.people and one is not None and one < FEWEST else one


def said(rule: Measure, numbers: Numbers) -> str:
    """«1.240», or «300/400 (75,0 %)»; no percentage where it would tell a protected number."""
    value, numerator, denominator = (shown(rule, one) for one in numbers)
    if rule.kind == "count":
        return _text(value)
    share = ""
    if isinstance(numerator, int) and isinstance(denominator, int) and denominator:
        share = f" ({numerator / denominator:.1%})".replace(".", ",").replace("%", " %")
    return f"{_text(numerator)}/{_text(denominator)}{share}"


def _text(one: int | str | None) -> str:
    return number(one) if isinstance(one, int) else one or "không có số"
