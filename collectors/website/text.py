"""Clean text at the edge: bytes to str, one Unicode form, no control characters, no e-mail addresses."""

from __future__ import annotations

import codecs
import html
import re
import unicodedata
from urllib.parse import urljoin, urlsplit, urlunsplit

from config.folding import fold

TITLE_CAP = 1000
EXCERPT_CAP = 500
URL_CAP = 2000
EXCERPT_INPUT_CAP = 20_000

TEXT_ENCODINGS = re.compile(r"(?:utf-(?:8|16|16-le|16-be)|ascii|cp125\d|iso8859-\d{1,2})$")
DOUBTFUL_ENCODINGS = re.compile(r"(?:ascii|cp125\d|iso8859-\d{1,2})$")
CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
DECLARED = re.compile(rb"(?:charset|encoding)\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)

# C0 and C1 controls that are no white space, bidirectional marks, zero-width fillers, lone surrogates.
UNWANTED = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u061c\u200b\u200e\u200f"
    "\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufffe\uffff]+"
)
TAG = re.compile(r"</?[a-zA-Z!][^<>]{0,2000}>")
UNSEEN_START = re.compile(r"<(script|style|head)\b", re.IGNORECASE)
UNSEEN_ENDS = {name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in ("script", "style", "head")}
HASHTAG = re.compile(r"[#＃][\w]{2,100}")
EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
READY_URL = re.compile(r"https?://[a-z0-9.-]+(?::(?!80/|443/)(?:[1-9]\d{1,3}|[1-5]\d{4}))?/[!-\"$->@-~]*\Z")
TRACKING = re.compile(r"(?:utm_\w*|fbclid)(?:=|$)", re.IGNORECASE)


def decode(body: bytes, content_type: str = "") -> str:
    """The text of a page or feed, however it is labelled; never fails.

    The HTTP charset is believed unless it is one of the Western defaults that servers send unasked; then
    valid UTF-8 is UTF-8, then the document's own label, then Vietnamese Windows-1258 (facts: encoding).
    """
    if marked := _by_byte_order_mark(body):
        return body.decode(marked, "replace").removeprefix("\ufeff")
    label = CHARSET.search(content_type)
    stated = _known_encoding(label[1]) if label else None
    declared = DECLARED.search(body[:2048])
    inner = _known_encoding(declared[1].decode("ascii", "replace")) if declared else None
    trusted = None if stated is None or DOUBTFUL_ENCODINGS.match(stated) else stated
    for encoding in (trusted, "utf-8", inner, stated):
        if encoding and (text := _decoded(body, encoding)) is not None:
            return text
    return body.decode("cp1258", "replace")


def _by_byte_order_mark(body: bytes) -> str | None:
    if body.startswith(codecs.BOM_UTF8):
        return "utf-8"
    if body.startswith((codecs.BOM_UTF16_LE, b"<\x00")):
        return "utf-16-le"
    return "utf-16-be" if body.startswith((codecs.BOM_UTF16_BE, b"\x00<")) else None


def _known_encoding(label: str) -> str | None:
    try:
        name = codecs.lookup(label).name
    except LookupError:
        return None
    return name if TEXT_ENCODINGS.match(name) else None


def _decoded(body: bytes, encoding: str) -> str | None:
    try:
        return body.decode(encoding)
    except UnicodeDecodeError:
        return None


def clean(text: str, cap: int = TITLE_CAP) -> str:
    """One line of NFC text of at most *cap* characters, without control or direction-changing characters."""
    text = " ".join(text[: cap * 8].split())
    if not text.isprintable():
        text = " ".join(UNWANTED.sub("", text).split())
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    return text[:cap].rstrip()


def plain(markup: str, cap: int = TITLE_CAP) -> str:
    """The words of a title or a label that may hold tags, escapes and e-mail addresses, cleaned."""
    if "<" in markup:
        markup = TAG.sub("", markup[: cap * 16])
    if "&" in markup:
        markup = html.unescape(markup[: cap * 16])
    if "<" in markup:
        markup = TAG.sub("", markup)
    if "@" in markup:
        markup = EMAIL.sub("", markup)
    return clean(markup, cap)


def excerpt(markup: str) -> str:
    """The first words of a body as plain text, at most 500 characters; hashtags further down are kept."""
    markup = markup[:EXCERPT_INPUT_CAP]
    if "<" in markup:
        markup = TAG.sub(" ", _shown(markup))
    if "&" in markup:
        markup = html.unescape(markup)
        markup = TAG.sub(" ", markup) if "<" in markup else markup
    if "@" in markup:
        markup = EMAIL.sub("", markup)
    text = clean(markup, EXCERPT_INPUT_CAP)
    return text if len(text) <= EXCERPT_CAP else _shortened(text)


def _shown(markup: str) -> str:
    """Without scripts and styles; one that never ends hides the rest."""
    shown, at = [], 0
    while start := UNSEEN_START.search(markup, at):
        shown.append(markup[at : start.start()])
        end = UNSEEN_ENDS[start[1].lower()].search(markup, start.end())
        at = end.end() if end else len(markup)
    return " ".join((*shown, markup[at:])) if shown else markup


def _shortened(text: str) -> str:
    tags = " ".join(dict.fromkeys(HASHTAG.findall(text, EXCERPT_CAP // 2)))[: EXCERPT_CAP // 2]
    start = text[: EXCERPT_CAP - len(tags) - 1].rstrip()
    return f"{start} {tags}".strip()


def slug(text: str) -> str:
    """A name the way content systems write it in an address: «Tin tốt» is `tin-tot`."""
    return fold(text).replace(" ", "-")


def normal_url(url: str, base: str = "") -> str:
    """One spelling of an http(s) address: lower-case host, no fragment, utm_* or fbclid; "" if it is none.

    Other query parameters stay: old sites keep the article number there.
    """
    if READY_URL.match(url) and len(url) <= URL_CAP:
        return url
    url = UNWANTED.sub("", url).strip()
    if not url or len(url) > URL_CAP:
        return ""
    try:
        parts = urlsplit(urljoin(base, url) if base else url)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if port and port != (443 if parts.scheme == "https" else 80):
        host = f"{host}:{port}"
    query = "&".join(pair for pair in parts.query.split("&") if not TRACKING.match(pair))
    whole = urlunsplit((parts.scheme, host, parts.path or "/", query, ""))
    return clean(whole, URL_CAP).replace(" ", "%20")


def identity(url: str) -> str:
    """What tells posts apart: the normal address without scheme and www: a move to https or www doubles nothing."""
    return url.partition("://")[2].removeprefix("www.")
