"""The application: from an address to an answer, built once for each state of the data."""

from __future__ import annotations

import time
from asyncio import Lock
from collections.abc import Awaitable, Callable, Collection, Hashable
from functools import partial
from typing import Any

from anyio.to_thread import run_sync
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from dashboards.desk import Desk, RefusedError
from dashboards.web import api, health, safety, statics
from dashboards.web.pages import system
from dashboards.web.pages.cases import case_page, order_of
from dashboards.web.shelf import Answer, Shelf, answer_of, respond
from dashboards.web.site import PAGES, TABLES, Page
from dashboards.web.tables import as_csv
from dashboards.web.templates import render, render_problem
from dashboards.web.view import BadAddressError, View, asked_of
from store.errors import StoreError

HTML = "text/html; charset=utf-8"
CSV = "text/csv; charset=utf-8"
ASK_EVERY = 0.5
"""Seconds for which the state of the data is taken for granted; our own writes are seen at once."""
NOT_FOUND = "Không có trang này. Đề nghị mở lại từ trang Tổng quan."
NOT_ALLOWED = "Trang này không nhận yêu cầu như vậy. Đề nghị mở lại từ trang Tổng quan."
Build = Callable[[View], Answer]


def create_app(desk: Desk, hosts: Collection[str] = safety.LOOPBACK) -> FastAPI:
    """The pages and the API over a desk, ready for a server. Answers only to these names of the machine."""
    app = FastAPI(
        title="Nhịp Đoàn", version="1", openapi_url="/api/openapi.json", docs_url=None, redoc_url=None, debug=False
    )
    app.router.redirect_slashes = False
    site = Site(desk)
    for path, (title, page) in PAGES.items():
        app.add_route(path, site.kept(partial(_page, title, page)))
    for name, table in TABLES.items():
        app.add_route(f"/bang/{name}.csv", site.kept(partial(_csv, table)))
    app.add_route("/he-thong", site.fresh(partial(_page, "Hệ thống", system.system_page)))
    app.add_route("/canh-bao/{case}", site.case, methods=["GET", "POST"])
    app.add_route("/static/{name}", _static)
    app.add_route("/healthz", partial(health.healthz, desk))
    app.add_route("/metrics", partial(health.metrics, desk))
    app.include_router(api.router(site.kept))
    for kind, handler in ((HTTPException, _refused), (BadAddressError, _bad_address), (StoreError, _store_trouble)):
        app.add_exception_handler(kind, handler)
    app.add_middleware(safety.Guard, hosts=hosts)
    return app


class Site:
    """What all requests share: the desk, the shelf of built answers, and the state of the data."""

    def __init__(self, desk: Desk) -> None:
        self._desk, self._shelf, self._building = desk, Shelf(), Lock()
        self._tokens = safety.Tokens()
        self._mark: Hashable = None
        self._asked = float("-inf")

    def kept(self, build: Build) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint whose answer is built once for its address and each state of the data."""

        async def endpoint(request: Request) -> Response:
            return respond(request, await self._answer(request, build))

        return endpoint

    def fresh(self, build: Build) -> Callable[[Request], Awaitable[Response]]:
        """An endpoint whose answer hangs on the minute, and so is built every time."""

        async def endpoint(request: Request) -> Response:
            return respond(request, await run_sync(build, self._view(request)), "no-store")

        return endpoint

    async def _answer(self, request: Request, build: Build) -> Answer:
        view = self._view(request)
        address = (request.url.path, tuple(view.asked.items()))
        state = (await self._state(), self._desk.stamp, view.today)
        if known := self._shelf.get(address, state):
            return known
        async with self._building:
            if known := self._shelf.get(address, state):
                return known
            built = await run_sync(build, view)
            self._shelf.put(address, state, built)
            return built

    async def _state(self) -> Hashable:
        if time.monotonic() - self._asked > ASK_EVERY:
            self._mark = await run_sync(self._desk.mark)
            self._asked = time.monotonic()
        return self._mark

    def _view(self, request: Request) -> View:
        desk, path = self._desk, request.url.path
        asked = asked_of(request.query_params)
        if plan := request.path_params.get("plan"):
            asked["ke-hoach"] = plan
        return View(desk, desk.config, desk.now(), path, asked, request.path_params)

    async def case(self, request: Request) -> Response:
        """One case, with the forms that turn it."""
        if request.method == "POST":
            return await self._turn(request)
        return Response(await run_sync(self._case_page, self._view(request)), 200, NO_STORE, HTML)

    def _case_page(self, view: View, **more: Any) -> bytes:
        template, context = case_page(view, token=self._tokens.make(view.path), **more)
        return render(template, f"Cảnh báo số {view.place['case']}", view, context)

    async def _turn(self, request: Request) -> Response:
        view, form = self._view(request), await _form(request)
        if form is None or not self._tokens.fits(form.get("phieu", ""), view.path):
            body = await run_sync(partial(self._case_page, view, refused=safety.NO_FORM))
            return Response(body, 403, NO_STORE, HTML)
        order = await run_sync(order_of, view, form)
        try:
            await run_sync(self._desk.turn, order)
        except RefusedError as error:
            body = await run_sync(partial(self._case_page, view, order=order, refused=str(error)))
            return Response(body, 409, NO_STORE, HTML)
        self._asked = float("-inf")
        return RedirectResponse(view.path, 303, NO_STORE)


NO_STORE = {"Cache-Control": "no-store"}


async def _form(request: Request) -> dict[str, str] | None:
    """None when it is too large, or no form."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > safety.LARGEST_BODY:
            return None
    try:
        return safety.form_of(body)
    except ValueError:
        return None


def _page(title: str, page: Page, view: View) -> Answer:
    template, context = page(view)
    return answer_of(render(template, title, view, context), HTML)


def _csv(table: Callable[[View], Any], view: View) -> Answer:
    organisation = view.config.district.organisation
    made_up = "Dữ liệu minh họa. " if organisation.illustration else ""
    return answer_of(as_csv(table(view), f"{made_up}{organisation.name}, xuất ngày {view.today:%d/%m/%Y}."), CSV)


async def _static(request: Request) -> Response:
    found = await run_sync(statics.find, request.url.path)
    if found is None:
        raise HTTPException(404)
    return respond(request, found, statics.FOREVER)


def _problem(request: Request, status: int, sentence: str) -> Response:
    if request.url.path.startswith("/api/"):
        return api.problem(status, sentence)
    return Response(render_problem("Không xem được", sentence), status, NO_STORE, HTML)


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    return _problem(request, status, NOT_FOUND if status == 404 else NOT_ALLOWED)


async def _bad_address(request: Request, error: Exception) -> Response:
    return _problem(request, error.status if isinstance(error, BadAddressError) else 400, str(error))


async def _store_trouble(request: Request, error: Exception) -> Response:
    return _problem(request, 503, error.sentence if isinstance(error, StoreError) else NOT_FOUND)
