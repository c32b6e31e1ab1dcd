"""What no export is: too big, packed with malice, full of persons, or nothing at all."""

from __future__ import annotations

import io
import struct
import time
import zipfile

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from collectors.exports import ExportError, Imported
from collectors.exports.persons import column_name
from tests.export_builders import PAYLOADS, archive, followers, read, rebuilt, refusal, sample, sheet, workbook
from tests.test_exports_formats import CONTENT, HISTORY, META, PHOTO, TEMPLATE, VIDEO

DAY = ("2026-11-18", 5, "", "", "", "")
SHEET_PART = "xl/worksheets/sheet1.xml"
A_SHEET = sheet(TEMPLATE, DAY)


# --- size and shape of files --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "rỗng"),
        (b"\xef\xbb\xbf\r\n", "rỗng"),
        (b"\x00" * 5000, "rỗng"),
        (b"x" * (5 * 2**20 + 1), "5 MB"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), ".xls"),
        (b"%PDF-1.7\n\xff\xfe\x00", "UTF-8"),
        (A_SHEET + b"\x00", "văn bản"),
        (A_SHEET + b'2026-11-17,"mo ngoac', "ngoặc kép"),
        (b"PK\x03\x04" + bytes(100), "hỏng"),
    ],
)
def test_what_is_no_export_is_told_why(data: bytes, said: str):
    assert said in refusal(data).sentence


def test_rows_columns_and_cells_are_limited():
    assert "5000 dòng" in refusal(sheet(TEMPLATE, *([DAY] * 5000))).sentence
    assert refusal(sheet(TEMPLATE, (*DAY, *range(45)))).row == 2
    assert "32767" in refusal(sheet(TEMPLATE, (*DAY[:5], "x" * 32_768))).sentence
    assert "5000 dòng" in refusal(workbook(TEMPLATE, *([DAY] * 5000))).sentence
    assert "50 cột" in refusal(workbook(TEMPLATE, (*DAY, *range(45)))).sentence


# --- archives -----------------------------------------------------------------------------------------------------


def test_a_zip_bomb_is_refused_before_it_is_unpacked():
    started = time.process_time()
    assert "phình" in refusal(archive({"a.csv": bytes(40 * 2**20)})).sentence
    many = {f"{number}.csv": b"1,2\r\n" * 60_000 for number in range(180)}
    assert "phình" in refusal(archive(many)).sentence
    assert time.process_time() - started < 5


def test_an_archive_of_very_many_files_is_refused():
    assert "200" in refusal(archive({f"{number}.csv": b"a" for number in range(201)})).sentence


@pytest.mark.parametrize(
    "name", ["/etc/a.csv", "../a.csv", "b/../../a.csv", "C:\\a.csv", "..\\a.csv", "\\\\may\\a.csv"]
)
def test_a_path_out_of_the_archive_is_refused(name: str):
    assert "đường dẫn" in refusal(archive({name: A_SHEET})).sentence


@pytest.mark.parametrize(
    ("name", "inner"), [("a.zip", A_SHEET), ("a.csv", archive({"b.csv": A_SHEET})), ("a.xlsx", workbook(TEMPLATE, DAY))]
)
def test_an_archive_in_an_archive_is_refused(name: str, inner: bytes):
    assert "giải nén" in refusal(archive({name: inner}, zipfile.ZIP_STORED)).sentence


def test_an_encrypted_archive_is_refused():
    data = bytearray(archive({"a.csv": A_SHEET}))
    for magic, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(magic) + place] |= 1
    assert "mật khẩu" in refusal(bytes(data)).sentence


def test_an_archive_whose_directory_lies_about_sizes_is_refused():
    data = bytearray(archive({"a.csv": A_SHEET * 50}))
    at = data.index(b"PK\x01\x02") + 24
    data[at : at + 4] = struct.pack("<I", 10)
    assert "hỏng" in refusal(bytes(data)).sentence


def test_a_strange_compression_is_refused():
    assert "không hỗ trợ" in refusal(archive({"a.csv": A_SHEET}, zipfile.ZIP_LZMA)).sentence


# --- workbooks ----------------------------------------------------------------------------------------------------


def test_one_cell_in_the_last_corner_of_a_sheet_is_refused_at_once():
    import openpyxl

    book = openpyxl.Workbook()
    book.active["XFD1048576"] = 1
    out = io.BytesIO()
    book.save(out)
    started = time.process_time()
    assert "dòng" in refusal(out.getvalue()).sentence
    assert time.process_time() - started < 2


@pytest.mark.parametrize("claim", [b"A1:XFD1048576", b"A1:A1"])
def test_a_sheet_may_claim_anything_and_is_judged_by_its_cells(claim: bytes):
    whole = workbook(TEMPLATE, DAY)
    claimed = rebuilt(whole, {SHEET_PART: (b"A1:F2", claim)})
    if claim == b"A1:A1":
        assert followers(read(claimed)) == {"2026-11-18": 5}
        assert "cột" in refusal(rebuilt(claimed, {SHEET_PART: (b'"A2"', b'"XFD2"')})).sentence
    else:
        assert "dòng" in refusal(claimed).sentence


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("xl/vbaProject.bin", "macro"),
        ("xl/externalLinks/externalLink1.xml", "liên kết"),
        ("xl/embeddings/oleObject1.doc", "nhúng"),
        ("xl/connections.xml", "liên kết"),
    ],
)
def test_a_workbook_with_macros_or_links_is_refused(part: str, said: str):
    assert said in refusal(rebuilt(workbook(TEMPLATE, DAY), {}, {part: b"x"})).sentence


def test_a_workbook_with_entities_is_refused():
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><worksheet'
    assert "hỏng" in refusal(rebuilt(workbook(TEMPLATE, DAY), {SHEET_PART: (b"<worksheet", bomb)})).sentence


def test_a_workbook_that_is_cut_or_garbled_is_refused():
    whole = workbook(TEMPLATE, DAY)
    assert "hỏng" in refusal(whole[: len(whole) // 2]).sentence
    assert "hỏng" in refusal(rebuilt(whole, {SHEET_PART: (b"<sheetData>", b"<sheetData")})).sentence


def test_a_formula_counts_by_its_result_and_one_without_is_refused():
    whole = workbook(TEMPLATE, ("2026-11-18", "=2+3", "", "", "", ""))
    assert "Ô B2" in refusal(whole).sentence
    computed = rebuilt(whole, {SHEET_PART: (b"<f>2+3</f><v></v>", b"<f>2+3</f><v>5</v>")})
    assert followers(read(computed)) == {"2026-11-18": 5}


# --- persons ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "what"),
    [
        ("Họ và tên", "họ tên"),
        ("HỌ TÊN", "họ tên"),
        ("Họ tên đoàn viên", "họ tên"),
        ("Full name", "họ tên"),
        ("ĐTDĐ", "điện thoại"),
        ("Số điện thoại", "điện thoại"),
        ("CCCD/CMND", "giấy tờ"),
        ("Mã số căn cước", "giấy tờ"),
        ("Họ", "họ tên"),
        ("Số căn cước", "giấy tờ"),
        ("E-mail", "thư điện tử"),
        ("Ngày sinh", "ngày sinh"),
        ("Năm sinh", "ngày sinh"),
        ("Date of birth", "ngày sinh"),
        ("Người nhập", "tên người"),
        ("Người lập biểu", "tên người"),
        ("Cán bộ phụ trách", "tên người"),
        ("Họ tên người báo cáo", "họ tên"),
        ("Người theo dõi kênh", "tên người"),
        ("Tác giả", "tên người"),
    ],
)
def test_a_heading_about_persons_refuses_the_file(title: str, what: str):
    error = refusal(sheet((*TEMPLATE, title), (*DAY, "")))
    assert error.row == 1
    assert "cột G" in error.sentence
    assert what in error.sentence


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        ("0912 345 678", "điện thoại"),
        ("+84912345678", "điện thoại"),
        ("mau.nguoi@doan-mau.example", "thư điện tử"),
        ("079201000001", "giấy tờ"),
        ("201000001", "giấy tờ"),
        ("Nguyễn Văn Mẫu", "họ tên"),
        ("TRẦN THỊ MẪU", "họ tên"),
        ("0283 829 1234", "điện thoại"),
    ],
)
def test_a_column_of_persons_refuses_the_file_and_is_never_repeated(cell: str, what: str):
    error = refusal(sheet((*TEMPLATE, "Cột thêm"), (*DAY, cell), ("2026-11-17", *DAY[1:], cell)))
    assert error.row == 2
    assert what in error.sentence
    assert cell not in error.sentence


@pytest.mark.parametrize(
    ("cell", "what"),
    [
        ("Chị Lan 0903123456", "số điện thoại"),
        ("trang Facebook, hỏi +84 903 123 456 (mẫu)", "số điện thoại"),
        ("gửi mau.nguoi@doan-mau.example", "thư điện tử"),
        ("CCCD 079201000001", "số giấy tờ"),
        ("theo chứng minh 201000001, đã đối chiếu", "số giấy tờ"),
    ],
)
@pytest.mark.parametrize("column", [5, 6])
def test_one_text_with_a_sign_of_a_person_refuses_the_file_and_is_never_repeated(cell: str, what: str, column: int):
    whole: list[tuple[object, ...]] = [(*TEMPLATE, "Ghi chú"), (*DAY, ""), ("2026-11-17", *DAY[1:], "")]
    whole[2] = (*whole[2][:column], cell, *whole[2][column + 1 :])
    error = refusal(sheet(*whole))
    assert error.row == 3
    assert f"cột {'FG'[column - 5]} có {what}" in error.sentence
    assert not [word for word in cell.split() if len(word) > 7 and word in error.sentence]


@pytest.mark.parametrize(
    "title", ["Người theo dõi mới", "Người đăng ký kênh", "Người xem", "Số người tiếp cận", "Cán bộ Đoàn"]
)
def test_a_heading_that_counts_people_is_no_roster(title: str):
    assert followers(read(sheet((*TEMPLATE, title), (*DAY, 12)))) == {"2026-11-18": 5}


@pytest.mark.parametrize(
    "source",
    [
        "https://www.facebook.com/201000001",
        "trang https://zalo.me/1000000001, 18/11/2026 06:30",
        "Facebook, 20.11.2026",
    ],
)
def test_links_and_dates_are_no_sign_of_a_person(source: str):
    assert followers(read(sheet(TEMPLATE, (*DAY[:5], source)))) == {"2026-11-18": 5}


def test_a_published_text_may_name_a_hotline_only_where_a_platform_wrote_it():
    hotline = "Đường dây nóng 0912345678 (mẫu)"
    assert len(read(sheet(META, (*PHOTO[:2], hotline, *PHOTO[3:]))).rows) == 1
    assert len(read(sheet(CONTENT, (VIDEO[0], hotline, *VIDEO[2:])), "tiktok").rows) == 1
    assert "số điện thoại" in refusal(sheet((*TEMPLATE, "Tiêu đề"), (*DAY, hotline))).sentence
    assert "số điện thoại" in refusal(sheet((*META, "Nhãn tùy chỉnh"), (*PHOTO, hotline))).sentence


def test_a_roster_without_any_heading_of_ours_is_refused_as_one():
    rows = [("DANH SÁCH (mẫu)",), ("STT", "Họ và tên", "Chi đoàn"), (1, "Nguyễn Văn Mẫu", "A")]
    assert "danh sách người" in refusal(sheet(*rows)).sentence
    assert "danh sách người" in refusal(workbook(*rows)).sentence


def test_a_phone_in_the_text_of_a_post_and_long_ids_are_no_roster():
    post = ("123456789012", "104729385617", "Liên hệ 0912345678 để góp sách (mẫu)", *PHOTO[3:])
    assert len(read(sheet(META, post, (*PHOTO[:1], "104729385617", *PHOTO[2:])), address="ten.trang").rows) == 2


def test_columns_are_named_as_a_spreadsheet_names_them():
    assert [column_name(place) for place in (0, 25, 26, 51, 52)] == ["A", "Z", "AA", "AZ", "BA"]


# --- anything at all ----------------------------------------------------------------------------------------------

SEEDS = [
    *(path.read_bytes() for folder in ("facebook/export", "tiktok/studio") for path in (PAYLOADS / folder).iterdir()),
    sample("youtube/studio_table_data_UNCONFIRMED.csv"),
    A_SHEET,
    sheet(HISTORY, ("November 17", 5, 0)),
    sheet(CONTENT, VIDEO),
    archive({"FollowerHistory.csv": sheet(HISTORY, ("November 17", 5, 0))}),
    workbook(TEMPLATE, DAY),
]
PLATFORMS = st.sampled_from(["facebook", "tiktok", "youtube", "website"])
PATIENT = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A real export with a piece cut out and something else put in its place."""
    data = draw(st.sampled_from(SEEDS))
    start = draw(st.integers(0, len(data)))
    end = min(len(data), start + draw(st.integers(0, 40)))
    return data[:start] + draw(st.binary(max_size=40)) + data[end:]


def assert_read_or_refused(data: bytes, platform: str) -> None:
    try:
        found = read(data, platform)
    except ExportError as error:
        assert error.sentence.endswith(".")  # noqa: PT017 - either end is good
    else:
        assert isinstance(found, Imported)


@PATIENT
@given(damaged(), PLATFORMS)
def test_a_damaged_export_is_read_or_refused(data: bytes, platform: str):
    assert_read_or_refused(data, platform)


@PATIENT
@given(st.binary(max_size=300), PLATFORMS)
@example(b"\xff\xfe\x00\xd8", "facebook")
@example(b"sep=\n", "tiktok")
@example(b"PK\x03\x04PK\x05\x06" + bytes(18), "youtube")
def test_any_bytes_are_read_or_refused(data: bytes, platform: str):
    assert_read_or_refused(data, platform)


CELLS = st.one_of(
    st.text(max_size=20), st.sampled_from(["undefined", "1.2K", "November 31", "31 tháng 2", "9" * 30, "-1"])
)
HEADERS = st.sampled_from([META, HISTORY, CONTENT, TEMPLATE, ("Date", "Primary"), ("Content", "Video publish time")])


@PATIENT
@given(HEADERS, st.lists(st.lists(CELLS, max_size=10), max_size=5), PLATFORMS)
def test_any_cells_under_a_known_header_are_read_or_refused(
    header: tuple[str, ...], rows: list[list[str]], platform: str
):
    assert_read_or_refused(sheet(header, *rows, encoding="utf-16"), platform)
