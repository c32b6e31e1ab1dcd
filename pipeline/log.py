"""JSON lines on stderr: one line per thing that happened, the same keys every time."""

from __future__ import annotations

import logging
import sys
from typing import Any

import orjson
import structlog

from pipeline.redact import redact

NOISY = ("httpx", "httpcore", "aiohttp", "asyncio", "apscheduler", "sqlalchemy", "alembic", "tzlocal")


def set_up_log(*, debug: bool = False) -> None:
    """Send our events as JSON lines to stderr; below a warning only when `debug`."""
    level = logging.DEBUG if debug else logging.WARNING
    for name in NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redact_values,
            structlog.processors.JSONRenderer(serializer=_to_json),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def _redact_values(_logger: object, _name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {key: redact(value) if isinstance(value, str) else value for key, value in event.items()}


def _to_json(event: Any, **_options: object) -> str:
    return orjson.dumps(event, default=str).decode()
