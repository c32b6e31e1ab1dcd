"""`nhip figure`, as an office meets it: set, show, approve, template, import."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import typer
from typer.testing import CliRunner

from pipeline import figure_cli
from pipeline.cli import Settings
from pipeline.commands import figure, figure_import, figure_show
from pipeline.commands.figure import Words
from pipeline.figure_form import COLUMNS
from pipeline.problems import UserError
from store.verbs import Store, open_store
from tests.conftest import NewUrl
from tests.figure_builders import cell_of, write_district

NOW = datetime(2026, 11, 20, 2, tzinfo=UTC)
OFFICE = "Đoàn phường Một (mẫu)"
SOURCE = "Sổ theo dõi (mẫu)"


@pytest.fixture
def folder(tmp_path: Path, new_url: NewUrl, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A district; its database is of both kinds in turn."""
    monkeypatch.setenv("NHIP_DATABASE", new_url())
    return write_district(tmp_path / "quan")


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    from pipeline.workplace import database_url

    with open_store(database_url(folder)) as opened:
        yield opened


def set_figure(folder: Path, measure: str = "conferences", value: str | None = "12", **more: Any) -> int:
    at, by, confirm = more.pop("at", NOW), more.pop("by", OFFICE), more.pop("confirm", False)
    given = {"unit": "phuong-mot", "period": "2026-Q3", "source": SOURCE} | more
    words = Words(measure=measure, value=value, **given)
    return figure.set_figure(folder, words, by=by, confirm=confirm, clock=lambda: at)


def show(folder: Path, capsys: pytest.CaptureFixture[str], **more: Any) -> str:
    capsys.readouterr()
    asked = {"measure": None, "period": None, "unit": None, "as_json": False} | more
    assert figure_show.run(folder, **asked) == 0
    return capsys.readouterr().out


def facts(folder: Path, capsys: pytest.CaptureFixture[str], **more: Any) -> Any:
    return json.loads(show(folder, capsys, as_json=True, **more))


def nhip_figure(folder: Path, *words: object) -> tuple[int, str]:
    """Exit code and answer of `nhip figure` with these words."""
    done = CliRunner().invoke(figure_cli.app, list(map(str, words)), obj=Settings(folder, debug=False))
    return done.exit_code, done.output


# --- set --------------------------------------------------------------------------------------------------------


def test_a_figure_that_was_set_is_shown_with_who_when_and_where_from(folder, capsys):
    assert set_figure(folder, "linked", None, numerator="300", denominator="400", evidence="https://a.example/b") == 0
    said = capsys.readouterr().out
    assert said.startswith("Đã ghi (mới): Đoàn phường Một (mẫu), Số cán bộ, đoàn viên, thanh niên liên kết")
    assert said.endswith("Quý 3/2026 (01/07/2026–30/09/2026): 300/400 (75,0 %).\n")
    (one,) = facts(folder, capsys)["figures"]
    assert (one["unit"], one["measure"], one["rows"], one["period"]) == ("phuong-mot", "linked", ["CT3"], "2026-Q3")
    assert (one["numerator"], one["denominator"], one["value"]) == (300, 400, None)
    assert (one["by"], one["source_note"], one["evidence"]) == (OFFICE, SOURCE, "https://a.example/b")


def test_setting_the_same_again_changes_nothing(folder, capsys, store):
    set_figure(folder)
    set_figure(folder)
    assert "Đã có từ trước, không có gì thay đổi" in capsys.readouterr().out
    assert len(store.figure_versions()) == 1
    assert store.verify_audit().rows == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"value": "-1"}, "Giá trị ở --value là số âm"),
        ({"value": "1,5"}, "Giá trị ở --value có dấu chấm hoặc phẩy"),
        ({"value": "nhiều"}, "Giá trị ở --value không phải là số nguyên"),
        ({"measure": "linked", "value": None, "numerator": "5", "denominator": "4"}, "quá 100 %"),
        ({"measure": "link"}, "Không có số liệu «link». Đề nghị dùng một trong: open-incidents, linked, "),
        ({"unit": "phuong-mott"}, "Không có đơn vị «phuong-mott». Cách sửa: có phải ý là «phuong-mot»."),
        ({"unit": "phuong-cu"}, "không hoạt động trong kỳ 2026-Q3"),
        ({"period": "2026-Q9"}, "Không hiểu kỳ «2026-Q9»"),
        ({"period": "2027-Q1"}, "chưa tới"),
        ({"by": " "}, "Chưa ghi bộ phận"),
        ({"by": "Nguyễn Văn Mẫu"}, "một cá nhân"),
        ({"source": ""}, "chưa ghi nguồn số liệu"),
    ],
)
def test_what_cannot_be_kept_is_refused_and_changes_nothing(folder, store, words, sentence):
    with pytest.raises(UserError, match=r"[.]$") as refused:
        set_figure(folder, **words)
    assert sentence in str(refused.value)
    assert store.figures().empty
    assert store.verify_audit().rows == 0


def test_a_jump_is_kept_only_when_it_is_confirmed_and_the_log_says_so(folder, store):
    set_figure(folder, period="2026-Q2")
    with pytest.raises(
        UserError, match=r"hơn 30 % \(kỳ 2026-Q2: 12; kỳ này: 40\). Nếu số đúng là vậy, thêm --confirm."
    ):
        set_figure(folder, value="40")
    assert len(store.figures()) == 1
    set_figure(folder, value="40", confirm=True)
    assert list(store.audit()["reason"]) == ["nhập tay", "nhập tay, đã xác nhận"]


# --- show -------------------------------------------------------------------------------------------------------


def test_every_version_is_shown_and_the_past_stays_as_it_was(folder, capsys):
    set_figure(folder)
    set_figure(folder, value="13", at=datetime(2026, 11, 21, tzinfo=UTC))
    (one,) = facts(folder, capsys, at="2026-11-30")["figures"]
    assert (one["value"], [version["value"] for version in one["versions"]]) == (13, [12, 13])
    said = show(folder, capsys, measure="conferences", unit="phuong-mot", at="2026-11-30")
    assert f"Lần 1, 09:00 20/11/2026: {OFFICE} báo cáo 12. Nguồn: {SOURCE}." in said
    (before,) = facts(folder, capsys, at="2026-11-20")["figures"]
    assert (before["value"], len(before["versions"])) == (12, 1)


@pytest.mark.parametrize(
    ("handed_in", "days_late", "said"),
    [
        (datetime(2026, 10, 10, 16, 59, tzinfo=UTC), 0, "đúng hạn"),
        (datetime(2026, 10, 10, 17, 0, tzinfo=UTC), 1, "trễ 1 ngày"),
        (datetime(2026, 11, 20, 2, tzinfo=UTC), 41, "trễ 41 ngày"),
    ],
)
def test_what_comes_after_its_deadline_is_marked_late_by_local_days(folder, capsys, handed_in, days_late, said):
    set_figure(folder, at=handed_in)
    assert facts(folder, capsys, at="2026-12-01")["figures"][0]["days_late"] == days_late
    assert said in show(folder, capsys, at="2026-12-01")


def test_a_correction_of_a_figure_that_came_in_time_is_not_late(folder, capsys):
    set_figure(folder, at=datetime(2026, 10, 5, tzinfo=UTC))
    set_figure(folder, value="13")
    assert facts(folder, capsys, at="2026-12-01")["figures"][0]["days_late"] == 0


def test_the_units_that_have_not_reported_are_named_and_only_those_that_should(folder, capsys):
    set_figure(folder)
    said = show(folder, capsys, measure="conferences", period="2026-Q3", at="2026-11-20")
    assert "Chưa báo cáo (1 đơn vị): Đoàn phường Hai (mẫu). Số hội nghị" in said
    assert "quá hạn từ 10/10/2026" in said
    missing = facts(folder, capsys, measure="conferences", period="2025-Q1")["missing"]
    assert missing == [
        {
            "measure": "conferences",
            "period": "2025-Q1",
            "due_on": "2025-04-10",
            "overdue": True,
            "units": ["phuong-cu"],
        }
    ]
    running = facts(folder, capsys, measure="conferences", period="2026-Q4", at="2026-11-20")["missing"]
    assert [(one["overdue"], one["units"]) for one in running] == [(False, ["phuong-mot", "phuong-hai"])]


def test_what_is_wanted_is_the_same_whether_the_period_is_named_or_not(folder, capsys):
    set_figure(folder)
    set_figure(folder, period="2026-Q4", measure="zalo-groups")
    named = [one for name in ("2026-Q3", "2026-Q4") for one in facts(folder, capsys, period=name)["missing"]]
    assert [one["measure"] for one in named] == ["conferences", "zalo-groups"]
    assert facts(folder, capsys)["missing"] == named


def test_a_unit_that_reported_nothing_is_told_what_the_others_reported(folder, capsys):
    set_figure(folder)
    for period in (None, "2026-Q3"):
        (one,) = facts(folder, capsys, unit="phuong-hai", period=period)["missing"]
        assert (one["measure"], one["units"]) == ("conferences", ["phuong-hai"])


def test_a_measure_that_a_person_names_is_wanted_even_when_nobody_reported_it(folder, capsys):
    assert facts(folder, capsys, measure="conferences", period="2026-Q3")["missing"][0]["measure"] == "conferences"


def test_a_unit_that_ended_before_the_deadline_owes_nothing(folder, capsys):
    set_figure(folder, unit="phuong-cu", period="2025-Q1")
    assert facts(folder, capsys, measure="conferences", period="2025-Q2")["missing"] == []


def test_few_people_are_shown_nowhere_and_stay_in_the_store(folder, capsys, store):
    set_figure(folder, "zalo-members", "7")
    set_figure(folder, "linked", None, numerator="6", denominator="8")
    set_figure(folder, "linked", None, numerator="3", denominator="80")
    said = capsys.readouterr().out + show(folder, capsys) + show(folder, capsys, measure="linked")
    said += json.dumps(facts(folder, capsys))
    assert said.count("< 10") >= 10
    for secret in (": 7.", "6/8", "3/80", '"value": 7', '"numerator": 3', "75,0 %", "3,8 %"):
        assert secret not in said
    frame = store.figures()
    assert list(frame["value"].dropna()) == [7]
    assert list(frame["numerator"].dropna()) == [3]


def test_without_any_figure_the_answer_says_so(folder, capsys):
    assert "Chưa có số liệu nào được báo cáo." in show(folder, capsys)
    assert facts(folder, capsys) == {"figures": [], "missing": []}


# --- approve ----------------------------------------------------------------------------------------------------


def test_an_approval_is_shown_and_falls_with_the_next_correction(folder, capsys):
    set_figure(folder)
    office = "Ban Tuyên giáo (mẫu)"
    assert figure.approve(folder, "phuong-mot", period="2026-Q3", measure=None, by=office, clock=lambda: NOW) == 0
    assert "Đã phê duyệt 1 số liệu của Đoàn phường Một (mẫu), Quý 3/2026" in capsys.readouterr().out
    (one,) = facts(folder, capsys)["figures"]
    assert (one["approved"], one["approved_by"], one["turn"]) == (True, "Ban Tuyên giáo (mẫu)", 2)
    assert "Ban Tuyên giáo (mẫu) phê duyệt 12" in show(folder, capsys, measure="conferences")
    set_figure(folder, value="13")
    assert facts(folder, capsys)["figures"][0]["approved"] is False


def test_nothing_reported_is_nothing_to_approve(folder, capsys):
    assert figure.approve(folder, "phuong-mot", period="2026-Q3", measure=None, by="Ban Tuyên giáo") == 1
    assert "không có gì để phê duyệt" in capsys.readouterr().out


# --- template and import ----------------------------------------------------------------------------------------


def templates(folder: Path, out: Path, unit: str | None = "phuong-mot", period: str = "2026") -> int:
    return figure.template(folder, unit=unit, every=unit is None, period=period, out=out, clock=lambda: NOW)


def fill(file: Path, **numbers: object) -> None:
    """Writes numbers (a pair for a share) into the lines of a form; underscores stand for hyphens."""
    book = openpyxl.load_workbook(file)
    for line in book.active.iter_rows(min_row=8):
        slug = str(line[COLUMNS["code"]].value).replace("-", "_")
        if slug in numbers:
            pair = numbers[slug] if isinstance(numbers[slug], tuple) else (numbers[slug], None)
            line[COLUMNS["amount"]].value, line[COLUMNS["whole"]].value = pair  # type: ignore[misc]
    book.save(file)


def import_form(folder: Path, file: Path, yes: int = 0) -> int:
    return figure_import.run(folder, file, yes=yes, as_json=False, clock=lambda: NOW)


def test_all_units_in_force_get_a_form_and_nothing_is_overwritten(folder, capsys, tmp_path):
    out = tmp_path / "phieu"
    assert templates(folder, out, unit=None, period="2026-Q3") == 0
    names = ["phuong-hai-2026-Q3.xlsx", "phuong-mot-2026-Q3.xlsx"]
    assert sorted(file.name for file in out.iterdir()) == names
    before = (out / names[0]).read_bytes()
    (out / names[1]).unlink()
    with pytest.raises(UserError, match="hệ thống không ghi đè"):
        templates(folder, out, unit=None, period="2026-Q3")
    assert [file.name for file in out.iterdir()] == names[:1]
    assert (out / names[0]).read_bytes() == before


def test_a_form_is_asked_for_one_unit_or_for_all(folder, tmp_path):
    with pytest.raises(UserError, match="Chưa rõ phiếu cho đơn vị nào"):
        figure.template(folder, unit="phuong-mot", every=True, period="2026", out=tmp_path)
    assert templates(folder, tmp_path / "mot.xlsx") == 0
    assert (tmp_path / "mot.xlsx").is_file()


def test_an_import_shows_first_and_records_once(folder, capsys, tmp_path, store):
    templates(folder, tmp_path)
    file = tmp_path / "phuong-mot-2026.xlsx"
    fill(file, linked=(300, 400), propagandists=40, reach="nhiều")
    capsys.readouterr()
    assert import_form(folder, file) == 0
    preview = capsys.readouterr().out
    assert "300/400 (75,0 %)" in preview
    assert f"Không nhận ô {cell_of(file.read_bytes(), 'reach', 'amount')}: không phải là số nguyên" in preview
    assert "Đây là bản xem trước, chưa ghi gì. Sẽ ghi 2 số liệu" in preview
    assert store.figures().empty
    assert import_form(folder, file, yes=1) == 0
    assert "Đã ghi 2 số liệu; 0 số đã có từ trước." in capsys.readouterr().out
    assert list(store.figures()["by"]) == ["Đoàn phường Một (mẫu)"] * 2
    assert store.audit()["reason"].str.startswith("nhập từ phiếu, mã tệp ").all()
    assert import_form(folder, file, yes=1) == 0
    assert "đã có từ trước; không có gì thay đổi" in capsys.readouterr().out
    assert len(store.figure_versions()) == 2


def test_an_unlikely_number_needs_a_second_yes_and_holds_back_the_whole_file(folder, capsys, tmp_path, store):
    set_figure(folder, "propagandists", "40", period="2025")
    templates(folder, tmp_path)
    file = tmp_path / "phuong-mot-2026.xlsx"
    fill(file, propagandists=60, reach=500)
    assert import_form(folder, file, yes=1) == 1
    said = capsys.readouterr().out
    place = cell_of(file.read_bytes(), "propagandists", "amount")
    assert f"Cần xác nhận ô {place} («Số tuyên truyền viên cơ sở»): khác kỳ trước hơn 30 %" in said
    assert "Chưa ghi gì: 1 số cần xác nhận. Nếu các số đúng là vậy, ghi bằng --yes --yes." in said
    assert len(store.figures()) == 1
    assert import_form(folder, file, yes=2) == 0
    assert len(store.figures()) == 3


def test_a_file_without_a_usable_number_changes_nothing(folder, capsys, tmp_path, store):
    templates(folder, tmp_path)
    file = tmp_path / "phuong-mot-2026.xlsx"
    assert import_form(folder, file, yes=2) == 1
    fill(file, linked=(500, 400))
    assert import_form(folder, file, yes=2) == 1
    assert "Không nhận ô D9 và E9" in capsys.readouterr().out
    assert store.figures().empty


def test_a_file_that_is_no_form_or_is_not_there_is_told(folder, tmp_path):
    (tmp_path / "khac.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(UserError, match=r"Không nhập tệp này\. Tệp không phải là phiếu báo cáo"):
        import_form(folder, tmp_path / "khac.csv")
    with pytest.raises(UserError, match="Không tìm thấy tệp"):
        import_form(folder, tmp_path / "khong-co.xlsx")


def test_programs_get_the_same_import_as_json_with_few_people_hidden(folder, capsys, tmp_path):
    templates(folder, tmp_path)
    file = tmp_path / "phuong-mot-2026.xlsx"
    fill(file, propagandists=4)
    capsys.readouterr()
    figure_import.run(folder, file, yes=0, as_json=True, clock=lambda: NOW)
    answer = json.loads(capsys.readouterr().out)
    assert (answer["recorded"], answer["new"], answer["bad_cells"]) == (False, 1, [])
    (one,) = answer["figures"]
    assert (one["said"], one["state"]) == ("< 10", "mới")
    assert one["place"] == cell_of(file.read_bytes(), "propagandists", "amount")


def test_the_words_of_the_command_line_reach_every_command(folder, tmp_path):
    period = ("--period", "2026-Q3")
    unit = ("phuong-mot", "conferences", *period, "--by", OFFICE, "--source", SOURCE)
    assert nhip_figure(folder, "set", *unit, "--value", "12")[0] == 0
    assert nhip_figure(folder, "approve", "phuong-mot", *period, "--by", "Ban Tuyên giáo (mẫu)")[0] == 0
    code, said = nhip_figure(folder, "show", *period, "--unit", "phuong-mot", "--measure", "conferences", "--json")
    assert (code, json.loads(said)["figures"][0]["approved"]) == (0, True)
    assert nhip_figure(folder, "template", "--all", *period, "--out", tmp_path / "phieu")[0] == 0
    file = tmp_path / "phieu" / "phuong-mot-2026-Q3.xlsx"
    fill(file, conferences=40, reach=500)
    code, said = nhip_figure(folder, "import", file, "--yes", "--yes")
    assert (code, "Đã ghi 2 số liệu" in said) == (0, True)


def test_every_word_of_the_command_line_is_explained_in_vietnamese():
    for command in typer.main.get_group(figure_cli.app).commands.values():
        assert command.help
        assert all(getattr(one, "help", None) or one.name == "help" for one in command.params), command.name
