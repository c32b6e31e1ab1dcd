"""Takes what looks like a secret out of a text before it reaches a log or a screen."""

from __future__ import annotations

import re

_PAIR = re.compile(
    r"(?i)\b((?:[a-z_-]{0,40})(?:token|secret|passw(?:or)?d|api[_-]?key|appsecret_proof|signature|sig|code|code_verifier|key))"
    r"([\"']?\s*[=:]\s*[\"']?|%3D)(?:Bearer\s+)?([^\s&\"'<>,;]+)"
)
_USERINFO = re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,30}://)[^\s/?#]+@")
_HEADER = re.compile(r"(?i)\b((?:set-)?cookie|(?:proxy-)?authorization)([\"']?\s*[:=]\s*[\"']?)[^\r\n\"']+")
_BEARER = re.compile(r"(?i)\bbearer\s+[A-Za-z0-9._~+/=-]+")
_BOT = re.compile(r"(?i)(/bot)[0-9]{1,30}(?::|%3A)[^\s/?#\"'<>]+")
"""The one platform that wants its token in the path."""


def redact(text: str) -> str:
    """The text without secret-looking values, credentials in headers, user:password@ and bot tokens in addresses."""
    text = _USERINFO.sub(r"\1***@", text)
    text = _HEADER.sub(r"\1\2***", text)
    text = _BEARER.sub("Bearer ***", text)
    text = _BOT.sub(r"\1***", text)
    return _PAIR.sub(r"\1\2***", text)
