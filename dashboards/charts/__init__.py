"""Charts: pure functions from a frame to a plotly spec, one Vietnamese sentence and a table."""

from __future__ import annotations

from collections.abc import Mapping

from dashboards.charts import (
    audience,
    heat_strip,
    league,
    posts_by_month,
    quiet_timeline,
    shares,
    sites,
    story_dots,
    tiles,
    top_posts,
    years,
)
from dashboards.charts.drawing import Aim, Caption, Chart, Drawing, Mark, MarkKind, Shape, Spec

__all__ = ["CHARTS", "Aim", "Caption", "Chart", "Drawing", "Mark", "MarkKind", "Shape", "Spec"]

CHARTS: Mapping[str, Chart] = {
    "audience": audience.draw,
    "heat-strip": heat_strip.draw,
    "league": league.draw,
    "posts-by-month": posts_by_month.draw,
    "quiet-timeline": quiet_timeline.draw,
    "share-bounds": shares.draw,
    "site-presence": sites.draw,
    "story-dots": story_dots.draw,
    "tiles": tiles.draw,
    "top-posts": top_posts.draw,
    "year-comparison": years.draw,
}
