"""The simulated district as a configuration folder that every command can use."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pipeline.demo import sites
from pipeline.demo.calendar import SchoolBreak, school_breaks
from pipeline.demo.district import ZONE, DemoChannel, DemoOwner, DemoUnit, District
from pipeline.demo.keep import write_stamped
from pipeline.demo.plans import BOUND, moved_plans
from pipeline.demo.story import AFTER, handle, platform_id
from pipeline.demo.texts import CATEGORY_OF_NEWS, CATEGORY_OF_STORIES

ALL_AT_ONCE = 16
LOOK_AT = time(18, 30)
"""One look a day keeps a year short."""
REDIRECT = "https://doan-mau.example/ket-noi"
KINDS = {
    "quan-doan": "Quận Đoàn",
    "phuong": "Đoàn phường",
    "truong-hoc": "Đoàn trường học",
    "co-quan": "Đoàn cơ quan",
    "doanh-nghiep": "Đoàn doanh nghiệp",
}
LABELS = {
    "tin-tot": {
        "name": "Tin tốt",
        "every": "day",
        "clause": "Kế hoạch mẫu, mục II-CT.2: mỗi ngày một tin tốt",
        "phrases": ["mỗi ngày một tin tốt", "mỗi ngày 1 tin tốt", "tin tốt"],
        "categories": [CATEGORY_OF_NEWS],
        "not_followed_by": ["nghiệp"],
        "not_preceded_by": ["thông", "niềm", "lòng"],
        "hashtags": ["#MỗiNgàyMộtTinTốt", "#moingay1tintot"],
    },
    "cau-chuyen-dep": {
        "name": "Câu chuyện đẹp",
        "every": "week",
        "clause": "Kế hoạch mẫu, mục II-CT.2: mỗi tuần một câu chuyện đẹp",
        "phrases": ["mỗi tuần một câu chuyện đẹp", "mỗi tuần 1 câu chuyện đẹp", "câu chuyện đẹp"],
        "categories": [CATEGORY_OF_STORIES],
        "hashtags": ["#MỗiTuầnMộtCâuChuyệnĐẹp", "#moituan1cauchuyendep"],
    },
}

OFFICES = {
    "to-truyen-thong": ("Tổ truyền thông Quận Đoàn (mẫu)", "team"),
    "ban-thuong-vu": ("Ban Thường vụ Quận Đoàn (mẫu)", "committee"),
}
"""Who is told beside the units: name and role."""


def write_folder(folder: Path, district: District, addresses: Mapping[str, str]) -> None:
    """Write the four configuration files and the plans of a district that is served at *addresses*.

    *addresses* are those of `Hosted`; a website without one is written as an example that is not looked at.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, lines in (
        ("district.toml", _district(district, addresses)),
        ("units.toml", (line for unit in district.units for line in _unit(unit))),
        ("channels.toml", (line for channel in district.channels for line in _channel(channel, district, addresses))),
        ("alerts.toml", _receivers(district)),
    ):
        write_stamped(folder / name, "\n".join(lines).strip() + "\n")
    (folder / "plans").mkdir(exist_ok=True)
    for slug, text in moved_plans(district).items():
        write_stamped(folder / "plans" / f"{slug}.toml", text)


def app_ids() -> dict[str, str]:
    """The public names under which the simulated platforms know our apps, by their setting."""
    from pipeline.demo import facebook_tokens, tiktok, tiktok_business, youtube_tokens, zalo

    return {
        "facebook.app_id": facebook_tokens.APP_ID,
        "tiktok.app_id": tiktok.CLIENT_KEY,
        "tiktok.business_app_id": tiktok_business.CLIENT_ID,
        "youtube.app_id": youtube_tokens.CLIENT_ID,
        "zalo.app_id": zalo.APP_ID,
    }


def _district(district: District, addresses: Mapping[str, str]) -> Iterator[str]:
    yield _pair("zone", ZONE.key)
    yield _pair("plans", list(BOUND))
    organisation = {
        "name": district.units[0].name,
        "level": "Quận Đoàn",
        "parent": "Thành Đoàn (mẫu)",
        "contact": "ban-tuyen-giao@quan-doan-mau.example",
        "illustration": True,
    }
    yield from _table("organisation", organisation)
    allow = sorted({urlsplit(address).netloc for address in addresses.values()})
    yield from _table("schedule", {"looks_at": [LOOK_AT]})
    yield from _table("network", {"allow": allow, "concurrent": 32, "gap_seconds": 0, "deadline_seconds": 2})
    yield from _platforms(addresses)
    first, last = district.first_day, (district.end + AFTER).astimezone(ZONE).date()
    for kind, name in KINDS.items():
        breaks = [_break(one) for one in school_breaks(first, last)] if kind == "truong-hoc" else []
        yield from _table(f"kinds.{kind}", {"name": name, "grassroots": kind != "quan-doan", "breaks": breaks})
    for label, words in LABELS.items():
        yield from _table(f"labels.{label}", words)
    known = {channel.slug for channel in district.channels}
    for plan, bound in BOUND.items():
        if bindings := {name: slug for name, slug in bound.items() if slug in known}:
            yield from _table(f"bindings.{plan}", bindings)


def _platforms(addresses: Mapping[str, str]) -> Iterator[str]:
    """The platforms that are served, with our apps' names there."""
    settings = {key: value for key, value in addresses.items() if "." in key}
    for platform in dict.fromkeys(key.partition(".")[0] for key in settings):
        known = {key: value for key, value in (settings | app_ids()).items() if key.startswith(f"{platform}.")}
        table = {key.partition(".")[2]: value for key, value in known.items()}
        fast = {"redirect": REDIRECT, "concurrent": ALL_AT_ONCE, "gap_seconds": 0}
        yield from _table(f"platforms.{platform}", table | fast)


def _receivers(district: District) -> Iterator[str]:
    """Everybody reads in files of the folder «outbox»; no message leaves."""
    for slug, (name, role) in OFFICES.items():
        yield from _table(f"receivers.{slug}", {"name": name, "role": role, "ways": [f"file:{slug}"]})
    for unit in district.units[1:]:
        told = {"name": unit.name, "role": "unit", "unit": unit.slug, "ways": [f"file:{unit.slug}"]}
        yield from _table(f"receivers.{unit.slug}", told)


def _break(one: SchoolBreak) -> dict[str, Any]:
    return {"name": one.name, "start": one.start, "until": one.until}


def _unit(unit: DemoUnit) -> Iterator[str]:
    members = [] if unit.members is None else [{"start": unit.start, "count": unit.members}]
    wanted = {
        "name": unit.name,
        "kind": unit.kind,
        "start": unit.start,
        "until": unit.until,
        "successors": list(unit.successors),
        "members": members,
        "contact": f"Văn phòng {unit.name}, van-phong@{unit.slug}.example",
    }
    yield from _table(f"units.{unit.slug}", wanted)


def _channel(channel: DemoChannel, district: District, addresses: Mapping[str, str]) -> Iterator[str]:
    address = _address(channel, district, addresses)
    wanted = {
        "platform": channel.platform,
        "name": channel.name,
        "address": address,
        "sample": None if address else True,
        "owners": [_owner(owner) for owner in channel.owners],
        "website": dict(sites.OPTIONS[channel.site]) if channel.platform == "website" else {},
    }
    yield from _table(f"channels.{channel.slug}", wanted)


def _address(channel: DemoChannel, district: District, addresses: Mapping[str, str]) -> str:
    if channel.platform == "website":
        return f"{addresses[channel.slug]}/" if channel.slug in addresses else ""
    return f"@{handle(channel)}" if channel.platform == "tiktok" else platform_id(district.seed, channel)


def _owner(owner: DemoOwner) -> dict[str, Any]:
    return {"unit": owner.unit, "start": owner.start, "until": owner.until}


def _table(name: str, pairs: Mapping[str, object]) -> Iterator[str]:
    """A TOML table without its empty values."""
    yield f"\n[{name}]"
    yield from (_pair(key, value) for key, value in pairs.items() if _is_said(value))


def _pair(key: str, value: object) -> str:
    return f"{key} = {_toml(value)}"


def _toml(value: object) -> str:
    """A value as TOML writes it; JSON's strings, numbers and truths are TOML's too."""
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, Mapping):
        return f"{{ {_joined(_pair(key, inner) for key, inner in value.items() if _is_said(inner))} }}"
    if isinstance(value, list):
        return f"[{_joined(_toml(inner) for inner in value)}]"
    return json.dumps(value, ensure_ascii=False)


def _joined(parts: Iterable[str]) -> str:
    return ", ".join(parts)


def _is_said(value: object) -> bool:
    return value is not None and value not in ("", [], {})
