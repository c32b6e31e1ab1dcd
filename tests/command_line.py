"""The command line as a person has it: in this process for speed, or as a process of its own."""

from __future__ import annotations

import gc
import io
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.cli import main

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Said:
    """What one command said, and how it ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)

    def states(self, unit: str = "don-vi-0", label: str = "tin-tot", level: str = "labelled") -> dict[str, str]:
        """From the JSON of `check`: the state of each day (or week) of one unit, by its first day."""
        cells = [cell for cell in self.json()["cells"] if (cell["unit"], cell["label"]) == (unit, label)]
        return {cell["slot"]: cell[level] for cell in cells}


def nhip(*words: object) -> Said:
    """Run one command in this process, and leave the process as it was."""
    out, err = io.StringIO(), io.StringIO()
    with _untouched(words), redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = end.code
    assert isinstance(code, int)
    return Said(code, out.getvalue(), err.getvalue())


@contextmanager
def _untouched(words: Sequence[object]) -> Iterator[None]:
    root, argv, thresholds = logging.getLogger(), sys.argv, gc.get_threshold()
    handlers, level = root.handlers, root.level
    sys.argv = ["nhip", *map(str, words)]
    try:
        yield
    finally:
        sys.argv, root.handlers = argv, handlers
        root.setLevel(level)
        gc.set_threshold(*thresholds)


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "pipeline.cli", *map(str, words)]


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our environment without any setting of the program, but with *more*."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("NHIP_")}
    paths = [str(ROOT), *filter(None, [own.get("PYTHONPATH")])]
    return own | {"PYTHONPATH": os.pathsep.join(paths)} | dict(more or {})


def start_nhip(*words: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command(*words), env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def run_nhip(*words: object, env: Mapping[str, str] | None = None, before: Sequence[str] = ()) -> Said:
    """Run one command as a process; *before* stands in front of it, as in «setpriv … nhip»."""
    done = subprocess.run(
        [*before, *command(*words)], env=environment(env), capture_output=True, timeout=60, check=False
    )
    return Said(done.returncode, done.stdout.decode(), done.stderr.decode())
