"""The same job with Scrapy: fetch every feed, parse its items, store them and one row per site in SQLite.

`python -m benchmarks.scrapy_peer DATABASE PORT COUNT CONCURRENT`
"""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Iterator
from email.utils import parsedate_to_datetime
from typing import Any

import scrapy
from scrapy.crawler import CrawlerProcess
from scrapy.http import Response

from benchmarks.sites import addresses

SCHEMA = """
CREATE TABLE IF NOT EXISTS post (site TEXT, link TEXT, title TEXT, published_at INTEGER, PRIMARY KEY (site, link));
CREATE TABLE IF NOT EXISTS look (site TEXT, at INTEGER, items INTEGER);
"""


class SQLitePipeline:
    def open_spider(self) -> None:
        self.database = sqlite3.connect(sys.argv[1])
        self.database.execute("PRAGMA journal_mode=WAL")
        self.database.executescript(SCHEMA)

    def close_spider(self) -> None:
        self.database.commit()
        self.database.close()

    def process_item(self, item: dict[str, Any]) -> dict[str, Any]:
        self.database.execute("INSERT INTO look VALUES (?, ?, ?)", (item["site"], int(time.time()), len(item["posts"])))
        self.database.executemany("INSERT OR IGNORE INTO post VALUES (?, ?, ?, ?)", item["posts"])
        return item


class Feeds(scrapy.Spider):
    name = "feeds"

    async def start(self) -> AsyncIterator[scrapy.Request]:
        for address in addresses(int(sys.argv[3])):
            yield scrapy.Request(f"http://{address}:{sys.argv[2]}/feed.xml")

    def parse(self, response: Response, **_: Any) -> Iterator[dict[str, Any]]:
        posts = [
            (
                response.url,
                item.xpath("link/text()").get(),
                item.xpath("title/text()").get(),
                int(parsedate_to_datetime(item.xpath("pubDate/text()").get("")).timestamp()),
            )
            for item in response.xpath("//item")
        ]
        yield {"site": response.url, "posts": posts}


def main() -> None:
    process = CrawlerProcess(
        {
            "LOG_ENABLED": False,
            "TELNETCONSOLE_ENABLED": False,
            "CONCURRENT_REQUESTS": int(sys.argv[4]),
            "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
            "DOWNLOAD_DELAY": 0,
            "ROBOTSTXT_OBEY": False,
            "COOKIES_ENABLED": False,
            "ITEM_PIPELINES": {SQLitePipeline: 1},
        }
    )
    process.crawl(Feeds)
    process.start()


if __name__ == "__main__":
    main()
