"""The same numbers for programs: every table and every chart as JSON, described by OpenAPI."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import orjson
from fastapi import APIRouter
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from dashboards.charts.colours import DARK
from dashboards.charts.house import CONFIG
from dashboards.web.figures import FIGURES
from dashboards.web.shelf import Answer, answer_of
from dashboards.web.site import TABLES
from dashboards.web.tables import Table, as_facts
from dashboards.web.view import View

JSON = "application/json"
Endpoint = Callable[[Request], Awaitable[Response]]
Kept = Callable[[Callable[[View], Answer]], Endpoint]


class TableAnswer(BaseModel):
    """One table. Statuses are words of the program, days and moments ISO text, what is missing is null."""

    illustration: bool = Field(description="True: the data is made up.")
    title: str
    columns: dict[str, str] = Field(description="Key of each column, and its Vietnamese title.")
    rows: list[dict[str, Any]]


class ChartAnswer(BaseModel):
    """One chart, ready for plotly.js."""

    sentence: str = Field(description="What it shows, in Vietnamese.")
    spec: dict[str, Any] = Field(description="data and layout of plotly.")
    dark: dict[str, str] = Field(description="Light colours, and what stands for them on a dark page.")
    config: dict[str, Any]


class ProblemAnswer(BaseModel):
    """Why there is no answer, and what to do."""

    detail: str


PROBLEMS: dict[int | str, dict[str, Any]] = {
    400: {"model": ProblemAnswer},
    404: {"model": ProblemAnswer},
    503: {"model": ProblemAnswer},
}
NAMES: list[dict[str, Any]] = [
    {"name": name, "in": "query", "required": False, "schema": {"type": "string", "maxLength": 100}}
    for name in ("ke-hoach", "tuan", "don-vi", "dong", "loc", "tat-ca", "tim")
]


def router(kept: Kept) -> APIRouter:
    """One address for each table and chart."""
    made = APIRouter(prefix="/api")
    for name, table in TABLES.items():
        _add(made, f"/bang/{name}.json", kept(partial(_table, table)), TableAnswer)
    for name, figure in FIGURES.items():
        _add(made, f"/bieu-do/{name}.json", kept(partial(_chart, figure)), ChartAnswer)
    return made


def _add(made: APIRouter, path: str, endpoint: Endpoint, model: type[BaseModel]) -> None:
    async def answer(request: Request) -> Response:
        return await endpoint(request)

    answers: dict[int | str, dict[str, Any]] = {200: {"model": model}, **PROBLEMS}
    name = path.strip("/").replace("/", "-").removesuffix(".json")
    made.add_api_route(
        path,
        answer,
        response_class=Response,
        responses=answers,
        operation_id=name,
        name=name,
        summary=(model.__doc__ or "").splitlines()[0],
        openapi_extra={"parameters": NAMES},
    )


def _table(table: Callable[[View], Table], view: View) -> Answer:
    found = table(view)
    facts = {
        "illustration": view.config.district.organisation.illustration,
        "title": found.caption,
        "columns": {column.key: column.title for column in found.columns},
        "rows": as_facts(found),
    }
    return answer_of(orjson.dumps(facts, option=orjson.OPT_SERIALIZE_NUMPY), JSON)


def _chart(figure: Callable[[View], Any], view: View) -> Answer:
    drawing = figure(view)
    if drawing is None:
        return answer_of(orjson.dumps({"detail": "Chưa có số liệu để vẽ. Đề nghị chạy «nhip check»."}), JSON, 404)
    facts = {"sentence": drawing.sentence, "spec": drawing.spec, "dark": DARK, "config": CONFIG}
    return answer_of(orjson.dumps(facts), JSON)


def problem(status: int, sentence: str) -> Response:
    return Response(orjson.dumps({"detail": sentence}), status, {"Cache-Control": "no-store"}, JSON)
