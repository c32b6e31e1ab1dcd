"""Letters by e-mail: the standard library's SMTP client in a thread, one recipient to a letter.

A mail server speaks no HTTP, so this socket is not the client's (`collectors.client`): it goes only to the host
of alerts.toml, which may well stand in our own network.
"""

from __future__ import annotations

import asyncio
import ssl
from datetime import datetime

from alerts.base import Letter, UnreadyError
from alerts.transports.mail import message_of
from alerts.transports.means import Means
from alerts.transports.smtp import CERTIFICATES, Errand, cut_off
from config.alert_models import Smtp

PASSWORD = "NHIP_SMTP_PASSWORD"  # noqa: S105 - the name of a variable
NO_SERVER = "Chưa khai báo máy chủ thư. Đề nghị khai báo bảng [smtp] trong alerts.toml."


class EmailTransport:
    """`address` is one plain mail address. All of a letter takes at most `deadline_seconds`."""

    def __init__(self, means: Means, deadline_seconds: float = 60.0) -> None:
        self._means, self._deadline = means, deadline_seconds

    async def send(self, letter: Letter, address: str, now: datetime) -> None:
        smtp = self._means.config.alerts.smtp
        if smtp is None:
            raise UnreadyError(NO_SERVER)
        office = self._means.config.district.organisation.name
        raw = message_of(letter, sender=smtp.sender, office=office, address=address, now=now)
        password = self._means.secret(PASSWORD) if smtp.user else None
        errand = Errand(smtp, password, self._context(smtp), address, raw, self._deadline)
        try:
            failure = await asyncio.wait_for(asyncio.to_thread(errand.run), self._deadline)
        except TimeoutError:
            errand.hang_up()  # first, so that nothing is handed over after it was asked
            failure = cut_off(errand)
        finally:
            errand.hang_up()
        if failure:
            raise failure

    def _context(self, smtp: Smtp) -> ssl.SSLContext:
        """The usual authorities, and the server's own when alerts.toml names a file."""
        context = ssl.create_default_context()
        if smtp.ca_bundle:
            try:
                context.load_verify_locations(self._means.config.folder / smtp.ca_bundle)
            except OSError:  # ssl.SSLError is one too
                raise UnreadyError(CERTIFICATES.format(file=smtp.ca_bundle)) from None
        return context
