"""What units report by hand: every figure that the plans ask for, as data in `measures.toml`.

A measure names the plan rows that it answers; a plan row of class «reported» finds its measures by its id.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from config.plan_models import RowId
from config.toml_files import as_json
from config.values import Model, Slug, Text, refusal

Rhythm = Literal["year", "quarter", "month"]
REGISTRY = Path(__file__).with_name("measures.toml")


class Measure(Model):
    """One number (`count`), or two of which one is a part of the other (`share`)."""

    name: Text
    """What is counted; of a share, what its numerator counts."""
    of: Text | None = None
    """What the denominator of a share counts."""
    of_members: bool = False
    """The denominator is the members of the unit: who never reported it is as large as the unit."""
    rows: Annotated[tuple[RowId, ...], Field(min_length=1)]
    """The plan rows that it answers, in whichever plan has them."""
    kind: Literal["count", "share"]
    every: Annotated[tuple[Rhythm, ...], Field(min_length=1)]
    """The kinds of period it may be reported for."""
    due_days: Annotated[int, Field(ge=0, le=92)] = 10
    """The last local day on time is so many days after the last day of the period."""
    people: bool = False
    """It counts persons, so that small numbers are never shown."""
    parts: tuple[Slug, ...] = ()
    """The measures that add up to this one."""
    base: Slug | None = None
    """The measure whose number is the denominator of this share."""
    note: Text
    """How to count, as the form tells the unit."""

    @model_validator(mode="after")
    def _has_a_denominator_only_as_a_share(self) -> Self:
        if (self.kind == "share") != (self.of is not None):
            raise refusal("kind và of không khớp nhau", 'ghi of cùng với kind = "share", hoặc bỏ of')
        if self.of_members and self.of is None:
            raise refusal("of_members chỉ dùng cho share", "bỏ of_members")
        if (self.base and self.kind != "share") or (self.parts and self.kind != "count"):
            raise refusal("base chỉ dùng cho share, parts chỉ dùng cho count", "bỏ khóa thừa")
        return self


class Measures(Model):
    """The whole file; the order is that of the plan, and of the form."""

    measures: Mapping[Slug, Measure]

    @model_validator(mode="after")
    def _names_measures_that_exist(self) -> Self:
        named = {slug for one in self.measures.values() for slug in (*one.parts, *filter(None, [one.base]))}
        if named - self.measures.keys():
            raise refusal(f"không có số liệu «{min(named - self.measures.keys())}»", "khai báo số liệu ấy trước")
        return self


@cache
def measures_for(row: str) -> tuple[str, ...]:
    """The slugs of the measures that answer a plan row; empty for a row that nobody reports numbers on."""
    return tuple(slug for slug, rule in load_measures().items() if row in rule.rows)


@cache
def load_measures() -> Mapping[str, Measure]:
    """Slug -> measure, in the order of the plan."""
    text = REGISTRY.read_text(encoding="utf-8")
    return Measures.model_validate_json(as_json(tomllib.loads(text))).measures
