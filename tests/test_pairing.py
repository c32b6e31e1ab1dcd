"""Finding chat ids, against the simulated bot platform."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from alerts.base import PassingError
from alerts.pairing import Chat, WebhookError, chat_in, chats
from alerts.transports.bot import ApiError, Bot
from config.alert_models import Receiver
from config.secrets import Secret
from pipeline.demo.zalo_bot import TOKEN, ZaloBot, application
from tests.transport_contract import NOW, means_in, run, web_server


@asynccontextmanager
async def platform(folder: Path, token: str = TOKEN, **habits: Any) -> AsyncIterator[tuple[Bot, ZaloBot]]:
    simulated = ZaloBot(clock=lambda: NOW, **habits)
    async with web_server(application(simulated)) as host, means_in(folder, environ={}, host=host, seconds=5) as means:
        yield Bot(means.ask, f"http://{host}", Secret(token)), simulated


async def heard(bot: Bot, seconds: float = 0.8) -> list[Chat]:
    return [chat async for chat in chats(bot, seconds)]


def test_everybody_who_writes_is_shown_once_with_the_line_to_paste(tmp_path: Path):
    async def scenario() -> None:
        async with platform(tmp_path) as (bot, simulated):
            simulated.hear("a1b2", "Tổ truyền thông (mẫu)")
            simulated.hear("a1b2", "Tổ truyền thông (mẫu)", "nữa")
            simulated.hear("c3d4", "Nhóm (mẫu)", chat_type="GROUP")
            listening = asyncio.create_task(heard(bot))
            await asyncio.sleep(0.3)
            simulated.hear("e5f6", "Đoàn phường Một (mẫu)")
            found = await listening
        assert found == [
            Chat("a1b2", "Tổ truyền thông (mẫu)", is_group=False),
            Chat("c3d4", "Nhóm (mẫu)", is_group=True),
            Chat("e5f6", "Đoàn phường Một (mẫu)", is_group=False),
        ]
        assert found[0].line == 'ways = ["zalo:a1b2"]'
        assert Receiver(name="Tổ", role="team", ways=("zalo:a1b2",)).ways

    run(scenario())


def test_nobody_writing_is_no_error(tmp_path: Path):
    async def scenario() -> None:
        for says_200 in (True, False):
            async with platform(tmp_path, says_200=says_200) as (bot, _):
                assert await heard(bot, 0.2) == []

    run(scenario())


def test_a_webhook_is_left_alone_and_said(tmp_path: Path):
    async def scenario() -> None:
        async with platform(tmp_path) as (bot, simulated):
            hook = {"url": "https://doan-mau.example/zalo", "secret_token": "mau-bi-mat"}
            await bot.call("setWebhook", hook)
            with pytest.raises(WebhookError, match="deleteWebhook"):
                await heard(bot)
            assert simulated.webhook == hook["url"]
            with pytest.raises(ApiError) as caught:
                await bot.call("getUpdates", {"timeout": "1"})
            assert caught.value.code == 400
            await bot.call("deleteWebhook", {})
            assert await heard(bot, 0.1) == []

    run(scenario())


def test_a_wrong_token_and_a_failing_platform_are_said(tmp_path: Path):
    async def scenario(word: str, token: str = TOKEN, **habits: Any) -> None:
        async with platform(tmp_path, token, **habits) as (bot, _):
            with pytest.raises(PassingError, match=word):
                await heard(bot)

    run(scenario("Zalo Bot Manager", "27:sai"))
    run(scenario("mã 500", trouble=500))
    with pytest.raises(PassingError, match="chữ số"):
        run(scenario("", "khong-phai-ma"))


def test_only_whom_alerts_toml_can_name_is_shown_and_never_what_was_written():
    assert chat_in(None) is None
    assert chat_in([]) is None
    assert chat_in({"message": {"chat": {"id": 7}}}) is None
    assert chat_in({"message": {"chat": {"id": 'x"]\nunit = "'}}}) is None
    whole = {"message": {"chat": {"id": "a1"}, "from": {"display_name": "\x1b[2JĐoàn\n" + "a" * 99}, "text": "riêng"}}
    chat = chat_in(whole)
    assert chat == Chat("a1", f"[2JĐoàn {'a' * 51}…", is_group=False)
    assert "riêng" not in repr(chat)


def test_the_simulated_platform_is_as_strict_as_the_real_one(tmp_path: Path):
    async def refused(bot: Bot, method: str, **fields: Any) -> int:
        with pytest.raises(ApiError) as caught:
            await bot.call(method, fields)
        return caught.value.code

    async def scenario() -> None:
        async with platform(tmp_path) as (bot, simulated):
            assert (await bot.call("getMe", {}))["id"] == TOKEN.partition(":")[0]
            assert await refused(bot, "sendMessage", chat_id="a1", text="chưa quen") == 400
            simulated.hear("a1", "Tổ (mẫu)")
            await bot.call("sendMessage", {"chat_id": "a1", "text": "x" * 2000})
            assert await refused(bot, "sendMessage", chat_id="a1", text="x" * 2001) == 400
            assert await refused(bot, "sendMessage", chat_id="a1", text="") == 400
            assert await refused(bot, "setWebhook", url="http://x", secret_token="12345678") == 400
            assert await refused(bot, "getUpdates", timeout=1) == 400
            assert await refused(bot, "sendPigeon") == 404
            assert (await bot.call("getUpdates", {"timeout": "1"}))["message"]["chat"]["id"] == "a1"
            assert await refused(bot, "getUpdates", timeout="0") == 408

    run(scenario())
