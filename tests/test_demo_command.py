"""`nhip demo`, as somebody meets it who has just cloned the project."""

from __future__ import annotations

import shlex
import shutil
import signal
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from config.load import load_config
from metrics.periods import Period, parse_period, week_of
from pipeline import checking, show
from pipeline.demo.child import Child
from pipeline.demo.district import ZONE
from pipeline.demo.play import Played, Story, play
from store.verbs import open_store
from tests.command_line import Said, nhip, start_nhip
from tests.store_builders import dump

UNTIL = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Said]:
    """A kept demonstration of three weeks with eight units, and what was said about it."""
    folder = tmp_path_factory.mktemp("demo") / "quận mẫu"
    return folder, nhip("demo", "--days", 22, "--units", 8, "--keep", folder, "--no-serve")


def test_it_ends_well_and_says_that_all_of_it_is_made_up(shown: tuple[Path, Said]):
    _, said = shown
    assert said.code == 0, said.err
    assert said.out.startswith("Dữ liệu minh họa: một quận không có thật, 8 đơn vị, 22 ngày.")


def test_it_says_per_platform_what_was_looked_at_found_and_refused(shown: tuple[Path, Said]):
    _, said = shown
    rows = {line.split("  ")[0]: line.split()[-6:] for line in said.out.splitlines()}
    for platform in ("Fanpage", "TikTok", "YouTube", "Zalo OA", "Trang thông tin"):
        looks, good, refused, posts, _, requests = (int(cell.replace(".", "")) for cell in rows[platform])
        assert looks == good + refused > 0, platform
        assert posts > 0 < requests, platform


def test_what_it_says_to_do_next_can_be_pasted(shown: tuple[Path, Said]):
    this_week, past_week, doubts = printed(shown[1])
    assert {nhip(*this_week).code, nhip(*past_week).code} <= {0, 1, 2}
    assert nhip(*doubts).code in {0, 1}


def test_one_count_waits_at_the_end(shown: tuple[Path, Said]):
    _, said = shown
    assert "1 số liệu khác thường" in said.out
    assert "số người theo dõi 0 (trước đó" in nhip(*printed(said)[-1]).out


def test_the_week_it_names_was_looked_at_and_nobody_is_blamed_for_the_time_before_the_story(shown: tuple[Path, Said]):
    folder, said = shown
    week = parse_period(printed(said)[1][-1], ZONE)
    named, before = motto(folder, week), motto(folder, week_of(week.start - timedelta(days=21), ZONE))
    assert {"met", "missed"} <= set(named["labelled"])
    assert before.empty


def printed(said: Said) -> list[list[str]]:
    """The words behind «nhip» of the commands that stand there to be pasted."""
    return [shlex.split(line)[1:] for line in said.out.splitlines() if line.lstrip().startswith("nhip ")]


def motto(folder: Path, week: Period) -> pd.DataFrame:
    """What is said of the units for a week."""
    with open_store(f"sqlite:///{folder / 'nhip.sqlite3'}") as store:
        return checking.check_motto(load_config(folder), store, week, datetime.now(UTC))


def test_what_it_leaves_behind_is_a_folder_like_any_other(shown: tuple[Path, Said]):
    folder, _ = shown
    assert sorted(path.name for path in folder.iterdir()) == [
        "alerts.toml",
        "channels.toml",
        "district.toml",
        "nhip.key",
        "nhip.sqlite3",
        "outbox",
        "plans",
        "units.toml",
    ]
    said = nhip("--config", folder, "check")
    assert said.code in {0, 1, 2}
    assert "Dữ liệu minh họa." in said.out
    assert "✔" in said.out


@pytest.mark.parametrize("called", ["nhip", "./nơi khác/nhip"])
def test_a_printed_command_is_called_as_this_one_was_and_quoted(called: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.argv", [called])
    line = show.command_line(Path("/một nơi/a'b"), "check", "--week", "2026-W30")
    assert shlex.split(line) == [called, "--config", "/một nơi/a'b", "check", "--week", "2026-W30"]


def test_a_second_demonstration_replaces_the_first(shown: tuple[Path, Said], tmp_path: Path):
    folder = tmp_path / "demo"
    for days in (3, 2):
        said = nhip("demo", "--days", days, "--units", 6, "--keep", folder, "--no-serve")
        assert said.code == 0, said.err
        assert f"Đã đi qua {days} lượt theo lịch" in said.out
        assert ("được thay bằng quận mới" in said.out) == (days == 2)
        assert "--week" not in said.out


@pytest.mark.parametrize("name", ["district.toml", "units.toml", "channels.toml", "plans/binh-tan-2024.toml"])
def test_a_demonstration_that_was_edited_by_hand_is_not_replaced(shown: tuple[Path, Said], tmp_path: Path, name: str):
    folder = shutil.copytree(shown[0], tmp_path / "demo")
    with (folder / name).open("a", encoding="utf-8") as edited:
        edited.write("# một dòng ghi thêm\n")
    assert refused(folder) == f"Tệp «{name}» trong {folder} đã được sửa tay nên hệ thống không ghi đè."


def test_a_folder_with_files_of_others_is_not_replaced(shown: tuple[Path, Said], tmp_path: Path):
    folder = shutil.copytree(shown[0], tmp_path / "demo")
    (folder / "ghi chú.txt").write_text("của người khác", encoding="utf-8")
    assert refused(folder) == f"Thư mục {folder} có tệp không phải của quận minh họa: «ghi chú.txt»."
    assert "là một tệp" in refused(folder / "ghi chú.txt")
    for path in (*folder.rglob("*.toml"), *folder.glob("outbox/*"), folder / "nhip.sqlite3"):
        path.unlink()
    assert refused(folder) == f"Thư mục {folder} đang có dữ liệu thật."
    (folder / "nhip.key").unlink()
    assert "không phải của quận minh họa: «ghi chú.txt»" in refused(folder)


def refused(folder: Path) -> str:
    """The reason why no demonstration is played into *folder*, which stays as it is."""
    before = files_in(folder)
    said = nhip("demo", "--days", 1, "--units", 6, "--keep", folder, "--no-serve")
    assert (said.code, said.out) == (64, "")
    assert files_in(folder) == before
    return said.err.partition(" Đề nghị")[0].strip()


def files_in(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_real_configuration_is_never_replaced(tmp_path: Path):
    folder = tmp_path / "that"
    assert nhip("init", folder).code == 0
    before = files_in(folder)
    said = nhip("demo", "--days", 1, "--keep", folder, "--no-serve")
    assert said.code == 64
    assert "đang có dữ liệu thật" in said.err
    assert files_in(folder) == before


def test_a_database_without_its_configuration_is_not_replaced_either(tmp_path: Path):
    folder = tmp_path / "that"
    nhip("init", folder)
    for path in folder.rglob("*.toml"):
        path.unlink()
    assert nhip("demo", "--days", 1, "--keep", folder, "--no-serve").code == 64
    assert (folder / "nhip.sqlite3").stat().st_size > 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [(("--days", 0), "Số ngày phải từ 1"), (("--units", 5), "ít nhất 6 đơn vị"), (("--days", 9999), "Số ngày phải")],
)
def test_a_district_that_cannot_be_told_is_refused(words: tuple[object, ...], sentence: str):
    said = nhip("demo", *words, "--no-serve")
    assert said.code == 64
    assert sentence in said.err


def test_while_it_serves_the_other_commands_work_and_ctrl_c_ends_it(tmp_path: Path):
    folder = tmp_path / "demo"
    with start_nhip("demo", "--days", 2, "--units", 6, "--keep", folder) as demo:
        assert demo.stdout is not None
        wait_for("Nhấn Ctrl+C", demo.stdout)
        assert "kênh đọc được" in nhip("--config", folder, "collect", "--now").out
        assert nhip("--config", folder, "doctor", "--json").json()["tokens"]
        assert refused(folder) == f"Một quận minh họa khác đang chạy với thư mục {folder}."
        demo.send_signal(signal.SIGINT)
        assert demo.wait(10) == 0


def wait_for(words: str, lines: Iterable[bytes]) -> None:
    assert any(words in line.decode() for line in lines)


def played(folder: Path, seed: int) -> Played:
    story = Story(units=6, days=4, until=UNTIL, seed=seed)

    @contextmanager
    def unseen(_: int) -> Iterator[Callable[[], None]]:
        yield lambda: None

    with Child(seed, story.units, story.start, story.days) as district:
        return play(folder, story, district, unseen)


def facts(folder: Path) -> dict[str, list[object]]:
    """Everything in the store but what differs between two runs: ports, owners, sealed texts, numbers of posts."""
    with open_store(f"sqlite:///{folder / 'nhip.sqlite3'}") as store:
        rows = dump(store, "secret", "channel", "look", "post", "meta", "progress")
        posts = store.posts(datetime(2020, 1, 1, tzinfo=UTC), UNTIL)
        looks = store.looks(datetime(2020, 1, 1, tzinfo=UTC), UNTIL)
    texts = posts[["channel", "published_at", "title", "kind", "first_seen_at"]]
    ends = looks[["channel", "slot", "outcome", "complete", "coverage_from", "snapshots", "posts"]]
    nameless = {name: sorted(map(repr, (row[1:] for row in rows.pop(name)))) for name in ("post_count", "post_label")}
    return {name: list(some) for name, some in rows.items()} | {
        **nameless,  # their first column numbers the posts in the order of their arrival
        "posts": sorted(map(repr, texts.itertuples(index=False))),
        "looks": sorted(map(repr, ends.itertuples(index=False))),
    }


def test_the_same_seed_and_the_same_days_give_the_same_figures(tmp_path: Path):
    first, second, other = (tmp_path / name for name in ("a", "b", "c"))
    assert played(first, 1).report == played(second, 1).report
    assert facts(first) == facts(second)
    played(other, 2)
    assert facts(other)["snapshot"] != facts(first)["snapshot"]


def test_nothing_was_asked_that_must_not_be_asked(tmp_path: Path):
    report = played(tmp_path / "a", 3).report
    assert report.violations == ()
    assert set(report.requests) == {"facebook", "tiktok", "youtube", "zalo", "website"}
