"""What transports send with: the settings, the secrets of the environment, and the door to the Zalo bot."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

from alerts.base import UnreadyError
from alerts.transports.bot import Ask
from config.models import Config
from config.secrets import Secret, SecretError, read_secret


@dataclass(frozen=True, slots=True)
class Means:
    """The same for all transports of a program. A secret is read when a letter is sent, so that it can be exchanged."""

    config: Config
    ask: Ask = field(repr=False)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)

    def secret(self, name: str) -> Secret:
        """The secret in the variable NAME or the file of NAME_FILE; UnreadyError, which says so, without one."""
        try:
            found = read_secret(name, self.environ)
        except SecretError as error:
            raise UnreadyError(str(error)) from None
        if found is None:
            raise UnreadyError(f"Chưa có {name}. Đề nghị đặt biến {name}, hoặc {name}_FILE chỉ đến tệp chứa nó.")
        return found
