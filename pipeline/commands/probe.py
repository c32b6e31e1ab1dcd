"""`nhip probe URL`: find the best way to read a website, and print the line that fixes it in the configuration."""

from __future__ import annotations

import asyncio
from pathlib import Path

from collectors.base import CollectError, Look
from collectors.website import ProbeResult
from collectors.website import probe as probe_site
from config.load import FILES, load_config
from config.models import Config
from pipeline import show
from pipeline.clock import utc_now
from pipeline.outfit import bare_config, open_client
from pipeline.redact import redact
from pipeline.workplace import local_text


def run(folder: Path, url: str, *, as_json: bool) -> int:
    """0 when a way was found, 1 when not. Without a configuration folder the usual limits hold."""
    config = load_config(folder) if (folder / FILES[0]).exists() else bare_config(folder)
    try:
        found = asyncio.run(_probe(config, url))
    except CollectError as error:
        return _print_failure(url, error, as_json=as_json)
    _print(config, found, as_json=as_json)
    return 0 if found.way else 1


async def _probe(config: Config, url: str) -> ProbeResult:
    async with open_client(config, utc_now) as client:
        return await probe_site(url, Look(client, now=utc_now(), zone=config.district.tz))


def _print_failure(url: str, error: CollectError, *, as_json: bool) -> int:
    if as_json:
        show.print_json({"url": redact(url), "way": None, "kind": error.kind.value, "sentence": error.sentence})
    else:
        show.warn(f"{redact(url)}: {error.sentence}")
    return 1


def _print(config: Config, found: ProbeResult, *, as_json: bool) -> None:
    if as_json:
        show.print_json(
            {
                **{name: getattr(found, name) for name in _FACTS},
                "refused": _refused(found),
                "toml": found.toml(),
            }
        )
        return
    for line in found.evidence:
        show.say(line)
    if found.newest:
        show.say(f"Bài mới nhất: {local_text(found.newest, config.district.tz)}.")
    for refused in () if found.way else found.refused:
        show.say(f"  Đã thử {refused.way} ({refused.at or 'địa chỉ thường dùng'}): {refused.why}")
    if found.way:
        show.say("Dòng cần dán vào bảng của kênh trong channels.toml:")
        show.say(f"  {found.toml()}")


_FACTS = ("url", "way", "at", "evidence", "newest", "posts")


def _refused(found: ProbeResult) -> list[dict[str, str]]:
    return [{"way": each.way, "at": each.at, "why": each.why} for each in found.refused]
