"""The configuration folder, read strictly: either a whole checked `Config`, or every problem at once."""

from __future__ import annotations

import json
import re
import stat
import tomllib
from collections.abc import Collection
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from config.checks import check_channels, check_units
from config.models import Channel, Config, District, Unit
from config.problems import ConfigError, Problem, explain
from config.values import Model

__all__ = ["ConfigError", "Problem", "load_config", "write_example"]

FILES = ("district.toml", "units.toml", "channels.toml")
M = TypeVar("M", bound=Model)
Table = dict[str, Any]


def load_config(folder: Path) -> Config:
    """The checked configuration in a folder; raises ConfigError with all problems of all files."""
    _refuse_unless_folder(folder)
    problems: list[Problem] = []
    raw = {name: _read(folder / name, problems) for name in FILES}
    district = _district(raw["district.toml"], problems)
    units = _entries(raw["units.toml"], "units", Unit, problems)
    channels = _entries(raw["channels.toml"], "channels", Channel, problems)
    unit_names = _names(raw["units.toml"], "units")
    problems += check_units(units, unit_names, _names(raw["district.toml"], "kinds"))
    labels = _names(raw["district.toml"], "labels")
    problems += check_channels(channels, units, unit_names, labels, folder)
    if problems or district is None:
        raise ConfigError(sorted(problems, key=lambda problem: FILES.index(problem.file)))
    return Config(folder, district, units, channels)


def write_example(folder: Path) -> list[Path]:
    """Write those of the commented example files that are missing, and return them; what is there stays."""
    targets: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        targets = [path for name in FILES if not (path := folder / name).exists()]
        for path in targets:
            path.write_bytes((files("config") / "example" / path.name).read_bytes())
    except OSError as error:
        _remove(targets)
        right = "kiểm tra quyền ghi và dung lượng đĩa, hoặc chọn thư mục khác"
        raise ConfigError([Problem(str(folder), "", "", "không ghi được tệp mẫu vào đây", right)]) from error
    return targets


def _remove(paths: list[Path]) -> None:
    """Take half-written files away, so that the next try is not refused because of them."""
    with suppress(OSError):
        for path in paths:
            path.unlink(missing_ok=True)


def _refuse_unless_folder(folder: Path) -> None:
    try:
        if stat.S_ISDIR(folder.stat().st_mode):
            return
        wrong, right = "đây không phải là thư mục", "chỉ đến thư mục chứa district.toml"
    except (FileNotFoundError, NotADirectoryError):
        wrong, right = "không có thư mục cấu hình này", f"chạy «nhip init {folder}» để tạo"
    except OSError:
        wrong, right = "không mở được thư mục này", "kiểm tra đường dẫn và quyền đọc"
    raise ConfigError([Problem(str(folder), "", "", wrong, right)])


def _read(path: Path, problems: list[Problem]) -> Table | None:
    """The tables of one file; None, with the problem noted, when it cannot be read."""
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        wrong, right = f"không có tệp này trong {path.parent}", "chép từ bộ mẫu do «nhip init» viết ra"
    except PermissionError:
        wrong, right = "không có quyền đọc tệp", "cấp quyền đọc cho người dùng đang chạy chương trình"
    except OSError:
        wrong, right = "không đọc được tệp", "kiểm tra đây có phải là tệp thường và ổ đĩa còn tốt"
    except UnicodeDecodeError:
        wrong, right = "tệp không ở bảng mã UTF-8", "mở bằng trình soạn thảo và lưu lại với bảng mã UTF-8"
    except RecursionError:
        wrong, right = "các dấu ngoặc lồng nhau quá sâu", "viết lại gọn hơn theo tệp mẫu"
    except ValueError as error:
        wrong, right = _syntax(str(error))
    problems.append(Problem(path.name, "", "", wrong, right))
    return None


SYNTAX = {
    "Cannot overwrite": ("một khóa được ghi hai lần", "chỉ giữ một dòng cho mỗi khóa"),
    "Cannot declare": ("một bảng được khai báo hai lần", "gộp lại thành một bảng, hoặc đặt mã khác"),
    "Invalid date": ("ngày giờ không có thật", "viết năm-tháng-ngày, ví dụ 2025-07-01"),
    "Invalid value": ("giá trị không đọc được", "đặt chữ trong ngoặc kép, ngày viết như 2025-07-01"),
    "Expected '='": ("thiếu dấu = sau tên khóa", "viết khóa = giá trị trên một dòng"),
    "Expected newline": (
        "thừa chữ ở cuối dòng",
        "mỗi dòng chỉ một khóa; chữ đặt trong ngoặc kép, ngày viết như 2025-07-01",
    ),
    "Unescaped '\\'": ("có dấu \\ trong ngoặc kép", "dùng / thay cho \\, hoặc đặt trong ngoặc đơn"),
    "Illegal character": ("có ký tự không dùng được", "đóng ngoặc kép ngay trên dòng ấy"),
    "Unclosed array": ("thiếu dấu ] đóng danh sách", "thêm dấu ] hoặc dấu phẩy giữa các mục; giờ viết như 06:30:00"),
    "Expected ']'": ("thiếu dấu ] ở tên bảng", "viết tên bảng như [units.an-lac]"),
    "Invalid initial": ("tên khóa không đọc được", "tên khóa chỉ có chữ không dấu, chữ số, dấu - và _"),
}


def _syntax(message: str) -> tuple[str, str]:
    """Where and why TOML cannot be read, from the parser's English."""
    kind = next((words for start, words in SYNTAX.items() if message.startswith(start)), None)
    wrong, right = kind or ("sai cú pháp TOML", "so với tệp mẫu do «nhip init» viết ra")
    at = re.search(r"at line (\d+), column (\d+)", message)
    where = f"dòng {at[1]}, cột {at[2]}: " if at else "cuối tệp: " if "end of document" in message else ""
    return where + wrong, right


def _district(raw: Table | None, problems: list[Problem]) -> District | None:
    if raw is None:
        return None
    for name, example in (("kinds", "phuong"), ("labels", "tin-tot")):
        if raw.get(name) == {}:
            right = f"viết ít nhất một bảng như [{name}.{example}]"
            problems.append(Problem("district.toml", name, "", "bảng này đang trống", right))
    try:
        return District.model_validate_json(_as_json(raw), strict=True)
    except ValidationError as error:
        problems += explain(error, District, "district.toml")
    return None


def _entries(raw: Table | None, top: str, shape: type[M], problems: list[Problem]) -> dict[str, M]:
    """The good tables `[top.<slug>]` of one file; each bad one is noted and left out."""
    if raw is None:
        return {}
    if not _tables(raw, top):
        wrong, right = "tệp chưa khai báo gì", f"viết ít nhất một bảng như [{top}.an-lac]"
        problems.append(Problem(f"{top}.toml", top, "", wrong, right))
    for other in sorted(raw.keys() - {top}):
        wrong, right = f"không có bảng «{other}» trong tệp này", f"viết tên bảng như [{top}.an-lac]"
        problems.append(Problem(f"{top}.toml", "", other, wrong, right))
    good: dict[str, M] = {}
    for slug, table in _tables(raw, top).items():
        if entry := _entry(slug, table, top, shape, problems):
            good[slug] = entry
    return good


def _entry(slug: str, table: object, top: str, shape: type[M], problems: list[Problem]) -> M | None:
    name = f"{top}.{slug}"
    if not isinstance(table, dict):
        problems.append(Problem(f"{top}.toml", top, slug, "đây không phải là một bảng", f"viết [{name}] rồi các dòng"))
    elif "slug" in table:
        problems.append(Problem(f"{top}.toml", name, "slug", "mã đã nằm ở tên bảng", "bỏ dòng này"))
    else:
        try:
            return shape.model_validate_json(_as_json({**table, "slug": slug}), strict=True)
        except ValidationError as error:
            problems += explain(error, shape, f"{top}.toml", name)
    return None


def _tables(raw: Table | None, top: str) -> Table:
    tables = (raw or {}).get(top, {})
    return tables if isinstance(tables, dict) else {}


def _names(raw: Table | None, top: str) -> Collection[str] | None:
    """What a file declares; None when it declares nothing, then that is the one thing to tell."""
    return _tables(raw, top).keys() or None


def _as_json(table: Table) -> str:
    """TOML as JSON: pydantic is strict about JSON types and still reads dates and tuples from it."""
    return json.dumps(table, default=lambda moment: moment.isoformat())
