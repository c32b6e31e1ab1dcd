"""One TOML file, read as an officer's file deserves: what cannot be read is told in Vietnamese, with its line."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from config.problems import Problem

Table = dict[str, Any]


def read_table(path: Path, problems: list[Problem], name: str | None = None) -> Table | None:
    """The tables of one file; None, with the problem noted under `name`, when it cannot be read."""
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
    problems.append(Problem(name or path.name, "", "", wrong, right))
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


def as_json(table: Table) -> str:
    """TOML as JSON: pydantic is strict about JSON types and still reads dates and tuples from it."""
    return json.dumps(table, default=lambda moment: moment.isoformat())
