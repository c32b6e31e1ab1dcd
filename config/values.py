"""The shapes that all configuration files share."""

from __future__ import annotations

from datetime import time
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints
from pydantic_core import PydanticCustomError

from config.problems import shorten

SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"
Slug = Annotated[str, StringConstraints(pattern=SLUG, max_length=64)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


def refusal(wrong: str, right: str) -> PydanticCustomError:
    return PydanticCustomError("rule", "{wrong}: {right}", {"wrong": wrong, "right": right})


def _local_minute(moment: time) -> time:
    if moment.tzinfo or moment.second or moment.microsecond:
        raise refusal(f"«{moment.isoformat()}» không phải là giờ và phút", "viết giờ địa phương, ví dụ 06:30:00")
    return moment


LocalMinute = Annotated[time, AfterValidator(_local_minute)]
"""A local time of day, to the minute."""


def check_url(address: str) -> None:
    try:
        parts = urlsplit(address)
        fits = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if not fits or any(sign.isspace() or not sign.isprintable() for sign in address):
        raise refusal(f"«{shorten(address)}» không phải là địa chỉ trang web", "viết như https://doan-mau.example/")
    if parts.username is not None or parts.password is not None:
        raise refusal("địa chỉ có tên đăng nhập hoặc mật khẩu", "bỏ phần trước dấu @ trong địa chỉ")


def _base(address: str) -> str:
    check_url(address)
    if urlsplit(address).query or urlsplit(address).fragment:
        raise refusal(f"«{shorten(address)}» có phần sau dấu ? hoặc #", "chỉ ghi phần đầu của địa chỉ")
    return address.rstrip("/")


Url = Annotated[Text, AfterValidator(_base)]
"""An address without a slash at its end, to put paths behind."""
