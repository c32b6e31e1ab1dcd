"""A wrong plan file, signature or binding is told with its file, row, key, what is wrong and what would be right."""

import tempfile
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.load import ConfigError, load_config
from config.plan_checks import NEEDS
from config.plan_files import packaged_plans
from config.plan_models import Indicator

DISTRICT = """
plans = ["thu"]
[organisation]
name = "Đoàn phường (mẫu)"
contact = "phong@don-vi.example"
[kinds.phuong]
name = "Đoàn phường"
[labels.tin-tot]
name = "Tin tốt"
every = "day"
clause = "II.1"
phrases = ["tin tốt"]
"""
UNITS = '[units.moi]\nname = "Phường mới (mẫu)"\nkind = "phuong"\nstart = 2025-07-01\n'
CHANNELS = """
[channels.trang]
platform = "facebook"
name = "Trang (mẫu)"
sample = true
owners = [{ unit = "moi", start = 2025-07-01 }]
"""
PLAN = """
carries_out = "cu"
in_force = { start = 2026-01-01, until = 2027-01-01 }
[document]
title = "Kế hoạch (mẫu)"
issuer = "Đoàn phường (mẫu)"
recipients = ["Thành Đoàn"]
[cited.cu]
name = "Văn bản cũ (mẫu)"
issuer = "Cấp trên"
lapsed = 2025-01-01
successor = "moi"
[cited.moi]
name = "Văn bản mới (mẫu)"
issuer = "Cấp trên"
[channels.trang]
name = "Trang"
platform = "facebook"
clause = "II.1"
[choices.goc]
clause = "II.1"
question = "So với ngày nào?"
assumed = "dau"
options.dau = { means = "Đầu kế hoạch", sets = { baseline = "plan_start" } }
options.nam = { means = "Đầu năm", sets = { baseline = "period_start" } }
[rows.CT1]
clause = "II.1"
title = "Tăng"
text = "tăng ít nhất 5%"
kind = "growth"
classes = ["automatic"]
indicator = "audience_growth"
goal = { value = 5 }
scope = { channels = ["trang"] }
reckon = { yearly = "simple", measure = "followers", counted = "total" }
choices = ["goc"]
cites = ["moi"]
[rows.CT2]
clause = "II.2"
title = "Tin tốt"
text = "mỗi ngày một tin tốt"
kind = "cadence"
classes = ["tagged"]
indicator = "daily_item"
goal = { value = 100 }
label = "tin-tot"
scope = { grassroots = true }
reckon = { due_days = "every_day", content = "own" }
[rows.NV1]
clause = "III.1"
title = "Báo cáo"
text = "trước ngày 15/7"
kind = "task"
classes = ["task"]
indicator = "task"
due = { rule = "date", before = 2026-07-15 }
[outline]
title = "Báo cáo (mẫu)"
items = [{ number = "1", text = "Kết quả", fill = "heading" }, { number = "1.1", text = "Số liệu", fill = "automatic" }]
"""
CT1, CT2, NV1 = (f"plans/thu.toml, bảng [rows.{row}], khóa " for row in ("CT1", "CT2", "NV1"))
FILE = "plans/thu.toml, khóa "
GOAL = "goal = { value = 5 }"
BEFORE = "before = 2026-07-15"
SIGNED = '[choices.thu.goc]\nchosen = "nam"\nby = "Ban Thường vụ"\non = 2026-01-05\ndocument = "01-TB (mẫu)"\n'

IN_PLAN: dict[str, tuple[str, ...]] = {
    "unknown key of the plan": (
        "carries_out",
        "carry_out",
        FILE + "«carry_out»: không có khóa «carry_out». Cách sửa: có phải ý là «carries_out».",
    ),
    "unknown key of a row": (
        'label = "tin-tot"',
        'lable = "tin-tot"',
        CT2 + "«lable»: không có khóa «lable». Cách sửa: có phải ý là «label».",
    ),
    "missing key of a row": (
        'title = "Tăng"',
        "",
        CT1 + "«title»: bắt buộc nhưng còn thiếu. Cách sửa: thêm vào theo tệp mẫu do «nhip init» viết ra.",
    ),
    "no rows": (
        PLAN[PLAN.index("[rows.CT1]") :],
        "[rows]",
        "plans/thu.toml, bảng [rows]: danh sách đang trống. Cách sửa: khai báo ít nhất 1 mục.",
    ),
    "id that is none": (
        "[rows.NV1]",
        "[rows.viec-1]",
        "plans/thu.toml, bảng [rows.viec-1], khóa «id»: «viec-1» không phải là mã dòng. Cách sửa: "
        'viết như "CT4.1", "TD3b", "HT6".',
    ),
    "id written twice": (
        "[rows.NV1]",
        '[rows.NV1]\nid = "NV2"',
        CT1.replace("CT1", "NV1") + "«id»: mã đã nằm ở tên bảng. Cách sửa: bỏ dòng này.",
    ),
    "slug written in the file": (
        'carries_out = "cu"',
        'carries_out = "cu"\nslug = "thu"',
        FILE + "«slug»: mã kế hoạch là tên tệp. Cách sửa: bỏ dòng này.",
    ),
    "row that is no table": (
        "[rows.CT1]",
        "[rows]\nCT9 = 1\n[rows.CT1]",
        "plans/thu.toml, bảng [rows.CT9]: «1» không phải là một bảng. Cách sửa: "
        "viết thành bảng các dòng khóa = giá trị.",
    ),
    "row declared twice": (
        "[rows.CT2]",
        "[rows.CT1]",
        "plans/thu.toml: dòng 38, cột 10: một bảng được khai báo hai lần. Cách sửa: "
        "gộp lại thành một bảng, hoặc đặt mã khác.",
    ),
    "clause that is none": (
        '"III.1"',
        '"mục 3"',
        NV1 + '«clause»: «mục 3» không phải là mục của kế hoạch. Cách sửa: viết như "II-CT.4", "III.1", "II.1-3".',
    ),
    "indicator nobody knows": (
        '"audience_growth"',
        '"follower_growth"',
        CT1 + "«indicator»: «follower_growth» không phải là một giá trị dùng được. Cách sửa: "
        "chọn một trong: audience_growth, daily_item, weekly_item, units_meeting, site_presence, channel_presence, "
        "engagement_proxy, reported_share, reported_growth, reported_count, task, narrative.",
    ),
    "kind that does not fit": (
        '"growth"',
        '"share"',
        CT1 + '«kind»: «share» không đi với indicator «audience_growth». Cách sửa: ghi "growth".',
    ),
    "class that does not fit": (
        '["automatic"]',
        '["reported"]',
        CT1 + '«classes»: «reported» không đi với indicator «audience_growth». Cách sửa: ghi trước hết "automatic".',
    ),
    "no class": ('["automatic"]', "[]", CT1 + "«classes»: danh sách đang trống. Cách sửa: khai báo ít nhất 1 mục."),
    "missing goal": (
        GOAL,
        "",
        CT1 + "«goal»: indicator «audience_growth» cần khóa này. Cách sửa: thêm vào theo các kế hoạch có sẵn.",
    ),
    "goal of nothing": (GOAL, "goal = { value = 0 }", CT1 + "«goal.value»: 0 quá nhỏ. Cách sửa: viết số lớn hơn 0.0."),
    "share as a ratio": (
        "{ value = 100 }",
        "{ value = 0.75 }",
        CT2 + "«goal.value»: 0.75 nghĩa là chưa đến 1 %. Cách sửa: ghi số phần trăm, ví dụ 75.",
    ),
    "growth as a ratio": (
        GOAL,
        "goal = { value = 0.05 }",
        CT1 + "«goal.value»: 0.05 nghĩa là chưa đến 1 %. Cách sửa: ghi số phần trăm, ví dụ 5.",
    ),
    "share of more than all": (
        "{ value = 100 }",
        "{ value = 101 }",
        CT2 + "«goal.value»: 101 % là quá lớn. Cách sửa: ghi số phần trăm từ 1 đến 100.",
    ),
    "growth beyond belief": (
        GOAL,
        "goal = { value = 1001 }",
        CT1 + "«goal.value»: 1001 % là quá lớn. Cách sửa: ghi số phần trăm từ 1 đến 1000.",
    ),
    "goal in quotes": (
        GOAL,
        'goal = { value = "5%" }',
        CT1 + "«goal.value»: «5%» không phải là số. Cách sửa: viết số, không có ngoặc kép, ví dụ 2.5.",
    ),
    "goal without a number": (
        GOAL,
        'goal = { unit = "percent" }',
        CT1 + "«goal»: value và direction không khớp nhau. Cách sửa: "
        'ghi value với "at_least"; "increase" thì không ghi value.',
    ),
    "nobody bound": (
        'scope = { channels = ["trang"] }',
        "",
        CT1 + "«scope»: indicator «audience_growth» cần khóa này. Cách sửa: thêm vào theo các kế hoạch có sẵn.",
    ),
    "channel the plan does not name": (
        'channels = ["trang"]',
        'channels = ["tranh"]',
        CT1 + "«scope.channels (mục 1)»: không có kênh trong [channels] của kế hoạch «tranh». Cách sửa: "
        "có phải ý là «trang».",
    ),
    "platforms of nobody": (
        'channels = ["trang"]',
        'channels = ["trang"], platforms = ["zalo"]',
        CT1
        + "«scope.platforms»: có platforms nhưng chưa nói đơn vị nào. Cách sửa: ghi thêm grassroots, kinds hoặc units.",
    ),
    "kind of unit the district has not": (
        "{ grassroots = true }",
        '{ kinds = ["phuongg"] }',
        CT2 + "«scope.kinds»: không có loại đơn vị trong district.toml «phuongg». Cách sửa: có phải ý là «phuong».",
    ),
    "unit the district has not": (
        "{ grassroots = true }",
        '{ units = ["mois"] }',
        CT2 + "«scope.units»: không có đơn vị trong units.toml «mois». Cách sửa: có phải ý là «moi».",
    ),
    "label the district has not": (
        'label = "tin-tot"',
        'label = "tin-tots"',
        CT2 + "«label»: không có nhãn trong district.toml «tin-tots». Cách sửa: có phải ý là «tin-tot».",
    ),
    "label on a task": (
        'title = "Báo cáo"',
        'title = "Báo cáo"\nlabel = "tin-tot"',
        NV1 + "«label»: indicator «task» không dùng khóa này. Cách sửa: "
        'bỏ đi, hoặc đổi indicator thành "daily_item" hoặc "weekly_item".',
    ),
    "unknown question": (
        'choices = ["goc"]',
        'choices = ["gocs"]',
        CT1 + "«choices (mục 1)»: không có câu hỏi trong [choices] «gocs». Cách sửa: có phải ý là «goc».",
    ),
    "question left open": (
        'choices = ["goc"]',
        "",
        CT1 + "«reckon»: chưa nói cách tính «baseline». Cách sửa: ghi reckon.baseline, hoặc thêm câu hỏi vào choices.",
    ),
    "question answered twice": (
        'yearly = "simple"',
        'yearly = "simple", baseline = "plan_start"',
        CT1 + "«reckon»: «baseline» được trả lời hai lần. Cách sửa: giữ ở reckon, hoặc ở một câu hỏi trong choices.",
    ),
    "given day without a day": (
        'yearly = "simple"',
        'yearly = "simple", baseline = "given_day"',
        CT1 + "«reckon»: baseline và baseline_day không khớp nhau. Cách sửa: "
        'ghi baseline = "given_day" cùng với baseline_day, hoặc bỏ baseline_day.',
    ),
    "unknown document": (
        'cites = ["moi"]',
        'cites = ["mo-i"]',
        CT1 + "«cites (mục 1)»: không có văn bản trong [cited] «mo-i». Cách sửa: có phải ý là «moi».",
    ),
    "unknown superior plan": (
        'carries_out = "cu"',
        'carries_out = "xyz"',
        FILE + "«carries_out»: không có văn bản trong [cited] «xyz». Cách sửa: dùng một trong: cu, moi.",
    ),
    "its own successor": (
        'successor = "moi"',
        'successor = "cu"',
        "plans/thu.toml, bảng [cited.cu], khóa «successor»: không có văn bản khác trong [cited] «cu». Cách sửa: "
        "dùng một trong: moi.",
    ),
    "successor of what still holds": (
        "lapsed = 2025-01-01",
        "",
        "plans/thu.toml, bảng [cited.cu], khóa «lapsed»: văn bản có thay thế nhưng chưa có ngày hết hiệu lực. Cách "
        "sửa: ghi lapsed, hoặc bỏ successor.",
    ),
    "assumes what is no option": (
        'assumed = "dau"',
        'assumed = "daau"',
        "plans/thu.toml, bảng [choices.goc], khóa «assumed»: không có cách hiểu «daau». Cách sửa: có phải ý là «dau».",
    ),
    "only one option": (
        PLAN[PLAN.index("options.nam") : PLAN.index("[rows.CT1]")],
        "",
        "plans/thu.toml, bảng [choices.goc], khóa «options»: chỉ có một cách hiểu. Cách sửa: "
        "ghi ít nhất hai cách, hoặc bỏ câu hỏi này.",
    ),
    "options of two questions": (
        'baseline = "period_start"',
        'content = "own"',
        "plans/thu.toml, bảng [choices.goc], khóa «options»: các cách hiểu không trả lời cùng một câu hỏi. Cách "
        "sửa: ghi sets với cùng các khóa ở mọi cách.",
    ),
    "half a signature": (
        'assumed = "dau"',
        'assumed = "dau"\nsigned = { chosen = "dau", on = 2026-01-05, document = "x" }',
        "plans/thu.toml, bảng [choices.goc], khóa «signed.by»: bắt buộc nhưng còn thiếu. Cách sửa: "
        "thêm vào theo tệp mẫu do «nhip init» viết ra.",
    ),
    "date rule without a day": (
        BEFORE,
        "offset_days = 1",
        NV1
        + '«due»: thời hạn rule = "date" không đi với các khóa đã ghi. Cách sửa: ghi đúng một khóa trong: by, before.',
    ),
    "two days": (
        BEFORE,
        f"by = 2026-07-14, {BEFORE}",
        NV1
        + '«due»: thời hạn rule = "date" không đi với các khóa đã ghi. Cách sửa: ghi đúng một khóa trong: by, before.',
    ),
    "standing with a day": (
        'rule = "date"',
        'rule = "standing"',
        NV1 + '«due»: thời hạn rule = "standing" không đi với các khóa đã ghi. Cách sửa: bỏ by, before, at.',
    ),
    "month that is none": (
        f'"date", {BEFORE}',
        '"month", at = "2026-13"',
        NV1 + '«due.at»: «2026-13» không phải là tháng hay quý. Cách sửa: viết như "2017-06" hoặc "2017-Q1".',
    ),
    "month of year nought": (
        f'"date", {BEFORE}',
        '"month", at = "0000-06"',
        NV1 + '«due.at»: «0000-06» không phải là tháng hay quý. Cách sửa: viết như "2017-06" hoặc "2017-Q1".',
    ),
    "quarter for a month": (
        f'"date", {BEFORE}',
        '"month", at = "2026-Q1"',
        NV1 + '«due»: at = "2026-Q1" không hợp với rule = "month". Cách sửa: đổi rule hoặc at cho khớp nhau.',
    ),
    "offset of a single day": (
        BEFORE,
        f"{BEFORE}, offset_days = 3",
        NV1 + "«due»: offset_days chỉ dùng cho việc lặp lại theo kỳ. Cách sửa: bỏ offset_days, hoặc đổi rule.",
    ),
    "day before the plan": (
        BEFORE,
        "before = 2025-07-15",
        NV1 + "«due»: hạn 2025-07-15 trước ngày kế hoạch có hiệu lực 2026-01-01. Cách sửa: "
        "kiểm tra lại năm của thời hạn, hoặc in_force.",
    ),
    "task without a due rule": (
        f'due = {{ rule = "date", {BEFORE} }}',
        "",
        NV1 + "«due»: indicator «task» cần khóa này. Cách sửa: thêm vào theo các kế hoạch có sẵn.",
    ),
    "dates that nothing uses": (
        'title = "Tăng"',
        'title = "Tăng"\ndates = { start = 2026-01-01, until = 2026-07-01 }',
        CT1 + '«dates»: period và dates không khớp nhau. Cách sửa: ghi period = "dates" cùng với dates, hoặc bỏ dates.',
    ),
    "goal without an end": (
        "start = 2026-01-01, until = 2027-01-01",
        "start = 2026-01-01",
        *(
            row + "«goal»: kế hoạch không có ngày kết thúc nên không biết phải đạt đến ngày nào. "
            "Cách sửa: ghi until trong in_force, hoặc dates cho dòng này."
            for row in (CT1, CT2)
        ),
    ),
    "outline out of order": (
        'number = "1.1"',
        'number = "2.1"',
        "plans/thu.toml, bảng [outline], khóa «items (mục 2)»: mục 2.1 bị lặp hoặc đứng trước mục chứa nó. Cách "
        "sửa: ghi theo thứ tự của đề cương.",
    ),
    "not TOML": (
        'carries_out = "cu"',
        "carries_out = cu",
        "plans/thu.toml: dòng 2, cột 15: giá trị không đọc được. Cách sửa: "
        "đặt chữ trong ngoặc kép, ngày viết như 2025-07-01.",
    ),
}

IN_DISTRICT: dict[str, tuple[str, str]] = {
    "unknown plan": (
        DISTRICT.replace('"thu"', '"thu", "thuu"'),
        f"district.toml, khóa «plans (mục 2)»: không có kế hoạch «thuu». Cách sửa: "
        f"dùng một trong: {', '.join(packaged_plans())}, hoặc viết tệp plans/thuu.toml.",
    ),
    "plan twice": (
        DISTRICT.replace('"thu"', '"thu", "thu"'),
        "district.toml: plans ghi «thu» hai lần. Cách sửa: chỉ giữ một.",
    ),
    "path for a plan": (
        DISTRICT.replace('"thu"', '"../thu"'),
        "district.toml, khóa «plans (mục 1)»: «../thu» không dùng làm mã được. Cách sửa: "
        "chỉ dùng chữ thường không dấu, chữ số và dấu gạch nối, ví dụ thu.",
    ),
    "signature for another plan": (
        DISTRICT + SIGNED.replace("thu.goc", "thuu.goc"),
        "district.toml, bảng [choices.thuu]: không có kế hoạch trong dòng plans «thuu». Cách sửa: có phải ý là «thu».",
    ),
    "signature for another question": (
        DISTRICT + SIGNED.replace("thu.goc", "thu.goc-4"),
        "district.toml, bảng [choices.thu], khóa «goc-4»: không có câu hỏi của kế hoạch «goc-4». Cách sửa: "
        "có phải ý là «goc».",
    ),
    "signature under no option": (
        DISTRICT + SIGNED.replace('"nam"', '"thang"'),
        "district.toml, bảng [choices.thu], khóa «goc.chosen»: không có cách hiểu «thang». Cách sửa: "
        "dùng một trong: dau, nam.",
    ),
    "signature without a document": (
        DISTRICT + SIGNED.replace('document = "01-TB (mẫu)"\n', ""),
        "district.toml, bảng [choices.thu], khóa «goc.document»: bắt buộc nhưng còn thiếu. Cách sửa: "
        "thêm vào theo tệp mẫu do «nhip init» viết ra.",
    ),
    "binding of another plan": (
        DISTRICT + '[bindings.thuu]\ntrang = "trang"',
        "district.toml, bảng [bindings.thuu]: không có kế hoạch trong dòng plans «thuu». Cách sửa: có phải ý là «thu».",
    ),
    "binding of no named channel": (
        DISTRICT + '[bindings.thu]\ntrangg = "trang"',
        "district.toml, bảng [bindings.thu], khóa «trangg»: không có kênh kế hoạch nêu tên «trangg». Cách sửa: "
        "có phải ý là «trang».",
    ),
    "binding to no channel": (
        DISTRICT + '[bindings.thu]\ntrang = "tranh"',
        "district.toml, bảng [bindings.thu], khóa «trang»: không có kênh trong channels.toml «tranh». Cách sửa: "
        "có phải ý là «trang».",
    ),
}


def told(folder: Path, plan: str = PLAN, district: str = DISTRICT, channels: str = CHANNELS) -> list[str]:
    (folder / "plans").mkdir()
    texts = {"district": district, "units": UNITS, "channels": channels, "plans/thu": plan}
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    try:
        load_config(folder)
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []


def test_the_plan_that_all_mistakes_are_made_in_is_good(tmp_path: Path):
    assert told(tmp_path, district=DISTRICT + SIGNED) == []


@pytest.mark.parametrize("case", IN_PLAN)
def test_what_is_wrong_in_a_plan_is_told_exactly(tmp_path: Path, case: str):
    right, wrong, *sentences = IN_PLAN[case]
    assert right in PLAN
    assert told(tmp_path, PLAN.replace(right, wrong, 1)) == sentences


@pytest.mark.parametrize("case", IN_DISTRICT)
def test_what_district_toml_says_of_a_plan_is_checked(tmp_path: Path, case: str):
    district, sentence = IN_DISTRICT[case]
    assert told(tmp_path, district=district) == [sentence]


def test_a_binding_to_another_platform_is_told(tmp_path: Path):
    channels = CHANNELS.replace('"facebook"', '"tiktok"')
    assert told(tmp_path, district=DISTRICT + '[bindings.thu]\ntrang = "trang"', channels=channels) == [
        "district.toml, bảng [bindings.thu], khóa «trang»: «trang» là kênh tiktok, kế hoạch nêu kênh facebook. "
        "Cách sửa: ghi một kênh facebook."
    ]


def test_all_problems_of_a_plan_come_at_once_and_after_those_of_the_folder(tmp_path: Path):
    plan = PLAN.replace(GOAL, "").replace('"II.2"', '"II.2"\nof = ["CT9"]').replace('label = "tin-tot"', "")
    sentences = told(tmp_path, plan, DISTRICT + '[bindings.thuu]\ntrang = "trang"')
    assert [sentence.split(":")[0] for sentence in sentences] == [
        "district.toml, bảng [bindings.thuu]",
        CT1 + "«goal»",
        CT2 + "«of (mục 1)»",
        CT2 + "«label»",
        CT2 + "«of»",
    ]


def test_a_broken_district_does_not_hide_a_broken_plan(tmp_path: Path):
    sentences = told(tmp_path, PLAN.replace(GOAL, ""), DISTRICT.replace("contact", "contakt"))
    assert [sentence.split(",")[0] for sentence in sentences] == ["district.toml", "district.toml", "plans/thu.toml"]


def test_every_indicator_says_what_it_needs():
    assert set(NEEDS) == set(get_args(Indicator))


def test_a_closed_plan_needs_its_last_day(tmp_path: Path):
    plan = PLAN.replace("start = 2026-01-01, until = 2027-01-01", "start = 2026-01-01")
    sentence, *_ = told(tmp_path, f"closed = true{plan}")
    assert sentence == (
        FILE + "«closed»: kế hoạch đã kết thúc nhưng in_force chưa có until. "
        "Cách sửa: ghi until trong in_force, hoặc closed = false."
    )


LINES = PLAN.splitlines()
VALUES = st.sampled_from(
    ["0", "-1.5", '""', '"x"', "[]", "[1]", "{}", "{ a = 1 }", "true", "nan", "2026-01-01", "06:30:00"]
)


@settings(max_examples=150)
@given(st.integers(0, len(LINES) - 1), st.one_of(st.none(), VALUES, st.text(max_size=8)))
def test_any_line_gone_or_wrong_gives_a_plan_or_problems(number: int, value: str | None):
    key = LINES[number].partition("=")[0]
    changed = [] if value is None else [f"{key}= {value}" if "=" in LINES[number] else value]
    with tempfile.TemporaryDirectory() as folder:
        sentences = told(Path(folder), "\n".join([*LINES[:number], *changed, *LINES[number + 1 :]]))
    assert all(sentence.endswith(".") and "Cách sửa: " in sentence for sentence in sentences)
