"""A plan as frozen data: who issued it, what it cites, what it leaves open, and its rows, each with its clause.

Every key is declared here; an unknown key is an error. Rules about one value stand here, rules between values in
`plan_checks`. Rows keep the order of the file, which is the order of the document.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from config.models import PlatformName, Span
from config.plan_choices import Choice, Reckoning
from config.plan_due import Due
from config.problems import shorten
from config.values import Model, Slug, Text, refusal

Kind = Literal["growth", "cadence", "share", "presence", "task", "cycle", "narrative"]
Evidence = Literal["automatic", "tagged", "proxy", "reported", "task", "narrative"]
Indicator = Literal[
    "audience_growth",
    "daily_item",
    "weekly_item",
    "units_meeting",
    "site_presence",
    "channel_presence",
    "engagement_proxy",
    "reported_share",
    "reported_growth",
    "reported_count",
    "task",
    "narrative",
]
Fill = Literal["heading", "automatic", "reported", "documents", "status", "written"]
LongText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]


def _row_id(text: str) -> str:
    if not re.fullmatch(r"[A-Z]{2}\d+[a-z]?(\.\d+[a-z]?)?", text):
        raise refusal(f"«{shorten(text)}» không phải là mã dòng", 'viết như "CT4.1", "TD3b", "HT6"')
    return text


def _clause(text: str) -> str:
    if not re.fullmatch(r"[IVX]+(-[A-Z]{2})?(\.\d+)*(-\d+)?(, \d+)*", text):
        raise refusal(f"«{shorten(text)}» không phải là mục của kế hoạch", 'viết như "II-CT.4", "III.1", "II.1-3"')
    return text


def _number(text: str) -> str:
    if not re.fullmatch(r"[1-9](\.([IVX]+|\d+))*", text):
        raise refusal(f"«{shorten(text)}» không phải là số mục của đề cương", 'viết phần trước, như "2.I.3"')
    return text


RowId = Annotated[str, AfterValidator(_row_id)]
Clause = Annotated[str, AfterValidator(_clause)]


class Document(Model):
    """The paper itself. A number, day or place that our copy does not show is None, and `note` says so."""

    number: Text | None = None
    title: Text
    issuer: Text
    issued: date | None = None
    place: Text | None = None
    recipients: Annotated[tuple[Text, ...], Field(min_length=1)]
    signed_as: tuple[Text, ...] = ()
    """The form of the signature, «TM. BAN THƯỜNG VỤ …»; never a person's name."""
    note: LongText | None = None


class Cited(Model):
    """One document of the basis list: what it is, and whether it still holds."""

    slug: Slug
    number: Text | None = None
    name: Text
    issuer: Text
    issued: date | None = None
    lapsed: date | None = None
    """The first day without force; None while nothing is known to have replaced it."""
    successor: Slug | None = None
    note: LongText | None = None

    def has_lapsed_on(self, day: date) -> bool:
        return self.lapsed is not None and self.lapsed <= day


class NamedChannel(Model):
    """A channel that the document names; `[bindings.<plan>]` of district.toml says which of ours it is."""

    slug: Slug
    name: Text
    platform: PlatformName
    clause: Clause


class Goal(Model):
    """What is promised. `value` is None when the document only says «tăng»."""

    direction: Literal["at_least", "increase"] = "at_least"
    value: Annotated[float, Field(gt=0, le=1_000_000)] | None = None
    unit: Literal["percent", "count"] = "percent"


class Scope(Model):
    """Whom a row binds: units, and channels. Empty: the issuing body itself."""

    grassroots: bool = False
    """All units of a grassroots kind."""
    kinds: tuple[Slug, ...] = ()
    units: tuple[Slug, ...] = ()
    on: date | None = None
    """The units in force on this day; None: in force on the day that is judged."""
    channels: tuple[Slug, ...] = ()
    """Channels that the document names."""
    platforms: tuple[PlatformName, ...] = ()
    """The channels of the bound units on these platforms."""

    @property
    def binds_units(self) -> bool:
        return bool(self.grassroots or self.kinds or self.units)


class Row(Model):
    """One target (its id begins with CT) or one task of a plan."""

    id: RowId
    clause: Clause
    title: Text
    """Our short name of the row."""
    text: Text
    """The document's own words; «…» stands for words left out."""
    kind: Kind
    classes: Annotated[tuple[Evidence, ...], Field(min_length=1)]
    """Where the answer comes from. The first decides; the others stand beside it, labelled."""
    indicator: Indicator
    beside: tuple[Indicator, ...] = ()
    """Indicators shown as information, never as the official figure."""
    goal: Goal | None = None
    period: Literal["plan", "year", "dates"] = "plan"
    """By the end of the plan, in each reporting year, or within `dates`."""
    dates: Span | None = None
    scope: Scope = Scope()
    label: Slug | None = None
    """The label of district.toml that a good item carries."""
    of: tuple[RowId, ...] = ()
    """The rows that a unit must meet to count."""
    reckon: Reckoning = Reckoning()
    choices: tuple[Slug, ...] = ()
    """Open questions of the plan that bear on this row."""
    owner: tuple[Text, ...] = ()
    cooperating: tuple[Text, ...] = ()
    due: Due | None = None
    to: tuple[Text, ...] = ()
    """Who receives the report."""
    cites: tuple[Slug, ...] = ()
    note: LongText | None = None

    @property
    def is_target(self) -> bool:
        return self.id.startswith("CT")


class OutlineItem(Model):
    """One heading of a report; its depth is the depth of its number."""

    number: Annotated[str, AfterValidator(_number)]
    text: LongText
    fill: Fill
    """Who fills it: figures of the program, reported figures, the document register, status rows, or a person."""
    points: tuple[LongText, ...] = ()


class Outline(Model):
    """The report that a plan asks for, heading by heading."""

    title: LongText
    items: Annotated[tuple[OutlineItem, ...], Field(min_length=1)]


class PaperTable(Model):
    """A printed form: header left and right, columns, foot."""

    title: Text
    left: tuple[Text, ...]
    right: tuple[Text, ...]
    columns: Annotated[tuple[Text, ...], Field(min_length=1)]
    foot: tuple[Text, ...]


class Plan(Model):
    """One plan document. A closed plan is no longer watched, and can still be replayed for any day of its time."""

    slug: Slug
    closed: bool = False
    in_force: Span
    carries_out: Slug | None = None
    """The superior plan, one of `cited`."""
    document: Document
    cited: Mapping[Slug, Cited] = {}
    channels: Mapping[Slug, NamedChannel] = {}
    choices: Mapping[Slug, Choice] = {}
    rows: Annotated[Mapping[str, Row], Field(min_length=1)]
    outline: Outline | None = None
    table: PaperTable | None = None

    def binds_on(self, day: date) -> bool:
        """Whether a day is judged by this plan: in its time, and after it while nobody has closed it."""
        return self.in_force.covers(day) or (not self.closed and self.in_force.start <= day)

    def targets(self) -> list[Row]:
        return [row for row in self.rows.values() if row.is_target]

    def tasks(self) -> list[Row]:
        return [row for row in self.rows.values() if not row.is_target]

    def reckoning(self, row: Row) -> Reckoning:
        """How a row is reckoned: what it says itself, and the answers in use to its open questions."""
        answers = [self.choices[slug].answer.sets for slug in row.choices]
        said = {name: value for part in (row.reckon, *answers) for name, value in part.said().items()}
        return Reckoning.model_validate(said)

    def unsigned(self, row: Row) -> list[Choice]:
        """The open questions of a row that no office has settled."""
        return [choice for slug in row.choices if (choice := self.choices[slug]).signed is None]

    def lapsed(self, day: date) -> list[Cited]:
        """The documents of the basis list without force on a day."""
        return [cited for cited in self.cited.values() if cited.has_lapsed_on(day)]

    def span_of(self, row: Row) -> Span:
        """When a row is judged: its own dates, else the time of the plan."""
        return row.dates or self.in_force
