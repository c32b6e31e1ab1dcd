"""Rules between the tables of a configuration: references, lines of succession, doubled channels.

`names` are all tables that a file declares, the broken ones too, so that one mistake is told once;
None when the file could not be read: references to it are then not judged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

from config.models import Channel, Owner, Unit
from config.problems import Problem, shorten, unknown

Names = Collection[str] | None
Fault = tuple[str, str]
"""What is wrong and what would be right."""


def check_units(units: Mapping[str, Unit], names: Names, kinds: Names) -> Iterator[Problem]:
    """Kinds and successors that do not exist or cannot be."""
    for unit in units.values():
        table = f"units.{unit.slug}"
        if kinds is not None and unit.kind not in kinds:
            yield Problem("units.toml", table, "kind", *unknown(unit.kind, list(kinds), "loại đơn vị"))
        for place, slug in enumerate(unit.successors, 1):
            if fault := _succession_fault(unit, slug, units, names):
                yield Problem("units.toml", table, f"successors (mục {place})", *fault)


def _succession_fault(unit: Unit, slug: str, units: Mapping[str, Unit], names: Names) -> Fault | None:
    """Whoever succeeds must outlive its predecessor: that alone makes circles impossible."""
    if slug == unit.slug:
        return "đơn vị không thể kế thừa chính mình", "ghi đơn vị khác, hoặc bỏ mục này"
    if unit.successors.count(slug) > 1:
        return f"«{slug}» ghi nhiều lần", "mỗi đơn vị chỉ ghi một lần"
    if names is not None and slug not in names:
        return unknown(slug, list(names), "đơn vị")
    if unit.until is None:
        return "đơn vị có kế thừa nhưng chưa có ngày kết thúc", "ghi until, hoặc bỏ successors"
    heir = units.get(slug)
    if heir is None or heir.until is None or heir.until > unit.until:
        return None
    wrong = f"«{slug}» hết hiệu lực từ ngày {heir.until}, không thể kế thừa từ ngày {unit.until}"
    return wrong, "ghi đơn vị còn hiệu lực sau ngày ấy"


def check_channels(
    channels: Mapping[str, Channel], units: Mapping[str, Unit], names: Names, labels: Names, folder: Path
) -> Iterator[Problem]:
    """Owners, labels and files that do not exist, owners outside their unit's time, doubled channels."""
    for channel in channels.values():
        table = f"channels.{channel.slug}"
        for place, owner in enumerate(channel.owners, 1):
            if fault := _owner_fault(owner, units, names):
                yield Problem("channels.toml", table, f"owners (mục {place})", *fault)
        for label in channel.labels:
            if labels is not None and label not in labels:
                yield Problem("channels.toml", table, f"labels.{label}", *unknown(label, list(labels), "nhãn"))
        if fault := bundle_fault(channel.website.ca_bundle, folder):
            yield Problem("channels.toml", table, "website.ca_bundle", *fault)
    yield from _doubled(channels.values())


def _owner_fault(owner: Owner, units: Mapping[str, Unit], names: Names) -> Fault | None:
    if names is not None and owner.unit not in names:
        return unknown(owner.unit, list(names), "đơn vị")
    unit = units.get(owner.unit)
    if unit is None:
        return None
    if owner.start < unit.start:
        return (
            f"kênh thuộc «{unit.slug}» từ trước ngày đơn vị có hiệu lực",
            f"ghi start = {unit.start} hoặc sau đó",
        )
    if unit.until is not None and (owner.until is None or owner.until > unit.until):
        return (
            f"kênh vẫn thuộc «{unit.slug}» sau ngày đơn vị kết thúc",
            f"ghi until = {unit.until} hoặc trước đó",
        )
    return None


def bundle_fault(name: str | None, folder: Path) -> Fault | None:
    """What is wrong with the file of certificates that a table names; None when there is nothing to say."""
    if name is None:
        return None
    if not name.isprintable():
        return f"tên tệp «{shorten(name)}» có ký tự lạ", "đổi tên tệp rồi ghi lại tên"
    place = (folder / name).resolve()
    if folder.resolve() not in place.parents:
        return f"tệp «{name}» nằm ngoài thư mục cấu hình", "chép tệp vào thư mục cấu hình và chỉ ghi tên"
    return None if place.is_file() else (f"không thấy tệp «{name}» trong thư mục cấu hình", "chép tệp vào thư mục ấy")


def _doubled(channels: Collection[Channel]) -> Iterator[Problem]:
    """Channels that would be read, and counted, twice; example entries are not read at all."""
    spans = defaultdict(list)
    for channel in channels:
        if not channel.sample:
            for owner in channel.owners:
                spans[_identity(channel)].append((owner.start, owner, channel.slug))
    for same in spans.values():
        same.sort(key=lambda entry: entry[0])
        for (_, before, first), (start, _, second) in pairwise(same):
            if first != second and before.covers(start):
                wrong = f"trùng địa chỉ với kênh «{first}» từ ngày {start}"
                right = "bỏ một kênh, hoặc ghi website.category nếu là chuyên mục riêng trên trang dùng chung"
                yield Problem("channels.toml", f"channels.{second}", "address", wrong, right)


def _identity(channel: Channel) -> tuple[str, ...]:
    """What makes two channels the same: platform, address without its spelling, part of a shared site."""
    address = channel.address
    if channel.platform == "website" or "://" in address:
        parts = urlsplit(address)
        host = (parts.hostname or "").removeprefix("www.")
        port = "" if parts.port in {None, 80, 443} else f":{parts.port}"
        address = f"{host}{port}{parts.path.rstrip('/')}?{parts.query}"
    return channel.platform, address, channel.website.category or "", channel.website.at or ""
