"""Ways to deliver a letter. A new one is one module and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from alerts.base import Transport
from alerts.transports.apprise import AppriseTransport
from alerts.transports.email import EmailTransport
from alerts.transports.file import FileTransport
from alerts.transports.means import Means
from alerts.transports.zalo import ZaloTransport

__all__ = ["TRANSPORTS", "Means", "open_transports"]

TRANSPORTS: Mapping[str, Callable[[Means], Transport]] = {
    "apprise": AppriseTransport,
    "email": EmailTransport,
    "file": FileTransport,
    "zalo": ZaloTransport,
}
"""By the kind of a way: «zalo» of «zalo:123»."""


def open_transports(means: Means) -> dict[str, Transport]:
    """All of them; what one lacks (a password, a server) is said when it is to send."""
    return {kind: build(means) for kind, build in TRANSPORTS.items()}
