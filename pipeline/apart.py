"""Work on files from outside, in a process of its own that can be stopped: a limit on time and on memory."""

from __future__ import annotations

import signal
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import TypeVar

from pipeline.problems import UserError

T = TypeVar("T")

SECONDS = 20
MEGABYTES = 512

TOO_SLOW = "Đọc tệp quá {seconds} giây nên đã dừng. Đề nghị chia tệp nhỏ hơn, hoặc xuất lại tệp từ nền tảng."
TOO_BIG = "Đọc tệp cần quá nhiều bộ nhớ nên đã dừng. Đề nghị chia tệp nhỏ hơn, hoặc xuất lại tệp từ nền tảng."
DIED = "Tệp làm chương trình đọc bị dừng giữa chừng. Đề nghị xuất lại tệp từ nền tảng, không nhập tệp này."


def run_apart(work: Callable[..., T], *given: object, seconds: float = SECONDS, megabytes: int = MEGABYTES) -> T:
    """What *work* returns or raises, done in a child process; UserError when it takes too long or too much memory.

    *work* and all that goes in and out must be importable by name. Where the system has no memory limits
    (Windows), the limits of the work itself must do.
    """
    context = get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_serve, args=(theirs, work, given, megabytes), daemon=True)
    child.start()
    theirs.close()
    try:
        if not ours.poll(seconds):
            raise UserError(TOO_SLOW.format(seconds=round(seconds)))
        answer, error = ours.recv()
    except EOFError as death:
        raise UserError(DIED) from death
    finally:
        child.kill()
        child.join()
        child.close()
        ours.close()
    if isinstance(error, MemoryError):
        raise UserError(TOO_BIG)
    if error is not None:
        raise error
    found: T = answer
    return found


def _serve(pipe: Connection, work: Callable[..., T], given: tuple[object, ...], megabytes: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C is the parent's to answer
    _limit_memory(megabytes)
    try:
        answer = (work(*given), None)
    except Exception as error:  # noqa: BLE001 - it is raised again where it was asked for
        pipe.send((None, error))
    else:
        pipe.send(answer)


def _limit_memory(megabytes: int) -> None:
    try:
        import resource
    except ImportError:  # Windows
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
