"""Letters through apprise (an optional extra), which knows some 170 services by one address each.

The address of a service holds its secrets, so it comes from the environment: NHIP_APPRISE_NHOM_CHUNG, or the file
NHIP_APPRISE_NHOM_CHUNG_FILE, for «apprise:nhom-chung». apprise opens sockets of its own; the administrator chose
where to.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from typing import TYPE_CHECKING

from alerts.base import Letter, PassingError
from alerts.letters import shorten_for
from alerts.transports.means import Means
from alerts.transports.plain import one_line, plain
from config.secrets import Secret

if TYPE_CHECKING:
    from apprise import Apprise

log = logging.getLogger(__name__)

CHATTY = ("apprise", "urllib3", "requests")
"""They log addresses, which here are secrets."""
MISSING = "Chưa cài apprise. Đề nghị chạy «pip install 'nhip-doan[apprise]'», hoặc bỏ cách gửi apprise."
UNKNOWN = "apprise không hiểu địa chỉ trong {name}. Đề nghị kiểm tra lại theo tài liệu của apprise."
FAILED = "apprise chưa gửi được tin theo {name}. Hệ thống tự thử lại; đề nghị kiểm tra địa chỉ nếu lỗi lặp lại."
SLOW = "apprise không gửi xong tin theo {name} trong {seconds:g} giây. Hệ thống tự thử lại."
FORCED_END = 5.0
"""Seconds after its own time limit at which apprise is left alone."""


class AppriseTransport:
    """`address` names a variable. apprise answers for all services behind it at once, so a failure is doubtful."""

    def __init__(self, means: Means, deadline_seconds: float = 60.0) -> None:
        self._means, self._deadline = means, deadline_seconds

    async def send(self, letter: Letter, address: str, now: datetime) -> None:
        name = f"NHIP_APPRISE_{address.upper().replace('-', '_')}"
        secret = self._means.secret(name)
        handing_over = asyncio.to_thread(_hand_over, letter, secret, name, self._deadline)
        try:
            failure = await asyncio.wait_for(handing_over, self._deadline + FORCED_END)
        except TimeoutError:
            failure = PassingError(SLOW.format(name=name, seconds=self._deadline), doubtful=True)
        if failure:
            raise failure


def _hand_over(letter: Letter, secret: Secret, name: str, seconds: float) -> PassingError | None:
    """Why it did not work; what apprise raises may show the address, so it goes no further."""
    try:
        import apprise
    except ImportError:
        return PassingError(MISSING)
    for logger in CHATTY:
        logging.getLogger(logger).setLevel(logging.CRITICAL + 1)
    try:
        services = apprise.Apprise(asset=apprise.AppriseAsset(storage_mode="memory"))
        if not services.add(secret.reveal()):
            return PassingError(UNKNOWN.format(name=name))
        title, body = _message(letter, services)
        done = bool(services.notify(body, title, body_format="text", timeout=seconds))
    except Exception as error:  # noqa: BLE001 - see above
        log.warning("apprise failed", extra={"name_of_way": name, "kind": type(error).__name__})
        done = False
    return None if done else PassingError(FAILED.format(name=name), doubtful=True)


def _message(letter: Letter, services: Apprise) -> tuple[str, str]:
    """Cut to what the tightest service takes; where it has no titles, the title stands in the text."""
    title = one_line(letter.subject)
    room = min(service.body_maxlen - (0 if service.title_maxlen else len(title) + 2) for service in services)
    return title, shorten_for(plain(letter.text), room)
