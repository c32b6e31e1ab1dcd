"""What is watched, as frozen data: the shapes of district.toml, units.toml and channels.toml.

Every key is declared here; an unknown key is an error. Dates are local calendar days, `until` is the first
day that no longer counts. Rules about one value stand here, rules between values in `checks`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, time
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator, Field, model_validator

from config.alert_models import Alerts
from config.folding import fold
from config.plan_choices import Signature
from config.platforms import Platforms
from config.problems import shorten, unknown
from config.texts import Texts, packaged_texts
from config.values import LocalMinute, Model, Slug, Text, check_url, refusal

if TYPE_CHECKING:
    from config.plan_models import Plan

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
PlatformName = Literal["facebook", "tiktok", "youtube", "zalo", "website"]
Way = Literal["auto", "wordpress", "nukeviet", "feed", "sitemap", "blogger", "listing"]


def _known_zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (OSError, ValueError, ZoneInfoNotFoundError) as error:
        zones = ["Asia/Ho_Chi_Minh", *sorted(available_timezones())]
        raise refusal(*unknown(name, zones, "múi giờ")) from error


def _day_of_a_year(text: str) -> str:
    try:
        date.fromisoformat(f"2024-{text}")
    except ValueError as error:
        raise refusal(
            f"«{shorten(text)}» không phải là một ngày trong năm", 'viết "tháng-ngày", ví dụ "12-14"'
        ) from error
    return text


def _with_letters(words: str) -> str:
    if not fold(words):
        raise refusal(f"«{shorten(words)}» không có chữ nào", "viết cụm từ cần tìm")
    return words


def _one_word(tag: str) -> str:
    if len(fold(tag).split()) != 1:
        raise refusal(f"«{shorten(tag)}» không phải là một thẻ", 'viết liền, ví dụ "#moingaymottintot"')
    return tag


def _host_and_port(pair: str) -> str:
    host, _, port = pair.rpartition(":")
    bare = not host or any(sign in host for sign in "/@ ") or (":" in host and not host.startswith("["))
    if bare or not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise refusal(f"«{shorten(pair)}» không phải là máy:cổng", 'viết như "10.0.0.5:8080"')
    return pair


def _once(key: str, words: Sequence[str]) -> None:
    twice = sorted(word for word, times in Counter(words).items() if times > 1)
    if twice:
        raise refusal(f"{key} ghi «{twice[0]}» hai lần", "chỉ giữ một")


Word = Annotated[Text, AfterValidator(_with_letters)]
Hashtag = Annotated[Text, AfterValidator(_one_word)]
HostPort = Annotated[Text, AfterValidator(_host_and_port)]


class Span(Model):
    """Days from `start` on, up to but not including `until`; open when that is None."""

    start: date
    until: date | None = None

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.until is not None and self.until <= self.start:
            raise refusal(
                f"ngày kết thúc until = {self.until} không sau ngày bắt đầu start = {self.start}",
                "ghi until là ngày đầu tiên không còn tính, sau start ít nhất một ngày",
            )
        return self

    def covers(self, day: date) -> bool:
        return self.start <= day and (self.until is None or day < self.until)


class Organisation(Model):
    """Who watches: its name heads every page, its contact stands in the User-Agent."""

    name: Text
    level: Text = "Quận Đoàn"
    parent: Text | None = None
    contact: Text
    illustration: bool = False
    """True marks every output «Dữ liệu minh họa»."""


class Schedule(Model):
    """When channels are looked at: local times of day."""

    looks_at: Annotated[tuple[LocalMinute, ...], Field(min_length=1)] = (time(6, 30), time(18, 30))
    back_to: date | None = None
    """How far back the first look at a channel reads; 400 days when not said."""

    @model_validator(mode="after")
    def _each_time_once(self) -> Self:
        _once("looks_at", [f"{moment:%H:%M}" for moment in self.looks_at])
        return self


class NamedDay(Model):
    day: date
    name: Text


class Break(Span):
    """A named stretch of rest, `[start, until)`."""

    name: Text
    until: date


class Calendar(Model):
    """Which days are not due. Public holidays come from the `holidays` package; the lists correct it."""

    rest_weekdays: tuple[Weekday, ...] = ()
    public_holidays: bool = True
    add: tuple[NamedDay, ...] = ()
    remove: tuple[date, ...] = ()

    @model_validator(mode="after")
    def _leaves_days_to_work(self) -> Self:
        _once("rest_weekdays", self.rest_weekdays)
        _once("add", [str(named.day) for named in self.add])
        _once("remove", [str(day) for day in self.remove])
        both = {named.day for named in self.add} & set(self.remove)
        if both:
            raise refusal(f"ngày {min(both)} vừa ở add vừa ở remove", "giữ ngày ấy ở một trong hai danh sách")
        if len(self.rest_weekdays) == 7:
            raise refusal("rest_weekdays cho nghỉ cả tuần", "để lại ít nhất một ngày phải có tin")
        return self


class ReportingYear(Model):
    """The last day of a reporting year as «MM-DD»: 12-14 means 15 December to 14 December."""

    cut_off: Annotated[str, AfterValidator(_day_of_a_year)] = "12-31"


class Kind(Model):
    """A kind of unit (ward, school, agency …) and the breaks its calendar knows."""

    name: Text
    grassroots: bool = True
    """False for the district itself: it owns channels, but the motto binds the units below it."""
    breaks: tuple[Break, ...] = ()


class LabelWords(Model):
    """What makes a post carry a label; matched without case, marks or full-width forms."""

    hashtags: tuple[Hashtag, ...] = ()
    phrases: tuple[Word, ...] = ()
    categories: tuple[Word, ...] = ()


class Label(LabelWords):
    """One label, how often a unit owes it, and the clause that says so."""

    name: Text
    every: Literal["day", "week"]
    clause: Text
    not_followed_by: tuple[Word, ...] = ()
    """Words that make a phrase a false friend: «tin tốt» followed by «nghiệp»."""
    not_preceded_by: tuple[Word, ...] = ()
    """The same before it: «thông tin tốt», «niềm tin tốt đẹp»."""

    @model_validator(mode="after")
    def _can_be_found(self) -> Self:
        if not (self.hashtags or self.phrases or self.categories):
            raise refusal("nhãn chưa có dấu hiệu nhận biết", "khai báo ít nhất một trong hashtags, phrases, categories")
        return self


class Network(Model):
    """How the program goes out. `allow` lists exact host:port pairs on private addresses it may reach."""

    allow: tuple[HostPort, ...] = ()
    concurrent: Annotated[int, Field(ge=1, le=256)] = 32
    gap_seconds: Annotated[float, Field(ge=0, le=60)] = 2.0
    """Pause between two requests to the same host."""
    deadline_seconds: Annotated[float, Field(gt=0, le=300)] = 30.0


class District(Model):
    """district.toml."""

    organisation: Organisation
    zone: Annotated[str, AfterValidator(_known_zone)] = "Asia/Ho_Chi_Minh"
    schedule: Schedule = Schedule()
    calendar: Calendar = Calendar()
    reporting_year: ReportingYear = ReportingYear()
    kinds: Mapping[Slug, Kind]
    labels: Mapping[Slug, Label]
    network: Network = Network()
    platforms: Platforms = Platforms()
    plans: tuple[Slug, ...] = ()
    """Which plans bind: names of packaged plans or of files in `plans/`, in the order they are shown."""
    choices: Mapping[Slug, Mapping[Slug, Signature]] = {}
    """Plan -> open question of that plan -> the answer that an office signed."""
    bindings: Mapping[Slug, Mapping[Slug, Slug]] = {}
    """Plan -> channel that the plan names -> our channel. Not said: the channel of the same slug."""

    @model_validator(mode="after")
    def _names_each_plan_once(self) -> Self:
        _once("plans", self.plans)
        return self

    @property
    def tz(self) -> ZoneInfo:
        return ZoneInfo(self.zone)


class Members(Model):
    """How many members are in scope from a day on, as the unit reported it."""

    start: date
    count: Annotated[int, Field(ge=0, le=10_000_000)]


class Unit(Span):
    """One grassroots organisation, valid on `[start, until)`."""

    slug: Slug
    name: Text
    kind: Slug
    successors: tuple[Slug, ...] = ()
    members: tuple[Members, ...] = ()
    contact: Text | None = None
    """A role with an office contact, never a person."""

    @model_validator(mode="after")
    def _counts_members_in_its_own_time(self) -> Self:
        _once("members", [str(members.start) for members in self.members])
        for members in self.members:
            if not self.covers(members.start):
                raise refusal(
                    f"số đoàn viên từ ngày {members.start} nằm ngoài thời gian hiệu lực của đơn vị",
                    f"ghi ngày từ {self.start}" + (f" đến trước {self.until}" if self.until else " trở đi"),
                )
        return self

    def is_valid_on(self, day: date) -> bool:
        return self.covers(day)


class Owner(Span):
    """Which unit a channel speaks for, on `[start, until)`."""

    unit: Slug


class Listing(Model):
    """CSS selectors of a listing page; `date` may be absent, then the article page is read once."""

    item: Text
    link: Text = "a"
    title: Text | None = None
    date: Text | None = None


class WebsiteOptions(Model):
    """How a website is read. `auto` finds the way on the first look; `nhip probe` prints it for this file."""

    way: Way = "auto"
    at: Text | None = None
    """The address of the feed, sitemap or listing page, when it is not the usual one."""
    category: Text | None = None
    """Count only this column (WordPress slug, Blogger label), for a unit's column on a shared site."""
    listing: Listing | None = None
    article_date: Text | None = None
    """CSS selector of the date on an article page, after the standard marks."""
    counter: bool = False
    """Also note the visitor counter of the home page (informational, never in a target)."""
    ca_bundle: Text | None = None
    """A PEM file in the config folder with a certificate that the site forgets to send."""

    @model_validator(mode="after")
    def _says_where_to_read(self) -> Self:
        if self.at and not self.at.startswith("/"):
            check_url(self.at)
        if self.way == "listing" and self.listing is None:
            raise refusal('way = "listing" cần bảng listing', "khai báo listing.item, hoặc đổi way")
        return self


class Channel(Model):
    """One page, account or site on one platform."""

    slug: Slug
    platform: PlatformName
    name: Text
    address: str = ""
    owners: Annotated[tuple[Owner, ...], Field(min_length=1)]
    sample: bool = False
    """True: an example entry that is not looked at."""
    labels: Mapping[Slug, LabelWords] = {}
    """More words for the labels of district.toml, for this channel only."""
    website: WebsiteOptions = WebsiteOptions()

    @model_validator(mode="after")
    def _speaks_for_one_unit_at_a_time(self) -> Self:
        for before, after in pairwise(sorted(self.owners, key=lambda owner: owner.start)):
            if before.covers(after.start):
                raise refusal(
                    f"từ ngày {after.start} kênh thuộc cả «{before.unit}» và «{after.unit}»",
                    f"ghi until = {after.start} cho «{before.unit}», hoặc lùi start của «{after.unit}»",
                )
        return self

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if not (self.address or self.sample):
            raise refusal("kênh chưa có địa chỉ address", "ghi địa chỉ, hoặc sample = true nếu là kênh mẫu")
        if self.address and (self.platform == "website" or "://" in self.address):
            check_url(self.address)
        return self

    @model_validator(mode="after")
    def _has_options_that_fit(self) -> Self:
        if self.platform != "website" and self.website != WebsiteOptions():
            raise refusal(f"kênh {self.platform} không dùng bảng website", "bỏ bảng website của kênh này")
        return self

    def owner_on(self, day: date) -> str | None:
        """The unit this channel speaks for on a day; None when nobody does."""
        return next((owner.unit for owner in self.owners if owner.covers(day)), None)


@dataclass(frozen=True)
class Config:
    """A whole checked configuration folder."""

    folder: Path
    district: District
    units: Mapping[str, Unit]
    channels: Mapping[str, Channel]
    plans: Mapping[str, Plan] = field(default_factory=dict)
    """The plans that bind, in the order of district.toml, with the signatures of district.toml."""
    alerts: Alerts = field(default_factory=Alerts)
    texts: Texts = field(default_factory=packaged_texts)

    def watched(self) -> list[Channel]:
        """The channels that are looked at: everything that is not an example entry."""
        return [channel for channel in self.channels.values() if not channel.sample]
