"""Steps that must not be left half-way."""

from __future__ import annotations

import asyncio
from typing import TypeVar

T = TypeVar("T")


async def finish(step: asyncio.Future[T]) -> T:
    """What *step* brings; waits for its end even while this task is being cancelled."""
    try:
        return await asyncio.shield(step)
    except asyncio.CancelledError:
        await asyncio.wait({step})
        raise
