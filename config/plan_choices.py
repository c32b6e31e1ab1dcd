"""What a plan leaves open, who settled it, and what the answer changes in the reckoning.

A document says «so với số lượng hiện tại» and not the day. Such a question is a `Choice` of the plan: every answer
has its meaning in words and the `Reckoning` that it sets. Until an office signs one, `assumed` is used and everything
that hangs on it is shown with UNSIGNED.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal, Self

from pydantic import ValidationInfo, field_validator, model_validator

from config.problems import unknown
from config.values import Model, Slug, Text, refusal

UNSIGNED = "chưa chốt cách tính"


class Reckoning(Model):
    """How a row is reckoned. None: not said at this place (the row may say it, or one of its choices)."""

    baseline: Literal["plan_start", "period_start", "given_day"] | None = None
    """Growth is measured from the first day of the plan, of each period, or from `baseline_day`."""
    baseline_day: date | None = None
    yearly: Literal["simple", "compound"] | None = None
    """Year n of a growth promises `1 + n·goal` of the first base, or `(1 + goal)^n`."""
    measure: Literal["followers", "likes", "each"] | None = None
    """`each`: followers and likes must both reach the goal."""
    counted: Literal["each_channel", "each_unit", "total"] | None = None
    """What must reach the goal: every channel, every unit's channels together, or the sum of all."""
    reached_by: Literal["any_channel", "every_channel"] | None = None
    """A person counts as linked with one of the named channels, or only with all of them."""
    people: Literal["members", "members_and_youth"] | None = None
    """The denominator: the Union's own members, or the youth outside it as well."""
    due_days: Literal["every_day", "without_rest_days"] | None = None
    content: Literal["own", "own_or_shared"] | None = None
    """A shared post counts as an item, or only an own one."""

    @model_validator(mode="after")
    def _knows_its_day(self) -> Self:
        if (self.baseline == "given_day") != (self.baseline_day is not None):
            raise refusal(
                "baseline và baseline_day không khớp nhau",
                'ghi baseline = "given_day" cùng với baseline_day, hoặc bỏ baseline_day',
            )
        return self

    def said(self) -> dict[str, Any]:
        """The questions answered here, with their answers."""
        return {name: value for name, value in self if value is not None}


class Option(Model):
    """One possible answer: what it means in words, and what it changes (nothing: it is only printed)."""

    means: Text
    sets: Reckoning = Reckoning()


class Signature(Model):
    """Which answer holds, which office said so, when, and in which document. Never a person's name."""

    chosen: Slug
    by: Text
    on: date
    document: Text


class Choice(Model):
    """One open question of a plan; `signed` is None while no office has settled it."""

    slug: Slug
    clause: Text
    question: Text
    options: Mapping[Slug, Option]
    assumed: Slug
    """The answer that is used until somebody signs."""
    signed: Signature | None = None

    @field_validator("options")
    @classmethod
    def _leaves_a_choice(cls, options: Mapping[str, Option]) -> Mapping[str, Option]:
        if len(options) < 2:
            raise refusal("chỉ có một cách hiểu", "ghi ít nhất hai cách, hoặc bỏ câu hỏi này")
        if len({frozenset(option.sets.said()) - {"baseline_day"} for option in options.values()}) > 1:
            raise refusal("các cách hiểu không trả lời cùng một câu hỏi", "ghi sets với cùng các khóa ở mọi cách")
        return options

    @field_validator("assumed")
    @classmethod
    def _assumes_an_option(cls, assumed: str, info: ValidationInfo) -> str:
        return _one_of(assumed, info)

    @field_validator("signed")
    @classmethod
    def _signs_an_option(cls, signed: Signature | None, info: ValidationInfo) -> Signature | None:
        if signed is not None:
            _one_of(signed.chosen, info)
        return signed

    @property
    def answer(self) -> Option:
        """The option in use: the signed one, else the assumed one."""
        return self.options[self.signed.chosen if self.signed else self.assumed]


def _one_of(word: str, info: ValidationInfo) -> str:
    options = info.data.get("options")
    if options is not None and word not in options:
        raise refusal(*unknown(word, list(options), "cách hiểu"))
    return word
