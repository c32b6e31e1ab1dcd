"""Seals tokens before they reach the database. The keys lie outside it: in the environment or in a file of ours.

`NHIP_KEY` (or the file that `NHIP_KEY_FILE` names) holds one key or several, separated by commas or lines: the
first seals, all open. When neither is set, `nhip.key` in the configuration folder is used.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from config.secrets import Secret, SecretError, read_secret

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

KEY, KEY_FILE = "NHIP_KEY", "nhip.key"
NO_KEY = (
    "Chưa có khóa để mở các mã truy cập đã lưu ({path}). Đề nghị đặt lại tệp khóa cũ hoặc biến NHIP_KEY; "
    "nếu khóa đã mất thì không lấy lại được, phải chạy «nhip connect» lại cho từng kết nối."
)
BAD_KEY = "Khóa trong NHIP_KEY (hoặc trong {path}) không đúng dạng. Đề nghị chép lại nguyên vẹn tệp khóa đã tạo."
WRONG_KEY = (
    "Không mở được mã truy cập «{name}»: khóa hiện tại không phải là khóa đã dùng khi lưu. "
    "Đề nghị đặt lại khóa cũ (NHIP_KEY hoặc {path}), hoặc chạy «nhip connect» lại "
    "(khóa API của YouTube: «nhip connect youtube --key»)."
)
NO_PLACE = "Không ghi được tệp khóa {path}. Đề nghị kiểm tra quyền ghi của thư mục cấu hình."


class Vault:
    """Seals and opens small sets of secrets. Every fault is a SecretError with a Vietnamese sentence.

    Nothing is read before it is needed: a district of websites needs no key.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str] = os.environ) -> None:
        self.path = folder / KEY_FILE
        self._environ = environ

    @property
    def has_key(self) -> bool:
        return bool(self._environ.get(KEY) or self._environ.get(f"{KEY}_FILE")) or self.path.exists()

    def create_key(self) -> bool:
        """Makes `nhip.key`, readable by us only, unless there is a key already; whether it was made."""
        if self.has_key:
            return False
        from cryptography.fernet import Fernet

        draft = self.path.with_name(f".{KEY_FILE}.{secrets.token_hex(4)}")
        try:
            _write_closed(draft, Fernet.generate_key() + b"\n")
            try:
                os.link(draft, self.path)
            except FileExistsError:  # somebody was quicker
                return False
            finally:
                draft.unlink()
        except OSError as error:
            raise SecretError(NO_PLACE.format(path=self.path)) from error
        return True

    @property
    def key_id(self) -> str:
        """A short fingerprint of the key that seals."""
        return _fingerprint(self._keys[0])

    def fits(self, key_id: str) -> bool:
        """Whether one of our keys is the one with this fingerprint; False also when no key can be read."""
        try:
            return key_id in map(_fingerprint, self._keys)
        except SecretError:
            return False

    def seal(self, name: str, parts: Mapping[str, str]) -> str:
        """*parts* as a ciphertext that only opens under the same name."""
        return self._fernet.encrypt(orjson.dumps({"name": name, "parts": parts})).decode()

    def open(self, name: str, ciphertext: str) -> dict[str, Secret]:
        """What was sealed under *name*."""
        from cryptography.fernet import InvalidToken

        try:
            sealed = orjson.loads(self._fernet.decrypt(ciphertext))
        except InvalidToken:
            sealed = {}
        if sealed.get("name") != name:
            raise SecretError(WRONG_KEY.format(name=name, path=self.path)) from None
        return {part: Secret(value) for part, value in sealed["parts"].items()}

    def reseal(self, name: str, ciphertext: str) -> str:
        """The same secrets under the first key."""
        return self.seal(name, {part: value.reveal() for part, value in self.open(name, ciphertext).items()})

    @cached_property
    def _keys(self) -> list[Secret]:
        found = read_secret(KEY, self._environ)
        if found is None and self.path.exists():
            found = read_secret(KEY, {f"{KEY}_FILE": str(self.path)})
        keys = [Secret(part) for part in re.split(r"[\s,]+", found.reveal()) if part] if found else []
        if not keys:
            raise SecretError(NO_KEY.format(path=self.path))
        return keys

    @cached_property
    def _fernet(self) -> MultiFernet:
        from cryptography.fernet import Fernet, MultiFernet

        try:
            return MultiFernet([Fernet(key.reveal()) for key in self._keys])
        except ValueError:
            raise SecretError(BAD_KEY.format(path=self.path)) from None


def _fingerprint(key: Secret) -> str:
    return hashlib.sha256(key.reveal().encode()).hexdigest()[:8]


def _write_closed(path: Path, text: bytes) -> None:
    """A new file that nobody else can read, safe on the disk."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
