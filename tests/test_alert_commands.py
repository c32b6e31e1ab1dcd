"""`nhip alert …`, as an office meets it."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from metrics.periods import local_date
from pipeline.commands import alert_turns
from pipeline.commands.alert import find_case
from pipeline.demo.zalo_bot import TOKEN, ZaloBot, application
from store.records import Case, CaseState
from store.verbs import Store, open_store
from tests.beside import beside
from tests.case_builders import OFFICE, a_turn, open_case, turn
from tests.command_line import command, environment, nhip, start_nhip
from tests.mail_server import MailServer
from tests.metric_builders import HCMC
from tests.small_district import FRIDAY, feed_site, write_config
from tests.store_builders import days
from tests.transport_contract import web_server

USAGE, INTERRUPTED = 64, 130
BECAUSE = ("--by", OFFICE, "--reason", "Đã gọi điện (mẫu)")
ALWAYS = "[hours]\nquiet_from = 00:00:00\nquiet_until = 00:00:00\ndigest_at = 00:00:00\nweekly_at = 00:00:00\n"
TEAM = '[receivers.doi]\nname = "Tổ truyền thông (mẫu)"\nrole = "team"\nways = [{ways}]\n'


def alerts_toml(folder: Path, *ways: str, more: str = "") -> None:
    named = ", ".join(f'"{way}"' for way in ways)
    (folder / "alerts.toml").write_text(f"{ALWAYS}{TEAM.format(ways=named)}{more}", "utf-8")


def new_district(folder: Path, address: str = "http://127.0.0.1:9/tin.xml", *ways: str) -> Path:
    alerts_toml(write_config(folder, [address]), *(ways or ("file:doi",)))
    assert nhip("init", folder).code == 0
    return folder


@contextmanager
def store_of(folder: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{folder / 'nhip.sqlite3'}") as store:
        yield store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A district with one case."""
    folder = new_district(tmp_path / "quan")
    with store_of(folder) as store:
        open_case(store, "don-vi-0")
    return folder


@pytest.fixture
def quiet_folder(tmp_path: Path) -> Iterator[Path]:
    """A district whose unit published last three weeks ago, as a look has just found out."""
    old = datetime.now(UTC).replace(microsecond=0) - timedelta(days=21)
    with feed_site(tmp_path / "site", ("Tin tốt (mẫu)", old), ("Tin tốt (mẫu)", old - timedelta(days=40))) as site:
        folder = new_district(tmp_path / "quan", site.address)
        assert nhip("--config", folder, "collect", "--now").code == 0
        yield folder


def alert(folder: Path, *words: object) -> tuple[int, str, str]:
    said = nhip("--config", folder, "alert", *words)
    return said.code, said.out, said.err


def the_case(folder: Path) -> Case:
    with store_of(folder) as store:
        (case,) = store.cases(open_only=False)
    return case


def audited(folder: Path) -> list[tuple[str, str, str, str]]:
    with store_of(folder) as store:
        rows = store.audit()
        assert store.verify_audit().broken_at is None
    return list(zip(rows["action"], rows["subject"], rows["by"], rows["reason"], strict=True))


# --- what a person reads -------------------------------------------------------------------------------------------


def test_the_list_says_what_is_open_and_its_code_whether_something_is(folder: Path):
    code, out, _ = alert(folder, "list")
    assert code == 1
    assert "Dữ liệu minh họa." in out
    assert "Chưa có tin, bài" in out
    assert "Đoàn phường Một (mẫu)" in out
    assert alert(folder, "resolve", 1, *BECAUSE)[0] == 0
    assert alert(folder, "list")[:2] == (0, "Dữ liệu minh họa.\nKhông có cảnh báo nào đang mở.\n")
    assert "Đã xong" in alert(folder, "list", "--all")[1]


def test_the_list_of_a_past_moment_shows_what_stood_then(folder: Path):
    assert alert(folder, "resolve", 1, *BECAUSE)[0] == 0
    assert "Mới" in alert(folder, "list", "--at", "2026-11-20")[1]
    assert "Không có cảnh báo nào" in alert(folder, "list", "--at", "2026-11-19")[1]
    code, _, err = alert(folder, "list", "--at", "hôm qua")
    assert (code, "Không hiểu thời điểm «hôm qua»" in err) == (USAGE, True)


def test_a_case_is_shown_with_all_that_happened_to_it_and_who_was_told(quiet_folder: Path):
    assert alert(quiet_folder, "send")[0] == 0
    assert alert(quiet_folder, "ack", 1, *BECAUSE)[0] == 0
    code, out, _ = alert(quiet_folder, "show", 1)
    assert code == 0
    states = [
        line.partition(": ")[2].partition(",")[0]
        for line in out.splitlines()
        if line.startswith("  ") and "Đã báo" not in line
    ]
    assert states == ["Mới", "Đang mở", "Đã biết"]
    assert f"Đã biết, {OFFICE}: Đã gọi điện (mẫu)." in out
    assert "Đã báo: Tổ truyền thông (mẫu) (bước noticed)." in out


def test_programs_read_the_same_as_json(quiet_folder: Path):
    sent = nhip("--config", quiet_folder, "alert", "send", "--json").json()
    assert (sent["illustration"], sent["opened"][0]["rule"], sent["sent"]["sent"], sent["crashed"]) == (
        True,
        "quiet",
        1,
        [],
    )
    listed = nhip("--config", quiet_folder, "alert", "list", "--json").json()
    assert [(case["id"], case["subject"], case["state"]) for case in listed["cases"]] == [(1, "don-vi-0", "open")]
    shown = nhip("--config", quiet_folder, "alert", "show", "1", "--json").json()
    assert [flip["after"] for flip in shown["flips"]] == ["new", "open"]
    assert shown["told"] == [{"receiver": "doi", "step": "noticed"}]


# --- what a person decides -----------------------------------------------------------------------------------------


def test_every_word_of_an_office_is_kept_with_its_reason_in_the_audit_log(folder: Path):
    today = local_date(datetime.now(UTC), HCMC)
    assert "Đã biết." in alert(folder, "ack", 1, *BECAUSE)[1]
    said = alert(folder, "snooze", 1, "--until", today + timedelta(days=7), *BECAUSE)
    assert f"Tạm hoãn đến hết {today + timedelta(days=7):%d/%m/%Y}." in said[1]
    assert "Đã xong." in alert(folder, "resolve", 1, *BECAUSE)[1]
    actions = ("alert.acknowledged", "alert.snoozed", "alert.resolved")
    why = ("quiet/don-vi-0", OFFICE, "Đã gọi điện (mẫu)")
    assert sorted(audited(folder)) == sorted((action, *why) for action in actions)
    assert "Đã gọi điện (mẫu)" in nhip("--config", folder, "audit").out


WRONG: list[tuple[tuple[Any, ...], str]] = [
    (("show", 7), "Không có cảnh báo số 7. Xem danh sách: nhip alert list --all."),
    (("ack", 2**70, *BECAUSE), f"Không có cảnh báo số {2**70}."),
    (("show", "bảy"), "Câu lệnh chưa đúng."),
    (("ack", 1, "--by", OFFICE), "Câu lệnh chưa đúng."),
    (("ack", 1, "--by", OFFICE, "--reason", "  "), "Cần ghi lý do."),
    (("ack", 1, "--by", OFFICE, "--reason", "Gọi 0903 123 456"), "Lý do giống thông tin của một cá nhân."),
    (("resolve", 1, "--by", "", "--reason", "x"), "--by"),
    (("snooze", 1, "--until", "30/11/2026", *BECAUSE), "Không hiểu ngày «30/11/2026» ở --until."),
    (("snooze", 1, "--until", "2020-01-01", *BECAUSE), "Ngày ở --until đã qua."),
    (("snooze", 1, "--until", "9999-12-31", *BECAUSE), "Chỉ tạm hoãn được nhiều nhất một năm."),
    (("test", "ai-do"), "Không có nơi nhận «ai-do» trong alerts.toml. Đang có: doi."),
    (("pair",), "NHIP_ZALO_BOT_TOKEN"),
]


@pytest.mark.parametrize(("words", "sentence"), WRONG, ids=lambda value: "-".join(map(str, value))[:40])
def test_a_slip_is_one_sentence_and_changes_nothing(words: tuple[Any, ...], sentence: str, folder: Path):
    before = the_case(folder)
    code, _, err = alert(folder, *words)
    assert (code, sentence in err) == (USAGE, True), err
    assert err.endswith(".\n")
    assert (the_case(folder), audited(folder)) == (before, [])


def test_what_is_done_is_not_done_again(folder: Path):
    assert alert(folder, "ack", 1, *BECAUSE)[0] == 0
    assert "đã được ghi là đã biết" in alert(folder, "ack", 1, *BECAUSE)[2]
    assert alert(folder, "resolve", 1, *BECAUSE)[0] == 0
    for words in (("ack",), ("resolve",), ("snooze", "--until", "2027-01-01")):
        code, _, err = alert(folder, words[0], 1, *words[1:], *BECAUSE)
        assert (code, "Cảnh báo số 1 đã xong" in err) == (USAGE, True)
    assert len(audited(folder)) == 2


def test_of_two_offices_at_once_one_is_heard_and_the_other_is_told(folder: Path):
    both = [start_nhip("--config", folder, "alert", "resolve", 1, *BECAUSE) for _ in range(2)]
    ended = [(child.communicate(timeout=60)[1].decode(), child.returncode) for child in both]
    assert sorted(code for _, code in ended) == [0, USAGE]
    assert [action for action, *_ in audited(folder)] == ["alert.resolved"]


def test_a_case_that_moves_while_it_is_read_is_not_overwritten(folder: Path, monkeypatch: pytest.MonkeyPatch):
    def find_late(store: Store, number: int) -> Case:
        case = find_case(store, number)
        assert store.turn_cases([a_turn(case, CaseState.OPEN, FRIDAY)], FRIDAY)
        return case

    monkeypatch.setattr(alert_turns, "find_case", find_late)
    code, _, err = alert(folder, "resolve", 1, *BECAUSE)
    assert (code, err) == (USAGE, "Cảnh báo số 1 vừa thay đổi. Xem lại: nhip alert show 1.\n")
    assert the_case(folder).state is CaseState.OPEN


# --- what leaves ---------------------------------------------------------------------------------------------------


def test_send_notices_tells_once_and_says_what_it_did(quiet_folder: Path):
    code, out, _ = alert(quiet_folder, "send")
    assert code == 0
    assert "1 cảnh báo mới, 0 cảnh báo đổi tình trạng." in out
    assert "1 tin được soạn; 1 tin đã gửi." in out
    (letter,) = (quiet_folder / "outbox").glob("*.txt")
    assert "Đoàn phường don-vi-0: chưa ghi nhận tin, bài mới từ ngày" in letter.read_text("utf-8")
    assert "0 tin được soạn; 0 tin đã gửi." in alert(quiet_folder, "send")[1]
    assert "Số bản đã gửi: 1" in letter.read_text("utf-8")


def test_send_says_what_could_not_leave_and_by_its_code(quiet_folder: Path):
    alerts_toml(
        quiet_folder,
        "email:doi@doan-mau.example",
        more='[smtp]\nhost = "127.0.0.1"\nport = 9\nsecurity = "none"\nsender = "nhip@doan-mau.example"\n',
    )
    code, out, _ = alert(quiet_folder, "send")
    assert (code, "1 tin chưa gửi được, hệ thống sẽ thử lại." in out) == (1, True)


def test_a_moment_may_be_named_for_made_up_districts_only(folder: Path):
    assert alert(folder, "send", "--at", "2026-11-23T07:00")[0] == 0
    toml = folder / "district.toml"
    toml.write_text(toml.read_text("utf-8").replace("illustration = true", "illustration = false"), "utf-8")
    code, _, err = alert(folder, "send", "--at", "2026-11-23T07:00")
    assert (code, "--at chỉ dùng cho dữ liệu minh họa" in err) == (USAGE, True)


def test_without_receivers_it_says_that_nobody_is_told(quiet_folder: Path):
    (quiet_folder / "alerts.toml").unlink()
    assert "Chưa khai báo nơi nhận nào" in alert(quiet_folder, "send")[1]
    assert "Chưa khai báo nơi nhận nào" in alert(quiet_folder, "test", "doi")[2]


def test_a_trial_goes_every_way_of_a_receiver_and_says_which_one_works(folder: Path, tmp_path: Path):
    with beside(MailServer(tmp_path, security="none")) as server:
        smtp = "\n".join(f"{key} = {value!r}" for key, value in server.settings.items())
        alerts_toml(folder, "email:doi@doan-mau.example", "file:doi", "zalo:a1b2", more=f"[smtp]\n{smtp}\n")
        code, out, _ = alert(folder, "test", "doi")
    assert code == 1
    assert "email:doi@doan-mau.example: đã gửi." in out
    assert "file:doi: đã gửi." in out
    assert "zalo:a1b2: chưa gửi được. " in out
    assert [mail.subject for mail in server.mails] == ["[Dữ liệu minh họa] Quận Đoàn thử nghiệm: tin thử"]
    assert the_case(folder).state is CaseState.NEW


def test_pairing_prints_the_line_to_paste_and_stops_on_ctrl_c(tmp_path: Path):
    bot = ZaloBot(clock=lambda: FRIDAY)
    bot.hear("a1b2", "Tổ truyền thông (mẫu)")
    with beside(web_server(application(bot))) as host:
        folder = new_district(tmp_path / "quan", f"http://{host}/tin.xml")
        alerts_toml(folder, "file:doi", more=f'[zalo_bot]\nbase = "http://{host}"\n')
        child = subprocess.Popen(
            command("--config", folder, "alert", "pair"),
            env=environment({"NHIP_ZALO_BOT_TOKEN": TOKEN, "PYTHONUNBUFFERED": "1"}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        with child:
            assert child.stdout is not None
            lines = [child.stdout.readline() for _ in range(2)]
            child.send_signal(signal.SIGINT)
            out = b"".join([*lines, child.communicate(timeout=20)[0]]).decode()
    assert child.returncode == INTERRUPTED
    assert 'Có người vừa nhắn (Tổ truyền thông (mẫu)). Dòng cần dán: ways = ["zalo:a1b2"]' in out
    assert "Đã dừng theo yêu cầu." in out
    assert TOKEN not in out


def test_a_snoozed_case_is_listed_with_its_last_day(folder: Path):
    with store_of(folder) as store:
        (case,) = store.cases()
        turn(store, case, CaseState.SNOOZED, FRIDAY, by=OFFICE, snoozed_until=FRIDAY + days(3))
    code, out, _ = alert(folder, "list")
    assert (code, "Tạm hoãn đến hết 23/11/2026" in out) == (1, True)
