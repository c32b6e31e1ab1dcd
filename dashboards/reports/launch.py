"""Starts a browser so that it can always be taken down, and holds the two pipes to it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

GUARD = Path(__file__).with_name("guard.py")
Started = tuple["subprocess.Popen[bytes]", Callable[[], None]]
"""The process, and how to stop it."""
READ = 1 << 20
PATIENCE = 10
"""Seconds that the browser's end may take, its profile cleared."""


class Launched:
    """A process with two pipes to speak through."""

    def __init__(self, process: subprocess.Popen[bytes], pipes: tuple[int, int], stop: Callable[[], None]) -> None:
        self._process, self._stop = process, stop
        self._to, self._back = os.fdopen(pipes[0], "wb", 0), os.fdopen(pipes[1], "rb", 0)

    def write(self, message: bytes) -> None:
        rest = memoryview(message)
        while rest:
            rest = rest[self._to.write(rest) :]

    def read(self) -> bytes:
        """What has come, at least one byte; EOFError when the browser has gone."""
        if not (found := self._back.read(READ)):
            raise EOFError
        return found

    def cut(self) -> None:
        """Let it be killed; from any thread. Whoever reads or writes meanwhile sees the pipes end."""
        self._stop()

    def end(self) -> None:
        """Kill it and wait until nothing of it is left."""
        self.cut()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(PATIENCE)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._to.close()
        self._back.close()


def launch(command: Sequence[str], environ: Mapping[str, str], log: IO[bytes]) -> Launched:
    """The browser, running or about to; OSError when this machine has no room for a process."""
    theirs_read, to = os.pipe()
    back, theirs_write = os.pipe()
    start = _on_windows if sys.platform == "win32" else _behind_guard
    try:
        process, stop = start(command, (theirs_read, theirs_write), environ, log)
    except OSError:
        os.close(to)
        os.close(back)
        raise
    finally:
        os.close(theirs_read)
        os.close(theirs_write)
    return Launched(process, (to, back), stop)


def _behind_guard(
    command: Sequence[str], pipes: tuple[int, int], environ: Mapping[str, str], log: IO[bytes]
) -> Started:
    """The guard kills the whole group when we let go of its input, and we let go of it whatever happens to us."""
    words = [sys.executable, "-I", "-S", str(GUARD), *map(str, pipes), *command]
    process = subprocess.Popen(  # noqa: S603 - our own file, and the browser of this machine
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=log,
        env=dict(environ),
        pass_fds=pipes,
        start_new_session=True,
    )
    assert process.stdin
    return process, process.stdin.close


def _on_windows(command: Sequence[str], pipes: tuple[int, int], environ: Mapping[str, str], log: IO[bytes]) -> Started:
    """No guard: the browser ends by itself when its pipes do, which Windows sees to when we die."""
    import msvcrt

    handles = [getattr(msvcrt, "get_osfhandle")(one) for one in pipes]  # noqa: B009 - mypy reads this on Linux
    for handle in handles:
        getattr(os, "set_handle_inheritable")(handle, True)  # noqa: B009
    profile = tempfile.TemporaryDirectory(prefix="nhip-browser-", ignore_cleanup_errors=True)
    told = [f"--remote-debugging-io-pipes={handles[0]},{handles[1]}", f"--user-data-dir={profile.name}"]
    process = subprocess.Popen(  # noqa: S603 - the browser of this machine
        [*command, *told], close_fds=False, stdout=subprocess.DEVNULL, stderr=log, env=dict(environ)
    )

    def stop() -> None:
        words = ["taskkill", "/F", "/T", "/PID", str(process.pid)]
        subprocess.run(words, capture_output=True, check=False)  # noqa: S603
        process.wait()
        profile.cleanup()

    return process, stop
