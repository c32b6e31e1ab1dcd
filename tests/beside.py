"""Servers made for an event loop, beside a test that has none: they live in a loop of their own in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from typing import TypeVar

T = TypeVar("T")
U = TypeVar("U")


@contextmanager
def beside(server: AbstractAsyncContextManager[T]) -> Iterator[T]:
    """What *server* gives when it is entered; it serves until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="beside")
    thread.start()

    try:
        entered = asyncio.run_coroutine_threadsafe(_call(server.__aenter__), loop).result(10)
        try:
            yield entered
        finally:
            asyncio.run_coroutine_threadsafe(_call(server.__aexit__, None, None, None), loop).result(10)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


async def _call(verb: Callable[..., Awaitable[U]], *given: object) -> U:
    return await verb(*given)
