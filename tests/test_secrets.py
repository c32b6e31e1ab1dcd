"""Secrets: where they come from, and that nothing shows them."""

import copy
import json
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from config.secrets import Secret, SecretError, read_secret

CANARY = "canary-7f3a"


def secret_file(folder: Path, text: str = CANARY + "\n", mode: int = 0o600) -> Path:
    path = folder / "token"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_the_variable_itself_comes_first(tmp_path: Path) -> None:
    found = read_secret("NHIP_KEY", {"NHIP_KEY": CANARY, "NHIP_KEY_FILE": str(tmp_path / "missing")})
    assert found is not None
    assert found.reveal() == CANARY


def test_a_secret_that_nobody_set_is_none() -> None:
    assert read_secret("NHIP_KEY", {"OTHER": CANARY, "NHIP_KEY": ""}) is None


@pytest.mark.parametrize("text", [CANARY, CANARY + "\n", CANARY + "\r\n"])
@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_closed_file_is_read_without_its_line_break(tmp_path: Path, text: str, mode: int) -> None:
    found = read_secret("NHIP_KEY", {"NHIP_KEY_FILE": str(secret_file(tmp_path, text, mode))})
    assert found is not None
    assert found.reveal() == CANARY


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601, 0o700])
def test_a_file_that_is_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    path = secret_file(tmp_path, mode=mode)
    with pytest.raises(SecretError, match=f"chmod 600 {path}"):
        read_secret("NHIP_KEY", {"NHIP_KEY_FILE": str(path)})


def test_a_missing_an_empty_a_huge_and_a_foreign_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="Không đọc được"):
        read_secret("K", {"K_FILE": str(tmp_path / "missing")})
    with pytest.raises(SecretError, match="trống hoặc quá lớn"):
        read_secret("K", {"K_FILE": str(secret_file(tmp_path, "\n"))})
    with pytest.raises(SecretError, match="trống hoặc quá lớn"):
        read_secret("K", {"K_FILE": str(secret_file(tmp_path, "x" * 70_000))})
    with pytest.raises(SecretError, match="Không đọc được"):
        read_secret("K", {"K_FILE": str(tmp_path)})
    with pytest.raises(SecretError, match="không phải là tệp thường"):
        read_secret("K", {"K_FILE": "/dev/null"})


def test_a_file_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = secret_file(tmp_path)
    if os.geteuid() == 0:
        os.chown(path, 4711, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 4711)
    with pytest.raises(SecretError, match="thuộc người dùng khác"):
        read_secret("K", {"K_FILE": str(path)})


def test_no_way_of_showing_a_secret_shows_it() -> None:
    secret = Secret(CANARY)
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r:>9}", format(secret), repr({"a": [secret]})]
    assert all(CANARY not in text and "***" in text for text in shown)
    assert not hasattr(secret, "__dict__")


@pytest.mark.parametrize(
    "save", [pickle.dumps, copy.copy, copy.deepcopy, json.dumps], ids=["pickle", "copy", "deepcopy", "json"]
)
def test_a_secret_cannot_be_saved(save: Callable[[Secret], object]) -> None:
    with pytest.raises(TypeError):
        save(Secret(CANARY))


def test_the_refusal_never_holds_the_secret(tmp_path: Path) -> None:
    with pytest.raises(SecretError) as refused:
        read_secret("K", {"K_FILE": str(secret_file(tmp_path, mode=0o644))})
    assert CANARY not in f"{refused.value!r}{refused.value.__cause__!r}"
    assert os.fspath(tmp_path) in str(refused.value)
