"""Every page and every table by its address: one line each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dashboards.web.pages.cases import cases_page, cases_table
from dashboards.web.pages.channels import allowances_table, channels_page, channels_table, owners_table, tokens_table
from dashboards.web.pages.overview import growth_table, overview_page
from dashboards.web.pages.system import deliveries_table, edits_table, platforms_table
from dashboards.web.pages.targets import duties_table, subjects_table, target_page, targets_page, targets_table
from dashboards.web.pages.units import (
    unit_cases,
    unit_channels,
    unit_page,
    unit_reported,
    unit_targets,
    units_page,
    units_table,
)
from dashboards.web.tables import Table
from dashboards.web.view import View

Page = Callable[[View], tuple[str, dict[str, Any]]]
"""Gives the name of its template and what stands in it."""

PAGES: Mapping[str, tuple[str, Page]] = {
    "/": ("Tổng quan", overview_page),
    "/chi-tieu": ("Chỉ tiêu", targets_page),
    "/chi-tieu/{plan}/{row}": ("Chỉ tiêu", target_page),
    "/don-vi": ("Đơn vị", units_page),
    "/don-vi/{unit}": ("Đơn vị", unit_page),
    "/kenh": ("Kênh", channels_page),
    "/canh-bao": ("Cảnh báo", cases_page),
}
"""What depends on the data, the address and the day alone, and so is built once for each."""
NAVIGATION: Mapping[str, str] = {
    "/": "Tổng quan",
    "/chi-tieu": "Chỉ tiêu",
    "/don-vi": "Đơn vị",
    "/kenh": "Kênh",
    "/canh-bao": "Cảnh báo",
    "/he-thong": "Hệ thống",
}
TABLES: Mapping[str, Callable[[View], Table]] = {
    "canh-bao": cases_table,
    "chi-tieu": targets_table,
    "doi-chu": owners_table,
    "doi-tuong": subjects_table,
    "don-vi": units_table,
    "don-vi-bao-cao": unit_reported,
    "don-vi-canh-bao": unit_cases,
    "don-vi-chi-tieu": unit_targets,
    "don-vi-kenh": unit_channels,
    "han-muc": allowances_table,
    "kenh": channels_table,
    "ket-noi": tokens_table,
    "luot-doc": platforms_table,
    "nhat-ky": edits_table,
    "nhiem-vu": duties_table,
    "tang-truong": growth_table,
    "tin-gui": deliveries_table,
}
"""Each is `/bang/<name>.csv` and `/api/bang/<name>.json`, with the query of its page."""
