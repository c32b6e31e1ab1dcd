"""Pictures and papers, drawn by one browser that all reports of a run share."""

from __future__ import annotations

import base64
import logging
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TypeVar

import orjson

from dashboards.charts.drawing import Spec
from dashboards.reports.browser import Browser, BrowserError, Tab
from dashboards.reports.finding import PicturesUnavailable, find_browser

T = TypeVar("T")
log = logging.getLogger(__name__)

WIDTH, SCALE, HEIGHT = 760, 2, 480
"""Pixels of a picture, about as wide as A4 paper is inside its margins; its PNG has SCALE times as many each way.

HEIGHT is for specs that do not say theirs.
"""
SECONDS, A_PICTURE = 60.0, 2.0
"""The limit of one batch, and what every picture adds to it."""
TRIES = 2
BROKEN = (
    "Trình duyệt không vẽ được ảnh và PDF sau hai lần thử; các tệp khác vẫn được tạo đủ. "
    "Đề nghị thử lại sau; nếu vẫn vậy, cập nhật trình duyệt hoặc báo người quản trị hệ thống."
)
DRAW = """async (spec, width, height, scale) => {
  const figure = {data: spec.data, layout: spec.layout, config: {typesetMath: false}};
  const svg = await Plotly.toImage(figure, {format: "svg", width, height, imageDataOnly: true});
  const image = new Image();
  image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(svg);
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = width * scale;
  canvas.height = height * scale;
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  const png = canvas.toDataURL("image/png").split(",")[1];
  if (!png) throw new Error(`a picture of ${width} × ${height} is too large`);
  return [svg, png];
}"""


@dataclass(frozen=True)
class Picture:
    """One chart, drawn."""

    svg: str
    png: bytes

    @property
    def svg_address(self) -> str:
        return _data_address("image/svg+xml", self.svg.encode())

    @property
    def png_address(self) -> str:
        return _data_address("image/png", self.png)


class Studio:
    """Draws with a browser that starts with the first order and stays until `close`; use it by `with`.

    Every order has a limit of time and is tried twice, the second time with a fresh browser. PicturesUnavailable when
    there is no browser, and from the first order on that failed twice: later ones do not wait again.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ, *, seconds: float = SECONDS) -> None:
        self._environ, self._seconds = environ, seconds
        self._open = ExitStack()
        self._browser: Browser | None = None
        self._given_up: PicturesUnavailable | None = None
        self._drawn: dict[int, tuple[Spec, Picture]] = {}

    def __enter__(self) -> Studio:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._open.close()
        self._browser = None

    def pictures(self, specs: Sequence[Spec]) -> list[Picture]:
        """One for each spec, in order; what was drawn before is not drawn again."""
        fresh = [spec for spec in specs if id(spec) not in self._drawn]
        if fresh:
            drawn = self._order(lambda browser: _draw(browser, fresh), self._seconds + A_PICTURE * len(fresh))
            self._drawn |= {id(spec): (spec, picture) for spec, picture in zip(fresh, drawn, strict=True)}
        return [self._drawn[id(spec)][1] for spec in specs]

    def pdf(self, html: str) -> bytes:
        """A document on paper, of the size that its `@page` says; scripts in it do not run."""
        return self._order(lambda browser: _print(browser, html), self._seconds)

    def screenshot(self, html: str, width: int = 1080, height: int = 1350) -> bytes:
        """A PNG of a document as seen through a window of so many pixels; scripts in it do not run."""
        return self._order(lambda browser: _photograph(browser, html, width, height), self._seconds)

    def _order(self, work: Callable[[Browser], T], seconds: float) -> T:
        if self._given_up:
            raise self._given_up
        faults = []
        for _ in range(TRIES):
            try:
                browser = self._running()
                with browser.within(seconds):
                    return work(browser)
            except (BrowserError, OSError) as error:
                faults.append(str(error))
                log.warning("no pictures", extra={"attempt": len(faults), "detail": str(error)})
                self.close()
        self._given_up = PicturesUnavailable(BROKEN, "; ".join(faults))
        raise self._given_up

    def _running(self) -> Browser:
        if self._browser is None:
            self._browser = self._open.enter_context(Browser(find_browser(self._environ), self._environ))
        return self._browser


def _data_address(kind: str, content: bytes) -> str:
    """The picture itself as an address, for an <img>: it runs nothing and fetches nothing."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _draw(browser: Browser, specs: Sequence[Spec]) -> list[Picture]:
    with browser.tab() as tab:
        tab.value(f"{plotly_js()};globalThis.draw = {DRAW};1")
        return [_draw_one(tab, spec) for spec in specs]


def _draw_one(tab: Tab, spec: Spec) -> Picture:
    height = int(spec["layout"].get("height") or HEIGHT)
    svg, png = tab.value(f"draw({orjson.dumps(spec).decode()}, {WIDTH}, {height}, {SCALE})")
    return Picture(svg, base64.b64decode(png))


def _print(browser: Browser, html: str) -> bytes:
    with browser.tab() as tab:
        tab.show(html)
        paper = tab.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)
        return base64.b64decode(paper["data"])


def _photograph(browser: Browser, html: str, width: int, height: int) -> bytes:
    with browser.tab() as tab:
        tab.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        tab.show(html)
        return base64.b64decode(tab.call("Page.captureScreenshot", format="png")["data"])


@cache
def plotly_js() -> str:
    """The library as it ships in the plotly package."""
    found = find_spec("plotly")  # without importing it
    assert found
    assert found.origin
    return (Path(found.origin).parent / "package_data" / "plotly.min.js").read_text("utf-8")
