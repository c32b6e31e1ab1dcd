"""Fills the templates. Everything is escaped; nothing is ever marked as safe."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from dashboards.charts.texts import plain
from dashboards.web import statics
from dashboards.web.site import NAVIGATION
from dashboards.web.tables import MOST_LETTERS
from dashboards.web.view import View, week_name


@cache
def environment() -> Environment:
    made = Environment(
        loader=PackageLoader("dashboards.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        finalize=_shown,
    )
    made.globals |= {
        "static": statics.address,
        "plotly": statics.PLOTLY,
        "plotly_styles": statics.plotly_styles,
        "navigation": NAVIGATION,
    }
    return made


def _shown(value: Any) -> Any:
    """A text of data without control and direction characters, and not without end; words of ours as they are."""
    if type(value) is not str or (value.isprintable() and len(value) <= MOST_LETTERS):
        return value
    return plain(value, MOST_LETTERS)


def render(template: str, title: str, view: View, context: dict[str, Any]) -> bytes:
    """A whole page with its frame: organisation, plan, week, navigation."""
    organisation = view.config.district.organisation
    frame = {
        "title": title,
        "view": view,
        "organisation": organisation,
        "section": "/" + view.path.strip("/").partition("/")[0],
        "week_name": week_name(view.week),
        "open_count": len(view.open_cases),
    }
    return environment().get_template(template).render(**frame, **context).encode()


def render_problem(title: str, sentence: str) -> bytes:
    """A page that says why there is none; needs no data."""
    return environment().get_template("problem.html").render(title=title, sentence=sentence).encode()
