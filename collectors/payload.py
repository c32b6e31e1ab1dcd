"""JSON from outside into declared shapes: what a shape does not declare does not exist for us."""

from __future__ import annotations

import re
from typing import Annotated, TypeVar

import msgspec

from collectors.base import CollectError
from store.records import FailureKind

T = TypeVar("T")

Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
"""A count as a platform sends it: a JSON integer, never negative, never a bool or a string."""

DEEPEST = 64
_BOM = b"\xef\xbb\xbf"
_NOT_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_AS_SQUARE = bytes.maketrans(b"{}", b"[]")
_TOKENS = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]', re.DOTALL)
_ESCAPES = re.compile(
    rb"(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})|(\\.)",
    re.DOTALL,
)
_DOOR = re.compile(rb"captcha|cf-chl|challenge-platform|type=[\"']?password|wp-login|just a moment", re.IGNORECASE)


def decode_json(body: bytes, shape: type[T]) -> T:
    """*body* as *shape* (a msgspec Struct, or a list or dict of them).

    CollectError(DRIFT) when it is anything else: empty, HTML, null, cut off, NaN, numbers out of range, wrong
    types, deeper than 64 levels; CollectError(BLOCKED) when it is a login or challenge page. Half an emoji
    (a lone surrogate) becomes U+FFFD, because no database can store it.
    """
    data = body.removeprefix(_BOM).strip()
    if not data:
        raise _drift("máy chủ trả lời trống", "empty body where JSON was expected")
    if data.startswith(b"<"):
        raise _markup(data)
    if _is_too_deep(data):
        raise _drift("dữ liệu JSON lồng nhau quá sâu", f"JSON deeper than {DEEPEST} levels")
    try:
        return _decode(data, shape)
    except msgspec.ValidationError as error:
        raise _drift("dữ liệu JSON không đúng kiểu đã biết", str(error)) from None
    except ValueError as error:
        raise _drift("dữ liệu JSON bị hỏng", str(error)) from None


def _decode(data: bytes, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(data, type=shape)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        mended = _ESCAPES.sub(_whole, data)
        if mended == data:
            raise
        return msgspec.json.decode(mended, type=shape)


def _whole(escape: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if escape.group(2) else escape.group(0)


def _is_too_deep(data: bytes) -> bool:
    """Peel off innermost brackets, level by level; brackets inside strings make it count exactly."""
    brackets = data.translate(_AS_SQUARE, _NOT_BRACKETS)
    for _ in range(DEEPEST):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets) and _depth(data) > DEEPEST


def _depth(data: bytes) -> int:
    depth = deepest = 0
    for token in _TOKENS.finditer(data):
        mark = token.group()[:1]
        depth += (mark in b"[{") - (mark in b"]}")
        deepest = max(deepest, depth)
    return deepest


def _markup(data: bytes) -> CollectError:
    if _DOOR.search(data):
        sentence = (
            "Trang bắt đăng nhập hoặc giải câu đố chống robot thay vì trả dữ liệu. "
            "Đề nghị người quản trị trang cho phép hệ thống đọc."
        )
        return CollectError(FailureKind.BLOCKED, "login or challenge page instead of JSON", sentence=sentence)
    return _drift("máy chủ trả về trang HTML thay vì JSON", "markup where JSON was expected")


def _drift(what: str, detail: str) -> CollectError:
    sentence = f"Không đọc được trả lời của trang: {what}. Đề nghị chạy «nhip probe» để tìm lại cách đọc."
    return CollectError(FailureKind.DRIFT, detail, sentence=sentence)
