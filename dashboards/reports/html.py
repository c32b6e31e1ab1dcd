"""The report as one HTML file that needs nothing else: by mail, on a stick, on a phone, on A4 paper.

Charts are SVG pictures where this machine has a browser to draw them. As pictures of data: addresses they run nothing,
fetch nothing and cannot disturb each other; a chart weighs 20 to 100 kB, the file has no script at all, and mail
programs let it through. Without a browser the whole of plotly.js (4.8 MB, the only bundle that ships with plotly)
goes in once, and the reader's browser draws. The tables are there either way; on paper the long ones are left out.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, Template

from dashboards.charts.house import CONFIG
from dashboards.charts.texts import plain
from dashboards.reports.cells import Value, columns, decimals, shown
from dashboards.reports.files import put
from dashboards.reports.finding import PicturesUnavailable
from dashboards.reports.page import Heading, Page
from dashboards.reports.studio import Studio, plotly_js

NAME = "bao-cao.html"
SENTENCE = 1200
MOST_ROWS = 400
"""So many rows of a table stand on the page; the workbook has all of them."""
ON_PAPER = 24
"""Longer tables are folded, and not printed."""
DRAW = """for (const place of document.querySelectorAll("[data-chart]")) {
  const figure = JSON.parse(document.getElementById(place.dataset.chart).textContent);
  Plotly.newPlot(place, figure.data, figure.layout, figure.config);
}"""
STYLE = """
@page { size: A4; margin: 16mm 12mm 16mm; @bottom-right { content: counter(page) "/" counter(pages); font-size: 8pt; } }
:root { color-scheme: light; }
body { font: 15px/1.45 "Noto Sans", "Segoe UI", Roboto, Arial, sans-serif; color: #1f2933; background: #fff;
  max-width: 1000px; margin: 0 auto; padding: 16px; overflow-wrap: anywhere; }
h1 { font-size: 1.6em; margin: 0 0 .3em; } h2 { font-size: 1.15em; margin: 0 0 .3em; }
section { margin: 28px 0; } figure { margin: 8px 0; } figure img { width: 100%; height: auto; display: block; }
.clause { font-weight: 600; color: #0b4a8f; } .foot, .lines { color: #46566b; font-size: .9em; }
.lines p { margin: 0; } .wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85em; overflow-wrap: normal; }
caption { text-align: left; font-weight: 600; padding: 4px 0; }
th, td { border: 1px solid #98a3ae; padding: 2px 6px; text-align: left; unicode-bidi: isolate; vertical-align: top; }
th { background: #e9edf1; } .n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
summary { cursor: pointer; padding: 10px 0; }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } section, tr { break-inside: avoid; }
  figure img { width: auto; max-width: 100%; max-height: 205mm; margin: 0 auto; }
  .long { display: none; } .wide { overflow: visible; }
  table { width: 100%; font-size: 7.5pt; overflow-wrap: anywhere; } .n { white-space: normal; overflow-wrap: normal; } }
"""
PAGE = """<!doctype html>
<html lang="vi">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{{ policy }}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ title }}</title>
<style>{{ style }}</style>
</head>
<body>
<main>
<h1>{{ title }}</h1>
<div class="lines">{% for line in heading.lines %}<p>{{ line }}</p>{% endfor %}</div>
{% for part in parts %}
<section>
<h2>{{ loop.index }}. {{ part.title }}</h2>
{% if part.clause %}<div class="clause">Căn cứ: {{ part.clause }}</div>{% endif %}
<p>{{ part.sentence }}</p>
<figure>
{% if part.picture %}<img src="{{ part.picture }}" alt="{{ part.sentence }}">
{% else %}<div data-chart="chart-{{ loop.index }}"></div>
<script type="application/json" id="chart-{{ loop.index }}">{{ part.figure }}</script>
{% endif %}</figure>
{% if part.rows %}
{% if part.long %}<details class="long"><summary>Bảng số liệu ({{ part.count }} dòng)</summary>{% endif %}
<div class="wide"><table><caption>Bảng số liệu: {{ part.title }}</caption>
<thead><tr>{% for words in part.headings %}<th scope="col">{{ words }}</th>{% endfor %}</tr></thead>
<tbody>
{% for row in part.rows %}<tr>
{%- for number, words in row %}<td{% if number %} class="n"{% endif %}>{{ words }}</td>{% endfor %}</tr>
{% endfor %}</tbody></table></div>
{% if part.left_out %}<p class="foot">Còn {{ part.left_out }} dòng, xem tệp số liệu.</p>{% endif %}
{% if part.long %}</details>{% endif %}
{% endif %}
<p class="foot">{{ part.foot }}</p>
</section>
{% endfor %}
<section>
<h2>Nguồn và định nghĩa</h2>
<table><thead><tr><th scope="col">Từ</th><th scope="col">Nghĩa</th></tr></thead>
<tbody>{% for word, meaning in heading.words %}<tr><td>{{ word }}</td><td>{{ meaning }}</td></tr>{% endfor %}
</tbody></table>
</section>
</main>
{% for script in scripts %}<script>{{ script }}</script>
{% endfor %}</body>
</html>
"""


@dataclass(frozen=True)
class Part:
    """One page as the template reads it: plain texts, escaped there."""

    title: str
    clause: str
    sentence: str
    foot: str
    picture: str
    figure: Any
    headings: list[str]
    rows: list[list[tuple[bool, str]]]
    count: str

    @property
    def long(self) -> bool:
        return len(self.rows) > ON_PAPER

    @property
    def left_out(self) -> str:
        return "" if len(self.rows) < MOST_ROWS else self.count


def write(pages: Sequence[Page], heading: Heading, out: Path, studio: Studio) -> list[Path]:
    """«bao-cao.html», with or without a browser."""
    try:
        drawn = studio.pictures([page.drawing.spec for page in pages])
    except PicturesUnavailable:
        drawn = []
    return [put(out / NAME, document(pages, heading, [picture.svg_address for picture in drawn]).encode())]


def document(pages: Sequence[Page], heading: Heading, pictures: Sequence[str]) -> str:
    """The page with the pictures at these addresses, one for each page; without any, with plotly.js instead."""
    parts = [_part(page, pictures[place] if pictures else "") for place, page in enumerate(pages)]
    scripts = [] if pictures or not pages else [plotly_js(), DRAW]
    return _template().render(
        title=plain(heading.title),
        heading=heading,
        parts=parts,
        style=_trusted(STYLE),
        scripts=map(_trusted, scripts),
        policy=_policy(scripts),
    )


def _part(page: Page, picture: str) -> Part:
    drawing = page.drawing
    cells = columns(drawing.table.head(MOST_ROWS))
    digits = [decimals(column) for column in cells]
    return Part(
        plain(page.title),
        plain(page.clause),
        plain(drawing.sentence, SENTENCE),
        plain(drawing.foot),
        picture,
        _trusted(_json(drawing.spec | {"config": CONFIG})),
        [plain(one) for one in drawing.table.columns],
        [[_cell(*one) for one in zip(row, digits, strict=True)] for row in zip(*cells, strict=True)],
        shown(len(drawing.table)),
    )


def _cell(cell: Value, digits: int) -> tuple[bool, str]:
    return isinstance(cell, (int, float)), shown(cell, digits)


def _json(content: Any) -> str:
    """JSON that no parser of HTML takes for anything else."""
    text = orjson.dumps(content).decode()
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _policy(scripts: Sequence[str]) -> str:
    """Nothing may be fetched, and only our own scripts run."""
    hashes = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{one}'" for one in hashes) or "'none'"
    return f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'"


def _trusted(text: str) -> Any:
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 - our own style and scripts, and JSON without any < or &


@cache
def _template() -> Template:
    return Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(PAGE)
