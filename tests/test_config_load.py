"""A configuration folder is either a whole checked Config, or every problem of every file in Vietnamese."""

import re
import subprocess
import sys
import tempfile
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.load import EXAMPLES, FILES, TEMPLATE, ConfigError, Problem, load_config, write_example

DISTRICT = """
[organisation]
name = "Quận Đoàn"
contact = "phong@don-vi.example"
[kinds.phuong]
name = "Đoàn phường"
[labels.tin-tot]
name = "Tin tốt"
every = "day"
clause = "II-CT.2"
phrases = ["tin tốt"]
"""
UNITS = """
[units.cu]
name = "Phường cũ"
kind = "phuong"
start = 2020-01-01
until = 2025-07-01
successors = ["moi"]
[units.moi]
name = "Phường mới"
kind = "phuong"
start = 2025-07-01
"""
CHANNELS = """
[channels.web]
platform = "website"
name = "Trang"
address = "https://don-vi.example/"
owners = [{unit = "cu", start = 2024-01-01, until = 2025-07-01}, {unit = "moi", start = 2025-07-01}]
"""
SECOND = CHANNELS.replace("web]", "web2]")


def folder_of(folder: Path, district: str = DISTRICT, units: str = UNITS, channels: str = CHANNELS) -> Path:
    for name, text in zip(FILES, (district, units, channels), strict=True):
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def problems_of(folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as refused:
        load_config(folder)
    assert str(refused.value).splitlines() == [str(problem) for problem in refused.value.problems]
    return refused.value.problems


def test_a_good_folder_gives_the_whole_config(tmp_path: Path) -> None:
    config = load_config(folder_of(tmp_path))
    assert config.units["cu"].successors == ("moi",)
    assert config.channels["web"].owner_on(date(2025, 6, 30)) == "cu"
    assert config.channels["web"].owner_on(date(2025, 7, 1)) == "moi"
    assert config.channels["web"].owner_on(date(2023, 12, 31)) is None
    assert config.watched() == [config.channels["web"]]


BAD: dict[str, tuple[Any, ...]] = {
    "unknown key with a near one": (
        {"units": UNITS.replace("until", "untill")},
        "units.toml, bảng [units.cu], khóa «untill»: không có khóa «untill». Cách sửa: có phải ý là «until».",
    ),
    "unknown key far from all": (
        {"district": DISTRICT.replace("[kinds.phuong]", "[kinds.phuong]\nxyzzy = 1")},
        "district.toml, bảng [kinds.phuong], khóa «xyzzy»: không có khóa «xyzzy». Cách sửa: "
        "dùng một trong: name, grassroots, breaks.",
    ),
    "unknown key inside an owner": (
        {"channels": CHANNELS.replace('{unit = "moi"', '{sart = 2025-07-01, unit = "moi"')},
        "channels.toml, bảng [channels.web], khóa «owners (mục 2).sart»: không có khóa «sart». Cách sửa: "
        "có phải ý là «start».",
    ),
    "unknown table": (
        {"district": DISTRICT + "[calender]\n"},
        "district.toml, khóa «calender»: không có khóa «calender». Cách sửa: có phải ý là «calendar».",
    ),
    "unknown table among units": (
        {"units": UNITS + "[unit.x]\n"},
        "units.toml, khóa «unit»: không có bảng «unit» trong tệp này. Cách sửa: viết tên bảng như [units.an-lac].",
    ),
    "missing key": (
        {"units": UNITS.replace('name = "Phường cũ"\n', "")},
        "units.toml, bảng [units.cu], khóa «name»: bắt buộc nhưng còn thiếu. Cách sửa: "
        "thêm vào theo tệp mẫu do «nhip init» viết ra.",
    ),
    "missing table": (
        {"district": DISTRICT.replace("[organisation]", "[network]").replace('name = "Quận Đoàn"\ncontact', "#")},
        "district.toml, bảng [organisation]: bắt buộc nhưng còn thiếu. Cách sửa: "
        "thêm vào theo tệp mẫu do «nhip init» viết ra.",
    ),
    "no kinds and no labels": (
        {"district": "[labels]\n[kinds]\n" + DISTRICT[: DISTRICT.index("[kinds")]},
        "district.toml, bảng [kinds]: bảng này đang trống. Cách sửa: viết ít nhất một bảng như [kinds.phuong].",
        "district.toml, bảng [labels]: bảng này đang trống. Cách sửa: viết ít nhất một bảng như [labels.tin-tot].",
    ),
    "empty units": (
        {"units": ""},
        "units.toml, bảng [units]: tệp chưa khai báo gì. Cách sửa: viết ít nhất một bảng như [units.an-lac].",
    ),
    "text for a date": (
        {"units": UNITS.replace("2020-01-01", '"hôm qua"')},
        "units.toml, bảng [units.cu], khóa «start»: «hôm qua» không phải là ngày. Cách sửa: "
        "viết năm-tháng-ngày, không có ngoặc kép, ví dụ 2025-07-01.",
    ),
    "number for a date": (
        {"units": UNITS.replace("2020-01-01", "2020")},
        "units.toml, bảng [units.cu], khóa «start»: «2020» không phải là ngày. Cách sửa: "
        "viết năm-tháng-ngày, không có ngoặc kép, ví dụ 2025-07-01.",
    ),
    "moment for a date": (
        {"units": UNITS.replace("2020-01-01", "2020-01-01T00:00:00")},
        "units.toml, bảng [units.cu], khóa «start»: «2020-01-01T00:00:00» không phải là ngày. Cách sửa: "
        "viết năm-tháng-ngày, không có ngoặc kép, ví dụ 2025-07-01.",
    ),
    "number for a text": (
        {"units": UNITS.replace('"Phường mới"', "5")},
        "units.toml, bảng [units.moi], khóa «name»: «5» không phải là chữ. Cách sửa: "
        'đặt trong ngoặc kép, ví dụ "An Lạc".',
    ),
    "blank text": (
        {"units": UNITS.replace('"Phường mới"', '"  "')},
        "units.toml, bảng [units.moi], khóa «name»: đang để trống. Cách sửa: viết ít nhất một chữ.",
    ),
    "endless text": (
        {"units": UNITS.replace("Phường mới", "x" * 301)},
        "units.toml, bảng [units.moi], khóa «name»: dài hơn 300 ký tự. Cách sửa: viết ngắn lại.",
    ),
    "text for a switch": (
        {"district": DISTRICT.replace("[kinds.phuong]", '[kinds.phuong]\ngrassroots = "có"')},
        "district.toml, bảng [kinds.phuong], khóa «grassroots»: «có» không phải là đúng/sai. Cách sửa: "
        "viết true hoặc false, không có ngoặc kép.",
    ),
    "text for a number": (
        {"units": UNITS + 'members = [{start = 2025-07-01, count = "120"}]'},
        "units.toml, bảng [units.moi], khóa «members (mục 1).count»: «120» không phải là số nguyên. Cách "
        "sửa: "
        "viết số nguyên, không có ngoặc kép, ví dụ 120.",
    ),
    "negative number": (
        {"units": UNITS + "members = [{start = 2025-07-01, count = -1}]"},
        "units.toml, bảng [units.moi], khóa «members (mục 1).count»: -1 quá nhỏ. Cách sửa: viết số từ 0 trở lên.",
    ),
    "not a number at all": (
        {"district": DISTRICT + "[network]\ngap_seconds = nan\ndeadline_seconds = 0.0"},
        "district.toml, bảng [network], khóa «gap_seconds»: nan quá lớn. Cách sửa: viết số từ 60.0 trở xuống.",
        "district.toml, bảng [network], khóa «deadline_seconds»: 0.0 quá nhỏ. Cách sửa: viết số lớn hơn 0.0.",
    ),
    "text for a list": (
        {"district": DISTRICT.replace('["tin tốt"]', '"tin tốt"')},
        "district.toml, bảng [labels.tin-tot], khóa «phrases»: «tin tốt» không phải là danh sách. Cách sửa: "
        'đặt trong ngoặc vuông, ví dụ ["tin tốt"].',
    ),
    "text for a table": (
        {"channels": CHANNELS + 'website = "feed"'},
        "channels.toml, bảng [channels.web], khóa «website»: «feed» không phải là một bảng. Cách sửa: "
        "viết thành bảng các dòng khóa = giá trị.",
    ),
    "key for a table": (
        {"units": UNITS.replace("[units.cu]", "[units]\nten = 1\n[units.cu]")},
        "units.toml, bảng [units], khóa «ten»: đây không phải là một bảng. Cách sửa: viết [units.ten] rồi các dòng.",
    ),
    "word outside the choice": (
        {"district": DISTRICT.replace('"day"', '"month"')},
        "district.toml, bảng [labels.tin-tot], khóa «every»: «month» không phải là một giá trị dùng được. "
        "Cách sửa: chọn một trong: day, week.",
    ),
    "slug with marks": (
        {"units": UNITS + '[units."Bình Tân"]\nname="x"\nkind="phuong"\nstart=2025-07-01'},
        "units.toml, bảng [units.Bình Tân], khóa «slug»: «Bình Tân» không dùng làm mã được. Cách sửa: "
        "chỉ dùng chữ thường không dấu, chữ số và dấu gạch nối, ví dụ binh-tan.",
    ),
    "slug of a kind with capitals": (
        {"district": DISTRICT + '[kinds.Truong]\nname = "x"'},
        "district.toml, bảng [kinds.Truong]: «Truong» không dùng làm mã được. Cách sửa: "
        "chỉ dùng chữ thường không dấu, chữ số và dấu gạch nối, ví dụ truong.",
    ),
    "slug written twice": (
        {"units": UNITS + 'slug = "moi"'},
        "units.toml, bảng [units.moi], khóa «slug»: mã đã nằm ở tên bảng. Cách sửa: bỏ dòng này.",
    ),
    "bad zone": (
        {"district": 'zone = "Asia/Ho_Chi_Min"\n' + DISTRICT},
        "district.toml, khóa «zone»: không có múi giờ «Asia/Ho_Chi_Min». Cách sửa: có phải ý là «Asia/Ho_Chi_Minh».",
    ),
    "cut-off that no year has": (
        {"district": DISTRICT + '[reporting_year]\ncut_off = "02-30"'},
        "district.toml, bảng [reporting_year], khóa «cut_off»: «02-30» không phải là một ngày trong năm. "
        "Cách sửa: "
        'viết "tháng-ngày", ví dụ "12-14".',
    ),
    "same look time twice": (
        {"district": DISTRICT + "[schedule]\nlooks_at = [06:30:00, 06:30:00]"},
        "district.toml, bảng [schedule]: looks_at ghi «06:30» hai lần. Cách sửa: chỉ giữ một.",
    ),
    "no look time": (
        {"district": DISTRICT + "[schedule]\nlooks_at = []"},
        "district.toml, bảng [schedule], khóa «looks_at»: danh sách đang trống. Cách sửa: khai báo ít nhất 1 mục.",
    ),
    "look time that is none": (
        {"district": DISTRICT + '[schedule]\nlooks_at = ["sáng", 06:30:15]'},
        "district.toml, bảng [schedule], khóa «looks_at (mục 1)»: «sáng» không phải là giờ. Cách sửa: "
        "viết giờ:phút:giây, không có ngoặc kép, ví dụ 06:30:00.",
        "district.toml, bảng [schedule], khóa «looks_at (mục 2)»: «06:30:15» không phải là giờ và phút. "
        "Cách sửa: "
        "viết giờ địa phương, ví dụ 06:30:00.",
    ),
    "break that ends before it starts": (
        {
            "district": DISTRICT.replace("[kinds.phuong]", "[kinds.phuong]\n#").replace(
                "#", 'breaks = [{name = "Hè", start = 2026-06-01, until = 2026-06-01}]\n'
            )
        },
        "district.toml, bảng [kinds.phuong], khóa «breaks (mục 1)»: ngày kết thúc until = 2026-06-01 "
        "không sau "
        "ngày bắt đầu start = 2026-06-01. Cách sửa: "
        "ghi until là ngày đầu tiên không còn tính, sau start ít nhất một ngày.",
    ),
    "day both added and removed": (
        {"district": DISTRICT + '[calendar]\nadd = [{day = 2026-11-24, name = "x"}]\nremove = [2026-11-24]'},
        "district.toml, bảng [calendar]: ngày 2026-11-24 vừa ở add vừa ở remove. Cách sửa: "
        "giữ ngày ấy ở một trong hai danh sách.",
    ),
    "rest all week": (
        {"district": DISTRICT + '[calendar]\nrest_weekdays = ["mon","tue","wed","thu","fri","sat","sun"]'},
        "district.toml, bảng [calendar]: rest_weekdays cho nghỉ cả tuần. Cách sửa: "
        "để lại ít nhất một ngày phải có tin.",
    ),
    "label that nothing can carry": (
        {"district": DISTRICT.replace('phrases = ["tin tốt"]', "phrases = []")},
        "district.toml, bảng [labels.tin-tot]: nhãn chưa có dấu hiệu nhận biết. Cách sửa: "
        "khai báo ít nhất một trong hashtags, phrases, categories.",
    ),
    "words without letters": (
        {"district": DISTRICT.replace('["tin tốt"]', '["!!!"]\nhashtags = ["#tin tốt"]')},
        "district.toml, bảng [labels.tin-tot], khóa «hashtags (mục 1)»: «#tin tốt» không phải là một thẻ. "
        'Cách sửa: viết liền, ví dụ "#moingaymottintot".',
        "district.toml, bảng [labels.tin-tot], khóa «phrases (mục 1)»: «!!!» không có chữ nào. Cách sửa: "
        "viết cụm từ cần tìm.",
    ),
    "host without a port": (
        {"district": DISTRICT + '[network]\nallow = ["10.0.0.5", "10.0.0.5:0", "::1:80", "[::1]:80"]'},
        *(
            f"district.toml, bảng [network], khóa «allow (mục {place})»: «{pair}» không phải là máy:cổng. "
            'Cách sửa: viết như "10.0.0.5:8080".'
            for place, pair in enumerate(["10.0.0.5", "10.0.0.5:0", "::1:80"], 1)
        ),
    ),
    "unknown kind": (
        {"units": UNITS.replace('kind = "phuong"\nstart = 2025', 'kind = "phuon"\nstart = 2025')},
        "units.toml, bảng [units.moi], khóa «kind»: không có loại đơn vị «phuon». Cách sửa: có phải ý là «phuong».",
    ),
    "unit that ends before it starts": (
        {"units": UNITS.replace("start = 2020-01-01", "start = 2025-07-02")},
        "units.toml, bảng [units.cu]: ngày kết thúc until = 2025-07-01 không sau ngày bắt đầu start = "
        "2025-07-02. "
        "Cách sửa: ghi until là ngày đầu tiên không còn tính, sau start ít nhất một ngày.",
    ),
    "unknown successor": (
        {"units": UNITS.replace('["moi"]', '["mois"]')},
        "units.toml, bảng [units.cu], khóa «successors (mục 1)»: không có đơn vị «mois». Cách sửa: có phải ý là «moi».",
    ),
    "its own successor": (
        {"units": UNITS.replace('["moi"]', '["cu"]')},
        "units.toml, bảng [units.cu], khóa «successors (mục 1)»: đơn vị không thể kế thừa chính mình. "
        "Cách sửa: "
        "ghi đơn vị khác, hoặc bỏ mục này.",
    ),
    "circle of successors": (
        {
            "units": UNITS + 'until = 2026-01-01\nsuccessors = ["cu"]',
            "channels": CHANNELS.replace("2025-07-01}]", "2025-07-01, until = 2026-01-01}]"),
        },
        "units.toml, bảng [units.moi], khóa «successors (mục 1)»: «cu» hết hiệu lực từ ngày 2025-07-01, "
        "không thể "
        "kế thừa từ ngày 2026-01-01. Cách sửa: ghi đơn vị còn hiệu lực sau ngày ấy.",
    ),
    "successors of a unit that goes on": (
        {"units": UNITS + 'successors = ["cu"]'},
        "units.toml, bảng [units.moi], khóa «successors (mục 1)»: đơn vị có kế thừa nhưng chưa có ngày "
        "kết thúc. "
        "Cách sửa: ghi until, hoặc bỏ successors.",
    ),
    "members before the unit began": (
        {"units": UNITS + "members = [{start = 2025-06-01, count = 10}]"},
        "units.toml, bảng [units.moi]: số đoàn viên từ ngày 2025-06-01 nằm ngoài thời gian hiệu lực của "
        "đơn vị. "
        "Cách sửa: ghi ngày từ 2025-07-01 trở đi.",
    ),
    "unknown owner": (
        {"channels": CHANNELS.replace('"moi"', '"mooi"')},
        "channels.toml, bảng [channels.web], khóa «owners (mục 2)»: không có đơn vị «mooi». Cách sửa: "
        "có phải ý là «moi».",
    ),
    "owners that overlap": (
        {"channels": CHANNELS.replace("until = 2025-07-01", "until = 2025-07-02")},
        "channels.toml, bảng [channels.web]: từ ngày 2025-07-01 kênh thuộc cả «cu» và «moi». Cách sửa: "
        "ghi until = 2025-07-01 cho «cu», hoặc lùi start của «moi».",
    ),
    "owner after the unit ended": (
        {"channels": CHANNELS.replace(', until = 2025-07-01}, {unit = "moi", start = 2025-07-01}', "}")},
        "channels.toml, bảng [channels.web], khóa «owners (mục 1)»: kênh vẫn thuộc «cu» sau ngày đơn vị "
        "kết thúc. "
        "Cách sửa: ghi until = 2025-07-01 hoặc trước đó.",
    ),
    "owner before the unit began": (
        {"channels": CHANNELS.replace("2024-01-01", "2019-12-31")},
        "channels.toml, bảng [channels.web], khóa «owners (mục 1)»: kênh thuộc «cu» từ trước ngày đơn vị "
        "có hiệu "
        "lực. Cách sửa: ghi start = 2020-01-01 hoặc sau đó.",
    ),
    "no owner": (
        {"channels": re.sub(r"owners = .*", "owners = []", CHANNELS)},
        "channels.toml, bảng [channels.web], khóa «owners»: danh sách đang trống. Cách sửa: khai báo ít nhất 1 mục.",
    ),
    "unknown label": (
        {"channels": CHANNELS + 'labels.tin-to = {phrases = ["x"]}'},
        "channels.toml, bảng [channels.web], khóa «labels.tin-to»: không có nhãn «tin-to». Cách sửa: "
        "có phải ý là «tin-tot».",
    ),
    "website without an address": (
        {"channels": CHANNELS.replace("https://don-vi.example/", "")},
        "channels.toml, bảng [channels.web]: kênh chưa có địa chỉ address. Cách sửa: "
        "ghi địa chỉ, hoặc sample = true nếu là kênh mẫu.",
    ),
    "address of another protocol": (
        {"channels": CHANNELS.replace("https://", "ftp://")},
        "channels.toml, bảng [channels.web]: «ftp://don-vi.example/» không phải là địa chỉ trang web. "
        "Cách sửa: "
        "viết như https://doan-mau.example/.",
    ),
    "address with a password": (
        {"channels": CHANNELS.replace("https://", "https://a:canary@")},
        "channels.toml, bảng [channels.web]: địa chỉ có tên đăng nhập hoặc mật khẩu. Cách sửa: "
        "bỏ phần trước dấu @ trong địa chỉ.",
    ),
    "feed address that is none": (
        {"channels": CHANNELS + 'website = {way = "feed", at = "feed.xml"}'},
        "channels.toml, bảng [channels.web], khóa «website»: «feed.xml» không phải là địa chỉ trang web. "
        "Cách sửa: "
        "viết như https://doan-mau.example/.",
    ),
    "listing without selectors": (
        {"channels": CHANNELS + 'website = {way = "listing"}'},
        'channels.toml, bảng [channels.web], khóa «website»: way = "listing" cần bảng listing. Cách sửa: '
        "khai báo listing.item, hoặc đổi way.",
    ),
    "website options on a page": (
        {"channels": CHANNELS.replace('"website"', '"facebook"') + "website = {counter = true}"},
        "channels.toml, bảng [channels.web]: kênh facebook không dùng bảng website. Cách sửa: "
        "bỏ bảng website của kênh này.",
    ),
    "certificate outside the folder": (
        {"channels": CHANNELS + 'website = {ca_bundle = "../ca.pem"}'},
        "channels.toml, bảng [channels.web], khóa «website.ca_bundle»: tệp «../ca.pem» nằm ngoài thư mục "
        "cấu hình. "
        "Cách sửa: chép tệp vào thư mục cấu hình và chỉ ghi tên.",
    ),
    "certificate with an impossible name": (
        {"channels": CHANNELS + 'website = {ca_bundle = "ca\\u0000.pem"}'},
        "channels.toml, bảng [channels.web], khóa «website.ca_bundle»: tên tệp «ca\x00.pem» có ký tự lạ. "
        "Cách sửa: đổi tên tệp rồi ghi lại tên.",
    ),
    "certificate that is not there": (
        {"channels": CHANNELS + 'website = {ca_bundle = "ca.pem"}'},
        "channels.toml, bảng [channels.web], khóa «website.ca_bundle»: không thấy tệp «ca.pem» trong thư "
        "mục cấu "
        "hình. Cách sửa: chép tệp vào thư mục ấy.",
    ),
    "same site twice": (
        {"channels": CHANNELS + SECOND.replace("https://don-vi.example/", "http://WWW.Don-Vi.example:80")},
        *(
            f"channels.toml, bảng [channels.web2], khóa «address»: trùng địa chỉ với kênh «web» từ ngày "
            f"{day}. "
            "Cách sửa: bỏ một kênh, hoặc ghi website.category nếu là chuyên mục riêng trên trang dùng chung."
            for day in ("2024-01-01", "2025-07-01")
        ),
    ),
    "key written twice": (
        {"units": UNITS + 'kind = "x"\nkind = "y"'},
        "units.toml: dòng 12, cột 11: một khóa được ghi hai lần. Cách sửa: chỉ giữ một dòng cho mỗi khóa.",
    ),
    "text without quotes": (
        {"units": UNITS.replace('"Phường cũ"', "Phường cũ")},
        "units.toml: dòng 3, cột 8: giá trị không đọc được. Cách sửa: "
        "đặt chữ trong ngoặc kép, ngày viết như 2025-07-01.",
    ),
    "day that no month has": (
        {"units": UNITS.replace("2020-01-01", "2020-02-30")},
        "units.toml: dòng 5, cột 9: ngày giờ không có thật. Cách sửa: viết năm-tháng-ngày, ví dụ 2025-07-01.",
    ),
    "number without end": (
        {"units": UNITS + "x = " + "9" * 5000},
        "units.toml: sai cú pháp TOML. Cách sửa: so với tệp mẫu do «nhip init» viết ra.",
    ),
    "brackets without end": (
        {"units": "x = " + "[" * 5000},
        "units.toml: các dấu ngoặc lồng nhau quá sâu. Cách sửa: viết lại gọn hơn theo tệp mẫu.",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_told_exactly(tmp_path: Path, case: str) -> None:
    changes, *told = BAD[case]
    assert [str(problem) for problem in problems_of(folder_of(tmp_path, **changes))] == told


def test_two_columns_of_one_shared_site_are_two_channels(tmp_path: Path) -> None:
    columns = CHANNELS + 'website = {category = "a"}' + SECOND + 'website = {category = "b"}'
    assert len(load_config(folder_of(tmp_path, channels=columns)).channels) == 2


def test_a_site_that_changes_its_channel_is_not_doubled(tmp_path: Path) -> None:
    first = CHANNELS.replace(', {unit = "moi", start = 2025-07-01}', "")
    second = SECOND.replace('{unit = "cu", start = 2024-01-01, until = 2025-07-01}, ', "")
    assert len(load_config(folder_of(tmp_path, channels=first + second)).channels) == 2


def test_an_example_channel_needs_no_address_and_doubles_nothing(tmp_path: Path) -> None:
    sample = SECOND.replace("[channels.web2]", "[channels.web2]\nsample = true")
    config = load_config(folder_of(tmp_path, channels=CHANNELS + sample))
    assert [channel.slug for channel in config.watched()] == ["web"]


def test_all_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    folder_of(tmp_path, DISTRICT.replace("every", "evry"), UNITS.replace("2020-01-01", "5"), CHANNELS + "[oops]")
    assert [(problem.file, problem.table, problem.key) for problem in problems_of(tmp_path)] == [
        ("district.toml", "labels.tin-tot", "every"),
        ("district.toml", "labels.tin-tot", "evry"),
        ("units.toml", "units.cu", "start"),
        ("channels.toml", "", "oops"),
    ]


def test_a_broken_file_hides_no_problem_of_the_others_and_adds_none(tmp_path: Path) -> None:
    folder_of(tmp_path, "zone = ", UNITS.replace('["moi"]', '["mois"]'), CHANNELS.replace("https", "ftp"))
    assert [problem.file for problem in problems_of(tmp_path)] == list(FILES)


def test_a_file_saved_by_notepad_is_read(tmp_path: Path) -> None:
    folder_of(tmp_path)
    for name in FILES:
        text = (tmp_path / name).read_text(encoding="utf-8").replace("\n", "\r\n")
        (tmp_path / name).write_bytes(text.encode("utf-8-sig"))
    assert load_config(tmp_path).units["moi"].name == "Phường mới"


@pytest.mark.parametrize("encoding", ["utf-16", "cp1258"])
def test_another_encoding_is_named(tmp_path: Path, encoding: str) -> None:
    (folder_of(tmp_path) / "units.toml").write_bytes('name = "Đoàn"'.encode(encoding))
    assert [problem.wrong for problem in problems_of(tmp_path)] == ["tệp không ở bảng mã UTF-8"]


def test_missing_files_are_each_named(tmp_path: Path) -> None:
    problems = problems_of(tmp_path)
    assert [problem.file for problem in problems] == list(FILES)
    assert {problem.wrong for problem in problems} == {f"không có tệp này trong {tmp_path}"}


def test_a_folder_in_place_of_a_file_is_told(tmp_path: Path) -> None:
    (folder_of(tmp_path) / "units.toml").unlink()
    (tmp_path / "units.toml").mkdir()
    assert [problem.wrong for problem in problems_of(tmp_path)] == ["không đọc được tệp"]


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        ("missing", "không có thư mục cấu hình này"),
        ("units.toml", "đây không phải là thư mục"),
        ("units.toml/x", "không có thư mục cấu hình này"),
        ("x" * 300, "không mở được thư mục này"),
    ],
)
def test_a_folder_that_is_none_is_told(tmp_path: Path, place: str, wrong: str) -> None:
    assert [problem.wrong for problem in problems_of(folder_of(tmp_path) / place)] == [wrong]


def test_a_file_that_may_not_be_read_is_told() -> None:
    """In a child that gives its rights away, so that root is refused, too."""
    child = """
import os, sys
from pathlib import Path
from config.load import ConfigError, load_config
if os.geteuid() == 0:
    load_config(Path(sys.argv[1]))
    os.seteuid(65534)
try:
    load_config(Path(sys.argv[1]))
except ConfigError as error:
    sys.exit([problem.wrong for problem in error.problems] != ["không có quyền đọc tệp"])
sys.exit(2)
"""
    with tempfile.TemporaryDirectory() as name:
        folder = folder_of(Path(name))
        folder.chmod(0o755)
        (folder / "units.toml").chmod(0)
        assert subprocess.run([sys.executable, "-c", child, name], check=False).returncode == 0


def test_the_example_is_a_config_that_only_needs_an_address(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    assert write_example(folder) == [folder / name for name in (*EXAMPLES, TEMPLATE)]
    config = load_config(folder)
    assert [channel.slug for channel in config.watched()] == ["web-don-vi-mau"]
    assert set(config.district.labels) == {"tin-tot", "cau-chuyen-dep"}
    assert load_config(folder) == config


def test_the_example_shows_the_merger_of_the_wards(tmp_path: Path) -> None:
    write_example(tmp_path)
    units = load_config(tmp_path).units.values()
    wards = [unit for unit in units if unit.kind == "phuong"]
    new = {unit.slug for unit in wards if unit.is_valid_on(date(2025, 7, 1))}
    old = [unit for unit in wards if unit.is_valid_on(date(2025, 6, 30))]
    assert (len(old), len(new)) == (10, 5)
    assert {heir for unit in old for heir in unit.successors} == new


def test_every_example_file_says_that_it_is_one(tmp_path: Path) -> None:
    for path in write_example(tmp_path):
        assert path.read_text(encoding="utf-8").startswith((f"# TỆP MẪU: {path.name}", "# KẾ HOẠCH MẪU"))


def test_the_example_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "units.toml").write_text("mine")
    written = {path.relative_to(tmp_path).as_posix() for path in write_example(tmp_path)}
    assert written == {*EXAMPLES, TEMPLATE} - {"units.toml"}
    assert (tmp_path / "units.toml").read_text() == "mine"
    assert write_example(tmp_path) == []


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="không ghi được tệp mẫu vào đây"):
        write_example(tmp_path / "file" / "folder")


EXAMPLE = {name: (files("config") / "example" / name).read_bytes() for name in FILES}
VALUES = [
    "true", "0", "-1", "1" + "0" * 40, "nan", "-inf", "1.5", '""', '"x"', "[]", "[1]", "[[]]", '["a", "a"]',
    "{}", "{a = 1}", "[{}]", "2025-01-01", "9999-12-31", "0001-01-01", "06:30:00", "2025-01-01T00:00:00Z",
    '"../../etc/passwd"', '"\\u0000"',
]  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_damage_gives_a_config_or_its_problems(data: st.DataObject) -> None:
    """Bytes cut out, doubled or replaced anywhere in the example files."""
    with tempfile.TemporaryDirectory() as folder:
        for name, good in EXAMPLE.items():
            start = data.draw(st.integers(0, len(good)))
            end = data.draw(st.integers(start, min(len(good), start + 80)))
            middle = data.draw(st.one_of(st.just(good[start:end] * 2), st.binary(max_size=8), st.just(b"")))
            (Path(folder) / name).write_bytes(good[:start] + middle + good[end:])
        assert_config_or_problems(Path(folder))


def assert_config_or_problems(folder: Path) -> None:
    told = "nothing"
    try:
        load_config(folder)
    except ConfigError as error:
        told = str(error)
    assert told
    assert not re.search(r"Input should|valid|error|Expected|None", told)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_any_value_in_any_place_gives_a_config_or_its_problems(data: st.DataObject) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, good in EXAMPLE.items():
            lines = good.decode().splitlines()
            keys = [place for place, line in enumerate(lines) if re.match(r"\w+ = ", line)]
            for place in data.draw(st.lists(st.sampled_from(keys), max_size=3)):
                lines[place] = f"{lines[place].split(' = ')[0]} = {data.draw(st.sampled_from(VALUES))}"
            (Path(folder) / name).write_text("\n".join(lines), encoding="utf-8")
        assert_config_or_problems(Path(folder))
