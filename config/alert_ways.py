"""Where a message goes, written as «kind:address»: what each kind of address looks like."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator

from config.problems import shorten, unknown
from config.values import SLUG, Text, refusal

_MAIL = r"[A-Za-z0-9._%+-]{1,64}@(?=.{1,255}$)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
KINDS: Mapping[str, tuple[str, str]] = {
    "email": (_MAIL, "email:tuyen-giao@doan-mau.example"),
    "zalo": (r"[A-Za-z0-9]{1,64}", "zalo:mã do «nhip alert pair» in ra"),
    "file": (SLUG, "file:thu-nghiem"),
    "apprise": (SLUG, "apprise:nhom-chung"),
}
"""Kind -> the whole address as a pattern, and an example."""


def kind_of(way: str) -> str:
    """«email» of «email:a@b.example»."""
    return way.partition(":")[0]


def _way(text: str) -> str:
    kind, _, address = text.partition(":")
    if kind not in KINDS:
        wrong, right = unknown(kind, list(KINDS), "cách gửi")
        raise refusal(wrong, f"{right}, rồi dấu hai chấm và địa chỉ")
    pattern, example = KINDS[kind]
    if not re.fullmatch(pattern, address):
        raise refusal(f"«{shorten(text)}» không phải là một địa chỉ {kind}", f"viết như «{example}»")
    return text


def _address(text: str) -> str:
    if not re.fullmatch(_MAIL, text):
        raise refusal(f"«{shorten(text)}» không phải là một địa chỉ thư", "viết như tuyen-giao@doan-mau.example")
    return text


Way = Annotated[Text, AfterValidator(_way)]
Address = Annotated[Text, AfterValidator(_address)]
"""One plain mail address."""
