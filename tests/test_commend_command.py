"""`nhip commend`: the rule it states, the places it gives, and the units of which too little is known."""

from __future__ import annotations

import csv
import io
import json
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from pipeline.commands.commend import run
from pipeline.commands.review import Order
from pipeline.commands.review import run as review
from pipeline.problems import UserError
from pipeline.workplace import open_workplace
from store.records import Evidence, PostLabel, Reading, Snapshot, Source
from store.verbs import Store, open_store
from tests.checked import DAILY, MEETING, add_plan
from tests.command_line import nhip
from tests.small_district import FRIDAY, write_config
from tests.store_builders import a_failure, a_post, days, look

NV4 = """
[rows.NV4]
clause = "III.5"
title = "Tuyên dương"
text = "kịp thời tuyên dương"
kind = "task"
classes = ["task"]
indicator = "task"
due = { rule = "on_occurrence" }
"""
GROWTH = """
[rows."CT4.4"]
clause = "II.4"
title = "Kênh của cơ sở tăng 5%"
text = "kênh của các cơ sở Đoàn tăng ít nhất 5%"
kind = "growth"
classes = ["automatic"]
indicator = "audience_growth"
goal = { value = 5 }
period = "year"
scope = { grassroots = true, platforms = ["facebook"] }
reckon = { baseline = "period_start", yearly = "simple", measure = "followers", counted = "each_channel" }
"""
PAGE = (
    '\n[channels.fanpage-{n}]\nplatform = "facebook"\nname = "Fanpage {n}"\naddress = "10{n}"\n'
    'owners = [{{ unit = "don-vi-{n}", start = 2025-07-01 }}]\n'
)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five weeks to Friday of week 47: units 0 and 1 publish every day, unit 2 never, unit 3 cannot be read."""
    folder = write_config(
        tmp_path_factory.mktemp("tuyen-duong") / "quan", [f"http://127.0.0.1:9/{n}" for n in range(4)]
    )
    return add_plan(folder, DAILY, MEETING.replace('["CT2a", "CT2c"]', '["CT2a"]'), NV4)


@pytest.fixture
def folder(lived: Path, tmp_path: Path, created_file: Path) -> Path:
    made = shutil.copytree(lived, tmp_path / "quan")
    shutil.copy(created_file, made / "nhip.sqlite3")
    with open_workplace(made, "2026-10-01"):
        pass  # makes the store know the channels
    with open_store(f"sqlite:///{made / 'nhip.sqlite3'}") as store:
        _live_through_five_weeks(store)
    return made


def _live_through_five_weeks(store: Store) -> None:
    since = FRIDAY - days(45)
    for number in (0, 1):
        items = tuple(
            a_post(f"tin-{number}-{n}", FRIDAY - days(n) - timedelta(hours=1), title="Tin tốt, câu chuyện đẹp (mẫu)")
            for n in range(40)
        )
        look(store, f"trang-{number}", Reading((), items, coverage_from=since), FRIDAY)
    look(store, "trang-2", Reading(coverage_from=since), FRIDAY)
    look(store, "trang-3", a_failure(), FRIDAY)


def store_of(folder: Path) -> Store:
    return open_store(f"sqlite:///{folder / 'nhip.sqlite3'}")


def commended(folder: Path, capsys: pytest.CaptureFixture[str], **more: Any) -> Any:
    capsys.readouterr()
    given: dict[str, Any] = {"as_json": True, "clock": lambda: FRIDAY}
    assert run(folder, more.pop("period", None), **(given | more)) == 0
    out = capsys.readouterr().out
    return json.loads(out) if given["as_json"] and more.get("as_json", True) and not more.get("as_csv") else out


def test_candidates_have_places_and_the_others_are_two_groups_by_name(folder: Path, capsys: Any):
    facts = commended(folder, capsys)
    assert {one["unit"]: (one["group"], one["place"]) for one in facts["units"]} == {
        "don-vi-0": ("candidate", 1),
        "don-vi-1": ("candidate", 1),
        "don-vi-2": ("not_yet", None),
        "don-vi-3": ("too_little", None),
    }
    assert (facts["clause"], facts["plan"], facts["period"]["start"]) == ("III.5", "mau", "2026-10-19")
    assert facts["period"]["title"] == "Từ tuần 43 đến tuần 47 (19/10/2026–22/11/2026)"


def test_it_reads_as_a_page_with_its_rule_and_one_reason_for_everybody(folder: Path, capsys: Any):
    out = commended(folder, capsys, as_json=False)
    assert out.startswith("Quận Đoàn thử nghiệm. Tuyên dương. Từ tuần 43 đến tuần 47 (19/10/2026–22/11/2026). ")
    assert "\nCăn cứ: mục III.5, kế hoạch mau.\nChỉ xét tập thể. Điều kiện: có tin tốt ở ít nhất 95 % số ngày" in out
    assert "theo dõi" not in out
    good, unsure, others = out.split("\n\n")[1:]
    assert good.startswith("Danh sách đề nghị tuyên dương (2)\n")
    assert "Đoàn phường don-vi-0  100 %        0 %                –" in good
    assert "có tin tốt 33/33 ngày (mục II-CT.2); có câu chuyện đẹp 5/5 tuần (mục II-CT.2)." in good
    assert unsure.startswith("Chưa đủ số liệu để xét (1, theo tên)\n  - Đoàn phường don-vi-3: mới có 0 ngày đến hạn ")
    assert others.startswith(
        "Chưa đưa vào danh sách đề nghị (1, theo tên)\n  - Đoàn phường don-vi-2: có tin tốt 0/32 ngày"
    )


def test_a_label_confirmed_by_a_person_breaks_the_tie(folder: Path, capsys: Any):
    checked = commended(folder, capsys)
    with store_of(folder) as store:
        posts = store.posts(FRIDAY - days(3), FRIDAY, ["trang-1"])["id"]
        word = PostLabel(int(posts.iloc[0]), "tin-tot", Evidence.PERSON, "Ban Tuyên giáo (mẫu)", FRIDAY, upheld=True)
        store.confirm_label(word)
    places = [(one["unit"], one["place"]) for one in commended(folder, capsys)["units"][:2]]
    assert places == [("don-vi-1", 1), ("don-vi-0", 2)]
    assert checked["units"][0]["place"] == 1


def test_growth_is_asked_for_where_a_plan_asks_the_units(folder: Path, capsys: Any):
    channels = (folder / "channels.toml").read_text("utf-8") + "".join(PAGE.format(n=n) for n in (0, 1))
    (folder / "channels.toml").write_text(channels, encoding="utf-8")
    plan = (folder / "plans" / "mau.toml").read_text("utf-8")
    (folder / "plans" / "mau.toml").write_text(f"{plan}{GROWTH}", encoding="utf-8")
    with open_workplace(folder, "2026-10-01"):
        pass
    with store_of(folder) as store:
        for n, count in ((0, 1_100), (1, 1_010)):
            for at, followers in ((FRIDAY.replace(year=2025, month=12, day=31), 1_000), (FRIDAY, count)):
                seen = Snapshot(at, Source.FACEBOOK_PAGE, followers)
                look(store, f"fanpage-{n}", Reading((seen,), coverage_from=FRIDAY - days(45)), at)
    found = {one["unit"]: one for one in commended(folder, capsys)["units"]}
    assert (found["don-vi-0"]["group"], found["don-vi-1"]["lack"]) == ("candidate", "growth")
    assert "lượt theo dõi Facebook tăng 10 % (1.000 → 1.100, 1/1 kênh), chỉ tiêu 5 %" in found["don-vi-0"]["sentence"]
    assert "(II.4, mau)" in found["don-vi-1"]["sentence"]


def test_a_count_that_waits_for_a_word_keeps_its_unit_out(folder: Path, capsys: Any):
    with store_of(folder) as store:
        for hours, count in ((3, 2_000), (2, 20)):
            at = FRIDAY - timedelta(hours=hours)
            seen = Snapshot(at, Source.FACEBOOK_PAGE, count)
            look(store, "trang-0", Reading((seen,), coverage_from=FRIDAY - days(45)), at)
    (found,) = (one for one in commended(folder, capsys)["units"] if one["unit"] == "don-vi-0")
    assert found["sentence"] == (
        "Chưa đưa vào danh sách đề nghị: còn việc chưa giải quyết: số liệu khác thường của Trang trang-0 chờ xác nhận; "
        "đề nghị xử lý trước khi xét."
    )


def test_the_table_for_a_spreadsheet_has_every_unit(folder: Path, capsys: Any):
    rows = list(csv.DictReader(io.StringIO(commended(folder, capsys, as_json=False, as_csv=True))))
    assert [row["unit"] for row in rows] == [f"don-vi-{n}" for n in range(4)]
    assert (rows[0]["kept"], rows[2]["place"], rows[0]["name"]) == ("1.0", "", "Đoàn phường don-vi-0")


@pytest.mark.parametrize(
    ("period", "start"),
    [("2026-W46", "2026-10-12"), ("2026-11", "2026-11-01"), ("2026-q4", "2026-10-01"), ("2026", "2026-01-01")],
)
def test_a_period_is_named_as_people_do(folder: Path, capsys: Any, period: str, start: str):
    assert commended(folder, capsys, period=period)["period"]["start"] == start


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"period": "2026-W48"}, "chưa bắt đầu"),
        ({"period": "2026-11-19"}, "Một ngày quá ngắn"),
        ({"period": "thang nay"}, "Không hiểu kỳ"),
        ({"at": "2026-11-21"}, "Chưa đến thời điểm"),
    ],
)
def test_a_period_that_cannot_be_judged_is_refused(folder: Path, capsys: Any, more: dict[str, Any], sentence: str):
    with pytest.raises(UserError, match=sentence):
        commended(folder, capsys, **more)


def test_the_review_of_the_week_praises_the_same_units(folder: Path, capsys: Any):
    assert review(folder, "2026-W47", Order(), clock=lambda: FRIDAY) == 0
    out = capsys.readouterr().out
    assert (
        "  - [III.5, mau] Đoàn phường don-vi-0 (thứ 1): có tin tốt 33/33 ngày (mục II-CT.2); có câu chuyện đẹp" in out
    )
    assert "  - 1 đơn vị chưa đủ số liệu để xét; đề nghị xem bằng «nhip commend».\n" in out


def test_the_words_of_the_command_line_are_understood(folder: Path):
    said = nhip("--config", folder, "commend", "--period", "2026-10", "--at", "2026-11-20T09:00", "--json")
    assert (said.code, said.json()["period"]["title"]) == (0, "Tháng 10/2026")
