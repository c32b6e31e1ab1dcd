"""The simulated TikTok answers as the Display API and the Business Accounts API do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from hashlib import sha256

import pytest

from pipeline.demo import tiktok
from pipeline.demo.world import DAY, Account, Item, Trouble
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

USER = (
    "open_id,union_id,display_name,username,is_verified,profile_deep_link,"
    "follower_count,following_count,likes_count,video_count"
)
STATS = "follower_count,likes_count,video_count"
VIDEO = "id,create_time,title,video_description,duration,share_url,like_count,comment_count,share_count,view_count"
APP = {"client_key": tiktok.CLIENT_KEY, "client_secret": tiktok.CLIENT_SECRET}
BUSINESS_APP = {"client_id": tiktok.BUSINESS_CLIENT_ID, "client_secret": tiktok.BUSINESS_CLIENT_SECRET}
BUSINESS = "/open_api/v1.3"


def tok(items: list[Item] | None = None, *troubles: Trouble, **more: object) -> Account:
    return account("tiktok", daily(45) if items is None else items, *troubles, **more)


@pytest.fixture
def serve() -> Iterator[object]:
    """`serve(account)` gives the running platform at NOW, signed in after one refresh where a refresh works."""
    with ExitStack() as stack:

        def start(one: Account) -> Simulated:
            served = stack.enter_context(simulated(tiktok, world(one)))
            served.clock.now = START + timedelta(minutes=1)
            sign_in(served, tiktok.seed_tokens(world(one))["tiktok-mau"].access_token)
            return served

        yield start


def sign_in(served: Simulated, token: str) -> None:
    served.headers = {"Authorization": f"Bearer {token}"}


def refresh(served: Simulated, token: str) -> Reply:
    return served.form("/v2/oauth/token/", **APP, grant_type="refresh_token", refresh_token=token)


def come_to(served: Simulated, one: Account) -> Simulated:
    """Now it is NOW, and the tokens are fresh."""
    served.clock.now = START + timedelta(hours=1)
    pair = refresh(served, tiktok.seed_tokens(world(one))["tiktok-mau"].refresh_token or "")
    for _ in range(3):
        served.clock.now = min(served.clock.now + 150 * DAY, NOW)
        pair = refresh(served, pair.json["refresh_token"])
    sign_in(served, pair.json["access_token"])
    return served


def code_of(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.json["error"]["code"]


def test_user_and_videos_have_the_shape_of_the_samples(serve):
    one = tok()
    served = come_to(serve(one), one)
    user = served.get("/v2/user/info/", fields=USER)
    assert differences(sample("tiktok/user_info.json"), user.json) == set()
    assert user.json["data"]["user"]["video_count"] == 45
    videos = served.post("/v2/video/list/", {"max_count": 20}, fields=VIDEO)
    assert differences(sample("tiktok/video_list_page1.json"), videos.json) == set()
    for video in videos.json["data"]["videos"]:
        assert len(video["id"]) == 19
        assert int(video["id"]) >> 32 == video["create_time"]
    assert served.diary.violations == []


def test_three_pages_of_twenty_hold_every_video_once(serve):
    one = tok()
    served = come_to(serve(one), one)
    seen: list[str] = []
    body: dict[str, int] = {"max_count": 20}
    more = True
    while more:
        data = served.post("/v2/video/list/", body, fields="id").json["data"]
        seen += [video["id"] for video in data["videos"]]
        body, more = {"max_count": 20, "cursor": data["cursor"]}, data["has_more"]
    assert len(seen) == len(set(seen)) == 45
    assert served.diary.total("tiktok", "video/list") == 3


def test_a_query_leaves_out_what_is_gone(serve):
    one = tok([item(1, START - DAY), item(2, START - DAY, gone_at=START)])
    served = serve(one)
    ids = [tiktok.video_id(video) for video in one.items]
    reply = served.post("/v2/video/query/", {"filters": {"video_ids": ids}}, fields=VIDEO)
    assert differences(sample("tiktok/video_query.json"), reply.json) == set()
    assert [video["id"] for video in reply.json["data"]["videos"]] == ids[:1]


def test_an_access_token_lives_two_hours_and_a_refresh_token_works_once(serve):
    one = tok()
    served = serve(one)
    seeded = tiktok.seed_tokens(world(one))["tiktok-mau"]
    served.clock.now = START + timedelta(hours=2)
    assert code_of(served.get("/v2/user/info/", fields=STATS)) == (401, "access_token_invalid")
    first = refresh(served, seeded.refresh_token or "")
    assert first.json.keys() == sample("tiktok/token_response_2026.json").keys()
    assert (first.json["expires_in"], first.json["refresh_expires_in"]) == (7200, 15552000)
    again = refresh(served, seeded.refresh_token or "")
    assert (again.status, again.json["error"]) == (400, "invalid_grant")
    assert again.json.keys() == sample("tiktok/errors/oauth_invalid_grant.json").keys()
    sign_in(served, first.json["access_token"])
    assert served.get("/v2/user/info/", fields=STATS).status == 200
    assert refresh(served, first.json["refresh_token"]).status == 200
    assert served.diary.violations == []


def test_a_refresh_token_dies_after_a_hundred_and_eighty_days(serve):
    one = tok()
    served = serve(one)
    served.clock.now = START + 180 * DAY
    token = tiktok.seed_tokens(world(one))["tiktok-mau"].refresh_token or ""
    assert refresh(served, token).json["error"] == "invalid_grant"


def test_the_app_must_prove_itself_with_its_key(serve):
    served = serve(tok())
    wrong = served.form("/v2/oauth/token/", **(APP | {"client_secret": "sai"}), grant_type="refresh_token")
    assert wrong.json.keys() == sample("tiktok/errors/oauth_invalid_client.json").keys()
    named = served.form("/v2/oauth/token/", client_id=tiktok.CLIENT_KEY, grant_type="refresh_token")
    assert named.status == 400
    assert served.diary.violations == ["tiktok: unknown form field «client_id»"]


TROUBLES = {
    Trouble.TOKEN_DEAD: (401, "access_token_invalid"),
    Trouble.PERMISSION: (401, "scope_not_authorized"),
    Trouble.THROTTLED: (429, "rate_limit_exceeded"),
    Trouble.OUTAGE: (500, "internal_error"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_every_trouble_is_the_error_that_the_platform_gives(serve, trouble):
    served = serve(tok(None, trouble))
    reply = served.get("/v2/user/info/", fields=STATS)
    status, code = TROUBLES[trouble]
    assert code_of(reply) == (status, code)
    assert reply.json == sample(f"tiktok/errors/{code}_http{status}.json") | {"error": reply.json["error"]}
    assert code_of(served.post("/v2/video/list/", {}, fields="id")) == (status, code)
    assert served.diary.violations == []


def test_html_zero_empty_with_more_and_short_lists(serve):
    items = daily(30, START)
    assert serve(tok(items, Trouble.HTML)).get("/v2/user/info/", fields=STATS).body.startswith(b"<!DOCTYPE html>")
    zero = serve(tok(items, Trouble.ZERO)).get("/v2/user/info/", fields=STATS).json["data"]["user"]
    assert set(zero.values()) == {0}
    empty = serve(tok(items, Trouble.EMPTY_WITH_MORE)).post("/v2/video/list/", {"cursor": 5}, fields="id").json["data"]
    assert empty == {"videos": [], "cursor": 5, "has_more": True}
    short = serve(tok(items, Trouble.SHORT_LIST)).post("/v2/video/list/", {"max_count": 20}, fields="id").json["data"]
    assert (len(short["videos"]), short["has_more"]) == (3, False)


@pytest.mark.parametrize("fields", ["avatar_url", "bio_description", "follower_count,email"])
def test_a_field_that_is_not_ours_to_ask_is_refused_and_written_down(serve, fields):
    served = serve(tok())
    assert code_of(served.get("/v2/user/info/", fields=fields)) == (400, "invalid_params")
    assert len(served.diary.violations) == 1


WRONG = [{"max_count": 21}, {"max_count": 0}, {"cursor": "x"}, {"invented": 1}, []]


@pytest.mark.parametrize("body", WRONG, ids=str)
def test_a_wrong_body_is_refused(serve, body):
    assert code_of(serve(tok()).post("/v2/video/list/", body, fields="id")) == (400, "invalid_params")


def test_no_fields_no_token_and_a_token_in_the_address_are_refused(serve):
    served = serve(tok())
    assert code_of(served.get("/v2/user/info/")) == (400, "invalid_params")
    assert served.diary.violations == []
    assert served.get("/v2/user/info/", fields=STATS, access_token="mau").status == 400
    served.headers = {}
    assert code_of(served.get("/v2/user/info/", fields=STATS)) == (401, "access_token_invalid")
    assert served.get("/v2/research/user/followers/").status == 400
    assert len(served.diary.violations) == 3


def test_a_new_consent_cures_a_dead_token_and_needs_the_verifier(serve):
    served = serve(tok(None, Trouble.TOKEN_DEAD))
    served.clock.now = NOW
    challenge = {"code_challenge": sha256(b"mau-verifier").hexdigest(), "code_challenge_method": "S256"}
    asked = {"client_key": tiktok.CLIENT_KEY, "scope": "user.info.basic,user.info.stats", "response_type": "code"}
    form = {**APP, "grant_type": "authorization_code", "redirect_uri": REDIRECT}
    code = served.consent("/v2/auth/authorize/", **asked, **challenge)["code"]
    assert served.form("/v2/oauth/token/", **form, code=code, code_verifier="sai").json["error"] == "invalid_grant"
    code = served.consent("/v2/auth/authorize/", **asked, **challenge)["code"]
    pair = served.form("/v2/oauth/token/", **form, code=code, code_verifier="mau-verifier").json
    sign_in(served, pair["access_token"])
    assert served.get("/v2/user/info/", fields=STATS).status == 200
    assert code_of(served.post("/v2/video/list/", {}, fields="id")) == (401, "scope_not_authorized")
    assert served.form("/v2/oauth/revoke/", **APP, token=pair["access_token"]).json == {}
    assert code_of(served.get("/v2/user/info/", fields=STATS)) == (401, "access_token_invalid")


# --- Business Accounts API ---------------------------------------------------------------------------------------

DAILY = ["followers_count", "daily_total_followers", "daily_new_followers", "daily_lost_followers", "video_views"]


def business(served: Simulated, one: Account, **query: str) -> Reply:
    served.headers = {"Access-Token": tiktok.business_seed_tokens(world(one))["tiktok-mau"].access_token}
    asked = {"business_id": one.id, "start_date": "2025-11-05", "end_date": "2026-01-01", "fields": json.dumps(DAILY)}
    return served.get(f"{BUSINESS}/business/get/", **(asked | query))


def test_business_history_has_the_shape_of_the_sample_and_is_two_days_late(serve):
    one = tok(daily(45, START))
    real = sample("tiktok/business_get_60d.json")
    fields = json.dumps([*(real["data"].keys() - {"metrics"}), *(real["data"]["metrics"][0].keys() - {"date"})])
    reply = business(serve(one), one, fields=fields)
    assert differences(real, reply.json) == set()
    days = [day["date"] for day in reply.json["data"]["metrics"]]
    assert (days[0], days[-1]) == ("2025-11-05", "2025-12-30")


def test_business_history_is_empty_for_a_personal_account_and_null_for_a_small_one(serve):
    person = tok([], kind="personal")
    fields = json.dumps(
        ["is_business_account", "username", "display_name", "followers_count", "total_likes", "videos_count"]
    )
    reply = business(serve(person), person, fields=fields)
    assert differences(sample("tiktok/business_get_personal_account.json"), reply.json) == set()
    assert reply.json["data"]["metrics"] == []
    small = tok([], audience=[84])
    metrics = business(serve(small), small).json["data"]["metrics"]
    assert {value for day in metrics for name, value in day.items() if name != "date"} == {None}


def test_business_errors_all_come_with_status_200(serve):
    one = tok()
    served = serve(one)
    assert business(served, one, start_date="2025-10-01").json["code"] == 40002
    assert business(served, one, fields='["audience_genders"]').json["code"] == 40002
    assert len(served.diary.violations) == 1
    served.clock.now = START + 2 * DAY
    reply = business(served, one)
    assert (reply.status, reply.json["code"]) == (200, 40105)
    assert reply.json.keys() == sample("tiktok/errors/business_40105_http200.json").keys()
    denied = tok(None, Trouble.PERMISSION)
    assert business(serve(denied), denied).json["code"] == 40001


def test_odd_questions_are_refused_and_break_nothing(serve):
    one = tok()
    served = serve(one)
    for odd in ({"end_date": "0001-01-01", "start_date": ""}, {"start_date": "x"}, {"fields": "{}"}, {"fields": "["}):
        assert business(served, one, **odd).json["code"] == 40002
    bodies: list[object] = [{"grant_type": []}, {"grant_type": "x"}, {}, "x"]
    for body in bodies:
        assert served.post(f"{BUSINESS}/tt_user/oauth2/token/", body).json["code"] == 40002


def test_business_tokens_rotate_and_count_down_from_the_first_consent(serve):
    one = tok(daily(45, START))
    served = serve(one)
    code = served.consent("/v2/auth/authorize/", client_key=tiktok.BUSINESS_CLIENT_ID, scope="user.insights")["code"]
    first = served.post(
        f"{BUSINESS}/tt_user/oauth2/token/", {**BUSINESS_APP, "grant_type": "authorization_code", "auth_code": code}
    ).json
    assert differences(sample("tiktok/business_token_response.json"), first) == set()
    served.clock.now += 10 * DAY
    form = {**BUSINESS_APP, "grant_type": "refresh_token", "refresh_token": first["data"]["refresh_token"]}
    second = served.post(f"{BUSINESS}/tt_user/oauth2/refresh_token/", form).json["data"]
    assert first["data"]["refresh_token_expires_in"] - second["refresh_token_expires_in"] == 10 * 86400
    assert served.post(f"{BUSINESS}/tt_user/oauth2/refresh_token/", form).json["code"] == 40105
    served.headers = {"Access-Token": second["access_token"]}
    fields = json.dumps(list(sample("tiktok/business_video_list.json")["data"]["videos"][0]))
    videos = served.get(f"{BUSINESS}/business/video/list/", business_id=one.id, fields=fields, max_count=20)
    assert differences(sample("tiktok/business_video_list.json"), videos.json) == set()
    assert videos.json["data"]["has_more"] is True
