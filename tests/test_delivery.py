"""The outbox, emptied: what becomes of a letter, whatever happens to it, to its server and to us."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from alerts.base import Letter, LimitError, PassingError, RefusedError, Transport, UnreadyError
from alerts.delivery import CRASHED, LEASE, NO_RECEIVER, REPEATED, SIDE_BY_SIDE, Sent, deliver
from alerts.transports import Means, open_transports
from alerts.transports.file import FileTransport
from config.alert_models import Receiver
from config.models import Config
from pipeline.clock import frozen_at
from pipeline.demo.zalo_bot import TOKEN, ZaloBot, application
from store.records import Draft, Opening
from store.verbs import Store, open_store
from tests.conftest import NewUrl
from tests.mail_server import MailServer
from tests.metric_builders import at
from tests.transport_contract import config_in, means_in, no_bot, web_server

MORNING = at("2026-11-20 07:30")
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
WAYS = ("zalo:e4ea", "email:to@doan-mau.example")
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.test_delivery"])


@dataclass
class Way:
    """A transport that answers as it is told, and remembers what it carried."""

    answer: Callable[[Letter, str], Exception | None] = lambda _letter, _address: None
    got: list[tuple[str, Letter]] = field(default_factory=list)
    seconds: float = 0.0
    busy: int = 0
    most_busy: int = 0

    async def send(self, letter: Letter, address: str, now: datetime) -> None:
        self.busy += 1
        self.most_busy = max(self.busy, self.most_busy)
        await asyncio.sleep(self.seconds)
        self.busy -= 1
        if failure := self.answer(letter, address):
            raise failure
        self.got.append((address, letter))

    @property
    def keys(self) -> list[str]:
        return sorted(letter.key for _, letter in self.got)


ALL_WAYS = (
    WAYS, ("zalo:e4ea",), ("email:to@doan-mau.example",), ("fax:1", "zalo:e4ea"), ("file:thu",)
)  # fmt: skip


def receiver_of(ways: tuple[str, ...]) -> str:
    """Everybody who is reached in the same ways is one receiver."""
    return f"nhan-{ALL_WAYS.index(ways)}"


def with_receivers(config: Config) -> Config:
    book = {receiver_of(ways): Receiver.model_construct(name="Tổ (mẫu)", role="team", ways=ways) for ways in ALL_WAYS}
    return replace(config, alerts=config.alerts.model_copy(update={"receivers": book}))


def always(failure: Exception) -> Way:
    return Way(lambda _letter, _address: failure)


def put(store: Store, *keys: str, ways: tuple[str, ...] = WAYS, now: datetime = MORNING) -> None:
    texts = ((key, f"Tin mẫu.\n\nMã tin: {key}", f"<body>\n<p>Mã tin: {key}</p>\n</body>") for key in keys)
    drafts = [Draft(key, receiver_of(ways), ways, f"Tin {key}", text, html) for key, text, html in texts]
    assert store.enqueue(drafts, [], now) == list(keys)


CONFIG = with_receivers(config_in(Path("khong-dung")))
AWAKE = with_receivers(config_in(Path("khong-dung"), hours={"quiet_from": "00:00", "quiet_until": "00:00"}))
"""Without quiet hours."""


def run(store: Store, now: datetime = MORNING, config: Config = CONFIG, **ways: Transport) -> Sent:
    return asyncio.run(deliver(config, store, ways, frozen_at(now), "thu"))


def states(store: Store) -> Counter[str]:
    return Counter(map(str, store.deliveries(MORNING - 9 * DAY)["state"]))


def test_what_is_due_is_sent_once(store: Store):
    zalo = Way()
    put(store, "a", "b", "c")
    assert run(store, zalo=zalo) == Sent(sent=3)
    assert run(store, MORNING + DAY, zalo=zalo) == Sent()
    assert zalo.keys == ["a", "b", "c"]
    assert {address for address, _ in zalo.got} == {"e4ea"}
    assert not any(letter.repeated for _, letter in zalo.got)


def test_a_refused_address_is_left_for_the_next_way_at_once(store: Store):
    zalo, email = always(RefusedError("Không có. Đề nghị sửa.")), Way()
    put(store, "a")
    assert run(store, zalo=zalo, email=email) == Sent(moved=1, sent=1)
    assert [address for address, _ in email.got] == ["to@doan-mau.example"]


def test_a_letter_refused_everywhere_fails_and_what_it_told_counts_as_told(store: Store):
    refused = always(RefusedError("Không có. Đề nghị sửa."))
    (case,) = store.open_cases([Opening("quiet", "don-vi", MORNING - DAY, {})], MORNING)
    told = Draft("a", receiver_of(WAYS), WAYS, "Tin", "Tin", "", ((case.id, "noticed"),))
    store.enqueue([told], [], MORNING)
    assert run(store, zalo=refused, email=refused) == Sent(moved=1, failed=1)
    assert set(store.told([case.id])) == {(case.id, receiver_of(WAYS), "noticed")}
    assert store.outbox_state(MORNING).unsent == {receiver_of(WAYS): MORNING}
    assert list(store.deliveries(MORNING - DAY)["error"]) == ["Không có. Đề nghị sửa."]


def test_a_letter_that_waits_goes_to_the_address_of_today_and_to_nobody_who_is_gone(store: Store):
    put(store, "a")
    gone = Draft("b", "da-xoa", WAYS, "Tin", "Tin", "")
    store.enqueue([gone], [], MORNING)
    moved = Receiver.model_construct(name="Tổ (mẫu)", role="team", ways=("zalo:moi",))
    config = replace(CONFIG, alerts=CONFIG.alerts.model_copy(update={"receivers": {receiver_of(WAYS): moved}}))
    zalo = Way()
    assert run(store, config=config, zalo=zalo) == Sent(sent=1)
    assert [(address, letter.key) for address, letter in zalo.got] == [("moi", "a")]
    lost = store.deliveries(MORNING).set_index("key").loc["b"]
    assert (lost["state"], lost["error"]) == ("failed", NO_RECEIVER)


def test_a_limit_sends_everybody_another_way_until_it_is_over(store: Store):
    tomorrow = at("2026-11-21 07:00")
    zalo, email = always(LimitError("Hết lượt. Hệ thống chờ.", tomorrow)), Way()
    put(store, "a")
    assert run(store, zalo=zalo, email=email) == Sent(postponed=1, sent=1)
    put(store, "b")
    put(store, "c", ways=("zalo:e4ea",))
    untouched = Way()
    assert run(store, MORNING + MINUTE, zalo=untouched, email=email) == Sent(sent=1)
    assert (email.keys, untouched.keys) == (["a", "b"], [])
    assert run(store, tomorrow, zalo=untouched, email=email) == Sent(sent=1)
    assert untouched.keys == ["c"]


def test_a_limit_that_names_no_real_end_does_not_go_round_for_ever(store: Store):
    zalo = always(LimitError("Hết lượt. Hệ thống chờ.", MORNING - DAY))
    put(store, "a", ways=("zalo:e4ea",))
    assert run(store, zalo=zalo) == Sent(postponed=1)


def test_a_passing_failure_is_tried_again_ever_more_rarely(store: Store):
    zalo = always(PassingError("Máy chủ lỗi. Hệ thống tự thử lại."))
    put(store, "a", ways=("zalo:e4ea",))
    now, tried = MORNING, [MORNING]
    while run(store, now, zalo=zalo, config=AWAKE) != Sent(failed=1):
        waits = store.deliveries(MORNING - DAY)["next_at"].iloc[0].to_pydatetime()
        assert run(store, waits - timedelta(seconds=1), zalo=zalo, config=AWAKE) == Sent()
        now = waits
        tried.append(now)
    pauses = [(later - earlier) / MINUTE for earlier, later in pairwise(tried)]
    assert pauses == [1, 5, 15, 60, 180, *[360] * 8]
    assert now - MORNING >= 2 * DAY
    assert states(store) == {"failed": 1}


def test_a_way_that_lacks_its_password_is_passed_over_at_once_and_tried_again_later(store: Store):
    zalo, email = always(UnreadyError("Chưa có mã. Đề nghị đặt mã.")), Way()
    put(store, "a")
    put(store, "b", ways=("zalo:e4ea",))
    assert run(store, zalo=zalo, email=email) == Sent(postponed=2, sent=1)
    assert email.keys == ["a"]
    assert run(store, MORNING + timedelta(minutes=59), zalo=Way(), email=email) == Sent()
    works = Way()
    assert run(store, MORNING + timedelta(hours=1), zalo=works, email=email) == Sent(sent=1)
    assert works.keys == ["b"]


def test_a_way_that_fails_for_two_days_is_left_for_the_next(store: Store):
    zalo, email = always(PassingError("Máy chủ lỗi. Hệ thống tự thử lại.")), Way()
    put(store, "a")
    assert run(store, MORNING, zalo=zalo, email=email) == Sent(postponed=1)
    assert run(store, MORNING + 2 * DAY, zalo=zalo, email=email) == Sent(moved=1, sent=1)


def test_a_letter_that_may_have_arrived_says_so_the_next_time(store: Store):
    zalo = always(PassingError("Ngắt giữa chừng. Hệ thống tự thử lại.", doubtful=True))
    put(store, "a", ways=("zalo:e4ea",))
    run(store, zalo=zalo)
    works = Way()
    assert run(store, MORNING + MINUTE, zalo=works) == Sent(sent=1)
    ((_, letter),) = works.got
    assert letter.repeated
    assert letter.text == f"{REPEATED}\n\nTin mẫu.\n\nMã tin: a"
    assert letter.html == f"<body>\n<p><strong>{REPEATED}</strong></p>\n\n<p>Mã tin: a</p>\n</body>"


def test_nothing_leaves_in_quiet_hours(store: Store):
    zalo = Way()
    put(store, "a")
    for hour in ("21:00", "23:59", "00:00", "06:59"):
        assert run(store, at(f"2026-11-21 {hour}"), zalo=zalo) == Sent()
    assert run(store, at("2026-11-22 07:00"), zalo=zalo) == Sent(sent=1)


def test_a_transport_that_crashes_harms_its_own_letters_only(store: Store, caplog: pytest.LogCaptureFixture):
    zalo, email = always(ZeroDivisionError("a bug")), Way()
    put(store, "a", "b")
    put(store, "c", ways=("email:to@doan-mau.example",))
    assert run(store, zalo=zalo, email=email) == Sent(postponed=2, sent=1)
    assert email.keys == ["c"]
    assert "alert transport crashed" in caplog.text
    assert CRASHED.format(kind="zalo") in set(store.deliveries(MORNING - DAY)["error"])


def test_a_kind_of_way_that_nobody_knows_is_refused(store: Store):
    put(store, "a", ways=("fax:1", "zalo:e4ea"))
    assert run(store, zalo=Way()) == Sent(moved=1, sent=1)


def test_a_few_letters_go_side_by_side_and_the_log_names_no_address(store: Store, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG, "alerts")
    zalo, email = Way(seconds=0.01), Way(seconds=0.01)
    put(store, *(f"z{n}" for n in range(40)), ways=("zalo:e4ea",))
    put(store, *(f"e{n}" for n in range(40)), ways=("email:to@doan-mau.example",))
    assert run(store, zalo=zalo, email=email) == Sent(sent=80)
    assert (zalo.most_busy, email.most_busy) == (SIDE_BY_SIDE, SIDE_BY_SIDE)
    said = [vars(record) for record in caplog.records if record.message == "alert delivery"]
    assert len(said) == 80
    assert {(one["attempt"], one["outcome"]) for one in said} == {(1, "sent")}
    assert "doan-mau.example" not in str(said)


def test_two_processes_send_everything_once(new_url: NewUrl):
    url = new_url()
    ways = Way(seconds=0.002)
    with open_store(url) as one, open_store(url) as other:
        put(one, *(f"k{n}" for n in range(60)), ways=("zalo:e4ea",))

        async def both() -> list[Sent]:
            workers = (
                deliver(CONFIG, store, {"zalo": ways}, frozen_at(MORNING), f"thu-{n}")
                for n, store in enumerate((one, other))
            )
            return await asyncio.gather(*workers)

        done = asyncio.run(both())
        assert sum(sent.sent for sent in done) == 60
        assert len(set(ways.keys)) == len(ways.keys) == 60
        assert states(one) == {"sent": 60}


def test_whoever_outlives_his_lease_changes_nothing_any_more(store: Store):
    fast = Way()

    async def scenario() -> list[Sent]:
        async def slow(letter: Letter, address: str, now: datetime) -> None:
            later.append(await deliver(CONFIG, store, {"zalo": fast}, frozen_at(MORNING + LEASE), "other"))

        later: list[Sent] = []
        transport = Way()
        transport.send = slow  # type: ignore[method-assign]
        return [await deliver(CONFIG, store, {"zalo": transport}, frozen_at(MORNING), "thu"), *later]

    put(store, "a", ways=("zalo:e4ea",))
    assert asyncio.run(scenario()) == [Sent(lost=1), Sent(sent=1)]
    assert fast.got[0][1].repeated
    assert states(store) == {"sent": 1}


def test_a_run_ends_also_when_everything_is_slow(store: Store):
    now = [MORNING]

    def a_minute_passes(_letter: Letter, _address: str) -> Exception:
        now[0] += MINUTE
        return PassingError("Máy chủ chậm. Hệ thống tự thử lại.")

    put(store, *(f"k{n:02}" for n in range(4)), ways=("zalo:e4ea",))
    done = asyncio.run(deliver(CONFIG, store, {"zalo": Way(a_minute_passes)}, lambda: now[0], "thu"))
    assert done.postponed >= 4
    assert now[0] < MORNING + 2 * LEASE
    assert states(store) == {"waiting": 4}


def test_the_real_ways_together(store: Store, tmp_path: Path):
    """Zalo is out of messages: its receivers get an e-mail, and everything carries its key."""

    async def scenario() -> None:
        bot = ZaloBot(clock=frozen_at(MORNING), allowance=1)
        bot.hear("e4ea", "Tổ (mẫu)")
        async with MailServer(tmp_path) as mail, web_server(application(bot)) as host:
            environ, base = {"NHIP_ZALO_BOT_TOKEN": TOKEN}, {"base": f"http://{host}"}
            async with means_in(tmp_path, environ=environ, host=host, smtp=mail.settings, zalo_bot=base) as means:
                ways = open_transports(means)
                put(store, "a")
                done = [await deliver(with_receivers(means.config), store, ways, frozen_at(MORNING), "thu")]
                put(store, "b", "c")
                put(store, "d", ways=("file:thu",))
                done.append(await deliver(with_receivers(means.config), store, ways, frozen_at(MORNING), "thu"))
            assert done == [Sent(sent=1), Sent(sent=3, postponed=2)]
            assert [text for _, text in bot.sent] == ["Tin mẫu.\n\nMã tin: a"]
            assert sorted(one.body("plain").rstrip("\n")[-1] for one in mail.mails) == ["b", "c"]
            assert not any(REPEATED in one.body("plain") for one in mail.mails)

    asyncio.run(scenario())
    assert len(list(tmp_path.glob("outbox/*.txt"))) == 1
    assert states(store) == {"sent": 4}


# --- killed in the middle ---------------------------------------------------------------------------------------

LETTERS = 3
DEATHS = [("taken", 1), ("marked", 1), *((step, n + 1) for step in ("before", "after") for n in range(LETTERS))]
"""Where a worker dies: after taking, after noting the first end, before or after sending its *nth* letter."""


class Dying:
    """A file transport whose process dies at its *nth* letter, before or after sending it."""

    def __init__(self, folder: Path, step: str, nth: int) -> None:
        self._file, self._step, self._left = FileTransport(Means(config_in(folder), no_bot, {})), step, nth

    async def send(self, letter: Letter, address: str, now: datetime) -> None:
        self._left -= 1
        is_last = self._left == 0
        if is_last and self._step == "before":
            die()
        await self._file.send(letter, address, now)
        if is_last and self._step == "after":
            die()


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_after(store: Store, verb: str) -> None:
    original = getattr(store, verb)

    def last(*given: Any) -> None:
        original(*given)
        die()

    setattr(store, verb, last)


def _child(url: str, folder: Path, step: str, nth: int) -> None:
    with open_store(url) as store:
        if step in {"taken", "marked"}:
            die_after(store, "take_deliveries" if step == "taken" else "delivered")
        run(store, file=Dying(folder, step, nth))


@pytest.mark.parametrize(("step", "nth"), DEATHS)
def test_a_killed_worker_loses_nothing_and_what_comes_twice_says_so(
    step: str, nth: int, created_file: Path, tmp_path: Path
):
    url = f"sqlite:///{tmp_path / 'store.sqlite3'}"
    (tmp_path / "store.sqlite3").write_bytes(created_file.read_bytes())
    with open_store(url) as store:
        put(store, *(f"k{n}" for n in range(LETTERS)), ways=("file:thu",))
    child = CONTEXT.Process(target=_child, args=(url, tmp_path, step, nth))
    child.start()
    child.join(30)
    assert child.exitcode == -signal.SIGKILL
    with open_store(url) as store:
        files = FileTransport(Means(config_in(tmp_path), no_bot, {}))
        run(store, MORNING + LEASE - MINUTE, file=files)
        run(store, MORNING + LEASE, file=files)
        assert states(store) == {"sent": LETTERS}
    written = [path.read_text("utf-8") for path in sorted(tmp_path.glob("outbox/*.txt"))]
    assert len(written) == LETTERS
    for text in written:
        copies = int(text.split("Số bản đã gửi: ")[1].split("\n")[0])
        assert copies in {1, 2}
        assert copies == 1 or REPEATED in text
