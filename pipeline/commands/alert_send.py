"""`nhip alert send|test|pair`: one turn of the alerts by hand, a trial of the ways, and the way to a Zalo chat."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from alerts.base import Letter, Transport, TransportError
from alerts.pairing import WebhookError, chats
from alerts.transports import Means, open_transports
from alerts.transports.bot import TOKEN, Bot
from alerts.wording import trial_letter
from config.alert_models import Receiver
from config.alert_ways import kind_of
from config.models import Config
from pipeline import jobs, show
from pipeline.alerting import Alerting, Told
from pipeline.bot_door import bot_door
from pipeline.clock import Clock, utc_now
from pipeline.outfit import open_client
from pipeline.problems import UserError
from pipeline.workplace import clock_for, open_workplace
from store.verbs import Store

NO_RECEIVER = "Chưa khai báo nơi nhận nào nên tin chưa gửi được cho ai. Đề nghị ghi [receivers.…] trong alerts.toml."


def send(folder: Path, *, at: str | None, as_json: bool) -> int:
    """0 when nothing is left to send, 1 when a message could not leave or a rule could not be judged."""
    with open_workplace(folder, at) as (config, store):
        if at is not None and not config.district.organisation.illustration:
            raise UserError("Không gửi được tin ở một thời điểm khác hiện tại: --at chỉ dùng cho dữ liệu minh họa.")
        told = asyncio.run(_turn(config, store, clock_for(at, config.district.tz)))
        if as_json:
            show.print_json({"illustration": config.district.organisation.illustration, **_facts(told)})
        else:
            _print(config, told)
    return 1 if told.round.crashed or told.sent.postponed or told.sent.failed else 0


def test(folder: Path, receiver: str) -> int:
    """0 when the message left by every way of the receiver, 1 when one of them refused it."""
    with open_workplace(folder) as (config, _):
        found = _receiver(config, receiver)
        show.say_illustration(made_up=config.district.organisation.illustration)
        return max(asyncio.run(_try_ways(config, receiver, found)))


def pair(folder: Path) -> int:
    """Print the line for alerts.toml of everybody who writes to the bot within five minutes."""
    with open_workplace(folder) as (config, _):
        show.say("Đề nghị người nhận mở Zalo và nhắn một tin cho bot. Lệnh này chờ 5 phút; dừng bằng Ctrl+C.")
        try:
            found = asyncio.run(_listen(config))
        except (WebhookError, TransportError) as error:
            raise UserError(str(error)) from error
    if not found:
        show.say("Chưa nhận được tin nhắn nào. Đề nghị kiểm tra tên bot rồi chạy lại lệnh này.")
    return 0 if found else 1


async def _turn(config: Config, store: Store, clock: Clock) -> Told:
    return await Alerting(jobs.worker_name()).turn(config, store, clock)


def _print(config: Config, told: Told) -> None:
    held, sent = told.round, told.sent
    show.say_illustration(made_up=config.district.organisation.illustration)
    show.say(f"{len(held.opened)} cảnh báo mới, {len(held.turned)} cảnh báo đổi tình trạng. Xem: nhip alert list.")
    show.say(f"{len(held.messages)} tin được soạn; {sent.sent} tin đã gửi.")
    if sent.moved:
        show.say(f"{sent.moved} tin chuyển sang cách gửi khác của nơi nhận.")
    if sent.postponed:
        show.say(f"{sent.postponed} tin chưa gửi được, hệ thống sẽ thử lại. Xem lý do: nhip doctor.")
    if sent.failed:
        show.say(f"{sent.failed} tin không gửi được. Đề nghị kiểm tra nơi nhận bằng «nhip alert test».")
    if held.crashed:
        names = ", ".join(rule.value for rule in held.crashed)
        show.say(f"Chưa xét được: {names}. Đề nghị gửi nhật ký cho người phụ trách kỹ thuật.")
    if not config.alerts.receivers:
        show.say(NO_RECEIVER)


def _facts(told: Told) -> dict[str, object]:
    held = told.round
    cases = {name: [asdict(one) for one in some] for name, some in (("opened", held.opened), ("turned", held.turned))}
    return {**cases, "messages": held.messages, "crashed": held.crashed, "sent": asdict(told.sent)}


def _receiver(config: Config, slug: str) -> Receiver:
    if slug not in config.alerts.receivers:
        known = ", ".join(config.alerts.receivers)
        raise UserError(f"Không có nơi nhận «{slug}» trong alerts.toml. Đang có: {known}." if known else NO_RECEIVER)
    return config.alerts.receivers[slug]


async def _try_ways(config: Config, slug: str, receiver: Receiver) -> list[int]:
    now = utc_now()
    key = f"test/{slug}/{now:%Y-%m-%dT%H:%M:%S}"
    written = trial_letter(slug, config, key=key, now=now)
    letter = Letter(key, written.subject, written.text, written.html, repeated=False)
    async with open_client(config, utc_now) as client:
        transports = open_transports(Means(config, bot_door(client)))
        return [await _try_way(transports, letter, way) for way in receiver.ways]


async def _try_way(transports: Mapping[str, Transport], letter: Letter, way: str) -> int:
    try:
        await transports[kind_of(way)].send(letter, way.partition(":")[2], utc_now())
    except TransportError as error:
        show.say(f"{way}: chưa gửi được. {error}")
        return 1
    show.say(f"{way}: đã gửi. Đề nghị kiểm tra nơi nhận đã thấy tin thử.")
    return 0


async def _listen(config: Config) -> int:
    found = 0
    async with open_client(config, utc_now) as client:
        means = Means(config, bot_door(client))
        async for chat in chats(Bot(means.ask, config.alerts.zalo_bot.base, means.secret(TOKEN))):
            found += 1
            kind = "nhóm" if chat.is_group else "người"
            show.say(f"Có {kind} vừa nhắn{f' ({chat.name})' if chat.name else ''}. Dòng cần dán: {chat.line}")
    return found
