"""When somebody is told, who, and how: the shape of alerts.toml. A folder without that file uses these values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from config.alert_ways import Address, Way
from config.values import LocalMinute, Model, Slug, Text, Url, refusal

Role = Literal["unit", "team", "committee"]
"""Who reads: the contact of the unit that a case is about, the media team, the standing committee."""
RuleName = Literal["quiet", "target", "token", "source", "figure", "suspect", "pipeline"]
Days = Annotated[int, Field(ge=0, le=366)]


class Silence(Model):
    """When a unit counts as quiet: no own post on `interval` + `grace` days that are no rest days."""

    interval: Annotated[int, Field(ge=1, le=366)] = 7
    grace: Days = 1
    shares: bool = False
    """Whether a shared post is a sign of life."""


class Step(Model):
    """One step of a ladder: that many days after the case was opened, these are told in these words."""

    day: Days
    name: Slug
    """The text of this step in texts.toml."""
    to: Annotated[tuple[Role, ...], Field(min_length=1)]


class Hours(Model):
    """Local times at which messages may leave."""

    quiet_from: LocalMinute = time(21, 0)
    quiet_until: LocalMinute = time(7, 0)
    """No message leaves from `quiet_from` up to here, over midnight too; the same time twice: there is no such time."""
    digest_at: LocalMinute = time(7, 30)
    """The daily message; on Mondays it is the weekly one and leaves at `weekly_at`."""
    weekly_at: LocalMinute = time(7, 0)

    def are_quiet_at(self, moment: time) -> bool:
        if self.quiet_from <= self.quiet_until:
            return self.quiet_from <= moment < self.quiet_until
        return not self.quiet_until <= moment < self.quiet_from

    @model_validator(mode="after")
    def _leave_time_to_send(self) -> Self:
        for name in ("digest_at", "weekly_at"):
            if self.are_quiet_at(moment := getattr(self, name)):
                raise refusal(
                    f"{name} = {moment} nằm trong giờ yên lặng từ {self.quiet_from} đến {self.quiet_until}",
                    f"ghi {name} ngoài khoảng ấy, hoặc đổi quiet_from, quiet_until",
                )
        return self


class Smtp(Model):
    """The mail server. The password comes from NHIP_SMTP_PASSWORD or the file NHIP_SMTP_PASSWORD_FILE."""

    host: Text
    port: Annotated[int, Field(ge=1, le=65535)] = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: Text | None = None
    sender: Address
    ca_bundle: Text | None = None
    """A PEM file in the config folder, for a server with a certificate of its own."""

    @model_validator(mode="after")
    def _logs_in_only_under_cover(self) -> Self:
        if self.user and self.security == "none":
            raise refusal(
                'security = "none" để lộ mật khẩu của user', 'ghi security = "starttls" hoặc "tls", hoặc bỏ user'
            )
        return self


class ZaloBot(Model):
    """The bot of the Zalo Bot Platform. Its token comes from NHIP_ZALO_BOT_TOKEN or NHIP_ZALO_BOT_TOKEN_FILE."""

    base: Url = "https://bot-api.zaloplatforms.com"


class Receiver(Model):
    """One inbox. `ways`: «email:dia-chi», «zalo:chat-id», «file:ten», «apprise:ten»; the first is tried first."""

    name: Text
    """An office or a role, never a person."""
    role: Role
    unit: Slug | None = None
    """Whose contact it is; only with the role «unit»."""
    ways: Annotated[tuple[Way, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _has_each_way_once(self) -> Self:
        for place, way in enumerate(self.ways):
            if way in self.ways[:place]:
                raise refusal(f"ways ghi «{way}» hai lần", "chỉ giữ một")
        return self

    @model_validator(mode="after")
    def _names_its_unit_only_as_one(self) -> Self:
        if self.role == "unit" and self.unit is None:
            raise refusal('role = "unit" nhưng chưa ghi unit', "ghi mã đơn vị trong units.toml")
        if self.role != "unit" and self.unit is not None:
            raise refusal(f'role = "{self.role}" không dùng unit', 'bỏ unit, hoặc ghi role = "unit"')
        return self


LADDERS: Mapping[RuleName, tuple[Step, ...]] = {
    "quiet": (
        Step(day=0, name="noticed", to=("team",)),
        Step(day=3, name="remind", to=("unit",)),
        Step(day=7, name="call", to=("team",)),
        Step(day=14, name="report", to=("committee", "team")),
    ),
    "target": (Step(day=0, name="noticed", to=("team",)), Step(day=14, name="report", to=("committee",))),
    "token": tuple(Step(day=30 - left, name=f"left-{left}", to=("team",)) for left in (30, 14, 7, 1)),
    "source": (Step(day=0, name="noticed", to=("team",)), Step(day=7, name="still", to=("team",))),
    "figure": (Step(day=0, name="noticed", to=("team", "unit")), Step(day=7, name="call", to=("team",))),
    "suspect": (Step(day=0, name="noticed", to=("team",)),),
    "pipeline": (Step(day=0, name="noticed", to=("team",)),),
}
"""The ladder of `token` counts from 30 days before the end of the consent, all others from the opening."""
UNIT_RULES: tuple[RuleName, ...] = ("quiet", "figure")
"""The rules whose cases belong to one unit, so that its contact can be told."""


def _climbs(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    for before, after in pairwise(steps):
        if after.day <= before.day:
            raise refusal(
                f"bước «{after.name}» ở ngày {after.day}, không sau bước «{before.name}» ở ngày {before.day}",
                "xếp các bước theo ngày tăng dần, mỗi ngày một bước",
            )
    return steps


def _with_those_of_the_program(given: Mapping[RuleName, tuple[Step, ...]]) -> Mapping[RuleName, tuple[Step, ...]]:
    return {**LADDERS, **given}


Ladder = Annotated[tuple[Step, ...], AfterValidator(_climbs)]
Ladders = Annotated[Mapping[RuleName, Ladder], AfterValidator(_with_those_of_the_program)]


class Alerts(Model):
    """alerts.toml."""

    silence: Silence = Silence()
    silence_of: Mapping[Slug, Silence] = {}
    """By kind of unit, where it differs."""
    hours: Hours = Hours()
    ladders: Ladders = LADDERS
    """A rule that the file does not name keeps its ladder; an empty list tells nobody."""
    receivers: Mapping[Slug, Receiver] = {}
    smtp: Smtp | None = None
    zalo_bot: ZaloBot = ZaloBot()
    ping: Url | None = None
    """Asked with GET after every good round: an outside watchman (dead man's switch) notices when that stops."""

    def silence_for(self, kind: str) -> Silence:
        return self.silence_of.get(kind, self.silence)
