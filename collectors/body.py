"""A response body under two caps: what travels, and what it becomes when unpacked."""

from __future__ import annotations

import zlib

from collectors.base import CollectError
from store.records import FailureKind

RAW_LIMIT = 5 * 2**20
DECODED_LIMIT = 15 * 2**20
PIECE = 64 * 1024
STEEPEST = 200
"""Times its packed size that a body over 1 MiB may grow: deflate can do 1,032, real pages stay under 60."""
ENCODINGS = frozenset({"", "identity", "gzip", "x-gzip", "deflate"})

_GZIP = 16 + zlib.MAX_WBITS
_ZLIB = zlib.MAX_WBITS
_RAW_DEFLATE = -zlib.MAX_WBITS


class BadBodyError(Exception):
    """These bytes are refused; `what` is the Vietnamese reason, `detail` the English one for the log."""

    def __init__(self, what: str, detail: str) -> None:
        super().__init__(detail)
        self.what, self.detail = what, detail


class TruncatedError(Exception):
    """The body ended before its compressed stream did."""


class Body:
    """Collects one body piece by piece; never holds more than `limit` unpacked bytes and one piece.

    `feed` raises BadBodyError as soon as a cap is passed or the bytes are not what `encoding` says;
    `finish` raises TruncatedError when a compressed body has no end (facts: a cut gzip looks like a 200).
    """

    def __init__(self, encoding: str, limit: int = DECODED_LIMIT, raw_limit: int = RAW_LIMIT) -> None:
        self._encoding = encoding.strip().lower()
        if self._encoding not in ENCODINGS:
            raise BadBodyError("cách nén này hệ thống không nhận", "content encoding not accepted")
        self._limit, self._raw_limit = limit, raw_limit
        self._raw = self._size = 0
        self._head = b""
        self._pieces: list[bytes] = []
        self._stream: zlib._Decompress | None = None

    def feed(self, chunk: bytes) -> None:
        self._raw += len(chunk)
        if self._raw > self._raw_limit:
            raise too_large(self._raw_limit)
        if self._encoding in {"", "identity"}:
            self._keep(chunk)
        else:
            self._unpack(chunk)

    def finish(self) -> bytes:
        if self._head or (self._stream is not None and not self._stream.eof):
            raise TruncatedError
        return self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._limit:
            raise too_large(self._limit)
        self._pieces.append(piece)

    def _unpack(self, data: bytes) -> None:
        try:
            more = bool(data)
            while more:
                data, more = self._step(data)
        except zlib.error:
            raise BadBodyError("dữ liệu nén bị hỏng", "compressed body is damaged") from None

    def _step(self, data: bytes) -> tuple[bytes, bool]:
        """Unpack at most one piece; what is left of *data*, and whether there is more to get."""
        if self._stream is not None and self._stream.eof:
            return self._next_member(data.lstrip(b"\0"))
        if self._stream is None:
            data = self._open(self._head + data)
        if self._stream is None:
            return b"", False
        piece = self._stream.decompress(data, PIECE)
        self._keep(piece)
        if self._size > max(2**20, STEEPEST * self._raw):
            raise BadBodyError("dữ liệu nén phình to bất thường", "decompression bomb")
        left = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
        return left, bool(left) or len(piece) == PIECE

    def _next_member(self, data: bytes) -> tuple[bytes, bool]:
        """A gzip body may be several members; zero padding ends it, anything else is not ours to guess."""
        if data and self._encoding == "deflate":
            raise zlib.error
        if data:
            self._stream = None
        return data, bool(data)

    def _open(self, data: bytes) -> bytes:
        """Start a stream. Deflate should be zlib (RFC 9110) but some send it raw: two bytes tell."""
        if self._encoding != "deflate":
            self._stream = zlib.decompressobj(_GZIP)
            return data
        self._head = data if len(data) < 2 else b""
        if not self._head:
            has_zlib_header = data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
            self._stream = zlib.decompressobj(_ZLIB if has_zlib_header else _RAW_DEFLATE)
        return data


def gunzip(data: bytes, limit: int = DECODED_LIMIT) -> bytes:
    """The content of a gzip file (a `.xml.gz` sitemap), at most *limit* bytes; else CollectError(DRIFT)."""
    body = Body("gzip", limit, raw_limit=len(data))
    try:
        for start in range(0, len(data), PIECE):
            body.feed(data[start : start + PIECE])
        return body.finish()
    except TruncatedError:
        raise _bad_file("bị cắt ngang", "gzip file without its end") from None
    except BadBodyError as bad:
        raise _bad_file(bad.what, bad.detail) from None


def too_large(limit: int) -> BadBodyError:
    return BadBodyError(f"dữ liệu quá lớn (hơn {limit / 2**20:g} MB)", f"body larger than {limit} bytes")


def _bad_file(what: str, detail: str) -> CollectError:
    sentence = f"Tệp nén của trang không đọc được: {what}. Đề nghị báo người quản trị trang."
    return CollectError(FailureKind.DRIFT, detail, sentence=sentence)
