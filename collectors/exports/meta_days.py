"""Meta Business Suite's page metrics: one number per day, and none of them a total.

«Follows» is the gain of one day (facts: page metric export). A gain may not become a snapshot, so the file is
refused with the way to a number that may.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NoReturn

from collectors.exports.base import Export, Upload
from collectors.exports.errors import ExportError
from collectors.exports.tables import Table, find_records

ALIASES = {"day": ("date", "ngay"), "primary": ("primary", "chinh")}


def fits(table: Table) -> bool:
    return find_records(table, ALIASES, ("day", "primary")) is not None


def read(tables: Sequence[Table], upload: Upload) -> NoReturn:
    raise ExportError(
        "Tệp này ghi số phát sinh từng ngày (như lượt theo dõi mới), không phải tổng số người theo dõi, nên không nhập "
        "được. Đề nghị kết nối kênh để hệ thống tự lấy tổng số, hoặc chép tổng số người theo dõi hiện trên trang vào "
        "mẫu nhập chung (nhip import --template mau.csv)."
    )


EXPORT = Export("Số liệu trang theo ngày của Meta Business Suite", frozenset({"facebook"}), fits, read)
