"""Answers on stdout: a table for a person, JSON for a program; progress and problems go to stderr."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import orjson


class Advance(Protocol):
    def __call__(self) -> None: ...


def say(text: str = "") -> None:
    with early_leavers_allowed():
        sys.stdout.write(text + "\n")


@contextmanager
def early_leavers_allowed() -> Iterator[None]:
    """A reader that closes the pipe early is no error of ours: the rest of the answer goes nowhere."""
    try:
        yield
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say_illustration(*, made_up: bool) -> None:
    """What stands over every answer about a district that does not exist."""
    if made_up:
        say("Dữ liệu minh họa.")


def number(value: int) -> str:
    """«12.874», as Vietnamese writes a whole number."""
    return f"{value:,}".replace(",", ".")


def command_line(folder: Path, *words: str) -> str:
    """«nhip --config FOLDER WORD …» as a person here can paste it: called as now, quoted for this system's shell."""
    parts = [*_program(), "--config", str(folder), *words]
    return subprocess.list2cmdline(parts) if os.name == "nt" else shlex.join(parts)


def _program() -> list[str]:
    """The bare name when the shell finds this very program by it, else the path by which it was called."""
    called = Path(sys.argv[0])
    if called.suffix == ".py":
        return [sys.executable, "-m", "pipeline.cli"]
    found = shutil.which(called.stem)
    is_found = found is not None and Path(found).absolute() == called.absolute()
    return [called.stem if is_found else sys.argv[0]]


def warn(text: str) -> None:
    sys.stderr.write(text + "\n")


def print_json(answer: Any) -> None:
    """One JSON document; moments in ISO form."""
    say(orjson.dumps(answer, option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY, default=str).decode())


def print_table(title: str, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """A framed table on a terminal; aligned plain text in a file or a pipe."""
    if sys.stdout.isatty():
        _print_rich(title, headers, rows)
    else:
        _print_plain(title, headers, rows)


def _print_rich(title: str, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(title) or None, title_justify="left")
    for header in headers:
        table.add_column(escape(header))
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    Console().print(table)


def _print_plain(title: str, headers: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    if title:
        say(title)
    lines = [list(headers), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headers))]
    for line in lines:
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


@contextmanager
def progress(label: str, total: int) -> Iterator[Advance]:
    """A bar on stderr while long work runs, only when somebody is watching a terminal."""
    if not sys.stderr.isatty() or total < 2:
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda: bar.advance(task)
