"""What is wrong in a configuration, said so that the person who wrote it can put it right."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from config.folding import fold


@dataclass(frozen=True)
class Problem:
    """One thing to put right. `table` and `key` are empty when the whole file is meant.

    `wrong` says what is the matter, `right` what would be accepted: Vietnamese, without a final full stop.
    """

    file: str
    table: str
    key: str
    wrong: str
    right: str

    def __str__(self) -> str:
        place = [self.file]
        if self.table:
            place.append(f"bảng [{self.table}]")
        if self.key:
            place.append(f"khóa «{self.key}»")
        return f"{', '.join(place)}: {self.wrong}. Cách sửa: {self.right}."


class ConfigError(Exception):
    """The configuration cannot be used. `problems` holds everything found in all files; the text lists it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


_DATE = ("«{value}» không phải là ngày", "viết năm-tháng-ngày, không có ngoặc kép, ví dụ 2025-07-01")
_TIME = ("«{value}» không phải là giờ", "viết giờ:phút:giây, không có ngoặc kép, ví dụ 06:30:00")
_WHOLE = ("«{value}» không phải là số nguyên", "viết số nguyên, không có ngoặc kép, ví dụ 120")
_LIST = ("«{value}» không phải là danh sách", 'đặt trong ngoặc vuông, ví dụ ["tin tốt"]')
_TABLE = ("«{value}» không phải là một bảng", "viết thành bảng các dòng khóa = giá trị")
_SENTENCES: dict[str, tuple[str, str]] = {
    "missing": ("bắt buộc nhưng còn thiếu", "thêm vào theo tệp mẫu do «nhip init» viết ra"),
    "string_type": ("«{value}» không phải là chữ", 'đặt trong ngoặc kép, ví dụ "An Lạc"'),
    "string_too_short": ("đang để trống", "viết ít nhất một chữ"),
    "string_too_long": ("dài hơn {max_length} ký tự", "viết ngắn lại"),
    "string_pattern_mismatch": (
        "«{value}» không dùng làm mã được",
        "chỉ dùng chữ thường không dấu, chữ số và dấu gạch nối, ví dụ {slug}",
    ),
    "bool_type": ("«{value}» không phải là đúng/sai", "viết true hoặc false, không có ngoặc kép"),
    "int_type": _WHOLE,
    "int_from_float": _WHOLE,
    "float_type": ("«{value}» không phải là số", "viết số, không có ngoặc kép, ví dụ 2.5"),
    "finite_number": ("«{value}» không phải là số", "viết số, không có ngoặc kép, ví dụ 2.5"),
    "date_type": _DATE,
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
    "date_from_datetime_inexact": _DATE,
    "time_type": _TIME,
    "time_parsing": _TIME,
    "tuple_type": _LIST,
    "mapping_type": _TABLE,
    "dict_type": _TABLE,
    "model_type": _TABLE,
    "greater_than": ("{value} quá nhỏ", "viết số lớn hơn {gt}"),
    "greater_than_equal": ("{value} quá nhỏ", "viết số từ {ge} trở lên"),
    "less_than_equal": ("{value} quá lớn", "viết số từ {le} trở xuống"),
    "too_short": ("danh sách đang trống", "khai báo ít nhất {min_length} mục"),
    "literal_error": ("«{value}» không phải là một giá trị dùng được", "chọn một trong: {choices}"),
    "rule": ("{wrong}", "{right}"),
}
_OTHER = ("«{value}» không dùng được", "xem tệp mẫu do «nhip init» viết ra")


def explain(error: ValidationError, shape: type[BaseModel], file: str, table: str = "") -> list[Problem]:
    """What pydantic found in one table (in a whole file when `table` is empty), in Vietnamese."""
    found = error.errors(include_url=False)
    return [_problem(details, shape, file, table) for details in found if not _follows(details, found)]


def _follows(details: ErrorDetails, found: Sequence[ErrorDetails]) -> bool:
    """A list that is only empty because its items are bad is no problem of its own."""
    place = details["loc"]
    inside = (other["loc"] for other in found if len(other["loc"]) > len(place))
    return details["type"] == "too_short" and any(deeper[: len(place)] == place for deeper in inside)


def _problem(details: ErrorDetails, shape: type[BaseModel], file: str, table: str) -> Problem:
    place = [part for part in details["loc"] if part != "[key]"]
    depth = 0 if table else _table_depth(shape, place)
    table = table or ".".join(map(str, place[:depth]))
    wrong, right = _sentence(details, shape, place)
    return Problem(file, table, key_path(place[depth:]), wrong, right)


def _sentence(details: ErrorDetails, shape: type[BaseModel], place: Sequence[int | str]) -> tuple[str, str]:
    if details["type"] == "extra_forbidden":
        return unknown(str(place[-1]), list(_model_at(shape, place[:-1]).model_fields), "khóa")
    words: dict[str, Any] = {**details.get("ctx", {}), "value": shorten(details["input"])}
    words["choices"] = ", ".join(re.findall(r"'([^']*)'", str(words.get("expected", ""))))
    words["slug"] = "-".join(fold(str(details["input"])).split())[:64] or "an-lac"
    wrong, right = _SENTENCES.get(details["type"], _OTHER)
    return wrong.format_map(words), right.format_map(words)


def _table_depth(shape: type[BaseModel], place: Sequence[int | str]) -> int:
    """How many leading parts of a place name a table: 2 in tables of named tables, 0 for a plain key."""
    field = shape.model_fields.get(str(place[0])) if place else None
    if field is None or _model_inside(field.annotation) is None:
        return 0
    return min(len(place), 2 if get_origin(field.annotation) is Mapping else 1)


def unknown(word: str, known: Sequence[str], what: str) -> tuple[str, str]:
    """What is wrong and what would be right when a word is none of the known ones."""
    wrong = f"không có {what} «{shorten(word)}»"
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return wrong, f"có phải ý là «{near[0]}»"
    if not known:
        return wrong, f"khai báo {what} này trước, hoặc bỏ đi"
    shown = ", ".join(known[:12]) + (" …" if len(known) > 12 else "")
    return wrong, f"dùng một trong: {shown}"


def key_path(place: Sequence[int | str]) -> str:
    """A place inside a table as people count: («owners», 1, «start») -> «owners (mục 2).start»."""
    path = ""
    for part in place:
        if isinstance(part, int):
            path += f" (mục {part + 1})"
        else:
            path += f".{part}" if path else part
    return path.strip()


def shorten(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else text[:59] + "…"


def _model_at(shape: type[BaseModel], place: Sequence[int | str]) -> type[BaseModel]:
    for part in place:
        if part in shape.model_fields:
            shape = _model_inside(shape.model_fields[str(part)].annotation) or shape
    return shape


def _model_inside(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for arg in get_args(annotation) if (model := _model_inside(arg))), None)
