"""`nhip doctor` where something is wrong: the right sentence, the right exit code, and nothing written down."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from collectors import COLLECTORS
from pipeline.steps import finish
from store.verbs import create_store, open_store
from tests.command_line import nhip
from tests.small_district import FRIDAY, feed_site, feeds_on_loopback, write_config
from tests.store_builders import dump


def new_district(folder: Path, *addresses: str) -> Path:
    create_store(f"sqlite:///{write_config(folder, addresses) / 'nhip.sqlite3'}", FRIDAY)
    return folder


def doctor(folder: Path):
    said = nhip("--config", folder, "doctor", "--json")
    return said.code, {one["channel"]: one for one in said.json()["channels"]}


def test_a_configured_feed_without_any_post_is_read_all_the_same(tmp_path: Path):
    with feed_site(tmp_path / "site") as site:
        code, found = doctor(new_district(tmp_path / "quan", site.address))
    assert (code, found["trang-0"]["readable"], found["trang-0"]["way"]) == (0, True, "feed")


def test_a_configured_feed_that_is_gone_says_so_rather_than_that_no_way_was_found(tmp_path: Path):
    with feed_site(tmp_path / "site") as site:
        code, found = doctor(new_district(tmp_path / "quan", f"{site.base}/khong-co.xml"))
    assert (code, found["trang-0"]["readable"]) == (1, False)
    assert "kiểm tra địa chỉ trong channels.toml" in found["trang-0"]["fix"]


def test_a_bug_in_one_collector_does_not_hide_how_the_others_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    read = COLLECTORS["website"]

    async def stumble(channel, look):
        if channel.slug == "trang-0":
            raise ZeroDivisionError
        return await read(channel, look)

    monkeypatch.setitem(COLLECTORS, "website", stumble)
    with feeds_on_loopback(tmp_path / "sites", 2) as addresses:
        code, found = doctor(new_district(tmp_path / "quan", *addresses))
    assert (code, found["trang-0"]["readable"], found["trang-1"]["readable"]) == (1, False, True)
    assert "báo người phụ trách kỹ thuật" in found["trang-0"]["fix"]


def test_an_examination_leaves_no_trace_in_the_store(tmp_path: Path):
    with feed_site(tmp_path / "site", ("Tin tốt (mẫu)", FRIDAY)) as site:
        folder = new_district(tmp_path / "quan", site.address)
        assert nhip("--config", folder, "collect", "--now").code == 0
        with open_store(f"sqlite:///{folder / 'nhip.sqlite3'}") as store:
            before = dump(store)
            assert doctor(folder)[0] == 0
            assert dump(store) == before


def test_a_district_without_channels_is_told_what_to_do(tmp_path: Path):
    folder = new_district(tmp_path / "quan", "http://127.0.0.1:9/tin.xml")
    channels = (folder / "channels.toml").read_text(encoding="utf-8")
    (folder / "channels.toml").write_text(f"{channels}sample = true\n", encoding="utf-8")
    said = nhip("--config", folder, "doctor")
    assert (said.code, "Đề nghị khai báo trong channels.toml" in said.out) == (1, True)
    assert doctor(folder) == (1, {})


def test_a_step_is_finished_however_often_its_task_is_cancelled():
    async def go() -> list[str]:
        done: list[str] = []

        async def step() -> None:
            await asyncio.sleep(0.2)
            done.append("stored")

        task = asyncio.create_task(finish(asyncio.create_task(step())))
        for _ in range(3):
            await asyncio.sleep(0.02)
            task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return done

    assert asyncio.run(go()) == ["stored"]
