"""Posting, judging an answer while it can still be asked for again, and paces of single hosts."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from collectors.base import CollectError
from collectors.client import Answer, Client
from collectors.faults import PassingError
from collectors.turns import Pace
from store.records import FailureKind

SECRET = "canary-5e1d77"


@dataclass
class Post:
    """What arrived."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Desk:
    """A server that takes posts down and answers as told; `busy` is the most it served at one time."""

    statuses: list[int] = field(default_factory=lambda: [200])
    seconds: float = 0.0
    location: str = ""
    posts: list[Post] = field(default_factory=list)
    busy: int = 0
    at: list[float] = field(default_factory=list)
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    authority: str = ""

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        with self._lock:
            self._now += 1
            self.busy = max(self.busy, self._now)
            self.at.append(time.monotonic())
        body = handler.rfile.read(int(handler.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        self.posts.append(Post(handler.path, headers, body))
        time.sleep(self.seconds)
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        handler.send_response(status)
        handler.send_header("content-length", "2")
        if self.location:
            handler.send_header("location", self.location)
        with self._lock:
            self._now -= 1
        handler.end_headers()
        handler.wfile.write(b"{}")


@pytest.fixture
def desk() -> Iterator[Desk]:
    desk = Desk()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            desk.serve(self)

        do_GET = do_POST  # noqa: N815 - the library's name

        def log_message(self, *_: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    desk.authority = f"127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield desk
    server.shutdown()
    server.server_close()


def run(desk: Desk, *visits: Any, **options: Any) -> list[Any]:
    """The answers (or errors) of visits made side by side with one client."""

    async def go() -> list[Any]:
        quick: dict[str, Any] = {"gap_seconds": 0, "deadline_seconds": 5, "allow": [desk.authority]}
        async with Client(contact="test", **(quick | options)) as client:
            return await asyncio.gather(*(visit(client) for visit in visits), return_exceptions=True)

    return asyncio.run(go())


def posting(desk: Desk, form: Any = None, **options: Any) -> Any:
    return lambda client: client.post(f"http://{desk.authority}/token", form or {"a": "đ &=?"}, **options)


def getting(desk: Desk, **options: Any) -> Any:
    return lambda client: client.get(f"http://{desk.authority}/", **options)


def test_a_form_arrives_as_a_form(desk: Desk):
    (got,) = run(desk, posting(desk))
    assert (got.status, got.body) == (200, b"{}")
    (post,) = desk.posts
    assert (post.path, post.body) == ("/token", b"a=%C4%91+%26%3D%3F")
    assert post.headers["content-type"] == "application/x-www-form-urlencoded"


def test_bytes_arrive_as_their_headers_describe_them(desk: Desk):
    run(desk, posting(desk, b'{"max_count":20}', headers={"Content-Type": "application/json"}))
    assert desk.posts[0].body == b'{"max_count":20}'
    assert desk.posts[0].headers["content-type"] == "application/json"


def test_what_is_posted_does_not_travel_unencrypted(desk: Desk):
    (error,) = run(desk, lambda client: client.post("http://example.com/token", {"refresh_token": SECRET}))
    assert isinstance(error, CollectError)
    assert error.kind is FailureKind.BLOCKED
    assert SECRET not in f"{error!r} {error.detail} {error.sentence}"


def test_a_post_is_never_redirected(desk: Desk):
    desk.statuses, desk.location = [307], f"http://{desk.authority}/elsewhere"
    (error,) = run(desk, posting(desk, {"refresh_token": SECRET}))
    assert error.kind is FailureKind.DRIFT
    assert len(desk.posts) == 1
    assert SECRET not in f"{error.detail} {error.sentence}"


def test_what_must_not_be_sent_twice_is_sent_once(desk: Desk):
    desk.statuses = [500]
    (error,) = run(desk, posting(desk, tries=1))
    assert error.kind is FailureKind.NETWORK
    assert len(desk.posts) == 1


def test_a_posted_question_that_failed_in_passing_is_asked_again(desk: Desk):
    desk.statuses = [500, 200]
    (got,) = run(desk, posting(desk))
    assert got.status == 200
    assert [post.body for post in desk.posts] == [b"a=%C4%91+%26%3D%3F"] * 2


def refuse_first(kind: type[CollectError]) -> Any:
    """A judge that does not like the first answer."""
    seen: list[Answer] = []

    def judge(answer: Answer) -> None:
        seen.append(answer)
        if len(seen) == 1:
            raise kind(FailureKind.NETWORK, "not yet", sentence="Chưa được. Hệ thống tự thử lại.")

    return judge


def test_an_answer_refused_in_passing_is_asked_for_again(desk: Desk):
    (got,) = run(desk, getting(desk, judge=refuse_first(PassingError)))
    assert got.status == 200
    assert len(desk.posts) == 2


def test_an_answer_refused_for_good_is_not(desk: Desk):
    (error,) = run(desk, getting(desk, judge=refuse_first(CollectError)))
    assert error.detail == "not yet"
    assert len(desk.posts) == 1


def test_a_judge_sees_the_statuses_the_caller_expects(desk: Desk):
    desk.statuses = [403]
    seen: list[int] = []
    run(desk, getting(desk, expect=range(400, 600), judge=lambda answer: seen.append(answer.status)))
    assert seen == [403]


def test_a_host_with_a_pace_of_its_own_is_asked_several_things_at_a_time(desk: Desk):
    desk.seconds = 0.15
    run(desk, *[getting(desk)] * 6, paces={desk.authority: Pace(3, 0)})
    assert desk.busy == 3


def test_every_place_of_a_pace_stays_empty_for_its_gap(desk: Desk):
    run(desk, *[getting(desk)] * 4, paces={desk.authority: Pace(2, 0.3)})
    desk.at.sort()
    assert desk.at[1] - desk.at[0] < 0.15
    assert desk.at[2] - desk.at[0] >= 0.3
    assert desk.at[3] - desk.at[1] >= 0.3
