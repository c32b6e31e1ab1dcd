"""Runs one browser and takes it down, with its children and its profile, once nobody holds our input open.

Run as a file by a bare interpreter (POSIX): `guard.py READ WRITE PROGRAM OPTIONS…`; READ and WRITE are open descriptors
that become 3 and 4 of the browser, where it speaks its debugging protocol. Whoever starts this keeps the other end of
our standard input: however it ends, kill -9 included, the input ends with it, and so does the browser.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence

LOOK_EVERY = 0.2
"""Seconds between two looks at whether the browser still runs."""


def main(reading: int, writing: int, command: Sequence[str]) -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    _place(reading, writing)
    with tempfile.TemporaryDirectory(prefix="nhip-browser-", ignore_cleanup_errors=True) as profile:
        words = [*command, f"--user-data-dir={profile}"]
        nothing = subprocess.DEVNULL
        browser = subprocess.Popen(words, stdin=nothing, pass_fds=(3, 4), process_group=0)  # noqa: S603 - as we were told
        os.closerange(3, 5)
        try:
            _wait(browser)
        finally:
            _kill(browser)


def _place(reading: int, writing: int) -> None:
    """The two descriptors as 3 and 4, whichever they were."""
    aside = [fcntl.fcntl(one, fcntl.F_DUPFD, 10) for one in (reading, writing)]
    for place, one in enumerate(aside, start=3):
        os.dup2(one, place)
    for one in {reading, writing, *aside} - {3, 4}:
        os.close(one)


def _wait(browser: subprocess.Popen[bytes]) -> None:
    while browser.poll() is None:
        if select.select([0], [], [], LOOK_EVERY)[0]:
            return


def _kill(browser: subprocess.Popen[bytes]) -> None:
    """The whole group, also when its first process has gone."""
    try:
        os.killpg(browser.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    browser.wait()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
