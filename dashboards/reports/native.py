"""What a native chart of an office program draws, and looks that survive a grey printer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from dashboards.charts.colours import PALETTE
from dashboards.charts.drawing import Drawing, Shape
from dashboards.charts.texts import plain
from dashboards.reports.cells import Value, columns, decimals, number_format

MOST_BARS = 40
"""So many rows of a table are bars of a native chart; the table has all of them."""
SHORT = 10
"""Labels up to so many letters («11/2026») stand below upright columns; longer ones beside lying bars."""
HEIGHT_A_BAR = 24


@dataclass(frozen=True)
class Look:
    """A series: its colour, and for grey paper its dash and pattern, by the names of XlsxWriter and of PowerPoint."""

    colour: str
    dash: str
    office_dash: str
    pattern: str
    office_pattern: str


_DASHES = (
    ("solid", "SOLID"),
    ("dash", "DASH"),
    ("dash_dot", "DASH_DOT"),
    ("long_dash", "LONG_DASH"),
    ("long_dash_dot", "LONG_DASH_DOT"),
    ("round_dot", "ROUND_DOT"),
    ("long_dash_dot_dot", "DASH_DOT_DOT"),
    ("square_dot", "SQUARE_DOT"),
)
_PATTERNS = (
    ("", ""),
    ("wide_upward_diagonal", "WIDE_UPWARD_DIAGONAL"),
    ("trellis", "TRELLIS"),
    ("percent_25", "PERCENT_25"),
    ("wide_downward_diagonal", "WIDE_DOWNWARD_DIAGONAL"),
    ("dark_horizontal", "DARK_HORIZONTAL"),
    ("dark_vertical", "DARK_VERTICAL"),
    ("large_grid", "LARGE_GRID"),
)
LOOKS = tuple(Look(*look) for look in ((PALETTE[at], *_DASHES[at], *_PATTERNS[at]) for at in range(len(PALETTE))))


@dataclass(frozen=True)
class Native:
    """A native chart: labels along its axis, and numbers of each series, None where nothing is known."""

    shape: Shape
    category: str
    labels: list[Value]
    series: dict[str, list[Value]]
    places: dict[str, int]
    """The column of each series in the table."""
    category_place: int
    digits: int
    lying: bool
    """Bars from left to right, the first on top."""

    @classmethod
    def of(cls, drawing: Drawing) -> Native | None:
        """None where a table says it better, or where there is nothing to draw."""
        names = [str(name) for name in drawing.table.columns]
        shown = [name for name in drawing.series if name in names][: len(LOOKS)]
        if drawing.shape is Shape.TABLE or not shown or drawing.category not in names or drawing.table.empty:
            return None
        most = len(drawing.table) if drawing.shape is Shape.LINE else MOST_BARS
        cells = columns(drawing.table.head(most))
        labels = cells[names.index(drawing.category)]
        places = {name: names.index(name) for name in shown}
        series = {plain(name): [_numeric(one) for one in cells[at]] for name, at in places.items()}
        digits = max(decimals(numbers) for numbers in series.values())
        lying = drawing.shape is Shape.BAR or (drawing.shape is Shape.STACKED and _long(labels))
        places = dict(zip(series, places.values(), strict=True))
        return cls(
            drawing.shape, drawing.category, labels, series, places, names.index(drawing.category), digits, lying
        )

    @property
    def number_format(self) -> str:
        """Of the axis, and of the numbers behind it."""
        return number_format(min(self.digits, 1))

    @property
    def dated(self) -> bool:
        """Along the axis are days, and no label is missing."""
        return all(isinstance(label, date) for label in self.labels)

    @property
    def is_line(self) -> bool:
        return self.shape is Shape.LINE

    @property
    def starts_at_zero(self) -> bool:
        """Bars are compared by their length: office programs left alone would cut it off at 70 %, say."""
        numbers = [one for some in self.series.values() for one in some if isinstance(one, (int, float))]
        return not self.is_line and min(numbers, default=0) >= 0


def _numeric(cell: Value) -> Value:
    return cell if isinstance(cell, (int, float)) else None


def _long(labels: list[Value]) -> bool:
    return max((len(str(label)) for label in labels), default=0) > SHORT
