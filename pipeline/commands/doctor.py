"""`nhip doctor`: is everything in order, and what has to be fixed?"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from collectors import CONSENTS
from collectors.youtube import BUCKETS
from config.models import Config
from pipeline import show
from pipeline.clock import utc_now
from pipeline.examination import Finding, examine_all
from pipeline.meter import next_day
from pipeline.outfit import open_outfit
from pipeline.pulse import Pulse
from pipeline.tokens_report import TokenFinding, token_findings
from pipeline.workplace import local_text, open_workplace
from store.records import KEPT_FOR, AuditState, Source, TokenState
from store.vault import Vault
from store.verbs import Store

KEEPING = (
    "Muốn giữ lâu dài: chủ kênh cho phép bằng «nhip connect youtube --channel {slug}», "
    "hoặc hằng tháng nhập số trong YouTube Studio bằng «nhip import»."
)


@dataclass(frozen=True)
class Allowance:
    """What is used of a daily allowance, and when it is whole again."""

    name: str
    used: int
    units: int
    resets_at: datetime


@dataclass(frozen=True)
class Leaving:
    """Figures that may be kept for a limited time only."""

    channel: str
    source: str
    rows: int
    oldest_goes_at: datetime


@dataclass(frozen=True)
class Report:
    """Everything the doctor has to say."""

    channels: list[Finding]
    tokens: list[TokenFinding]
    allowances: list[Allowance]
    leaving: list[Leaving]
    suspects: int
    audit: AuditState
    pulse: Pulse

    @property
    def is_fine(self) -> bool:
        ailing = any(one.fix for one in self.channels) or any(one.fix for one in self.tokens)
        return bool(self.channels) and not ailing and self.audit.broken_at is None and self.pulse.is_fine


def run(folder: Path, *, as_json: bool) -> int:
    """0 when everything is in order, 1 when a channel, a token, the audit log or the schedule needs attention."""
    with open_workplace(folder) as (config, store):
        report = _examine(config, store)
        if as_json:
            show.print_json(asdict(report))
        else:
            _print(config, report)
    return 0 if report.is_fine else 1


def _examine(config: Config, store: Store) -> Report:
    last_looks = store.last_looks().set_index("channel")
    states, channels = asyncio.run(_ask_around(config, store))
    return Report(
        channels=[_with_history(finding, last_looks) for finding in channels],
        tokens=token_findings(states, utc_now(), config, CONSENTS, fits=Vault(config.folder).fits),
        allowances=list(_allowances(config, store)),
        leaving=list(_leaving(store)),
        suspects=len(store.open_suspects()),
        audit=store.verify_audit(),
        pulse=Pulse(store.beats(), store.outbox_state(utc_now()), utc_now()),
    )


async def _ask_around(config: Config, store: Store) -> tuple[list[TokenState], list[Finding]]:
    with show.progress("Đang kiểm tra các kênh", len(config.watched())) as advance:
        async with open_outfit(config, store, utc_now) as outfit:
            channels = await examine_all(outfit, advance)
            return await outfit.keyring.check_tokens(), channels


def _allowances(config: Config, store: Store) -> Iterable[Allowance]:
    if any(channel.platform == "youtube" for channel in config.watched()):
        for bucket in BUCKETS:
            resets_at = next_day(bucket, utc_now())
            yield Allowance(bucket.name, store.spent(bucket.name, resets_at), bucket.units, resets_at)


def _leaving(store: Store) -> Iterable[Leaving]:
    for row in store.bound_rows().to_dict("records"):
        oldest = row["oldest"].to_pydatetime()
        yield Leaving(row["channel"], row["source"], row["rows"], oldest + KEPT_FOR[Source[row["source"].upper()]])


def _with_history(finding: Finding, last_looks: pd.DataFrame) -> Finding:
    done: Any = last_looks["last_done_at"].get(finding.channel)
    return replace(finding, last_done_at=None if pd.isna(done) else done.to_pydatetime())


def _print(config: Config, report: Report) -> None:
    made_up = config.district.organisation.illustration
    show.say_illustration(made_up=made_up)
    show.say(f"Cấu hình: {len(config.units)} đơn vị, {len(config.channels)} kênh. Không có lỗi.")
    show.say("Cơ sở dữ liệu: mở được, đúng phiên bản.")
    show.say(_audit_sentence(report.audit))
    for sentence in report.pulse.sentences(config.district.tz):
        show.say(sentence)
    samples = len(config.channels) - len(config.watched())
    if samples:
        show.say(f"{samples} kênh mẫu (sample = true) không được đọc.")
    if not report.channels:
        show.say("Chưa có kênh nào để đọc. Đề nghị khai báo trong channels.toml và bỏ dòng sample = true.")
        return
    if made_up and not any(one.readable for one in report.channels):
        show.say("Các nền tảng mô phỏng không chạy nên không đọc được kênh nào. Đề nghị chạy lại «nhip demo --keep …».")
    else:
        _print_channels(config, report.channels)
    _print_tokens(report.tokens)
    for one in report.allowances:
        when = local_text(one.resets_at, config.district.tz)
        show.say(f"Hạn mức {one.name}: đã dùng {show.number(one.used)}/{show.number(one.units)}, cấp mới lúc {when}.")
    _print_leaving(config, report.leaving)
    if report.suspects:
        show.say(f"{report.suspects} số liệu khác thường đang bị giữ lại. Đề nghị xem bằng «nhip suspect».")


def _audit_sentence(state: AuditState) -> str:
    """«Nhật ký: 12 dòng nối tiếp nhau, không có dòng nào bị sửa. Mã dòng cuối: 0f3c….»"""
    if state.broken_at is not None:
        return (
            f"Nhật ký: đứt từ dòng số {state.broken_at}, có dòng đã bị sửa hoặc xóa. Đề nghị giữ nguyên cơ sở dữ liệu, "
            "đối chiếu với bản sao lưu gần nhất còn nguyên và báo người quản trị hệ thống."
        )
    if not state.rows:
        return "Nhật ký: chưa có dòng nào."
    return (
        f"Nhật ký: {show.number(state.rows)} dòng nối tiếp nhau, không có dòng nào bị sửa. "
        f"Mã dòng cuối: {state.seal[:12]}."
    )


def _print_channels(config: Config, findings: Sequence[Finding]) -> None:
    headers = ("Mã kênh", "Kênh", "Tình trạng", "Bài mới nhất", "Lần đọc gần nhất")
    show.print_table("Các kênh", headers, [_row(config, finding) for finding in findings])
    _print_notes((finding.name, finding.fix or finding.advice) for finding in findings)


def _row(config: Config, finding: Finding) -> tuple[str, ...]:
    state = f"✔ Đọc được ({finding.way})" if finding.readable else "⚙ Không đọc được"
    zone = config.district.tz
    newest = local_text(finding.newest, zone) if finding.newest else ""
    last = local_text(finding.last_done_at, zone) if finding.last_done_at else "chưa đọc"
    return finding.channel, finding.name, state, newest, last


def _print_tokens(findings: Sequence[TokenFinding]) -> None:
    if findings:
        show.print_table("Các kết nối", ("Kết nối", "Tình trạng"), [(one.title, one.text) for one in findings])
        _print_notes((one.title, one.fix or one.advice) for one in findings)


def _print_notes(notes: Iterable[tuple[str, str]]) -> None:
    for name, note in notes:
        if note:
            show.say(f"{name}: {note}")


def _print_leaving(config: Config, leaving: Sequence[Leaving]) -> None:
    for one in leaving:
        name = config.channels[one.channel].name if one.channel in config.channels else one.channel
        gone = "đã hết hạn, bị xóa trong lần đọc tới"
        if one.oldest_goes_at > utc_now():
            gone = f"bị xóa ngày {one.oldest_goes_at.astimezone(config.district.tz):%d/%m/%Y}"
        show.say(
            f"{name}: {show.number(one.rows)} số liệu đọc bằng khóa API chỉ được giữ 30 ngày theo điều khoản của "
            f"YouTube, số cũ nhất {gone}. {KEEPING.format(slug=one.channel)}"
        )
