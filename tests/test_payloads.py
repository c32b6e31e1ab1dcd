"""No saved answer lies around untested, and none of them can reveal a person."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAYLOADS = TESTS / "payloads"
SAMPLES = sorted(path for path in PAYLOADS.rglob("*") if path.is_file() and path.suffix != ".md")
SOURCES = "\n".join(path.read_text("utf-8") for path in TESTS.glob("*.py") if path != Path(__file__))


def name_of(path: Path) -> str:
    return path.relative_to(PAYLOADS).as_posix()


def test_every_platform_has_samples():
    folders = {name_of(path).split("/")[0] for path in SAMPLES}
    assert {"facebook", "tiktok", "youtube", "zalo", "web"} <= folders
    assert len(SAMPLES) > 140


@pytest.mark.parametrize("sample", SAMPLES, ids=name_of)
def test_every_sample_is_named_by_a_test(sample: Path):
    assert re.search(rf"(?<![\w-]){re.escape(sample.stem)}(?![\w-])", SOURCES)


@pytest.mark.parametrize("sample", SAMPLES, ids=name_of)
def test_no_sample_holds_a_telephone_number_or_a_mailbox_of_somebody(sample: Path):
    text = sample.read_bytes().decode("utf-8", "ignore")
    assert not re.search(r"(?<![\w.])(?:\+84|0)(?:3|5|7|8|9)\d{8}(?!\w)", text)
    mailboxes = re.findall(r"[\w.+-]+@[\w-]+\.(?:com|vn|net|org)\b", text)
    assert mailboxes == []
