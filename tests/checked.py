"""A small district with a plan of its own, and the check as a person gets it."""

from __future__ import annotations

import io
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from pipeline.commands import check as command
from tests.command_line import Said

PLAN = """
in_force = {{ start = 2026-01-01, until = {until} }}
closed = {closed}
[document]
title = "Kế hoạch mẫu"
issuer = "Ban Thường vụ (mẫu)"
recipients = ["Lưu"]
[cited.cu]
number = "52/2016/QĐ-TTg"
name = "Quyết định"
issuer = "Thủ tướng Chính phủ"
lapsed = 2024-07-01
successor = "moi"
[cited.moi]
number = "49/2024/NĐ-CP"
name = "Nghị định"
issuer = "Chính phủ"
[channels.fanpage-phuong]
name = "Fanpage Đoàn phường"
platform = "facebook"
clause = "II.4"
[choices.noi-dung]
clause = "II.2"
question = "Bài chia sẻ lại có tính không?"
assumed = "khong"
options.khong = {{ means = "Chỉ tính bài tự đăng", sets = {{ content = "own" }} }}
options.co = {{ means = "Tính cả bài chia sẻ lại", sets = {{ content = "own_or_shared" }} }}
{rows}
"""
DAILY = """
[rows.CT2a]
clause = "II.2"
title = "Mỗi ngày một tin tốt"
text = "mỗi ngày một tin tốt"
kind = "cadence"
classes = ["tagged"]
indicator = "daily_item"
goal = { value = 100 }
label = "tin-tot"
scope = { grassroots = true }
reckon = { due_days = "every_day" }
choices = ["noi-dung"]
"""
ALIVE = """
[rows.CT2c]
clause = "II.2"
title = "Mỗi cơ sở một địa chỉ"
text = "mỗi cơ sở Đoàn là một địa chỉ thông tin tích cực"
kind = "presence"
classes = ["tagged"]
indicator = "channel_presence"
goal = { value = 100 }
scope = { grassroots = true, platforms = ["website"] }
"""
MEETING = """
[rows.CT2]
clause = "II.2"
title = "100% cơ sở thực hiện tốt phương châm"
text = "100% cơ sở Đoàn thực hiện tốt phương châm"
kind = "share"
classes = ["tagged"]
indicator = "units_meeting"
goal = { value = 100 }
of = ["CT2a", "CT2c"]
scope = { grassroots = true }
"""
GROWTH = """
[rows."CT4.1"]
clause = "II.4"
title = "Fanpage tăng 5%"
text = "lượt theo dõi tăng ít nhất 5%"
kind = "growth"
classes = ["automatic"]
indicator = "audience_growth"
goal = { value = 5 }
period = "year"
scope = { channels = ["fanpage-phuong"] }
reckon = { baseline = "period_start", yearly = "simple", measure = "followers", counted = "each_channel" }
"""
TASK = """
[rows.NV1]
clause = "III.1"
title = "Báo cáo sơ kết"
text = "báo cáo trước ngày 01/7/2026"
kind = "task"
classes = ["task"]
indicator = "task"
due = { rule = "date", before = 2026-07-01 }
owner = ["Các cơ sở Đoàn"]
[rows.NV2]
clause = "III.2"
title = "Thường xuyên kiểm tra"
text = "thường xuyên kiểm tra"
kind = "task"
classes = ["task"]
indicator = "task"
due = { rule = "standing" }
"""


def add_plan(folder: Path, *rows: str, slug: str = "mau", until: str = "2027-01-01", closed: bool = False) -> Path:
    """Makes a plan with these rows bind the district in *folder*."""
    (folder / "plans").mkdir(exist_ok=True)
    text = PLAN.format(rows="\n".join(rows), until=until, closed=str(closed).lower())
    (folder / "plans" / f"{slug}.toml").write_text(text, encoding="utf-8")
    toml = folder / "district.toml"
    toml.write_text(f'plans = ["{slug}"]\n{toml.read_text("utf-8")}', encoding="utf-8")
    return folder


def check(folder: Path, at: str, **more: Any) -> Said:
    """`nhip check` with its options as the command line hands them over."""
    given: dict[str, Any] = {"week": None, "as_json": False}
    out = io.StringIO()
    with redirect_stdout(out):
        code = command.run(folder, at=at, **(given | more))
    return Said(code, out.getvalue(), "")


def targets(said: Said) -> dict[str, Any]:
    """From the JSON of a check: each target by its row."""
    return {one["row"]: one for plan in said.json()["plans"] for one in plan["targets"]}
