"""`nhip serve`: the pages on this machine, until somebody stops it."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline import show
from pipeline.clock import Clock, utc_now
from pipeline.problems import UserError
from pipeline.workplace import open_workplace

if TYPE_CHECKING:
    from uvicorn import Server

    from config.models import Config
    from store.verbs import Store

HOST, PORT = "127.0.0.1", 8765
AT_ONCE = 64
"""More requests at the same time are turned away: this is one small machine."""
BACKLOG = 128


def run(folder: Path, *, host: str, port: int) -> int:
    """0 after SIGTERM or Ctrl+C; UserError for an address that others can reach, OSError when the port is taken."""
    refuse_strangers(host)
    with open_workplace(folder) as (config, store), suppress(KeyboardInterrupt):
        asyncio.run(serve_app(config, store, utc_now, host=host, port=port))
    show.say("Đã dừng.")
    return 0


def refuse_strangers(host: str) -> None:
    """There are no accounts yet, so whoever reaches a page could turn cases."""
    try:
        is_ours = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        is_ours = False
    if not is_ours:
        raise UserError(
            f"Chưa có tài khoản đăng nhập nên các trang chỉ mở được trên chính máy này, không mở ở «{host[:60]}». "
            "Hãy bỏ --host, hoặc ghi --host 127.0.0.1."
        )


async def serve_app(
    config: Config, store: Store, clock: Clock, *, host: str = HOST, port: int = PORT, keeps_signals: bool = True
) -> None:
    """Serves the pages until it is told to stop, or cancelled. With *keeps_signals* False signals are left alone.

    OSError when the port is taken.
    """
    from pipeline.desk import open_desk

    with _listening(host, port) as listening, open_desk(config, store, clock) as desk:
        server = _server(desk, keeps_signals=keeps_signals)
        show.say(f"Các trang ở http://{_named(host)}:{listening.getsockname()[1]}/ – dừng bằng Ctrl+C.")
        await server.serve(sockets=[listening])


def _named(host: str) -> str:
    return f"[{host}]" if ":" in host else host


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    """Bound before anything is opened, so that a taken port is told at once.

    The protocol is named because asyncio sends small pieces at once (TCP_NODELAY) only where it is: without it every
    answer on a kept connection waits 40 ms.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        if os.name == "posix":  # elsewhere it would let two programs listen on one port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(BACKLOG)
        yield listening


def _server(desk: object, *, keeps_signals: bool) -> Server:
    import uvicorn

    from dashboards.web.app import create_app

    class Quiet(uvicorn.Server):
        """A part of a program that minds its signals itself."""

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            yield

    settings = uvicorn.Config(
        create_app(desk),  # type: ignore[arg-type]
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        limit_concurrency=AT_ONCE,
        timeout_keep_alive=5,
        timeout_graceful_shutdown=3,
    )
    return uvicorn.Server(settings) if keeps_signals else Quiet(settings)
