"""JSON lines on stderr: one line per thing that happened, the same keys every time.

The standard library's logging: the facts of an event travel in `extra`.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime

import orjson

from pipeline.redact import redact

NOISY = ("httpx", "httpcore", "aiohttp", "asyncio", "apscheduler", "sqlalchemy", "alembic", "stamina", "tzlocal")
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonLines(logging.Formatter):
    """One event as one line of JSON; line breaks are escaped, what looks like a secret is taken out."""

    def format(self, record: logging.LogRecord) -> str:
        event = {
            "at": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **{key: value for key, value in vars(record).items() if key not in STANDARD},
        }
        if record.exc_info:
            event["traceback"] = "".join(traceback.format_exception(*record.exc_info))
        shown = {key: redact(value) if isinstance(value, str) else value for key, value in event.items()}
        return _as_json(shown)


def _as_json(event: dict[str, object]) -> str:
    """Whatever a fact is, its line is not lost: the slow way knows huge numbers and half characters too."""
    try:
        return orjson.dumps(event, default=_as_text).decode()
    except orjson.JSONEncodeError:
        return json.dumps(event, default=_as_text)


def _as_text(value: object) -> str:
    return redact(str(value))


def set_up_log(level: int = logging.ERROR) -> None:
    """Send events of this level and above as JSON lines to stderr; libraries speak from a warning on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in NOISY:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
