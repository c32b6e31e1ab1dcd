"""The browser that draws: what it gives, that it never goes out, and that nothing of it is ever left."""

from __future__ import annotations

import os
import re
import signal
import socketserver
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from dashboards.reports.browser import Browser, BrowserError
from dashboards.reports.finding import NONE_FOUND, WRONG_SETTING, PicturesUnavailable, find_browser
from dashboards.reports.studio import BROKEN, SCALE, WIDTH, Studio
from tests.command_line import ROOT, environment
from tests.report_builders import BROWSER, need_browser, spec

PROC = Path("/proc")


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """A short one: Chromium keeps a socket in the temporary folder, and the system allows 107 letters for it."""
    with tempfile.TemporaryDirectory(prefix="nhip-") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def studio() -> Iterator[Studio]:
    need_browser()
    with Studio() as open_studio:
        yield open_studio


# --- what is drawn ----------------------------------------------------------------------------------------------


def test_every_chart_becomes_a_png_and_an_svg_in_order(studio: Studio):
    drawn = studio.pictures([spec(f"Biểu đồ thứ {number}: ừ ỡ Đ") for number in range(3)])
    for number, picture in enumerate(drawn):
        assert picture.png[:8] == b"\x89PNG\r\n\x1a\n"
        assert size_of(picture.png) == (SCALE * WIDTH, SCALE * 420)
        assert f"Biểu đồ thứ {number}: ừ ỡ Đ" in picture.svg
    assert len({picture.png for picture in drawn}) == 3


def test_a_chart_is_drawn_once_for_all_reports(studio: Studio):
    chart = spec("Một lần")
    (first,) = studio.pictures([chart])
    assert studio.pictures([spec("Khác"), chart])[1] is first


def test_a_gap_is_drawn_as_a_gap(studio: Studio):
    (picture,) = studio.pictures([spec(days=75, lines=1)])
    assert picture.svg.count('class="js-line"') == 2


def test_a_document_is_printed_on_the_paper_that_it_asks_for(studio: Studio):
    pages = "<p style='break-after:page'>Trang</p>" * 2
    paper = studio.pdf(f"<!doctype html><style>@page{{size:A4}}</style>{pages}cuối")
    assert paper.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) == 3
    (box,) = set(re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+ [\d.]+)\]", paper))
    assert [round(float(side) / 72 * 25.4) for side in box.split()] == [210, 297]


def test_a_screenshot_has_the_size_that_phones_share(studio: Studio):
    assert size_of(studio.screenshot("<!doctype html><p>Phiếu họp tuần (mẫu)")) == (1080, 1350)


def test_scripts_of_a_document_do_not_run(studio: Studio):
    plain = "<!doctype html><body style='background:white'>"
    hostile = (
        f"{plain}<script>document.body.style.background='black'</script><img src=x onerror=\"document.body.remove()\">"
    )
    still = f"{plain}<img src=x>"
    assert studio.screenshot(hostile, 200, 100) == studio.screenshot(still, 200, 100)


def size_of(png: bytes) -> tuple[int, int]:
    wide, high = struct.unpack(">II", png[16:24])
    return wide, high


# --- it stays at home -------------------------------------------------------------------------------------------


class Counting(socketserver.ThreadingTCPServer):
    """Counts whoever connects, and says nothing."""

    daemon_threads = True
    knocks = 0


class Knock(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, Counting)
        self.server.knocks += 1


@contextmanager
def counting() -> Iterator[Counting]:
    with Counting(("127.0.0.1", 0), Knock) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def asking(place: str) -> str:
    tags = f'<img src="{place}/a"><link rel=stylesheet href="{place}/b"><iframe src="{place}/c"></iframe>'
    return f"<!doctype html>{tags}<style>@import url({place}/d); body{{background:url({place}/e)}}</style>"


def test_a_page_reaches_nobody_not_even_on_this_machine(studio: Studio):
    with counting() as server:
        studio.screenshot(asking(f"http://127.0.0.1:{server.server_address[1]}"), 200, 100)
        studio.screenshot(asking(f"http://localhost:{server.server_address[1]}"), 200, 100)
    assert server.knocks == 0


def test_all_that_is_asked_for_goes_to_the_closed_door(tmp_path: Path, studio: Studio):
    """The same browser with a door that counts in place of the closed one."""
    with counting() as door:
        way = f"--proxy-server=http://127.0.0.1:{door.server_address[1]}"
        instead = f'for a; do shift; case "$a" in --proxy-server=*) a={way};; esac; set -- "$@" "$a"; done'
        with Studio(with_browser(tmp_path, f'{instead}; exec "{BROWSER}" "$@"')) as outward:
            outward.screenshot(asking("http://127.0.0.1"), 200, 100)
    assert door.knocks > 0


def test_the_browser_has_no_line_to_any_other_machine(studio: Studio):
    """Chromium asks for updates and the time whatever it is told; it must not get through."""
    before = guards_of(os.getpid())
    with Studio() as own:
        own.pictures([spec()])
        (guard,) = guards_of(os.getpid()) - before
        far = set()
        for _ in range(100):
            far |= {line for line in lines_of(members("session", guard)) if not line.startswith(LOOPBACK)}
            time.sleep(0.03)
    assert far == set()


LOOPBACK = ("0100007F:", "00000000000000000000000001000000:", "0000000000000000FFFF00000100007F:")
NOBODY = ":0000"


def lines_of(pids: list[int]) -> set[str]:
    """The far ends of all TCP and UDP sockets of some processes, as the kernel writes them."""
    held = set()
    for pid in pids:
        with suppress(OSError):
            held |= {str(path.readlink()) for path in (PROC / str(pid) / "fd").iterdir()}
    tables = [(PROC / "net" / name).read_text() for name in ("tcp", "tcp6", "udp", "udp6")]
    rows = [line.split() for table in tables for line in table.splitlines()]
    return {row[2] for row in rows if f"socket:[{row[9]}]" in held and not row[2].endswith(NOBODY)}


# --- without a browser that works -------------------------------------------------------------------------------


def with_browser(folder: Path, line: str) -> dict[str, str]:
    """An environment whose browser is a shell script of one line."""
    program = folder / "trinh-duyet"
    program.write_text(f"#!/bin/sh\n{line}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return {**os.environ, "NHIP_BROWSER": str(program), "TMPDIR": str(folder)}


@pytest.mark.parametrize(
    ("environ", "sentence"),
    [
        ({"PATH": "/nowhere"}, NONE_FOUND),
        ({"PATH": "/nowhere", "NHIP_BROWSER": "chromium"}, WRONG_SETTING),
        ({"NHIP_BROWSER": "/nowhere/chromium"}, WRONG_SETTING),
    ],
)
def test_without_a_browser_a_sentence_says_what_to_do(environ: Mapping[str, str], sentence: str):
    with Studio(environ) as none, pytest.raises(PicturesUnavailable) as refusal:
        none.pictures([spec()])
    assert refusal.value.sentence == sentence
    assert "Đề nghị" in sentence


def test_the_browser_of_the_setting_is_taken_before_any_other(tmp_path: Path):
    environ = with_browser(tmp_path, "true")
    assert find_browser(environ) == environ["NHIP_BROWSER"]


BROKEN_BROWSERS = {
    "ends at once": "echo no sandbox >&2; exit 1",
    "hangs": "sleep 600",
    "hangs with children": "sleep 600 & sleep 600 & wait",
    "takes no notice": "trap '' TERM INT HUP PIPE; while :; do sleep 1; done",
    "closes its pipes and stays": "exec 3<&- 4>&-; sleep 600",
}


@pytest.mark.parametrize("fault", BROKEN_BROWSERS)
def test_a_broken_browser_is_tried_twice_and_leaves_nothing(fault: str, tmp_path: Path):
    started = tmp_path / "started"
    environ = with_browser(tmp_path, f'echo $$ >> "{started}"; {BROKEN_BROWSERS[fault]}')
    with Studio(environ, seconds=1) as studio:
        with pytest.raises(PicturesUnavailable) as refusal:
            studio.pdf("<!doctype html>")
        with pytest.raises(PicturesUnavailable):
            studio.pdf("<!doctype html>")  # known by now: not tried again
    assert refusal.value.sentence == BROKEN
    assert ("no sandbox" in refusal.value.detail) == (fault == "ends at once")
    groups = [int(line) for line in started.read_text().split()]
    assert len(groups) == 2
    assert [one for group in groups for one in members("pgrp", group)] == []
    assert list(tmp_path.glob("nhip-browser-*")) == []


def test_a_chart_that_cannot_be_drawn_is_told_in_the_log(studio: Studio):
    with Studio() as own, pytest.raises(PicturesUnavailable) as refusal:
        own.pictures([spec(), spec() | {"layout": {"height": 100_000}}])
    assert "too large" in refusal.value.detail


def test_a_dead_browser_is_replaced_by_a_new_one(studio: Studio):
    before = guards_of(os.getpid())
    with Studio() as own:
        own.pdf("<!doctype html>")
        (guard,) = guards_of(os.getpid()) - before
        (browser,) = [pid for pid in members("session", guard) if parent_of(pid) == guard]
        os.kill(browser, signal.SIGKILL)
        assert own.pdf("<!doctype html>").startswith(b"%PDF-")


def test_the_browser_knows_none_of_our_secrets(tmp_path: Path):
    environ = with_browser(tmp_path, f'env > "{tmp_path}/seen"; exit 1') | {"NHIP_SMTP_PASSWORD": "bí mật"}
    with Studio(environ) as studio, pytest.raises(PicturesUnavailable):
        studio.pdf("<!doctype html>")
    seen = (tmp_path / "seen").read_text()
    assert "PATH=" in seen
    assert "NHIP_" not in seen


def test_a_late_answer_is_an_error_and_no_wait(tmp_path: Path):
    environ = with_browser(tmp_path, "sleep 600")
    started = time.monotonic()
    browser = Browser(environ["NHIP_BROWSER"], environ)
    with browser, pytest.raises(BrowserError, match=r"took more than 0\.5 s"), browser.within(0.5):
        browser.call("Browser.getVersion", text="x" * 10_000_000)  # more than a pipe holds
    assert time.monotonic() - started < 5


# --- nothing is left --------------------------------------------------------------------------------------------

DRAWING = """
import sys, time
from dashboards.reports.studio import Studio
from tests.report_builders import BROWSER, need_browser, spec
studio = Studio()
studio.pictures([spec()])
print("drawn", flush=True)
sys.stdin.readline()
{then}
"""


def facts(pid: int | str) -> list[str]:
    """state, parent, group, session of a process; nothing when it has gone."""
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return ["gone"]


def parent_of(pid: int) -> int:
    return int(facts(pid)[1])


def members(kind: str, number: int) -> list[int]:
    """Living processes of a session or of a group."""
    place = {"pgrp": 2, "session": 3}[kind]
    living = {int(path.name): facts(path.name) for path in PROC.iterdir() if path.name.isdigit()}
    return [pid for pid, one in living.items() if one[0] not in "ZX" and one[place:] and one[place] == str(number)]


def strays(folder: Path) -> list[int]:
    """Processes outside of any session of ours that were started for a browser with this temporary folder."""
    found = []
    for path in PROC.iterdir():
        with suppress(OSError):
            if path.name.isdigit() and f"TMPDIR={folder}".encode() in (path / "environ").read_bytes().split(b"\0"):
                found.append(int(path.name))
    return [pid for pid in found if pid != os.getpid() and facts(pid)[0] not in ("Z", "X", "gone")]


def guards_of(parent: int) -> set[int]:
    """The guards that a process has started; each leads a session, and its browser is in it."""
    found = set()
    for path in PROC.iterdir():
        if path.name.isdigit() and facts(path.name)[1:2] == [str(parent)]:
            words = (path / "cmdline").read_bytes().split(b"\0")
            found |= {int(path.name)} if any(word.endswith(b"guard.py") for word in words) else set()
    return found


@contextmanager
def drawing_process(folder: Path, then: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A process of ours that has drawn a picture, and the session of its browser."""
    need_browser()
    words = [sys.executable, "-c", DRAWING.format(then=then)]
    env = environment({"TMPDIR": str(folder)})
    with subprocess.Popen(
        words, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == "drawn\n"
        (guard,) = guards_of(process.pid)
        assert len(members("session", guard)) > 4
        assert set(members("session", guard)) & set(strays(folder))
        process.stdin.write("go on\n")
        process.stdin.flush()
        try:
            yield process, guard
        finally:
            process.kill()


def gone(session: int, folder: Path, seconds: float = 10) -> bool:
    """Whether all processes of a session and the profile of its browser go away in that time."""
    end = time.monotonic() + seconds
    while members("session", session) or strays(folder) or any(folder.glob("nhip-browser-*")):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_whoever_kills_us_leaves_no_browser(signal_number: int, tmp_path: Path):
    with drawing_process(tmp_path, "time.sleep(60)") as (process, session):
        process.send_signal(signal_number)
        process.wait(10)
        assert gone(session, tmp_path)


def test_a_frozen_browser_is_not_left_either(tmp_path: Path):
    with drawing_process(tmp_path, "time.sleep(60)") as (process, session):
        for pid in members("session", session):
            if pid != session:
                os.kill(pid, signal.SIGSTOP)
        process.kill()
        assert gone(session, tmp_path)


def test_a_killed_guard_does_not_leave_its_browser(tmp_path: Path):
    """Then the browser itself sees that nobody speaks to it any more; only its profile stays."""
    with drawing_process(tmp_path, "time.sleep(60)") as (process, session):
        os.kill(session, signal.SIGKILL)
        process.kill()
        end = time.monotonic() + 10
        while members("session", session) + strays(tmp_path) and time.monotonic() < end:
            time.sleep(0.05)
        assert members("session", session) + strays(tmp_path) == []


@pytest.mark.parametrize("then", ["studio.close()", "sys.exit(1)", "import os; os._exit(3)"])
def test_every_way_to_end_takes_the_browser_along(then: str, tmp_path: Path):
    with drawing_process(tmp_path, then) as (process, session):
        process.wait(20)
        assert gone(session, tmp_path)
