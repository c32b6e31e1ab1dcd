"""Figures that must fit each other: the parts of a whole, and a share of what another measure counts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from config.measures import Measure, load_measures

Numbers = tuple[int | None, int | None, int | None]
"""Value, numerator, denominator."""
Key = tuple[str, str, date, date]
"""Unit, measure, first day, first day after."""


@dataclass(frozen=True)
class Mismatch:
    """Figures that cannot all be true. `keys` are those handed in now; `together`: none of them is older."""

    keys: tuple[Key, ...]
    sentence: str
    together: bool


def find_mismatches(given: Mapping[Key, Numbers], stored: Callable[[Key], Numbers | None]) -> Iterator[Mismatch]:
    """What does not fit among the figures handed in and those that are stored, by unit and period."""
    for unit, start, end in dict.fromkeys((unit, start, end) for unit, _, start, end in given):
        for slug, rule in load_measures().items():
            keys = [(unit, member, start, end) for member in (slug, *rule.parts, *filter(None, [rule.base]))]
            new = tuple(key for key in keys if key in given)
            numbers = {key[1]: given[key] if key in given else stored(key) for key in keys} if new else {}
            known = {member: one for member, one in numbers.items() if one is not None}
            if slug in known and (sentence := _problem(known[slug], rule, known)):
                yield Mismatch(new, sentence, together=len(new) == len(known))


def _problem(own: Numbers, rule: Measure, known: Mapping[str, Numbers]) -> str | None:
    if rule.base is not None and rule.base in known and own[2] != known[rule.base][0]:
        base = load_measures()[rule.base].name
        return f"mẫu số của «{rule.name}» khác «{base}»; đề nghị kiểm tra lại hai số"
    parts = [known[part][0] or 0 for part in rule.parts if part in known]
    whole = own[0] or 0
    if sum(parts) > whole or (parts and len(parts) == len(rule.parts) and sum(parts) != whole):
        return f"«{rule.name}» không bằng tổng các dòng thành phần; đề nghị cộng lại"
    return None
