"""Steps that must not be left half-way."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


async def finish(step: asyncio.Future[T]) -> T:
    """What *step* brings; waits for its end however often this task is cancelled meanwhile."""
    try:
        return await asyncio.shield(step)
    except asyncio.CancelledError:
        while not step.done():
            with suppress(asyncio.CancelledError):
                await asyncio.wait({step})
        raise
