"""500 websites on loopback for the collecting bench: each answers its feed after a latency, always with one new item.

Run as a process of its own (`python -m benchmarks.sites PORT ITEMS LATENCY_MS`), so that its CPU is not ours.
"""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import ClassVar

START = datetime(2026, 11, 1, 1, 30, tzinfo=UTC)
ITEM = (
    "<item><title>Mỗi ngày một tin tốt: hoạt động số {n}</title><link>http://{host}/bai/{n}</link>"
    "<guid isPermaLink='true'>http://{host}/bai/{n}</guid><category>Tin tức</category>"
    "<description>Tóm tắt hoạt động số {n} của đơn vị mẫu.</description><pubDate>{at}</pubDate></item>"
)
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml; charset=utf-8\r\nContent-Length: {length}\r\n\r\n"


def addresses(count: int) -> list[str]:
    """Distinct loopback addresses, 127.0.1.1 upwards."""
    return [f"127.0.{1 + number // 250}.{1 + number % 250}" for number in range(count)]


def feed(host: str, newest: int, items: int) -> bytes:
    numbers = range(newest, newest - items, -1)
    body = "".join(ITEM.format(n=n, host=host, at=format_datetime(START + timedelta(minutes=n))) for n in numbers)
    return f"<?xml version='1.0'?><rss version='2.0'><channel><title>Tin</title>{body}</channel></rss>".encode()


class Site(asyncio.Protocol):
    """The smallest HTTP/1.1 server that keeps connections open."""

    newest: ClassVar[Counter[str]] = Counter()
    items = 5
    latency = 0.05

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.buffer = b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while b"\r\n\r\n" in self.buffer:
            head, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
            host = next(line[6:] for line in head.split(b"\r\n") if line.lower().startswith(b"host: ")).decode()
            asyncio.get_running_loop().call_later(self.latency, self.answer, host)

    def answer(self, host: str) -> None:
        if self.transport.is_closing():
            return
        self.newest[host] += 1
        body = feed(host, 1000 + self.newest[host], self.items)
        self.transport.write(HEAD.format(length=len(body)).encode() + body)


async def serve(port: int, items: int, latency_ms: float) -> None:
    Site.items, Site.latency = items, latency_ms / 1000
    server = await asyncio.get_running_loop().create_server(Site, "0.0.0.0", port, backlog=1024)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
