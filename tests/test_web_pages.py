"""What the pages say: in good times, before anything was read, when nothing could be read, and after a plan is over."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from dashboards.web.site import NAVIGATION, TABLES
from dashboards.web.tables import Cell, Column, Table, as_csv, harmless
from store.records import CaseState, Figure
from tests.checked import DAILY, TASK
from tests.small_district import FRIDAY
from tests.store_builders import days
from tests.web_builders import ROWS, Site, rewrite, site_of

PAGES = [*NAVIGATION, "/chi-tieu/mau/CT2a", "/chi-tieu/mau/CT4.1", "/chi-tieu/mau/NV1", "/don-vi/don-vi-0"]


@pytest.fixture
def url(created_file: Path, tmp_path: Path) -> str:
    path = tmp_path / "nhip.sqlite3"
    path.write_bytes(created_file.read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture
def site(tmp_path: Path, url: str) -> Iterator[Site]:
    with site_of(tmp_path / "quan", url, *ROWS) as served:
        yield served


class Words(HTMLParser):
    """The text of a page, and every address in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in ("href", "src", "action") and value]

    def handle_data(self, data):
        self.texts.append(data)

    def __str__(self) -> str:
        return " ".join(" ".join(self.texts).split())


def said(site: Site, path: str, status: int = 200) -> str:
    answer = site.get(path)
    assert answer.status == status, answer.text
    return str(Words(answer.text))


# --- every page, whatever the state --------------------------------------------------------------------------------


@pytest.mark.parametrize("path", PAGES)
def test_before_anything_was_read_every_page_says_what_to_do(site: Site, path: str):
    text = said(site, path)
    assert "Dữ liệu minh họa" in text
    assert re.search(r"Đề nghị|Hệ thống|chạy «nhip", text)


def test_a_week_that_was_never_checked_says_so_with_the_command(site: Site):
    assert "Tuần này chưa được đối chiếu với kế hoạch. Đề nghị chạy «nhip check --week 2026-W47»" in said(site, "/")
    assert "nhip check --week 2026-W45" in said(site, "/chi-tieu?tuan=2026-W45")


@pytest.mark.parametrize("path", PAGES)
def test_after_one_day_of_data_every_page_answers(site: Site, path: str):
    site.read()
    site.check()
    site.open_case()
    text = said(site, path)
    assert "chưa được đối chiếu" not in text


def test_the_overview_counts_the_targets_in_words(site: Site):
    site.read()
    site.check()
    text = said(site, "/")
    assert re.search(r"\d/4 chỉ tiêu", text)
    assert "Mục II.2" in text
    assert "Mục II.4" in text


def test_where_nothing_could_be_read_no_unit_is_blamed(site: Site):
    for day in range(5):
        site.fail(FRIDAY - days(day))
    site.check()
    text = said(site, "/chi-tieu/mau/CT2a")
    assert "Lỗi thu thập" in text
    assert "Chưa đạt" not in text
    assert "không có" not in "".join(re.findall(r'<td class="missed"', site.get("/").text))
    assert "Lỗi thu thập" in said(site, "/kenh")
    assert "Không kết nối được tới trang." in said(site, "/kenh")


def test_a_closed_plan_opens_at_its_last_week(tmp_path: Path, url: str):
    with site_of(tmp_path / "quan", url, *ROWS, until="2026-10-01", closed=True) as site:
        text = said(site, "/?ke-hoach=mau")
        assert "Tuần 40 (28/09–04/10/2026)" in text
        assert "nhip check --week 2026-W40" in text
        assert said(site, "/chi-tieu?ke-hoach=mau")


def test_a_district_without_plans_says_where_to_name_them(tmp_path: Path, url: str):
    with site_of(tmp_path / "quan", url) as site:
        assert "Đề nghị ghi dòng plans trong district.toml" in said(site, "/")
        for path in NAVIGATION:
            said(site, path)


def test_a_plan_of_duties_alone_points_to_them(tmp_path: Path, url: str):
    with site_of(tmp_path / "quan", url, TASK) as site:
        site.check()
        assert "không có chỉ tiêu đo được" in said(site, "/")
        assert "Báo cáo sơ kết" in said(site, "/chi-tieu")


# --- what the numbers rest on --------------------------------------------------------------------------------------


def test_an_answer_is_told_with_its_arithmetic_as_it_was_kept(site: Site):
    site.read()
    site.check()
    before = said(site, "/chi-tieu/mau/CT2a?doi-tuong=don-vi-0")
    assert "Cách tính: Đoàn phường don-vi-0" in before
    assert "Mã đối chiếu số liệu đầu vào" in before
    site.fail(FRIDAY + timedelta(minutes=1))
    assert said(site, "/chi-tieu/mau/CT2a?doi-tuong=don-vi-0") == before


def test_a_past_week_shows_its_own_check_and_not_the_newest(site: Site):
    site.read(at=FRIDAY - days(7))
    site.check(FRIDAY - days(7))
    earlier = said(site, "/chi-tieu/mau/CT2a?tuan=2026-W46")
    site.read()
    site.check()
    assert said(site, "/chi-tieu/mau/CT2a?tuan=2026-W46") == earlier
    assert said(site, "/chi-tieu/mau/CT2a") != earlier


def test_the_figures_of_a_few_persons_never_reach_a_page(tmp_path: Path, url: str):
    row = """
[rows.CT3]
clause = "II.3"
title = "75% liên kết"
text = "ít nhất 75% liên kết"
kind = "share"
classes = ["reported"]
indicator = "reported_share"
goal = { value = 75 }
scope = { grassroots = true }
"""
    with site_of(tmp_path / "quan", url, row, units=3) as site:
        start, end = datetime(2026, 7, 1, tzinfo=UTC).date(), datetime(2026, 10, 1, tzinfo=UTC).date()
        numbers = {"don-vi-0": (7, 8), "don-vi-1": (411, 500), "don-vi-2": (463, 600)}
        site.store.add_figures(
            [
                Figure(unit, "linked", start, end, "Văn phòng (mẫu)", FRIDAY, "Sổ (mẫu)", None, part, whole)
                for unit, (part, whole) in numbers.items()
            ]
        )
        site.check()
        open_page, own = site.get("/chi-tieu/mau/CT3").text, site.get("/don-vi/don-vi-0").text
        assert "463/600" in open_page
        assert "giữ kín" in open_page
        assert "giữ kín" in own
        for text in (open_page, own, *(site.get(path).text for path in FEW)):
            assert not re.search(r"\b7/8\b|87,5|411|0\.875", text)


FEW = (
    "/bang/doi-tuong.csv?dong=CT3",
    "/api/bang/doi-tuong.json?dong=CT3",
    "/bang/don-vi-bao-cao.csv?don-vi=don-vi-0",
    "/chi-tieu/mau/CT3?doi-tuong=don-vi-0",
    "/chi-tieu/mau/CT3?doi-tuong=don-vi-1",
    "/don-vi/don-vi-1",
)
"""The other places where figures of a unit stand."""


# --- addresses -----------------------------------------------------------------------------------------------------


def test_every_link_of_every_page_leads_somewhere(site: Site):
    site.read()
    site.check()
    site.open_case()
    seen: set[str] = set()
    waiting = ["/"]
    while waiting:
        path = waiting.pop().partition("#")[0]
        if path in seen or not path.startswith("/"):
            continue
        seen.add(path)
        answer = site.get(path)
        assert answer.status == 200, path
        if answer.headers["content-type"].startswith("text/html"):
            waiting += Words(answer.text).links
    assert len(seen) > 40
    assert set(NAVIGATION) <= {path.partition("?")[0] for path in seen}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/?tuan=2026-W99", 400),
        ("/?tuan=hom-nay", 400),
        ("/?tuan=2026-11", 400),
        ("/?tuan=2027-W01", 404),
        ("/?ke-hoach=khong-co", 404),
        ("/chi-tieu?loc=tot", 404),
        ("/chi-tieu/mau/CT99", 404),
        ("/chi-tieu/khac/CT2a", 404),
        ("/don-vi/khong-co", 404),
        ("/don-vi?trang=0", 400),
        ("/canh-bao/77", 404),
        ("/canh-bao/../etc", 404),
        ("/khong-co", 404),
        (f"/?tim={'a' * 200}", 400),
    ],
)
def test_an_address_that_names_nothing_is_told_so(site: Site, path: str, status: int):
    assert re.search(r"Đề nghị|Hệ thống", said(site, path, status))


def test_unknown_names_in_an_address_are_passed_over(site: Site):
    assert site.get("/?utm=1&tuan=2026-W47").text == site.get("/?tuan=2026-W47").text


# --- hostile texts -------------------------------------------------------------------------------------------------

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }}",
    "a\u202egnp.exe",
    "x" * 1_000_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=["script", "attribute", "template", "direction", "long"])
def test_a_hostile_text_is_only_a_text(site: Site, text: str):
    case = site.open_case(unit_name=text, channel_names=[text])
    for path in ("/", "/canh-bao", f"/canh-bao/{case.id}", "/don-vi/don-vi-0", "/api/bang/canh-bao.json"):
        answer = site.get(path)
        assert answer.status == 200
        assert len(answer.body) < 200_000
        assert "\u202e" not in answer.text
        if "html" in answer.headers["content-type"]:
            assert "img" not in Words(answer.text).tags
            assert Words(answer.text).tags.count("script") == 1
            assert "49" not in str(Words(answer.text)) or text != HOSTILE[2]


def test_a_hostile_name_of_a_unit_is_only_a_name(tmp_path: Path, url: str):
    name = "=HYPERLINK('x')<b>"
    with site_of(tmp_path / "quan", url, DAILY, change=rewrite("units.toml", "Đoàn phường don-vi-0", name)) as site:
        assert "b" not in Words(site.get("/don-vi").text).tags
        rows = list(csv.reader(io.StringIO(site.get("/bang/don-vi.csv").body.decode("utf-8-sig"))))
        assert f"'{name}" in [row[0] for row in rows]


# --- tables for spreadsheets and programs --------------------------------------------------------------------------


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_there_as_csv_and_as_json(site: Site, name: str):
    site.read()
    site.check()
    query = "?don-vi=don-vi-0&dong=CT2a"
    answer = site.get(f"/bang/{name}.csv{query}")
    assert answer.status == 200
    assert answer.body.startswith("\ufeff".encode())
    lines = list(csv.reader(io.StringIO(answer.body.decode("utf-8-sig"))))
    assert lines[0][0].startswith("Dữ liệu minh họa.")
    facts = site.get(f"/api/bang/{name}.json{query}").json()
    assert facts["illustration"] is True
    assert len(facts["rows"]) == len(lines) - 2
    assert all(set(row) == set(facts["columns"]) for row in facts["rows"])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("=1+1", "'=1+1"), (" =1+1", "' =1+1"), ("+84", "'+84"), ("-1", "'-1"), ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"), ("＝1", "'＝1"), ("7/20", "'7/20"), ("Đoàn phường", "Đoàn phường"), ("", ""),
        ("318/414 (76,8 %)", "318/414 (76,8 %)"),
    ],
)  # fmt: skip
def test_a_text_that_a_spreadsheet_would_reckon_gets_a_mark(text: str, told: str):
    assert harmless(text) == told


def test_a_number_stays_a_number_and_what_is_missing_stays_empty():
    columns = (Column("a", "A"), Column("b", "B"), Column("c", "C"))
    table = Table("t", "T", columns, [[Cell("-1,5 %", -0.015), Cell("–"), Cell('a"b\nc')]], "", {})
    assert as_csv(table, "H.").decode("utf-8-sig").split("\r\n", 2)[2] == '-0.015,,"a""b\nc"\r\n'


def test_the_description_of_the_interface_names_every_table(site: Site):
    described = site.get("/api/openapi.json").json()
    assert {f"/api/bang/{name}.json" for name in TABLES} <= set(described["paths"])
    assert site.get("/docs").status == 404


# --- machines that watch -------------------------------------------------------------------------------------------


def test_health_is_good_until_the_schedule_stands_still(site: Site):
    assert (site.get("/healthz").status, site.get("/healthz").json()["status"]) == (200, "ok")
    site.store.beat("schedule", FRIDAY)
    site.clock.now = FRIDAY + timedelta(hours=2)
    answer = site.get("/healthz")
    assert (answer.status, answer.json()["status"]) == (503, "fail")
    assert "Đề nghị chạy lại «nhip run»" in answer.json()["detail"][0]


def test_metrics_are_open_metrics(site: Site):
    site.read()
    site.open_case()
    answer = site.get("/metrics")
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert 'nhip_channels{platform="website",state="done"} 2\n' in answer.text
    assert 'nhip_cases_open{rule="quiet",state="new"} 1\n' in answer.text
    assert answer.text.endswith("# EOF\n")


def test_a_case_shows_its_ladder_and_what_was_done(site: Site):
    case = site.open_case()
    answer = site.post(f"/canh-bao/{case.id}", site.form(case, "tam-hoan", den="2026-11-25"))
    assert (answer.status, answer.headers["location"]) == (303, f"/canh-bao/{case.id}")
    text = said(site, f"/canh-bao/{case.id}")
    assert "Tạm hoãn đến hết 25/11/2026" in text
    assert "Từ 23/11/2026: báo đơn vị" in text
    assert "Tổ truyền thông (mẫu). Lý do: Đã gọi đơn vị (mẫu)" in text
    turned = site.store.case(case.id)
    assert turned is not None
    assert turned.state is CaseState.SNOOZED
    last = site.store.audit(last=1).iloc[0]
    assert (last["role"], last["action"]) == ("web", "alert.snoozed")
    assert "Tổ truyền thông (mẫu)" in said(site, "/he-thong")
