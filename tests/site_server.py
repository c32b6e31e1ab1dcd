"""Websites of units on loopback, as strict about requests as the real ones and stricter about privacy.

A site is an object with `answer(request)`; `serving(site)` puts it behind a real socket. What a polite reader
must never do (ask for authors, send cookies, accept brotli, use unknown parameters) is refused and recorded.
"""

from __future__ import annotations

import gzip
import json
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from hashlib import sha1
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl, unquote, urlsplit
from zoneinfo import ZoneInfo

HCMC = ZoneInfo("Asia/Ho_Chi_Minh")
PAYLOADS = Path(__file__).parent / "payloads" / "web"
PERSON = "Nguyễn Văn Riêng Tư"
MAILBOX = "rieng.tu@doan-mau.example"
FORBIDDEN_PATH = re.compile(r"author|/users|comment", re.IGNORECASE)


@dataclass(frozen=True)
class Request:
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Reply:
    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Article:
    """One published item; every site tells it in its own format, with the author the reader must not see."""

    number: int
    title: str
    at: datetime
    category: str = "Tin tức"
    tags: tuple[str, ...] = ()
    excerpt: str = "Tóm tắt"

    @property
    def slug(self) -> str:
        return f"bai-so-{self.number}"


class Site(Protocol):
    def answer(self, request: Request, base: str) -> Reply: ...


@dataclass
class Served:
    """A running site: where it is, what it was asked, and what was wrong with the questions."""

    url: str
    place: str
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


@contextmanager
def serving(site: Site, host: str = "127.0.0.1") -> Iterator[Served]:
    """The site behind a real socket; at the end there must have been nothing to complain about."""
    server = ThreadingHTTPServer((host, 0), BaseHTTPRequestHandler)
    place = f"{host}:{server.server_address[1]}"
    served = Served(f"http://{place}", place)
    server.RequestHandlerClass = _handler(site, served)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert served.complaints == []


def _handler(site: Site, served: Served) -> type[BaseHTTPRequestHandler]:
    def respond(self: BaseHTTPRequestHandler) -> None:
        served.asked.append(self.path)
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        complaint = _complaint(self.path, headers)
        if complaint:
            served.complaints.append(complaint)
        request = Request(unquote(parts.path), dict(parse_qsl(parts.query)), headers)
        _send(self, Reply(status=400) if complaint else site.answer(request, served.url))

    methods = {
        "protocol_version": "HTTP/1.1",
        "wbufsize": -1,  # head and body in one packet: two wait 40 ms for an acknowledgement
        "timeout": 5,
        "do_GET": respond,
        "log_message": lambda *_: None,
    }
    return type("Handler", (BaseHTTPRequestHandler,), methods)


def _send(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    handler.send_response(reply.status)
    for name, value in reply.headers.items():
        handler.send_header(name, value)
    if reply.status != 304:
        handler.send_header("Content-Length", str(len(reply.body)))
    handler.end_headers()
    handler.wfile.write(reply.body)


def _complaint(path: str, headers: Mapping[str, str]) -> str:
    if FORBIDDEN_PATH.search(path):
        return f"asks for persons: {path}"
    if not re.match(r"NhipDoan/\S+ \(\+.+\)", headers.get("user-agent", "")):
        return f"does not say who it is: {headers.get('user-agent')}"
    if not {part.strip() for part in headers.get("accept-encoding", "").split(",")} <= {"gzip", "deflate"}:
        return f"accepts more than it can bound: {headers.get('accept-encoding')}"
    return "sends credentials" if {"cookie", "authorization"} & headers.keys() else ""


def page(body: str, head: str = "", headers: Mapping[str, str] | None = None, status: int = 200) -> Reply:
    html = f'<!DOCTYPE html><html lang="vi"><head><meta charset="utf-8">{head}</head><body>{body}</body></html>'
    return Reply(html.encode(), status, {"Content-Type": "text/html; charset=utf-8", **(headers or {})})


def xml(text: str, kind: str = "text/xml") -> Reply:
    return Reply(text.encode(), headers={"Content-Type": f"{kind}; charset=utf-8"})


def as_json(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    body = json.dumps(content, ensure_ascii=False).encode()
    return Reply(body, status, {"Content-Type": "application/json; charset=UTF-8", **(headers or {})})


def payload(name: str, status: int = 200, kind: str = "application/json") -> Reply:
    return Reply((PAYLOADS / name).read_bytes(), status, {"Content-Type": f"{kind}; charset=utf-8"})


NOT_FOUND = page("404", status=404)


def conditional(reply: Reply, request: Request) -> Reply:
    """The reply, or 304 when the reader already has it: by ETag, as WordPress feeds do."""
    etag = f'"{sha1(reply.body, usedforsecurity=False).hexdigest()}"'
    if request.headers.get("if-none-match") == etag:
        return Reply(status=304, headers={"ETag": etag})
    return Reply(reply.body, reply.status, {**reply.headers, "ETag": etag})


def by_newest(articles: Sequence[Article]) -> list[Article]:
    return sorted(articles, key=lambda article: article.at, reverse=True)


@dataclass
class WordPress:
    """WordPress 6: REST by pretty or plain links, and its feed. `off` is the answer of a closed REST."""

    articles: list[Article]
    plain_links: bool = False
    off: Reply | None = None
    site_zone: ZoneInfo = HCMC
    totals: bool = True
    feed_open: bool = True

    def answer(self, request: Request, base: str) -> Reply:
        route = request.query.get("rest_route", "") if self.plain_links else ""
        if request.path.startswith("/wp-json/") and not self.plain_links:
            route = request.path.removeprefix("/wp-json")
        if route:
            asked = {name: value for name, value in request.query.items() if name != "rest_route"}
            return self.off or self._rest(route, asked, base)
        if request.path == "/feed/" and self.feed_open:
            return conditional(self._feed(base), request)
        if request.path == "/":
            api = f"{base}/?rest_route=/" if self.plain_links else f"{base}/wp-json/"
            link = f'<{api}>; rel="https://api.w.org/"'
            return page("Trang chủ /wp-content/", '<meta name="generator" content="WordPress 6.8">', {"Link": link})
        return NOT_FOUND

    def _rest(self, route: str, asked: dict[str, str], base: str) -> Reply:
        if route == "/wp/v2/posts":
            return self._posts(asked, base)
        if route in {"/wp/v2/categories", "/wp/v2/tags"}:
            return self._terms(route.rpartition("/")[2], asked)
        return payload("wp_error_404_rest_no_route.json", 404)

    def _posts(self, asked: dict[str, str], base: str) -> Reply:
        known = {"per_page", "page", "orderby", "order", "after", "categories", "_fields"}
        size = int(asked.get("per_page", "10"))
        if not (asked.keys() <= known and 1 <= size <= 100):
            return payload("wp_error_400_bad_param.json", 400)
        found = [a for a in by_newest(self.articles) if self._is_asked(a, asked)]
        pages, number = max(1, -(-len(found) // size)), int(asked.get("page", "1"))
        if number > pages:
            return payload("wp_error_400_page_past_end.json", 400)
        fields = asked["_fields"].split(",") if "_fields" in asked else None
        items = [self._item(a, base, fields) for a in found[(number - 1) * size : number * size]]
        totals = {"X-WP-Total": str(len(found)), "X-WP-TotalPages": str(-(-len(found) // size))}
        return as_json(items, headers=totals if self.totals else {})

    def _is_asked(self, article: Article, asked: dict[str, str]) -> bool:
        if "categories" in asked and str(self._ids("categories")[article.category]) != asked["categories"]:
            return False
        if "after" not in asked:
            return True
        after = datetime.fromisoformat(asked["after"]).astimezone(self.site_zone)
        return article.at.astimezone(self.site_zone) > after

    def _item(self, article: Article, base: str, fields: list[str] | None) -> dict[str, Any]:
        local = article.at.astimezone(self.site_zone).replace(tzinfo=None).isoformat()
        whole = {
            "id": article.number,
            "date": local,
            "date_gmt": article.at.astimezone(UTC).replace(tzinfo=None).isoformat(),
            "link": f"{base}/{article.slug}/",
            "title": {"rendered": escape(article.title)},
            "excerpt": {"rendered": f"<p>{article.excerpt}</p>", "protected": False},
            "content": {"rendered": f"<p>{PERSON}</p>"},
            "author": 3,
            "author_name": PERSON,
            "categories": [self._ids("categories")[article.category]],
            "tags": [self._ids("tags")[tag] for tag in article.tags],
        }
        return {name: value for name, value in whole.items() if fields is None or name in fields}

    def _ids(self, kind: str) -> dict[str, int]:
        names = (
            [a.category for a in self.articles] if kind == "categories" else [t for a in self.articles for t in a.tags]
        )
        return {name: number for number, name in enumerate(sorted(set(names)), start=5)}

    def _terms(self, kind: str, asked: dict[str, str]) -> Reply:
        terms = [{"id": number, "name": name, "slug": name.lower()} for name, number in self._ids(kind).items()]
        if "slug" in asked:
            return as_json([term for term in terms if term["slug"] == asked["slug"]])
        wanted = asked["include"].split(",")
        return as_json([term for term in terms if str(term["id"]) in wanted])

    def _feed(self, base: str) -> Reply:
        items = [f"<guid isPermaLink='false'>{base}/?p={a.number}</guid>" for a in by_newest(self.articles)[:10]]
        return rss(by_newest(self.articles)[:10], base, "https://wordpress.org/?v=6.8", extras=items)


def rss(articles: Sequence[Article], base: str, generator: str = "", extras: Sequence[str] = ()) -> Reply:
    """RSS 2.0 as most systems write it, authors and comments included."""
    more = extras or [""] * len(articles)
    items = "".join(
        f"<item><title>{escape(a.title)}</title><link>{base}/{a.slug}/</link>{extra}"
        f"<pubDate>{format_datetime(a.at)}</pubDate><author>{MAILBOX} ({PERSON})</author>"
        f"<dc:creator><![CDATA[{PERSON}]]></dc:creator><category><![CDATA[{a.category}]]></category>"
        f"<description><![CDATA[<p>{a.excerpt}</p>]]></description></item>"
        for a, extra in zip(articles, more, strict=True)
    )
    return xml(
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<channel><title>Đoàn mẫu</title><link>{base}/</link><managingEditor>{MAILBOX}</managingEditor>"
        f"<generator>{generator}</generator>{items}</channel></rss>"
    )


@dataclass
class NukeViet:
    """NukeViet 4.5: sitemap index, news sitemap with exact dates, RSS whose minutes are the month number."""

    articles: list[Article]
    rss_open: bool = True

    def answer(self, request: Request, base: str) -> Reply:
        if request.path == "/":
            return page("Tin", '<meta name="generator" content="NukeViet v4.5">')
        if request.path == "/sitemap.xml":
            return xml(
                '<?xml version="1.0" encoding="UTF-8"?><sitemapindex '
                'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
                f"<sitemap><loc>{base}/sitemap-vi.page.xml</loc></sitemap>"
                f"<sitemap><loc>{base}/sitemap-vi.news.xml</loc></sitemap></sitemapindex>"
            )
        if request.path == "/sitemap-vi.news.xml":
            return xml(self._sitemap(base))
        if request.path == "/vi/news/rss/" and self.rss_open:
            return self._rss(base)
        return self._article(request.path, base)

    def _address(self, article: Article, base: str) -> str:
        return f"{base}/vi/news/tin-tot/{article.slug}-{article.number}.html"

    def _sitemap(self, base: str) -> str:
        urls = "".join(
            f"<url><loc>{self._address(a, base)}</loc><lastmod>{a.at.astimezone(HCMC).isoformat()}</lastmod></url>"
            for a in by_newest(self.articles)[:1000]
        )
        return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'

    def _rss(self, base: str) -> Reply:
        items = "".join(
            f"<item><title>{escape(a.title)}</title><link>{self._address(a, base)}</link>"
            f"<guid isPermaLink='false'>\n <![CDATA[news_{a.number}]]>\n</guid>"
            f"<pubDate>{a.at.astimezone(UTC):%a, %d %b %Y %H:%m:00} GMT</pubDate></item>"
            for a in by_newest(self.articles)[:30]
        )
        return xml(
            f"<rss version='2.0'><channel><generator><![CDATA[NukeViet v4.0]]></generator>{items}</channel></rss>"
        )

    def _article(self, path: str, base: str) -> Reply:
        for a in self.articles:
            if self._address(a, base).endswith(path):
                stamp = a.at.astimezone(HCMC)
                body = (
                    f'<span itemprop="datePublished">{stamp.isoformat()}</span><h1>{escape(a.title)}</h1>'
                    f'<span itemprop="author">{PERSON}</span>'
                )
                broken = f"{stamp:%Y-%m-%d}+07{stamp:%H:%M:%S}"
                return page(body, f'<meta property="article:published_time" content="{broken}">')
        return NOT_FOUND


@dataclass
class Blogger:
    """Blogger's JSON feed: exact totals, pages by start-index, at most 150 here."""

    articles: list[Article]

    def answer(self, request: Request, base: str) -> Reply:
        if request.path == "/":
            return page("Blog", '<meta content="blogger" name="generator">')
        if not request.path.startswith("/feeds/posts/summary"):
            return NOT_FOUND
        asked = request.query
        if asked.keys() - {"alt", "max-results", "start-index", "orderby", "published-min"} or asked["alt"] != "json":
            return page("Bad Request", status=400)
        label = request.path.partition("/-/")[2]
        since = datetime.fromisoformat(asked.get("published-min", "2000-01-01T00:00:00Z"))
        found = [a for a in by_newest(self.articles) if a.at >= since and label in {"", a.category}]
        first, size = int(asked["start-index"]) - 1, min(int(asked["max-results"]), 150)
        entries = [self._entry(a, base) for a in found[first : first + size]]
        feed: dict[str, Any] = {"openSearch$totalResults": {"$t": str(len(found))}}
        return as_json({"version": "1.0", "feed": feed | ({"entry": entries} if entries else {})})

    def _entry(self, a: Article, base: str) -> dict[str, Any]:
        return {
            "id": {"$t": f"tag:blogger.com,1999:blog-1.post-{a.number}"},
            "published": {"$t": a.at.astimezone(HCMC).isoformat(timespec="milliseconds")},
            "title": {"type": "text", "$t": a.title},
            "summary": {"type": "text", "$t": a.excerpt},
            "category": [{"term": a.category}],
            "author": [{"name": {"$t": PERSON}, "email": {"$t": MAILBOX}}],
            "link": [
                {"rel": "replies", "href": f"{base}/feeds/comments"},
                {"rel": "alternate", "href": f"{base}/{a.slug}.html"},
            ],
        }


@dataclass
class FeedSite:
    """A site whose only open door is a feed at one address, announced on its home page or not."""

    reply: Reply
    path: str = "/rss.xml"
    generator: str = ""
    announced: bool = True
    validators: bool = True

    def answer(self, request: Request, base: str) -> Reply:
        asked = request.path + ("?" + "&".join(f"{k}={v}" for k, v in request.query.items()) if request.query else "")
        if asked == self.path:
            return conditional(self.reply, request) if self.validators else self.reply
        if request.path == "/":
            link = f'<link rel="alternate" type="application/rss+xml" href="{self.path}">' if self.announced else ""
            return page("Trang chủ", f'<meta name="generator" content="{self.generator}">{link}')
        return NOT_FOUND


def atom(articles: Sequence[Article], base: str) -> Reply:
    entries = "".join(
        f"<entry><id>tag:{a.number}</id><title>{escape(a.title)}</title>"
        f"<link rel='self' href='{base}/api/{a.number}'/><link rel='alternate' href='{base}/{a.slug}/'/>"
        f"<author><name>{PERSON}</name><email>{MAILBOX}</email></author><published>{a.at.isoformat()}</published>"
        f"<updated>{(a.at + timedelta(hours=1)).isoformat()}</updated><category term='{a.category}'/>"
        f"<summary>{a.excerpt}</summary></entry>"
        for a in articles
    )
    return xml(f'<feed xmlns="http://www.w3.org/2005/Atom"><author><name>{PERSON}</name></author>{entries}</feed>')


def json_feed(articles: Sequence[Article], base: str) -> Reply:
    items = [
        {
            "id": str(a.number),
            "url": f"{base}/{a.slug}/",
            "title": a.title,
            "date_published": a.at.isoformat(),
            "authors": [{"name": PERSON}],
            "author": {"name": PERSON, "url": f"mailto:{MAILBOX}"},
            "tags": [a.category],
            "summary": a.excerpt,
        }
        for a in articles
    ]
    return as_json({"version": "https://jsonfeed.org/version/1.1", "authors": [{"name": PERSON}], "items": items})


@dataclass
class SitemapSite:
    """A static site with robots.txt, a gzipped sitemap with modification dates, and article pages."""

    articles: list[Article]
    modified: Mapping[int, datetime] = field(default_factory=dict)
    pages_dated: bool = True

    def answer(self, request: Request, base: str) -> Reply:
        if request.path == "/robots.txt":
            return Reply(
                f"User-agent: *\nSitemap: {base}/bai-sitemap.xml.gz\n".encode(),
                headers={"Content-Type": "text/plain"},
            )
        if request.path == "/bai-sitemap.xml.gz":
            return Reply(
                gzip.compress(self._sitemap(base).encode(), mtime=0),
                headers={"Content-Type": "application/gzip"},
            )
        if request.path == "/":
            return page("Trang chủ")
        for a in self.articles:
            if request.path == f"/tin-tot/{a.slug}.html":
                mark = f'<time datetime="{a.at.isoformat()}"></time>' if self.pages_dated else ""
                return page(f"{mark}<h1>{escape(a.title)}</h1><p>{PERSON}</p>")
        return NOT_FOUND

    def _sitemap(self, base: str) -> str:
        urls = "".join(
            f"<ns0:url><ns0:loc>{base}/tin-tot/{a.slug}.html</ns0:loc>"
            f"<ns0:lastmod>{self.modified.get(a.number, a.at).isoformat()}</ns0:lastmod></ns0:url>"
            for a in self.articles
        )
        return f'<ns0:urlset xmlns:ns0="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</ns0:urlset>'


@dataclass
class FixedSite:
    """A site of a few fixed texts by address; «{base}» in them is its own address."""

    texts: dict[str, str]

    def answer(self, request: Request, base: str) -> Reply:
        text = self.texts.get(request.path)
        return NOT_FOUND if text is None else xml(text.replace("{base}", base))


def urlset(*rows: tuple[str, datetime | str]) -> str:
    """A sitemap of addresses with their dates, or with what stands in place of a date."""
    dates = ((path, at if isinstance(at, str) else f"<lastmod>{at.isoformat()}</lastmod>") for path, at in rows)
    urls = "".join(f"<url><loc>{{base}}{path}</loc>{date}</url>" for path, date in dates)
    return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{urls}</urlset>'


def sitemap_index(*paths: str) -> str:
    rows = "".join(f"<sitemap><loc>{{base}}{path}</loc></sitemap>" for path in paths)
    return f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}</sitemapindex>'


@dataclass
class ListingSite:
    """A hand-made site: a list with or without dates, article pages with a printed date."""

    articles: list[Article]
    dates_shown: bool = True
    footer: str = ""

    def answer(self, request: Request, base: str) -> Reply:
        if request.path == "/" and "id" in request.query:
            return self._article(int(request.query["id"]))
        return page(self._list() + self.footer) if request.path == "/" else NOT_FOUND

    def _list(self) -> str:
        return "".join(
            f'<div class="tin"><a href="?tab=news&amp;id={a.number}">{escape(a.title)}</a>'
            + (f'<span class="ngay">({a.at.astimezone(HCMC):%d-%m-%Y | %H:%M})</span>' if self.dates_shown else "")
            + f"<i>{PERSON}</i></div>"
            for a in by_newest(self.articles)
        )

    def _article(self, number: int) -> Reply:
        found = [a for a in self.articles if a.number == number]
        if not found:
            return NOT_FOUND
        printed = f"Thứ sáu, {found[0].at.astimezone(HCMC):%d/%m/%Y, %H:%M} (GMT+7)"
        return page(f'<h1>{escape(found[0].title)}</h1><p class="dang">{printed}</p><p>{PERSON}</p>')
