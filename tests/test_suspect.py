"""`nhip suspect`, as an office meets it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from store.records import Reading, Snapshot, Source
from store.verbs import open_store
from tests.command_line import nhip
from tests.small_district import FRIDAY, write_config
from tests.store_builders import days, look


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A district whose page showed 12,874 followers on Friday and none on Saturday."""
    folder = write_config(tmp_path / "quan", ["http://127.0.0.1:9/tin"])
    assert nhip("init", folder).code == 0
    assert nhip("--config", folder, "suspect").code == 0  # makes the store know the channels
    with open_store(f"sqlite:///{folder / 'nhip.sqlite3'}") as store:
        for day, followers in enumerate([12_874, 0]):
            seen = Snapshot(FRIDAY + days(day), Source.FACEBOOK_PAGE, followers, likes=12_000)
            look(store, "trang-0", Reading((seen,)), FRIDAY + days(day))
    return folder


def value(folder: Path) -> int:
    with open_store(f"sqlite:///{folder / 'nhip.sqlite3'}") as store:
        return int(store.value_at([FRIDAY + days(9)])["followers"][0])


def test_the_list_says_what_is_doubted_and_what_counted_before(folder: Path):
    said = nhip("--config", folder, "suspect")
    assert said.code == 1
    assert "Trang trang-0 (trang-0), 09:00 21/11/2026: số người theo dõi 0 (trước đó 12.874)." in said.out
    assert "lượt thích" not in said.out
    assert value(folder) == 12_874


def test_an_accepted_count_counts_and_leaves_the_list(folder: Path):
    words = ("trang-0", "--by", "Ban Tuyên giáo", "--reason", "Trang vừa được lập lại")
    said = nhip("--config", folder, "suspect", *words, "--accept")
    assert said.code == 0
    assert "Đã ghi: Ban Tuyên giáo nhận số này là đúng. Trang trang-0" in said.out
    assert value(folder) == 0
    assert nhip("--config", folder, "suspect").out == "Không có số liệu nào đang chờ xác nhận.\n"


def test_a_rejected_count_never_counts(folder: Path):
    nhip("--config", folder, "suspect", "trang-0", "--reject", "--by", "Ban Tuyên giáo", "--reason", "Facebook lỗi")
    assert value(folder) == 12_874
    assert nhip("--config", folder, "suspect").code == 0


def test_a_count_of_a_channel_that_left_the_configuration_can_still_be_settled(folder: Path):
    channels = (folder / "channels.toml").read_text(encoding="utf-8")
    (folder / "channels.toml").write_text(channels.replace("trang-0", "trang-khac"), encoding="utf-8")
    assert "trang-0, 09:00 21/11/2026" in nhip("--config", folder, "suspect").out
    words = ("--reject", "--by", "Ban Tuyên giáo", "--reason", "Facebook lỗi")
    assert nhip("--config", folder, "suspect", "trang-0", *words).code == 0
    assert nhip("--config", folder, "suspect").code == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("trang-0", "--by", "Ban", "--reason", "x"), "Chưa rõ là nhận hay bác"),
        (("trang-0", "--accept", "--reject", "--by", "Ban", "--reason", "x"), "Chưa rõ là nhận hay bác"),
        (("trang-0", "--accept", "--by", " ", "--reason", "x"), "Cần ghi bộ phận và lý do"),
        (("trang-0", "--accept", "--by", "Ban"), "Cần ghi bộ phận và lý do"),
        (("khong-co", "--accept", "--by", "Ban", "--reason", "x"), "Không có kênh «khong-co»"),
    ],
)
def test_half_a_word_is_refused_and_changes_nothing(folder: Path, words: tuple[str, ...], sentence: str):
    said = nhip("--config", folder, "suspect", *words)
    assert said.code == 64
    assert sentence in said.err
    assert nhip("--config", folder, "suspect").code == 1


def test_a_daily_figure_is_told_with_its_own_day(folder: Path):
    with open_store(f"sqlite:///{folder / 'nhip.sqlite3'}") as store:
        for day, followers in enumerate([9_000, 90]):
            closing = datetime(2026, 11, 14 + day, 17, tzinfo=UTC)
            look(store, "trang-0", Reading((Snapshot(closing, Source.SHEET, followers),)), FRIDAY + days(3 + day))
    assert "ngày 15/11/2026: số người theo dõi 90 " in nhip("--config", folder, "suspect").out


def test_programs_get_the_same_as_json(folder: Path):
    (one,) = nhip("--config", folder, "suspect", "--json").json()["suspects"]
    assert (one["channel"], one["source"], one["counts"]) == ("trang-0", "facebook_page", {"followers": 0})
