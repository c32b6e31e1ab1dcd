"""The door of the alerts to the Zalo bot: the one client that goes out.

The platform wants the bot's token in the path of the address (facts: Zalo 3.5), against rule 9. The address is made
here and given to the client, whose errors name the address and therefore end here: what goes on names the host.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

import orjson

from alerts.base import PassingError
from alerts.transports.bot import Ask, Reply
from collectors.base import CollectError, GateError
from collectors.client import Client
from config.secrets import Secret

log = logging.getLogger(__name__)

NO_REPLY = "Không gọi được máy chủ Zalo Bot {host}. Đề nghị kiểm tra mạng; hệ thống tự thử lại."
CLOSED = "Không được phép gọi máy chủ Zalo Bot {host}. Đề nghị kiểm tra base trong bảng [zalo_bot] của alerts.toml."
ANY_STATUS = range(200, 600)
_NEVER_LEFT = re.compile(r"gaierror|ConnectionRefusedError|TLS |.* rests after ")
"""How `CollectError.detail` begins when no request was sent."""


def bot_door(client: Client) -> Ask:
    """What `Bot` asks through, as long as *client* is open."""

    async def ask(base: str, token: Secret, method: str, fields: Mapping[str, str]) -> Reply:
        address = f"{base.rstrip('/')}/bot{token.reveal()}/{method}"
        headers = {"content-type": "application/json"}
        try:
            answer = await client.post(address, orjson.dumps(fields), headers=headers, expect=ANY_STATUS, tries=1)
        except CollectError as error:
            failure = _failure(error, base, method)
        else:
            return Reply(answer.status, answer.body)
        raise failure  # outside the handler: what was caught names the address

    return ask


def _failure(error: CollectError, base: str, method: str) -> PassingError:
    host = urlsplit(base).hostname
    log.warning("bot platform did not answer", extra={"host": host, "method": method, "kind": error.kind.value})
    if isinstance(error, GateError):
        return PassingError(CLOSED.format(host=host))
    return PassingError(NO_REPLY.format(host=host), doubtful=not _NEVER_LEFT.match(error.detail))
