"""One Vietnamese sentence for every judged target: what was found, what was promised, how it stands, what to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import pandas as pd

from metrics.asking import Why
from metrics.engagement import PROXY_LABEL
from metrics.rows import rows_of
from metrics.words import ADVICE, STUDIO, UNSURE, WORDS, Status, between, day, number, percent

Row = Mapping[Any, Any]
Tell = Callable[[Row], str]
COUNT_NOUNS = {"followers": "lượt theo dõi", "likes": "lượt thích", "posts": "bài đăng", "views": "lượt xem"}
PLATFORM_NAMES = {"facebook": "Facebook", "tiktok": "TikTok", "youtube": "YouTube", "zalo": "Zalo"}
_OPEN = frozenset({Status.BEHIND, Status.AT_RISK, Status.ON_PACE, Status.UNDECIDED})


def sentences(judged: pd.DataFrame, tell: Tell) -> list[str]:
    """A sentence for each row of `progress`; `tell` says what its indicator found."""
    return [sentence(row, tell) for row in rows_of(judged)]


def sentence(row: Row, tell: Tell) -> str:
    """«Lượt theo dõi Facebook tăng 4,8 % (1.240 → 1.300, mốc 31/12/2025), chỉ tiêu 5 %: chậm; cần thêm …»"""
    status = Status(row["status"])
    promised = _promised(row["target"], counts="value" in row)
    stands = "" if status is Status.SHOWN else f": {WORDS[status].lower()}"
    parts = [f"{tell(row)}{promised}{stands}", *_more(row, status)]
    text = "; ".join(part for part in parts if part)
    return f"{text[:1].upper()}{text[1:]}."


def _promised(target: Any, *, counts: bool) -> str:
    if not _is_known(target):
        return ""
    return f", chỉ tiêu {number(target) if counts else percent(target)}"


def _more(row: Row, status: Status) -> list[str]:
    """What stands after the word: what is still needed, what is likely, what to do about what is not known."""
    if row["why"] != Why.NONE:
        return [ADVICE.get(Why(row["why"]), "")]
    return [_needed(row, status), _outlook(row, status), _straddling(row), _advice(row, status)]


def _needed(row: Row, status: Status) -> str:
    if status not in _OPEN or not _is_known(row["needed_per_week"]) or not row["needed_per_week"]:
        return ""
    noun = COUNT_NOUNS.get(row.get("count", ""), "người")
    if row["needed_per_week"] == 1 or row["needed"] < row["needed_per_week"]:
        return f"còn thiếu {number(row['needed'])} {noun} đến hết kỳ"
    return f"cần thêm {number(row['needed_per_week'])} {noun} mỗi tuần"


def _outlook(row: Row, status: Status) -> str:
    if status not in _OPEN or not _is_known(row["end_low"]):
        return ""
    return f"dự báo cuối kỳ {between(row['end_low'], row['end_high'], row['target'])}"


def _straddling(row: Row) -> str:
    if not _is_known(row.get("straddled")):
        return ""
    return f"khoảng giá trị nằm vắt qua mức {percent(row['straddled'])} của kỳ vọng"


def _advice(row: Row, status: Status) -> str:
    if status is Status.FAILED:
        return ADVICE[Why.FAILED]
    if status is not Status.UNDECIDED:
        return ""
    return STUDIO if "base_low" in row and row["known"] == row["wanted"] else UNSURE


def growth(row: Row) -> str:
    """«lượt theo dõi Facebook tăng 4,8 % (1.240 → 1.300, mốc 31/12/2025)»"""
    platforms = " + ".join(PLATFORM_NAMES.get(name, name) for name in str(row["platform"]).split(" + "))
    mixed = " (cộng gộp các nền tảng, một người có thể được tính nhiều lần)" if "+" in platforms else ""
    head = f"{COUNT_NOUNS[row['count']]} {platforms}{mixed}"
    if not _is_known(row["base_value"]) or not _is_known(row["now_value"]):
        return head
    ends = f"{number(row['base_value'])} → {number(row['now_value'])}{_since(row)}"
    return f"{head} {_change(row['low'], row['high'], row['target'])} ({ends}{_parts(row)})"


def _change(low: Any, high: Any, target: Any) -> str:
    """«tăng 4,8 %», «giảm 2 %», «không đổi»."""
    if not _is_known(low):
        return "chưa tính được tỷ lệ"
    if high < 0:
        return f"giảm {between(-high, -low)}"
    if low == high == 0:
        return "không đổi"
    return f"tăng {between(low, high, target if _is_known(target) else None)}"


def _since(row: Row) -> str:
    moment = row.get("base_day")
    return f", mốc {day(moment)}" if isinstance(moment, date) and _is_known(moment) else ""


def _parts(row: Row) -> str:
    """In a sum: how many channels it is of."""
    if "opened" not in row:
        return ""
    younger = f", chưa kể {row['opened']} kênh mở sau mốc" if row["opened"] else ""
    return f", {row['known']}/{row['wanted']} kênh{younger}"


def daily(row: Row) -> str:
    return _cadence(row, "tin tốt", "ngày")


def weekly(row: Row) -> str:
    return _cadence(row, "câu chuyện đẹp", "tuần")


def _cadence(row: Row, item: str, slot: str) -> str:
    """«có tin tốt 26/30 ngày, 2 ngày chưa xác minh», or of all units together."""
    if "reached" in row:
        unsure = f", {row['wanted'] - row['known']} đơn vị chưa xác minh được" if row["wanted"] > row["known"] else ""
        return f"{row['reached']}/{row['wanted']} đơn vị có {item} đủ mọi {slot} đến hạn{unsure}"
    unsure = f", {row['unknown']} {slot} chưa xác minh" if row["unknown"] else ""
    return f"có {item} {row['met']}/{row['known']} {slot}{unsure}"


def share(row: Row) -> str:
    """«1.200/1.500 người (80 %) trong số 12/15 đơn vị đã báo cáo; tính cả đơn vị chưa báo cáo từ 60 % đến 85 %»"""
    if not _is_known(row["shown"]):
        return "tỷ lệ báo cáo"
    head = f"{number(row['numerator'])}/{number(row['denominator'])} người ({percent(row['shown'], row['target'])})"
    if "unit" in row:
        return f"{head}{_early(row)}"
    return f"{head} trong số {row['known']}/{row['wanted']} đơn vị đã báo cáo{_bounds(row)}{_early(row)}"


def _bounds(row: Row) -> str:
    """What the units that did not report can make of it."""
    if not row["missing"]:
        return ""
    if not _is_known(row["low"]):
        return ", chưa rõ số người của đơn vị chưa báo cáo"
    return f", tính cả đơn vị chưa báo cáo {between(row['low'], row['high'], row['target'])}"


def _early(row: Row) -> str:
    return ", theo báo cáo sớm của kỳ chưa kết thúc" if row["early"] else ""


def heads(row: Row) -> str:
    """«số người tăng 5 % (40 → 42)»"""
    if not _is_known(row["shown"]):
        return "số người báo cáo"
    told = "" if "unit" in row else f", {row['known']}/{row['wanted']} đơn vị đã báo cáo"
    change = _change(row["shown"], row["shown"], row["target"])
    ends = f"{number(row['base_value'])} → {number(row['now_value'])}"
    return f"số người {change} ({ends}{told}){_early(row)}"


def count(row: Row) -> str:
    """«đã báo cáo 14 (3/4 đơn vị)»"""
    if not _is_known(row["shown"]):
        return "số lượng báo cáo"
    told = "" if "unit" in row else f" ({row['known']}/{row['wanted']} đơn vị đã báo cáo)"
    return f"số lượng báo cáo {number(row['shown'])}{told}"


def meeting(row: Row) -> str:
    """«18/20 đơn vị thực hiện tốt, 1 đơn vị chưa xác minh được»"""
    if "unit" in row:
        return f"đạt {row['met']}/{row['parts']} nội dung"
    unsure = f", {row['wanted'] - row['known']} đơn vị chưa xác minh được" if row["wanted"] > row["known"] else ""
    return f"{row['reached']}/{row['wanted']} đơn vị thực hiện tốt{unsure}"


def sites(row: Row) -> str:
    return _alive(row, "trang thông tin điện tử")


def channels(row: Row) -> str:
    return _alive(row, "đơn vị có kênh")


def _alive(row: Row, what: str) -> str:
    if "reached" in row:
        return f"{row['reached']}/{row['wanted']} {what} đang hoạt động"
    last = f", bài gần nhất ngày {day(row['last_post_day'])}" if _is_known(row.get("last_post_day")) else ""
    state = "đang hoạt động" if row["low"] == 1 else "chưa ghi nhận bài mới" if row["high"] == 0 else "chưa xác minh"
    return f"{what} {state}{last}"


def proxy(row: Row) -> str:
    """«người theo dõi Facebook bằng 62 % số đoàn viên (chỉ số thay thế)»"""
    head = f"người theo dõi {PLATFORM_NAMES.get(row['platform'], row['platform'])}"
    if not _is_known(row["low"]):
        return f"{head} so với số đoàn viên ({PROXY_LABEL})"
    return f"{head} bằng {percent(row['low'])} số đoàn viên ({PROXY_LABEL})"


def duty(row: Row) -> str:
    """«nhiệm vụ hoàn thành trễ 3 ngày (hạn 15/07/2022)»"""
    if "duty" not in row:
        return f"{row['done']}/{row['wanted']} nhiệm vụ đến hạn đã hoàn thành đúng hạn"
    if not _is_known(row["due"]):
        return f"nhiệm vụ «{row['task']}»"
    late = f", trễ {row['days']} ngày" if row["days"] > 0 else ""
    return f"nhiệm vụ «{row['task']}», hạn {day(row['due'])}{late}"


def _is_known(value: Any) -> bool:
    return value is not None and not bool(pd.isna(value))
