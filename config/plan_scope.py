"""Whom a row binds on a day: the units, and the channels with what keeps a named one from being read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from config.models import Channel, Config, Unit
from config.plan_models import NamedChannel, Plan, Row, Scope


def units_bound(config: Config, scope: Scope, day: date) -> list[Unit]:
    """The units that a row binds on a day, or on the scope's own day when it has one."""
    when = scope.on or day
    return [unit for unit in config.units.values() if unit.is_valid_on(when) and _is_meant(unit, config, scope)]


def _is_meant(unit: Unit, config: Config, scope: Scope) -> bool:
    grassroots = scope.grassroots and config.district.kinds[unit.kind].grassroots
    return grassroots or unit.kind in scope.kinds or unit.slug in scope.units


def channels_bound(config: Config, plan: Plan, row: Row, day: date) -> tuple[list[Channel], list[str]]:
    """The channels of a row that can be read on a day, and one sentence for each named channel that cannot."""
    found = {name: bound_channel(config, plan, name) for name in row.scope.channels}
    read = [channel for channel in found.values() if channel is not None and not channel.sample]
    unread = {name: channel for name, channel in found.items() if channel is None or channel.sample}
    once = {channel.slug: channel for channel in (*read, *_of_units(config, row.scope, day))}
    return list(once.values()), [_why_not(plan, plan.channels[name], channel) for name, channel in unread.items()]


def bound_channel(config: Config, plan: Plan, name: str) -> Channel | None:
    """Our channel for one that the plan names: as bound in district.toml, else the one of the same slug."""
    channel = config.channels.get(config.district.bindings.get(plan.slug, {}).get(name, name))
    return channel if channel is not None and channel.platform == plan.channels[name].platform else None


def _of_units(config: Config, scope: Scope, day: date) -> Iterator[Channel]:
    if scope.platforms:
        slugs = {unit.slug for unit in units_bound(config, scope, day)}
        yield from (
            channel
            for channel in config.watched()
            if channel.platform in scope.platforms and channel.owner_on(day) in slugs
        )


def _why_not(plan: Plan, named: NamedChannel, channel: Channel | None) -> str:
    if channel is None:
        return (
            f"Kế hoạch «{plan.slug}» nêu «{named.name}» (mục {named.clause}) nhưng chưa gắn với kênh nào. "
            f'Đề nghị ghi {named.slug} = "mã kênh trong channels.toml" '
            f"vào bảng [bindings.{plan.slug}] của district.toml."
        )
    return (
        f"Kênh «{channel.slug}» (mục {named.clause}) là kênh mẫu nên chưa được đọc. "
        f"Đề nghị ghi address và bỏ dòng sample ở bảng [channels.{channel.slug}] của channels.toml."
    )
