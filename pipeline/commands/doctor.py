"""`nhip doctor`: is everything in order, and what has to be fixed?"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import pandas as pd

from collectors import COLLECTORS
from collectors.base import CollectError, Look
from collectors.client import Client
from collectors.website import probe as probe_site
from config.models import Channel, Config
from pipeline import jobs, show
from pipeline.clock import utc_now
from pipeline.workplace import local_text, open_workplace


@dataclass(frozen=True)
class Finding:
    """How one channel stands today: `fix` is empty when nothing has to be done."""

    channel: str
    name: str
    readable: bool | None
    """None when the program has no collector for this platform yet."""
    way: str | None = None
    newest: datetime | None = None
    last_done_at: datetime | None = None
    fix: str = ""
    advice: str = ""


def run(folder: Path, *, as_json: bool) -> int:
    """0 when everything is in order, 1 when a channel needs attention."""
    with open_workplace(folder) as (config, store):
        last_looks = store.last_looks().set_index("channel")
    findings = [_with_history(finding, last_looks) for finding in asyncio.run(_examine_all(config))]
    if as_json:
        show.print_json({"channels": [asdict(finding) for finding in findings]})
    else:
        _print(config, findings)
    return 1 if any(finding.fix for finding in findings) or not findings else 0


async def _examine_all(config: Config) -> list[Finding]:
    channels = config.watched()
    with show.progress("Đang kiểm tra các kênh", len(channels)) as advance:
        async with jobs.open_client(config, utc_now) as client:

            async def examine(channel: Channel) -> Finding:
                finding = await _examine(channel, client, config)
                advance()
                return finding

            return list(await asyncio.gather(*(examine(channel) for channel in channels)))


async def _examine(channel: Channel, client: Client, config: Config) -> Finding:
    if channel.platform not in COLLECTORS:
        advice = f"Bản này chưa đọc được {channel.platform}; kênh được giữ lại cho bản sau."
        return Finding(channel.slug, channel.name, None, advice=advice)
    look = Look(client, now=utc_now(), zone=config.district.tz)
    try:
        async with asyncio.timeout(jobs.LOOK_DEADLINE.total_seconds()):
            found = await probe_site(channel.address, look, channel.website)
    except CollectError as error:
        return Finding(channel.slug, channel.name, False, fix=error.sentence)
    except TimeoutError:
        return Finding(channel.slug, channel.name, False, fix="Trang trả lời quá chậm. Đề nghị thử lại sau.")
    if found.way is None:
        return Finding(channel.slug, channel.name, False, fix=found.evidence[-1])
    advice = f"Nên ghi cố định: {found.toml()}" if channel.website.way == "auto" else ""
    return Finding(channel.slug, channel.name, True, found.way, found.newest, advice=advice)


def _with_history(finding: Finding, last_looks: pd.DataFrame) -> Finding:
    done = last_looks["last_done_at"].get(finding.channel)
    return Finding(**{**asdict(finding), "last_done_at": None if pd.isna(done) else done.to_pydatetime()})


def _print(config: Config, findings: Sequence[Finding]) -> None:
    show.say(f"Cấu hình: {len(config.units)} đơn vị, {len(config.channels)} kênh. Không có lỗi.")
    show.say("Cơ sở dữ liệu: mở được, đúng phiên bản.")
    samples = len(config.channels) - len(config.watched())
    if samples:
        show.say(f"{samples} kênh mẫu (sample = true) không được đọc.")
    if not findings:
        show.say("Chưa có kênh nào để đọc. Đề nghị khai báo trong channels.toml và bỏ dòng sample = true.")
        return
    rows = [_row(config, finding) for finding in findings]
    show.print_table("Các kênh", ("Kênh", "Tình trạng", "Bài mới nhất", "Lần đọc gần nhất"), rows)
    for finding in findings:
        if note := finding.fix or finding.advice:
            show.say(f"{finding.name}: {note}")


def _row(config: Config, finding: Finding) -> tuple[str, ...]:
    state = {True: f"✔ Đọc được ({finding.way})", False: "⚙ Không đọc được", None: "… Chưa hỗ trợ"}[finding.readable]
    zone = config.district.tz
    newest = local_text(finding.newest, zone) if finding.newest else ""
    last = local_text(finding.last_done_at, zone) if finding.last_done_at else "chưa đọc"
    return finding.name, state, newest, last
