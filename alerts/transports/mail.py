"""A letter as an e-mail: plain text with the same as HTML beside it, and headers that say a program wrote it.

The older classes of the standard library: its newer `EmailMessage` loses blanks of long Vietnamese headers where it
folds them (Python 3.11).
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from email.header import Header
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime
from typing import Any

from alerts.base import Letter
from alerts.transports.plain import one_line, plain

_ON_THE_WIRE = compat32.clone(linesep="\r\n")


def message_of(letter: Letter, *, sender: str, office: str, address: str, now: datetime) -> bytes:
    """The message, all ASCII. Its id follows from the key and the address, so that a second copy is known as one."""
    domain = sender.rpartition("@")[2]
    message: Message[Any, Any] = MIMEMultipart("alternative")
    message["Subject"] = Header(one_line(letter.subject), "utf-8")
    message["From"] = _named(one_line(office), sender)
    message["To"] = address
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{_mark(letter.key, address)}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message["List-Id"] = f"<nhip-doan.{domain}>"
    message.attach(MIMEText(plain(letter.text), "plain", "utf-8"))
    if letter.html:
        message.attach(MIMEText(plain(letter.html), "html", "utf-8"))
    return message.as_bytes(policy=_ON_THE_WIRE)


def _named(name: str, address: str) -> Header:
    header = Header(name, "utf-8")
    header.append(f"<{address}>", "us-ascii")
    return header


def _mark(key: str, address: str) -> str:
    return hashlib.sha256(f"email {address} {key}".encode("utf-8", "surrogatepass")).hexdigest()[:32]
