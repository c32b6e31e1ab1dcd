"""Secrets come from the environment, or from a file only we can read, and show themselves to nobody."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn


class SecretError(Exception):
    """A secret that cannot be used. The text is a Vietnamese sentence and never holds the secret."""


class Secret:
    """A value that every way of printing or saving shows as ***; only `reveal` gives it."""

    __slots__ = ("__value",)

    def __init__(self, value: str) -> None:
        self.__value = value

    def reveal(self) -> str:
        return self.__value

    def __repr__(self) -> str:
        return "***"

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a secret is never pickled or copied")


def read_secret(name: str, environ: Mapping[str, str]) -> Secret | None:
    """The secret in the variable NAME, or in the file that NAME_FILE names; None when neither is set.

    The file must be a regular file, owned by us or root, closed to everybody else (mode 0600 or stricter);
    SecretError otherwise. One line break at the end of the file does not count.
    """
    if value := environ.get(name):
        return Secret(value)
    if place := environ.get(f"{name}_FILE"):
        return Secret(_read(Path(place), f"{name}_FILE"))
    return None


def _read(path: Path, variable: str) -> str:
    try:
        with path.open("rb") as file:
            _refuse_open_to_others(os.fstat(file.fileno()), path, variable)
            text = file.read(65_537).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise SecretError(
            f"Không đọc được tệp bí mật {path} (biến {variable}). Đề nghị kiểm tra đường dẫn và quyền đọc."
        ) from error
    value = text.removesuffix("\n").removesuffix("\r")
    if not value or len(text) > 65_536:
        raise SecretError(f"Tệp bí mật {path} (biến {variable}) trống hoặc quá lớn. Đề nghị ghi lại tệp.")
    return value


def _refuse_open_to_others(status: os.stat_result, path: Path, variable: str) -> None:
    """Judged on the open file itself, so that nothing can be exchanged in between."""
    if not stat.S_ISREG(status.st_mode):
        raise SecretError(f"{path} (biến {variable}) không phải là tệp thường. Đề nghị chỉ đến một tệp.")
    if os.name == "nt":
        return
    if status.st_uid not in {os.geteuid(), 0}:
        raise SecretError(f"Tệp bí mật {path} (biến {variable}) thuộc người dùng khác. Đề nghị đổi chủ tệp.")
    if status.st_mode & 0o177:
        raise SecretError(
            f"Người khác có thể đọc tệp bí mật {path} (biến {variable}). Đề nghị chạy «chmod 600 {path}»."
        )
