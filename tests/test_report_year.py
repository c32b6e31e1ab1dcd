"""`nhip report`: the files of a year, its closing, and what is told beside a closed one."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import openpyxl
import orjson
import pytest
from sqlalchemy import text

from dashboards.reports.finding import PicturesUnavailable, find_browser
from pipeline import yearly
from pipeline.commands import report
from pipeline.problems import UserError
from pipeline.year_changes import HEADINGS, TITLE
from store.verbs import open_store
from tests.command_line import nhip
from tests.conftest import need
from tests.store_builders import a_failure, days, look
from tests.year_builders import HOSTILE, NEW_YEAR, NOON, OFFICE, live, shares_of_units, url_of, write_year

Report = Callable[..., str]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_year(tmp_path_factory.mktemp("year") / "quan")
    live(folder)
    return folder


@pytest.fixture
def folder(lived: Path, tmp_path: Path) -> Path:
    return shutil.copytree(lived, tmp_path / "quan")


@pytest.fixture(autouse=True)
def _no_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most of it needs none."""
    monkeypatch.setenv("NHIP_BROWSER", "khong-co-trinh-duyet")


@pytest.fixture
def reported(folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Report:
    capsys.readouterr()

    def asked(name: str = "ra", code: int = 0, **more: Any) -> str:
        given = {"clock": lambda: NEW_YEAR} | more
        assert report.year(folder, 2026, tmp_path / name, **given) == code
        said = capsys.readouterr()
        return said.out + said.err

    return asked


def close(folder: Path, **more: Any) -> int:
    given: dict[str, Any] = {"by": OFFICE, "clock": lambda: NEW_YEAR}
    return report.close(folder, 2026, **(given | more))


def correct(folder: Path) -> None:
    """A unit hands in another number after the year was closed."""
    with open_store(url_of(folder)) as store:
        (figure, *_) = shares_of_units(don_vi_0=360)
        store.add_figures([figure])


def sheets_of(file: Path) -> dict[str, list[tuple[Any, ...]]]:
    book = openpyxl.load_workbook(file, read_only=True)
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book}


def text_of(file: Path) -> str:
    """All that an office file says."""
    with zipfile.ZipFile(file) as package:
        return "\n".join(package.read(name).decode("utf-8", "replace") for name in package.namelist())


# --- the files ---------------------------------------------------------------------------------------------------


def test_without_a_browser_everything_but_pictures_and_paper_comes_out(reported: Report, tmp_path: Path):
    said = reported()
    assert sorted(path.name for path in (tmp_path / "ra").iterdir()) == [
        "bao-cao.html",
        "bao-cao.pptx",
        "bao-cao.xlsx",
    ]
    assert "Đã lập báo cáo năm 2026 (chưa đóng sổ): 3 tệp" in said
    assert "Biến NHIP_BROWSER không trỏ tới một trình duyệt" in said
    assert said.startswith("Dữ liệu minh họa.")
    assert "Dữ liệu minh họa" in (tmp_path / "ra" / "bao-cao.html").read_text("utf-8")


def test_with_a_browser_every_chart_is_a_picture_and_the_page_a_pdf(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("NHIP_BROWSER")
    need(_has_browser(), "apt-get install chromium")
    assert report.year(folder, 2026, tmp_path / "ra", clock=lambda: NEW_YEAR) == 0
    names = {path.name for path in (tmp_path / "ra").iterdir()}
    assert {"bao-cao.pdf", "bieu-do-01.png", "bieu-do-01.svg"} <= names
    assert sum(name.endswith(".png") for name in names) == sum(name.endswith(".svg") for name in names) > 8


def _has_browser() -> bool:
    try:
        return bool(find_browser())
    except PicturesUnavailable:
        return False


def test_the_figures_of_the_year_are_in_the_workbook(reported: Report, tmp_path: Path):
    reported()
    sheets = sheets_of(tmp_path / "ra" / "bao-cao.xlsx")
    by_title = {rows[0][0]: rows for name, rows in sheets.items() if name.startswith("Biểu")}
    shares = next(rows for title, rows in by_title.items() if "75% liên kết" in str(title))
    assert ("Toàn quận", 555, 907) in [row[:3] for row in shares]
    months = by_title["Bài đăng theo tháng, năm 2026"]
    assert "11/2026" in [row[0] for row in months]
    assert "Nguồn và định nghĩa" in sheets


def test_numbers_of_a_few_persons_are_in_no_file_and_not_in_what_is_frozen(
    reported: Report, folder: Path, tmp_path: Path
):
    reported()
    close(folder)
    with open_store(url_of(folder)) as store:
        frozen = orjson.loads(store.closing_turns("2026")[0].content or "")
    (share,) = [one for one in frozen["sheets"] if one["key"].endswith("/CT3")]
    rows = dict(zip(*[share["drawing"]["table"]["columns"][place] for place in (0, 1)], strict=True))
    few = "Đoàn phường don-vi-2"
    assert rows == {"Toàn quận": 555, "Đoàn phường don-vi-0": 300, "Đoàn phường don-vi-1": None, few: None}
    notes = dict(zip(*[share["drawing"]["table"]["columns"][place] for place in (0, 6)], strict=True))
    assert notes[few] == "giữ kín"
    told = [
        row for rows in sheets_of(tmp_path / "ra" / "bao-cao.xlsx").values() for row in rows if row and row[0] == few
    ]
    assert (few, None, None, None, None, None, "giữ kín") in [row[:7] for row in told]


def test_hostile_titles_are_inert_in_every_file(reported: Report, tmp_path: Path):
    reported()
    out = tmp_path / "ra"
    page = (out / "bao-cao.html").read_text("utf-8")
    assert "<script>alert" not in page
    assert "\u202e" not in page
    for name in ("bao-cao.xlsx", "bao-cao.pptx"):
        words = text_of(out / name)
        assert "<f>" not in words.replace("<c:f>", "")
        assert "hlinkClick" not in words
        assert "<hyperlink" not in words
    book = openpyxl.load_workbook(out / "bao-cao.xlsx")
    posts = next(sheet for sheet in book if str(sheet["A1"].value).startswith("Bài đăng được tương tác"))
    assert {posts.cell(row, 2).value: posts.cell(row, 2).data_type for row in range(6, 16)}[HOSTILE[0]] == "s"


def test_a_year_that_goes_on_is_reported_and_says_so(reported: Report, folder: Path, tmp_path: Path):
    said = reported(clock=lambda: NOON + days(20))
    assert "năm chưa hết, số liệu đến 12:00 21/11/2026" in said
    assert "Năm chưa kết thúc" in (tmp_path / "ra" / "bao-cao.html").read_text("utf-8")
    with pytest.raises(UserError, match="hết ngày 31/12/2026 nên chưa đóng sổ được"):
        close(folder, clock=lambda: NOON + days(20))


def test_an_empty_database_gives_true_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = write_year(tmp_path / "quan")
    assert report.year(folder, 2026, tmp_path / "ra", clock=lambda: NOON) == 0
    page = (tmp_path / "ra" / "bao-cao.html").read_text("utf-8")
    assert "Chưa có số liệu để vẽ" in page
    assert not {"nan", "NaN", "None", "&lt;NA&gt;"} & set(page.split("<script>")[0].split())


def test_a_district_whose_every_look_fails_gives_true_files(tmp_path: Path):
    folder = write_year(tmp_path / "quan")
    with open_store(url_of(folder)) as store:
        for slug in ("trang-0", "trang-1", "trang-2"):
            look(store, slug, a_failure(), NOON)
    assert report.year(folder, 2026, tmp_path / "ra", clock=lambda: NOON + days(1)) == 0
    titles = {rows[0][0]: rows for rows in sheets_of(tmp_path / "ra" / "bao-cao.xlsx").values()}
    assert "0/3" in str(titles["Trang thông tin điện tử đến ngày chốt số liệu"][1][0])


def test_a_district_without_plans_is_reported(tmp_path: Path):
    folder = write_year(tmp_path / "quan")
    district = (folder / "district.toml").read_text("utf-8").replace('plans = ["doan-phuong-2026"]\n', "")
    (folder / "district.toml").write_text(district, "utf-8")
    assert report.year(folder, 2026, tmp_path / "ra", clock=lambda: NOON) == 0


def test_one_plan_alone_keeps_what_belongs_to_none(reported: Report, tmp_path: Path):
    reported(plan="doan-phuong-2026")
    assert "Chỉ gồm các biểu của kế hoạch doan-phuong-2026" in (tmp_path / "ra" / "bao-cao.html").read_text("utf-8")
    with pytest.raises(UserError, match="Không có kế hoạch «khac»"):
        reported(plan="khac")


# --- a closed year -----------------------------------------------------------------------------------------------


def test_a_closed_year_gives_the_same_files_whenever_it_is_asked_for(reported: Report, folder: Path, tmp_path: Path):
    close(folder)
    assert "đã đóng sổ lúc 12:00 05/01/2027" in reported("mot")
    reported("hai", clock=lambda: NEW_YEAR + timedelta(days=900))
    for name in ("bao-cao.xlsx", "bao-cao.html"):
        assert (tmp_path / "mot" / name).read_bytes() == (tmp_path / "hai" / name).read_bytes(), name


def test_a_later_correction_is_listed_and_never_merged(reported: Report, folder: Path, tmp_path: Path):
    close(folder)
    reported("mot")
    correct(folder)
    assert "Điều chỉnh sau đóng sổ:" in reported("hai", clock=lambda: NEW_YEAR + days(30))
    before, after = (sheets_of(tmp_path / name / "bao-cao.xlsx") for name in ("mot", "hai"))
    charts = [name for name in before if name.startswith("Biểu")]
    assert {name: after[name] for name in charts} == {name: before[name] for name in charts}
    (added,) = [rows for name, rows in after.items() if name not in before]
    assert (added[0][0], added[4][:4]) == (TITLE, HEADINGS)
    listed = [row[:4] for row in added[5:]]
    assert ("Toàn quận: Tử số", "555", "615") in [row[1:] for row in listed]


def test_without_a_correction_nothing_is_listed(reported: Report, folder: Path):
    close(folder)
    assert "Điều chỉnh" not in reported(clock=lambda: NEW_YEAR + days(30))


def test_a_closed_year_has_one_cut_off_and_is_closed_once(reported: Report, folder: Path):
    close(folder, cut_off="14/12")
    with pytest.raises(UserError, match=r"đã đóng sổ với ngày chốt 14/12\. Đề nghị bỏ --cut-off"):
        reported(cut_off="12-31")
    assert "tệp trong" in reported(cut_off="12-14")
    with pytest.raises(UserError, match="Năm 2026 đã đóng sổ"):
        close(folder)


def test_a_reopened_year_has_the_corrected_figures(reported: Report, folder: Path, tmp_path: Path):
    with pytest.raises(UserError, match="chưa đóng sổ nên không cần mở lại"):
        report.reopen(folder, 2026, by=OFFICE, reason="Bổ sung (mẫu)")
    close(folder)
    correct(folder)
    with pytest.raises(UserError, match="Cần ghi lý do mở lại"):
        report.reopen(folder, 2026, by=OFFICE, reason=" ")
    with pytest.raises(UserError, match="thông tin của một cá nhân"):
        report.reopen(folder, 2026, by=OFFICE, reason="Gọi 0909123456")
    assert report.reopen(folder, 2026, by=OFFICE, reason="Bổ sung (mẫu)", clock=lambda: NEW_YEAR + days(1)) == 0
    assert "chưa đóng sổ" in reported(clock=lambda: NEW_YEAR + days(30))
    assert any("Toàn quận" in row for rows in sheets_of(tmp_path / "ra" / "bao-cao.xlsx").values() for row in rows)
    close(folder, clock=lambda: NEW_YEAR + days(31))
    with open_store(url_of(folder)) as store:
        turns = store.closing_turns(yearly.period_key(2026))
    assert [turn.content is None for turn in turns] == [False, True, False]


@pytest.mark.parametrize("content", ["'[]'", "'khong phai JSON'", "replace(content, '555', '556')"])
def test_of_touched_figures_nothing_is_written(reported: Report, folder: Path, tmp_path: Path, content: str):
    close(folder)
    with open_store(url_of(folder)) as store:
        store.database.write(lambda connection: connection.execute(text("DROP TRIGGER closing_keeps")))
        store.database.write(lambda connection: connection.exec_driver_sql(f"UPDATE closing SET content = {content}"))
    assert report.TAMPERED in reported(code=report.CHANGED)
    assert not (tmp_path / "ra").exists()


def test_the_command_line_knows_the_words(folder: Path, tmp_path: Path):
    done = nhip("--config", folder, "report", "year", "2026", "--cut-off", "31/10", "--out", tmp_path / "ra")
    assert (done.code, (tmp_path / "ra" / "bao-cao.xlsx").exists()) == (0, True)
    for words in (["close", "2026", "--by", ""], ["reopen", "2026", "--by", OFFICE, "--reason", "Bổ sung (mẫu)"]):
        refused = nhip("--config", folder, "report", *words)
        assert refused.code != 0, words
        assert refused.err.rstrip().endswith("."), words
