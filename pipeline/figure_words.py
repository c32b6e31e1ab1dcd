"""Reported figures as people and programs may see them: a small number of persons is never shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from config.measures import Measure
from pipeline.figure_sums import Numbers
from pipeline.show import number

FEWEST = 10
"""A unit's count of persons below this is not shown: people would know who is meant."""
FEW = f"< {FEWEST}"
KEPT_BACK = "giữ kín"
"""Stands for a number that would tell a small one by subtraction."""


def shown(rule: Measure, one: int | None) -> int | str | None:
    """The number, «< 10» for a few persons, None for a number that is missing."""
    return FEW if rule.people and one is not None and one < FEWEST else one


def kept_back(rule: Measure, told: Mapping[str, Sequence[int | None]]) -> frozenset[str]:
    """The units of one measure and period whose numbers are not shown, from the numbers that each told.

    Those with fewer than FEWEST persons; where that is one unit only, also the smallest of the others: the sum of all
    less the others would tell it.
    """
    numbers = {unit: [one for one in some if one is not None] for unit, some in told.items()} if rule.people else {}
    known = {unit: min(some) for unit, some in numbers.items() if some}
    few = {unit for unit, least in known.items() if least < FEWEST}
    others = sorted(known.keys() - few, key=lambda unit: (known[unit], unit))
    return frozenset(few | set(others[:1])) if len(few) == 1 else frozenset(few)


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
