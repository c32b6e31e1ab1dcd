"""Cases with realistic facts, and a district with its receivers, for the tests of what messages say."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from alerts.base import Item, Rule
from config.alert_models import Alerts
from config.models import Config
from store.records import Case, CaseState
from tests.metric_builders import at, config_of, unit

FRIDAY = at("2026-11-20 07:30")
MONDAY = at("2026-11-23 07:00")
ALERTS = Alerts.model_validate(
    {
        "receivers": {
            "truyen-thong": {"name": "Tổ truyền thông", "role": "team", "ways": ["file:truyen-thong"]},
            "thuong-vu": {"name": "Ban Thường vụ", "role": "committee", "ways": ["file:thuong-vu"]},
            "an-lac": {"name": "Đoàn phường An Lạc", "role": "unit", "unit": "an-lac", "ways": ["file:an-lac"]},
        }
    }
)
FACTS: dict[Rule, dict[str, Any]] = {
    Rule.QUIET: {
        "unit": "an-lac", "unit_name": "Đoàn phường An Lạc", "last_post": "2026-11-05", "silent_days": 12,
        "due": "2026-11-13", "rhythm_days": 2, "notes": ["Video ngắn (Reels) của Trang không đọc được."],
        "channels": ["trang-an-lac"], "channel_names": ["Trang Tuổi trẻ An Lạc"],
    },
    Rule.TARGET: {
        "plan": "ke-hoach", "row": "CT4.1", "clause": "II-CT.4", "title": "Người theo dõi Trang tăng 5 %",
        "status_word": "Nguy cơ", "sentence": "Tăng 1,2 %, đến hôm nay cần 4,4 %; cần thêm 38 lượt mỗi tuần.",
    },
    Rule.TOKEN: {
        "name": "tiktok:ban-tin", "title": "TikTok: Bản tin Thanh niên", "channel": "ban-tin",
        "channel_name": "Bản tin Thanh niên", "platform": "TikTok", "ends": "2026-12-04", "days_left": 14,
        "fix": "Đề nghị chạy «nhip connect tiktok --channel ban-tin».",
    },
    Rule.SOURCE: {
        "channel": "web-tan-tao", "channel_name": "Trang thông tin Tân Tạo", "unit_name": "Đoàn phường Tân Tạo",
        "failed_since": "2026-11-18T23:30:00+00:00", "error": "Máy chủ không trả lời. Đề nghị báo đơn vị kiểm tra.",
    },
    Rule.FIGURE: {
        "plan": "ke-hoach", "row": "CT4.2", "clause": "II-CT.5", "title": "Cán bộ Đoàn được bồi dưỡng",
        "unit": "an-lac", "unit_name": "Đoàn phường An Lạc", "due": "2026-11-10", "days_late": 10,
    },
    Rule.SUSPECT: {
        "channel": "ban-tin", "channel_name": "Bản tin Thanh niên", "count_name": "lượt theo dõi", "value": 12874,
        "at": "2026-11-19T23:30:00+00:00",
    },
    Rule.PIPELINE: {
        "since": "2026-11-18T23:30:00+00:00", "until": "2026-11-19T11:30:00+00:00", "missed": 66, "detail": "schedule",
    },
}  # fmt: skip
"""What each rule says of one case, every key of it."""


def district(**organisation: Any) -> Config:
    who = {"name": "Quận Đoàn mẫu", "contact": "truyen-thong@doan-mau.example", **organisation}
    return replace(config_of([unit("an-lac", name="Đoàn phường An Lạc")], organisation=who), alerts=ALERTS)


def case(rule: Rule, number: int = 1, state: CaseState = CaseState.OPEN, **facts: Any) -> Case:
    """A case that began on Friday 13 November, the later the higher its number."""
    began = at("2026-11-13") + timedelta(minutes=number)
    until = at("2026-11-25") if state is CaseState.SNOOZED else None
    known = FACTS[rule] | facts
    return Case(number, rule, f"viec-{number}", state, began, began, began, until, known, 1)


def item(rule: Rule, step: str, number: int = 1, receiver: str = "truyen-thong", **facts: Any) -> Item:
    about = case(rule, number, **facts)
    return Item(receiver, about, step, about.facts)
