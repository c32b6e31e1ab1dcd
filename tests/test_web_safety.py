"""What stands before every page: who may ask, what may be sent, what is kept, and how errors are told."""

from __future__ import annotations

import gzip
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from starlette.requests import Request

from dashboards.web import safety, statics
from dashboards.web.safety import Tokens, host_name
from dashboards.web.shelf import Shelf, answer_of, respond
from store.errors import StoreError, Trouble
from store.records import CaseState
from tests.case_builders import turn
from tests.small_district import FRIDAY
from tests.store_builders import dump
from tests.web_builders import ROWS, Site, site_of


@pytest.fixture
def site(tmp_path: Path, created_file: Path) -> Iterator[Site]:
    path = tmp_path / "nhip.sqlite3"
    path.write_bytes(created_file.read_bytes())
    with site_of(tmp_path / "quan", f"sqlite:///{path}", *ROWS) as served:
        yield served


# --- who may ask ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8765", "LOCALHOST", "[::1]:8765"])
def test_the_names_of_this_machine_are_answered(site: Site, host: str):
    assert site.get("/healthz", Host=host).status == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "127.0.0.1.evil.example",
        "localhost.evil.example:8765",
        "169.254.1.1",
        "127.0.0.1@evil.example",
        "",
    ],
)
def test_a_strange_name_is_refused_whatever_it_points_to(site: Site, host: str):
    answer = site.get("/", Host=host)
    assert answer.status in (400, 421)
    assert "Quận Đoàn" not in answer.text


def test_every_answer_carries_the_policy(site: Site):
    for path in ("/", "/khong-co", "/healthz", "/api/openapi.json", statics.address("nhip.css"), "/canh-bao/1"):
        headers = site.get(path).headers
        assert headers["content-security-policy"] == safety.POLICY
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-opener-policy"] == "same-origin"
    assert site.get("/", Host="evil.example").headers["content-security-policy"] == safety.POLICY
    assert "unsafe-inline" not in safety.POLICY.replace("style-src-attr 'unsafe-inline'", "")
    assert "unsafe-eval" not in safety.POLICY


def test_no_page_has_a_script_or_a_style_of_its_own(site: Site):
    site.read()
    site.check()
    for path in ("/", "/chi-tieu", "/don-vi/don-vi-0", "/kenh", "/he-thong"):
        page = site.get(path).text
        assert not re.search(r"<script(?![^>]*\ssrc=)", page)
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", page)
        assert not re.search(r'(src|href)="(https?:)?//(?!127\.0\.0\.1:9)', page)


# --- what may be sent ----------------------------------------------------------------------------------------------


def test_a_form_of_our_own_turns_a_case(site: Site):
    case = site.open_case()
    answer = site.post(
        f"/canh-bao/{case.id}", site.form(case), Origin=f"http://127.0.0.1:{site.port}", Sec_Fetch_Site="same-origin"
    )
    assert answer.status == 303
    assert state_of(site, case.id) is CaseState.ACKNOWLEDGED


def state_of(site: Site, number: int) -> CaseState:
    case = site.store.case(number)
    assert case is not None
    return case.state


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
)
def test_a_form_from_another_page_is_refused(site: Site, headers: dict[str, str]):
    case = site.open_case()
    assert site.post(f"/canh-bao/{case.id}", site.form(case), **headers).status == 403
    assert state_of(site, case.id) is CaseState.NEW


def test_a_form_without_our_token_or_with_that_of_another_case_changes_nothing(site: Site):
    case, other = site.open_case(), site.open_case("don-vi-1")
    before = dump(site.store)
    stolen = site.form(other) | {"luot": str(case.turn)}
    for form in (
        site.form(case) | {"phieu": ""},
        site.form(case) | {"phieu": Tokens().make(f"/canh-bao/{case.id}")},
        stolen,
    ):
        answer = site.post(f"/canh-bao/{case.id}", form)
        assert answer.status == 403
        assert "Đề nghị mở lại trang rồi gửi." in answer.text
    assert dump(site.store) == before


def test_looking_changes_nothing(site: Site):
    site.read()
    site.check()
    case = site.open_case()
    before = dump(site.store)
    for path in ("/", "/chi-tieu/mau/CT2a", "/don-vi/don-vi-0", f"/canh-bao/{case.id}?hanh-dong=da-xu-ly"):
        assert site.get(path).status == 200
    assert dump(site.store) == before


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"ly-do": "  "}, "Cần ghi bộ phận xử lý và lý do"),
        ({"bo-phan": ""}, "Cần ghi bộ phận xử lý và lý do"),
        ({"ly-do": "a" * 600}, "chữ cái"),
        ({"hanh-dong": "tam-hoan", "den": ""}, "Cần chọn ngày cuối"),
        ({"hanh-dong": "tam-hoan", "den": "2026-11-19"}, "từ hôm nay đến một năm sau"),
        ({"hanh-dong": "tam-hoan", "den": "2028-01-01"}, "từ hôm nay đến một năm sau"),
    ],
)
def test_what_is_missing_in_a_form_is_told_and_the_rest_stays_written(site: Site, more: dict[str, str], told: str):
    case = site.open_case()
    answer = site.post(f"/canh-bao/{case.id}", site.form(case) | more)
    assert answer.status == 409
    assert told in answer.text
    assert state_of(site, case.id) is CaseState.NEW
    if "ly-do" not in more:
        assert "Đã gọi đơn vị (mẫu)" in answer.text


def test_of_two_people_the_first_turns_a_case_and_the_second_is_told(site: Site):
    case = site.open_case()
    form = site.form(case)
    turn(site.store, case, CaseState.OPEN)
    answer = site.post(f"/canh-bao/{case.id}", form)
    assert answer.status == 409
    assert "vừa thay đổi ở nơi khác" in answer.text


def test_a_case_that_is_over_has_no_forms(site: Site):
    case = site.open_case()
    assert site.post(f"/canh-bao/{case.id}", site.form(case, "da-xu-ly")).status == 303
    assert "<form id=" not in site.get(f"/canh-bao/{case.id}").text
    assert "1 cảnh báo" not in site.get("/").text


@pytest.mark.parametrize(
    ("path", "method", "headers", "body", "status"),
    [
        ("/canh-bao/1", "POST", {"Content_Type": "application/json"}, b"{}", 415),
        ("/canh-bao/1", "POST", {"Content_Type": "text/plain"}, b"phieu=1", 415),
        ("/canh-bao/1", "POST", {}, b"a=" + b"b" * 20_000, 415),
        ("/canh-bao/1", "POST", {"Content_Type": safety.FORM}, b"a=" + b"b" * 20_000, 413),
        ("/", "POST", {"Content_Type": safety.FORM}, b"", 405),
        ("/", "PUT", {"Content_Type": safety.FORM}, b"", 405),
        ("/", "DELETE", {}, None, 415),
        ("/", "OPTIONS", {"Origin": "http://evil.example"}, None, 415),
    ],
)
def test_what_is_no_form_of_ours_is_refused(
    site: Site, path: str, method: str, headers: dict[str, str], body: bytes | None, status: int
):
    answer = site.get(path, method, body, **headers)
    assert answer.status == (413 if body and len(body) > safety.LARGEST_BODY else status)
    assert "access-control-allow-origin" not in answer.headers


def test_a_large_form_in_pieces_is_refused_as_well(site: Site):
    case = site.open_case()
    piece = b"4000\r\n" + b"a" * 0x4000 + b"\r\n"
    answer = site.get(
        f"/canh-bao/{case.id}", "POST", piece * 4 + b"0\r\n\r\n", Content_Type=safety.FORM, Transfer_Encoding="chunked"
    )
    assert answer.status == 403
    assert state_of(site, case.id) is CaseState.NEW


def test_a_name_is_read_without_its_port():
    assert [host_name(one) for one in ("127.0.0.1:8765", "localhost", "[::1]:80", "::1")] == [
        "127.0.0.1",
        "localhost",
        "[::1]",
        ":",
    ]


# --- what is kept --------------------------------------------------------------------------------------------------


def test_a_page_that_the_reader_has_is_not_sent_again(site: Site):
    first = site.get("/chi-tieu")
    assert first.headers["cache-control"] == "private, no-cache"
    again = site.get("/chi-tieu", If_None_Match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    assert site.get("/chi-tieu", "HEAD").headers["etag"] == first.headers["etag"]


def test_a_page_is_packed_for_who_takes_it(site: Site):
    plain, packed = site.get("/"), site.get("/", Accept_Encoding="br, gzip")
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert "content-encoding" not in site.get("/", Accept_Encoding="gzip;q=0").headers


def test_new_data_makes_a_new_page(site: Site):
    tag = site.get("/").headers["etag"]
    assert site.get("/").headers["etag"] == tag
    site.read()
    site.check()
    site.clock.now += timedelta(days=1)  # another day, so that the half second of trust does not matter
    assert site.get("/").headers["etag"] != tag


def test_our_own_change_is_seen_at_once(site: Site):
    case = site.open_case()
    assert "Đã biết" not in re.sub(r"<a class.*?</a>", "", site.get("/canh-bao").text)
    assert site.post(f"/canh-bao/{case.id}", site.form(case)).status == 303
    assert "Đã biết" in site.get("/canh-bao").text


def test_a_changed_configuration_makes_a_new_page(site: Site):
    before = site.get("/don-vi").text
    file = site.config.folder / "units.toml"
    file.write_text(file.read_text("utf-8").replace("Đoàn phường don-vi-0", "Đoàn phường Mới (mẫu)"), encoding="utf-8")
    site.desk._looked -= 60
    assert "Đoàn phường Mới (mẫu)" not in before
    assert "Đoàn phường Mới (mẫu)" in site.get("/don-vi").text
    file.write_text("[units.x", encoding="utf-8")
    site.desk._looked -= 60
    assert "Đoàn phường Mới (mẫu)" in site.get("/don-vi").text


def test_the_shelf_lets_go_of_what_was_not_asked_for_longest():
    shelf, answer = Shelf(room=1000), answer_of(b"a" * 300, "text/plain")
    for name in ("one", "two", "three"):
        shelf.put(name, 1, answer)
    assert shelf.get("one", 1)
    shelf.put("four", 1, answer)
    assert [shelf.get(name, 1) is not None for name in ("one", "two", "three", "four")] == [True, False, True, True]
    assert shelf.get("one", 2) is None
    shelf.put("huge", 1, answer_of(b"a" * 2000, "text/plain"))
    assert shelf.get("huge", 1) is None


def test_style_and_scripts_have_names_that_change_with_them(site: Site):
    page = site.get("/").text
    for name in ("nhip.css", "charts.js", "plotly.js"):
        path = statics.address(name)
        assert path in page
        answer = site.get(path, Accept_Encoding="gzip")
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert gzip.decompress(answer.body) == statics.bytes_of(name)
    assert site.get("/static/nhip.000000000000.css").status == 404
    assert site.get("/static/..%2f..%2fapp.py").status == 404


def test_the_library_adds_no_style_that_the_policy_would_refuse(site: Site):
    assert re.fullmatch(r"[0-9a-f]{64}( [0-9a-f]{64})*", statics.plotly_styles())
    page = site.get("/").text
    assert 'id="plotly.js-style-global" class="no-inline-styles"' in page
    assert f'data-plotly-styles="{statics.plotly_styles()}"' in page


# --- how errors are told -------------------------------------------------------------------------------------------


def test_a_crash_tells_a_mark_and_the_log_tells_the_rest(site: Site, caplog: pytest.LogCaptureFixture):
    vars(site.desk)["ladder"] = None  # a bug, as it might be
    case = site.open_case()
    with caplog.at_level(logging.ERROR, logger="dashboards.web.safety"):
        answer = site.get(f"/canh-bao/{case.id}")
    assert answer.status == 500
    mark = re.search(r"gửi mã ([0-9a-f]{8})", answer.text)
    assert mark is not None
    assert "Traceback" not in answer.text
    assert "NoneType" not in answer.text
    (record,) = [one for one in caplog.records if one.name == "dashboards.web.safety"]
    assert vars(record)["mark"] == mark[1]
    assert record.exc_info is not None


def test_trouble_with_the_database_is_one_sentence(site: Site):
    assert site.get("/kenh").status == 200
    Path(str(site.store.database.url.database)).rename(site.config.folder / "moved.sqlite3")
    site.clock.now = FRIDAY + timedelta(days=1)
    answer = site.get("/kenh")
    assert answer.status == 503
    assert "Đề nghị" in answer.text
    assert site.get("/healthz").status == 503
    assert set(site.get("/api/bang/kenh.json").json()) == {"detail"}


def test_the_kinds_of_trouble_all_have_words_for_people():
    for kind in Trouble:
        assert StoreError(kind, "đây", "detail").sentence.endswith(".")


async def _nothing() -> dict[str, object]:
    return {}


def test_an_answer_of_an_error_is_never_304():
    request = Request({"type": "http", "headers": [(b"if-none-match", b"*")], "method": "GET"}, _nothing)
    assert respond(request, answer_of(b"{}", "application/json", 404)).status_code == 404
