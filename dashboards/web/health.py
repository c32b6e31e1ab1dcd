"""For machines that watch this one: `/healthz` says whether it is alive, `/metrics` how it stands, as OpenMetrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import orjson
from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import Response

from dashboards.desk import Desk
from store.errors import StoreError

NO_STORE = {"Cache-Control": "no-store"}
OPEN_METRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
Samples = Iterable[tuple[Mapping[str, str], float]]


async def healthz(desk: Desk, _request: Request) -> Response:
    """200 while the database answers and no loop stands still; 503 with the reason otherwise."""
    status, facts = await run_sync(_health, desk)
    return Response(orjson.dumps(facts), status, NO_STORE, "application/json")


def _health(desk: Desk) -> tuple[int, dict[str, object]]:
    try:
        health = desk.health()
    except StoreError as error:
        return 503, {"status": "fail", "detail": [error.sentence]}
    word = "fail" if health.is_stopped else "ok" if health.is_fine else "warn"
    return 503 if health.is_stopped else 200, {"status": word, "detail": list(health.sentences)}


async def metrics(desk: Desk, _request: Request) -> Response:
    """StoreError when the database does not answer."""
    text = await run_sync(_metrics, desk)
    return Response(text, 200, NO_STORE, OPEN_METRICS)


def _metrics(desk: Desk) -> str:
    return "".join([*_families(desk), "# EOF\n"])


def _families(desk: Desk) -> Iterator[str]:
    health, config = desk.health(), desk.config
    beats = [({"loop": name}, at.timestamp()) for name, at in sorted(health.beats.items())]
    yield _gauge("nhip_alive", "1 while no loop stands still.", [({}, float(not health.is_stopped))])
    yield _gauge("nhip_loop_last_seconds", "When each loop last came round, since 1970.", beats)
    cases = Counter((case.rule, case.state.value) for case in desk.store.cases())
    yield _gauge("nhip_cases_open", "Open cases.", _labelled(("rule", "state"), cases))
    looks = desk.store.last_looks()
    platforms = looks["channel"].map({slug: one.platform for slug, one in config.channels.items()})
    states = Counter(zip(platforms.astype(str), looks["state"].fillna("never"), strict=True))
    yield _gauge(
        "nhip_channels", "Channels by the state of their newest look.", _labelled(("platform", "state"), states)
    )
    if len(looks) and looks["last_done_at"].notna().any():
        newest = looks["last_done_at"].max().timestamp()
        yield _gauge("nhip_last_reading_seconds", "When a channel was last read, since 1970.", [({}, newest)])
    outbox = health.outbox
    counts = {"waiting": outbox.waiting, "overdue": outbox.overdue, "failed": outbox.failed}
    yield _gauge("nhip_messages", "Messages by state.", [({"state": name}, count) for name, count in counts.items()])


def _labelled(names: tuple[str, str], counts: Mapping[tuple[str, str], int]) -> Samples:
    return [(dict(zip(names, key, strict=True)), count) for key, count in sorted(counts.items())]


def _gauge(name: str, help_text: str, samples: Samples) -> str:
    lines = [f"# TYPE {name} gauge\n# HELP {name} {help_text}\n"]
    for labels, value in samples:
        told = ",".join(f'{key}="{_escaped(one)}"' for key, one in labels.items())
        lines.append(f"{name}{{{told}}} {_number(value)}\n" if told else f"{name} {_number(value)}\n")
    return "".join(lines)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    """Whole seconds since 1970 must not be rounded."""
    return str(int(value)) if float(value).is_integer() else repr(float(value))
