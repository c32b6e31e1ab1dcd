"""The simulated Graph API answers as the real one does, and writes down what must never be asked."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.demo import facebook
from pipeline.demo.facebook_fields import Field, FieldsError, parse
from pipeline.demo.world import DAY, Account, Item, Spell, Trouble
from tests.simulated import (
    NOW,
    REDIRECT,
    START,
    Reply,
    Simulated,
    account,
    daily,
    differences,
    item,
    sample,
    simulated,
    world,
)

POSTS = (
    "id,created_time,message,story,permalink_url,status_type,is_published,parent_id,shares,"
    "reactions.limit(0).summary(total_count),comments.limit(0).filter(stream).summary(total_count),"
    "attachments{media_type,type}"
)
PAGE = "name,username,link,followers_count,fan_count,is_published,has_transitioned_to_new_page_experience"
GRAPH = f"/{facebook.VERSION}"


def page(items: list[Item] | None = None, *troubles: Trouble, **more: object) -> Account:
    return account("facebook", daily(60) if items is None else items, *troubles, id="100000000000001", **more)


def proof(token: str) -> str:
    return hmac.new(facebook.APP_SECRET.encode(), token.encode(), hashlib.sha256).hexdigest()


def sign_in(graph: Simulated, token: str) -> None:
    graph.headers = {"Authorization": f"Bearer {token}"}
    graph.query = {"appsecret_proof": proof(token)}


@pytest.fixture
def serve() -> Iterator[object]:
    """`serve(page, ...)` gives the running platform, signed in with the first Page's token."""
    with ExitStack() as stack:

        def start(*pages: Account) -> Simulated:
            graph = stack.enter_context(simulated(facebook, world(*pages)))
            sign_in(graph, facebook.seed_tokens(world(*pages))[pages[0].slug].access_token)
            return graph

        yield start


def code_of(reply: Reply) -> tuple[int, int, int | None]:
    error = reply.json["error"]
    return reply.status, error["code"], error.get("error_subcode")


def read(graph: Simulated, **query: object) -> Reply:
    asked = {"fields": f"{PAGE},published_posts.limit(25){{{POSTS}}}"} | query
    return graph.get(f"{GRAPH}/100000000000001", **asked)


def test_a_page_with_posts_has_the_shape_of_the_sample(serve):
    share = item(70, NOW - timedelta(hours=1), kind="share")
    cover = item(71, NOW - timedelta(minutes=9), title="", text="")
    graph = serve(page([*daily(60), share, cover]))
    reply = read(graph, fields=f"{PAGE},verification_status,published_posts.limit(100){{{POSTS}}}")
    found = differences(sample("facebook/page_fields_with_posts.json"), reply.json)
    assert found <= {"+id", "-published_posts.paging.next", "-published_posts.data.attachments.data.target"}
    assert graph.diary.violations == []
    assert reply.json["published_posts"]["data"][0]["story"]
    assert reply.json["followers_count"] == reply.json["fan_count"]


def test_pages_of_posts_follow_the_cursor_to_the_end(serve):
    graph = serve(page(daily(60)))
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        body = graph.get(f"{GRAPH}/100000000000001/published_posts", fields="id", limit=25, **after).json
        seen += [post["id"] for post in body["data"]]
        if "next" not in body["paging"]:
            break
        assert "access_token=EAAmau" in body["paging"]["next"]
        after = {"after": body["paging"]["cursors"]["after"]}
    assert len(seen) == len(set(seen)) == 60


def test_a_page_without_posts_has_an_empty_list_and_no_paging(serve):
    graph = serve(page([]))
    assert graph.get(f"{GRAPH}/100000000000001/published_posts").json == sample("facebook/published_posts_empty.json")


def test_reels_are_only_among_the_reels(serve):
    graph = serve(page([*daily(3), item(9, NOW - timedelta(hours=1), kind="reel")]))
    assert len(read(graph).json["published_posts"]["data"]) == 3
    fields = "id,created_time,description,permalink_url,length"
    reels = graph.get(f"{GRAPH}/100000000000001/video_reels", fields=fields)
    assert differences(sample("facebook/video_reels.json"), reels.json) == set()
    assert len(reels.json["data"]) == 1


def test_shares_are_absent_when_there_are_none(serve):
    graph = serve(page([item(1, NOW)]))
    post = read(graph).json["published_posts"]["data"][0]
    assert "shares" not in post
    assert post["reactions"] == {"data": [], "summary": {"total_count": 0}}
    assert post["created_time"] == "2026-11-20T12:00:00+0000"


PERSONS = [
    "from",
    "admin_creator",
    "published_posts.limit(5){id,from}",
    "published_posts.limit(5){message_tags}",
    "published_posts.limit(5){likes.limit(0).summary(true)}",
    "published_posts.limit(5){comments{message}}",
    "published_posts.limit(5){reactions.limit(5).summary(true)}",
    "published_posts.limit(5){reactions}",
]


@pytest.mark.parametrize("fields", PERSONS)
def test_a_field_that_shows_persons_is_refused_and_written_down(serve, fields):
    graph = serve(page())
    assert code_of(read(graph, fields=fields)) == (400, 100, None)
    assert len(graph.diary.violations) == 1


@pytest.mark.parametrize("parameter", ["ids", "pretty", "debug", "date_format", "invented", "access_token"])
def test_removed_and_unknown_parameters_are_refused_and_written_down(serve, parameter):
    graph = serve(page())
    assert code_of(read(graph, **{parameter: "1"})) == (400, 100, None)
    assert len(graph.diary.violations) == 1


def test_a_conditional_request_is_refused_and_written_down(serve):
    graph = serve(page())
    graph.headers["If-None-Match"] = '"mau"'
    assert code_of(read(graph)) == (400, 100, None)
    assert len(graph.diary.violations) == 1


@pytest.mark.parametrize("path", ["/v25.0/100000000000001", "/100000000000001", "/v26.0/?ids=1,2", "/v26.0/1/feed"])
def test_a_path_that_nobody_should_ask_for_is_refused_and_written_down(serve, path):
    graph = serve(page())
    graph.query = {}
    assert graph.get(path).status == 400
    assert len(graph.diary.violations) == 1


def test_the_proof_must_belong_to_the_token_and_no_request_goes_without_a_token(serve):
    graph = serve(page())
    graph.query = {}
    assert code_of(read(graph)) == (400, 104, None)
    assert code_of(read(graph, appsecret_proof="0" * 64)) == (400, 100, None)
    assert graph.diary.violations == []
    graph.headers = {}
    assert code_of(read(graph)) == (400, 104, None)
    assert len(graph.diary.violations) == 1


TROUBLES = {
    Trouble.TOKEN_DEAD: (400, 190, 460),
    Trouble.PERMISSION: (400, 10, None),
    Trouble.THROTTLED: (400, 80001, None),
    Trouble.OUTAGE: (500, 2, None),
    Trouble.TOO_MUCH_DATA: (500, 1, None),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_every_trouble_is_the_error_that_the_platform_gives(serve, trouble):
    spell = Spell(trouble, NOW - DAY, NOW + DAY)
    graph = serve(account("facebook", daily(20), id="100000000000001", opened_at=START, audience=[500]))
    assert read(graph).status == 200
    graph = serve(Account("p", "facebook", "100000000000001", "p", "P", START, daily(20), [500], [spell]))
    assert code_of(read(graph)) == TROUBLES[trouble]
    assert graph.diary.violations == []
    graph.clock.now = spell.until
    assert read(graph).status == 200


def test_less_data_is_given_when_too_much_was_asked_for(serve):
    graph = serve(page(daily(40), Trouble.TOO_MUCH_DATA))
    expected = sample("facebook/errors/001_reduce_data_http500.json")
    assert graph.get(f"{GRAPH}/100000000000001/published_posts", limit=11).json == expected
    assert len(graph.get(f"{GRAPH}/100000000000001/published_posts", limit=10).json["data"]) == 10


def test_a_throttled_page_says_how_many_minutes_to_wait(serve):
    reply = read(serve(page(None, Trouble.THROTTLED)))
    usage = json.loads(reply.headers["x-business-use-case-usage"])["100000000000001"][0]
    assert usage["call_count"] == 100
    assert usage["estimated_time_to_regain_access"] == 60


def test_usage_rises_with_every_call_until_the_page_is_throttled(serve):
    graph = serve(page([]))
    heard = [read(graph, fields="id") for _ in range(facebook.CALLS_AN_HOUR // 2)]
    usages = [json.loads(reply.headers.get("x-app-usage", '{"call_count": 0}'))["call_count"] for reply in heard]
    assert usages == sorted(usages)
    business = json.loads(heard[-1].headers["x-business-use-case-usage"])
    real = json.loads(sample("facebook/headers_usage.json")["x-business-use-case-usage"])
    assert business["100000000000001"][0].keys() == real["104729385617204"][0].keys()
    assert business["100000000000001"][0]["call_count"] == 50
    for _ in range(facebook.CALLS_AN_HOUR // 2):
        read(graph, fields="id")
    assert code_of(read(graph, fields="id")) == (400, 80001, None)
    graph.clock.now += timedelta(hours=1)
    assert read(graph, fields="id").status == 200


def test_html_zeroes_hidden_pages_and_denied_reels(serve):
    assert read(serve(page(None, Trouble.HTML))).body.startswith(b"<!DOCTYPE html>")
    zero = read(serve(page(None, Trouble.ZERO))).json
    assert zero["followers_count"] == zero["published_posts"]["data"][5]["reactions"]["summary"]["total_count"] == 0
    assert read(serve(page(None, Trouble.UNPUBLISHED))).json["is_published"] is False
    reels = serve(page(None, Trouble.REELS_DENIED)).get(f"{GRAPH}/100000000000001/video_reels", fields="id")
    assert code_of(reels) == (400, 10, None)


def insights(graph: Simulated, **query: object) -> Reply:
    asked = {"metric": "page_follows", "period": "day", "since": "2026-08-22", "until": "2026-11-20"} | query
    return graph.get(f"{GRAPH}/100000000000001/insights", **asked)


def test_insights_have_the_shape_of_the_sample_and_end_at_midnight_pacific(serve):
    reply = insights(serve(page([])))
    assert differences(sample("facebook/insights_page_follows_90d.json"), reply.json) == set()
    ends = [value["end_time"] for value in reply.json["data"][0]["values"]]
    assert {end[10:] for end in ends if end < "2026-11-01T12"} == {"T07:00:00+0000"}
    assert {end[10:] for end in ends if end > "2026-11-01T12"} == {"T08:00:00+0000"}
    assert ends[0] >= "2026-08-23"
    assert ends[-1] == "2026-11-18T08:00:00+0000"
    assert len(ends) < 89, "a day in sixty is missing"


def test_insights_of_many_metrics_agree_with_each_other(serve):
    metrics = [one["name"] for one in sample("facebook/insights_daily_multi.json")["data"]]
    reply = insights(serve(page()), metric=",".join([*metrics, "page_follows"]), since="2026-11-13")
    series = {one["name"]: [value["value"] for value in one["values"]] for one in reply.json["data"]}
    assert set(series) == {*metrics, "page_follows"}
    net = [won - lost for won, lost in zip(series[metrics[0]], series[metrics[1]], strict=True)]
    assert sum(net[1:]) == series["page_follows"][-1] - series["page_follows"][0]
    assert min(series["page_post_engagements"]) > 0


REFUSED_INSIGHTS = {
    "a dead metric among living ones": ({"metric": "page_follows,page_fans"}, "100_invalid_insights_metric"),
    "no metric": ({"metric": ""}, "3001_no_metric"),
    "more than 93 days": ({"since": "2026-08-01"}, "insights_window_over_93_days_http400"),
}


@pytest.mark.parametrize(("query", "name"), REFUSED_INSIGHTS.values(), ids=REFUSED_INSIGHTS)
def test_insights_are_refused_as_a_whole(serve, query, name):
    reply = insights(serve(page()), **query)
    real = sample(f"facebook/errors/{name}.json")["error"]
    assert reply.status == 400
    assert (reply.json["error"]["code"], reply.json["error"]["message"]) == (real["code"], real["message"])


def test_insights_are_empty_for_a_small_page_and_end_after_two_years(serve):
    small = serve(page([], audience=[84]))
    assert insights(small).json == sample("facebook/insights_empty_small_page.json")
    old = insights(serve(page([])), since="2024-10-20", until="2024-12-20").json["data"][0]["values"]
    assert old[0]["end_time"] >= (NOW - 730 * DAY).strftime("%Y-%m-%d")
    hidden = insights(serve(page([], Trouble.UNPUBLISHED))).json["data"][0]["values"]
    assert len(hidden) <= 5


def test_the_system_user_fetches_page_tokens_but_reads_no_insights(serve):
    graph = serve(page())
    sign_in(graph, facebook.system_token(world(page())))
    reply = read(graph, fields="access_token")
    assert reply.json.keys() == sample("facebook/page_token_from_system_user.json").keys()
    assert reply.json["access_token"] == facebook.seed_tokens(world(page()))["facebook-mau"].access_token
    assert code_of(insights(graph)) == (400, 190, None)
    listed = graph.get(f"{GRAPH}/me/accounts").json
    assert differences(sample("facebook/me_accounts.json"), listed) == set()


def test_a_new_consent_revives_a_page_whose_token_died(serve):
    graph = serve(page(None, Trouble.TOKEN_DEAD))
    assert code_of(read(graph)) == (400, 190, 460)
    code = graph.consent(f"{GRAPH}/dialog/oauth", client_id=facebook.APP_ID, response_type="code")["code"]
    app = {"client_id": facebook.APP_ID, "client_secret": facebook.APP_SECRET}
    short = graph.form(f"{GRAPH}/oauth/access_token", **app, code=code, redirect_uri=REDIRECT).json
    again = graph.form(f"{GRAPH}/oauth/access_token", **app, code=code, redirect_uri=REDIRECT)
    assert again.status == 400, "a code works once"
    asked = {"grant_type": "fb_exchange_token", "fb_exchange_token": short["access_token"]}
    long = graph.form(f"{GRAPH}/oauth/access_token", **app, **asked).json
    assert long.keys() == sample("facebook/long_lived_user_token.json").keys()
    assert long["expires_in"] > short["expires_in"]
    sign_in(graph, long["access_token"])
    sign_in(graph, graph.get(f"{GRAPH}/me/accounts").json["data"][0]["access_token"])
    assert read(graph).status == 200
    assert graph.diary.violations == []


def describe(graph: Simulated, token: str) -> Any:
    headers = {"Authorization": f"Bearer {facebook.APP_TOKEN}"}
    return graph.form(f"{GRAPH}/debug_token", headers, input_token=token, method="get").json


def test_debug_token_tells_the_living_from_the_dead(serve):
    token = facebook.seed_tokens(world(page()))["facebook-mau"].access_token
    living = describe(serve(page()), token)
    assert differences(sample("facebook/debug_token_page_never_expires.json"), living) == set()
    assert living["data"]["expires_at"] == 0
    assert living["data"]["data_access_expires_at"] > NOW.timestamp()
    dead = describe(serve(page(None, Trouble.TOKEN_DEAD)), token)
    assert differences(sample("facebook/debug_token_invalid.json"), dead) == set()
    assert "pages_read_engagement" not in describe(serve(page(None, Trouble.PERMISSION)), token)["data"]["scopes"]


def test_a_long_lived_user_token_ends_after_sixty_days(serve):
    graph = serve(page())
    code = graph.consent(f"{GRAPH}/dialog/oauth", client_id=facebook.APP_ID)["code"]
    app = {"client_id": facebook.APP_ID, "client_secret": facebook.APP_SECRET}
    token = graph.form(f"{GRAPH}/oauth/access_token", **app, code=code, redirect_uri=REDIRECT).json["access_token"]
    assert differences(sample("facebook/debug_token_60day_user.json"), describe(graph, token)) == set()
    graph.clock.now += timedelta(hours=3)
    sign_in(graph, token)
    assert code_of(graph.get(f"{GRAPH}/me/accounts")) == (400, 190, 463)


@pytest.mark.parametrize("broken", ["id,", "a{", "a.limit(1", "a}b", "a{b", ".limit(1)", "a..b(1)", "é", "a{" * 9])
def test_a_broken_fields_expression_is_an_error(serve, broken):
    with pytest.raises(FieldsError):
        parse(broken)
    assert code_of(read(serve(page()), fields=broken)) == (400, 2500, None)


def test_a_fields_expression_is_read_with_its_modifiers():
    reactions = Field("reactions", {"limit": "0", "summary": "true"})
    wanted = Field("published_posts", {"limit": "25"}, (Field("id"), reactions))
    assert parse(" name, published_posts.limit(25){id,reactions.limit(0).summary(true)}") == (Field("name"), wanted)


def test_a_page_that_does_not_exist_and_one_that_belongs_to_another_token(serve):
    other = account("facebook", slug="khac", id="200000000000002", handle="khac")
    graph = serve(page(), other)
    assert code_of(graph.get(f"{GRAPH}/300000000000003", fields="id")) == (400, 100, 33)
    assert code_of(graph.get(f"{GRAPH}/200000000000002", fields="id")) == (400, 10, None)
    assert graph.get(f"{GRAPH}/facebook.mau", fields="id").json == {"id": "100000000000001"}
    assert graph.diary.requests["facebook", "page", "khac"] == 1


def test_deleted_posts_vanish_and_followers_are_those_of_the_moment(serve):
    gone = item(1, NOW - 2 * DAY, gone_at=NOW - DAY)
    graph = serve(page([gone, item(2, NOW - DAY)]))
    assert len(read(graph).json["published_posts"]["data"]) == 1
    before = read(graph).json["followers_count"]
    graph.clock.now = datetime(2026, 6, 1, tzinfo=UTC)
    assert read(graph).json["followers_count"] < before
