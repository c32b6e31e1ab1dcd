"""A district behind real pages on loopback, and a plain HTTP client for it. Every name is made up."""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import uvicorn

from config.load import load_config
from config.models import Config
from dashboards.web.app import create_app
from pipeline.checking import label_new_posts
from pipeline.desk import PipelineDesk, open_desk
from pipeline.watching import checked
from store.records import Case, Failure, Opening, Reading
from store.verbs import Store, open_store
from tests.case_builders import FACTS
from tests.checked import ALIVE, DAILY, GROWTH, MEETING, TASK, add_plan
from tests.small_district import FRIDAY, write_config
from tests.store_builders import a_failure, a_post, days, look

ROWS = (DAILY, ALIVE, MEETING, GROWTH, TASK)
NOBODY = "http://127.0.0.1:9/{number}.xml"
"""Addresses that no test ever reads."""


@dataclass
class Clock:
    """Stands where it is put."""

    now: datetime = FRIDAY

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Site:
    """The pages of one district, served."""

    config: Config
    store: Store
    desk: PipelineDesk
    clock: Clock
    port: int = 0
    held: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
        """One request; «_» in the name of a header stands for «-», and a header of "" is not sent."""
        given = {"Host": f"127.0.0.1:{self.port}"} | {name.replace("_", "-"): text for name, text in headers.items()}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
            for name, text in given.items():
                if text:
                    connection.putheader(name, text)
            if body is not None and "Transfer-Encoding" not in given:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders()
            if body is not None:
                connection.send(body)
            reply = connection.getresponse()
            return Answer(reply.status, {name.lower(): text for name, text in reply.getheaders()}, reply.read())
        finally:
            connection.close()

    def post(self, path: str, form: Mapping[str, str], **headers: str) -> Answer:
        given = {"Content_Type": "application/x-www-form-urlencoded"} | headers
        return self.get(path, "POST", urlencode(form).encode(), **given)

    def form(self, case: Case, action: str = "da-biet", **more: str) -> dict[str, str]:
        """What a browser sends for a form of the page of a case, filled in."""
        token = re.search(r'name="phieu" value="([^"]+)"', self.get(f"/canh-bao/{case.id}").text)
        assert token is not None
        given = {"phieu": token[1], "hanh-dong": action, "luot": str(case.turn), "bo-phan": "Tổ truyền thông (mẫu)"}
        return given | {"ly-do": "Đã gọi đơn vị (mẫu)"} | more

    def read(self, outcome: Reading | Failure | None = None, at: datetime = FRIDAY - timedelta(hours=1)) -> None:
        """One look at every channel: a good item today, or what is given."""
        for slug in self.config.channels:
            seen = a_post(f"{slug}-{at:%m%d}", at - timedelta(hours=2), title="Mỗi ngày một tin tốt (mẫu)")
            look(self.store, slug, outcome or Reading(posts=(seen,), coverage_from=at - days(2)), at)
        label_new_posts(self.config, self.store, at)

    def fail(self, at: datetime = FRIDAY - timedelta(hours=1)) -> None:
        self.read(a_failure(), at)

    def check(self, at: datetime = FRIDAY) -> None:
        """Judge every plan as of then, and keep what is said."""
        checked(self.config, self.store, at)

    def open_case(self, subject: str = "don-vi-0", **facts: Any) -> Case:
        told = FACTS | {"unit": subject, "silent_days": 9} | facts
        (case,) = self.store.open_cases([Opening("quiet", subject, FRIDAY - days(9), told)], FRIDAY)
        return case


Change = Callable[[Path], object]


@contextmanager
def site_of(
    folder: Path, url: str, *rows: str, units: int = 2, change: Change | None = None, **plan: Any
) -> Iterator[Site]:
    """The pages over an empty store at *url*, with a plan of these rows; *change* edits the folder beforehand."""
    write_config(folder, [NOBODY.format(number=number) for number in range(units)])
    if rows:
        add_plan(folder, *rows, **plan)
    if change is not None:
        change(folder)
    config, clock = load_config(folder), Clock()
    with open_store(url) as store:
        store.sync(config.units.values(), config.channels.values(), FRIDAY - days(60))
        with open_desk(config, store, clock) as desk:
            site = Site(config, store, desk, clock)
            with serving(desk) as site.port:
                yield site


@contextmanager
def serving(desk: PipelineDesk) -> Iterator[int]:
    """A real server in a thread of its own, and its port."""
    settings = uvicorn.Config(create_app(desk), log_config=None, access_log=False, lifespan="off", ws="none")
    server = uvicorn.Server(settings)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join(10)
            assert not thread.is_alive()


def rewrite(name: str, old: str, new: str) -> Change:
    """Changes one file of a configuration."""

    def change(folder: Path) -> None:
        text = (folder / name).read_text("utf-8")
        assert old in text
        (folder / name).write_text(text.replace(old, new), encoding="utf-8")

    return change
