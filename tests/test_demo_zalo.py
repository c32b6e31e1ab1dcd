"""The simulated Zalo answers as the Official Account API does: HTTP 200, and a number that says the truth."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qsl, urlsplit

import pytest

from pipeline.demo import zalo
from pipeline.demo.world import DAY, Account, Item, Trouble
from tests.simulated import (
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

VERIFIER = "mau" * 15
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
SECRET = {"secret_key": zalo.APP_SECRET}


def oa(items: list[Item] | None = None, *troubles: Trouble) -> Account:
    return account("zalo", daily(25, START) if items is None else items, *troubles)


@pytest.fixture
def serve() -> Iterator[object]:
    """`serve(account)` gives the running platform a minute into the story, signed in."""
    with ExitStack() as stack:

        def start(one: Account) -> Simulated:
            served = stack.enter_context(simulated(zalo, world(one)))
            served.clock.now = START + timedelta(minutes=1)
            served.headers = {"access_token": zalo.seed_tokens(world(one))["zalo-mau"].access_token}
            return served

        yield start


def refresh(served: Simulated, token: str) -> Reply:
    form = {"app_id": zalo.APP_ID, "grant_type": "refresh_token", "refresh_token": token}
    return served.form("/v4/oa/access_token", SECRET, **form)


def test_the_account_has_the_shape_of_the_sample_and_an_exact_number(serve):
    one = oa()
    reply = serve(one).get("/v2.0/oa/getoa")
    assert differences(sample("zalo/oa_getoa_ok.json"), reply.json) == set()
    assert reply.json["data"]["num_follower"] == one.followers(START + timedelta(minutes=1))


def test_articles_come_ten_at_most(serve):
    served = serve(oa([*daily(25, START), item(26, START, kind="video")]))
    reply = served.get("/v2.0/article/getslice", offset=0, limit=10, type="normal")
    assert differences(sample("zalo/oa_article_getslice_ok_PARTLY_CONFIRMED.json"), reply.json) == set()
    assert (len(reply.json["data"]["medias"]), reply.json["data"]["total"]) == (10, 25)
    last = served.get("/v2.0/article/getslice", offset=20, limit=10, type="normal").json["data"]["medias"]
    assert len(last) == 5
    assert served.get("/v2.0/article/getslice", type="video").json["data"]["total"] == 1
    too_many = served.get("/v2.0/article/getslice", limit=11, type="normal")
    assert too_many.json == sample("zalo/oa_article_getslice_error_limit.json")
    assert served.get("/v2.0/article/getslice", limit=5).json["error"] == -201
    assert served.diary.violations == []


TROUBLES = {Trouble.TOKEN_DEAD: 220, Trouble.PERMISSION: 223, Trouble.THROTTLED: 32}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_every_trouble_is_a_number_with_status_200(serve, trouble):
    served = serve(oa(None, trouble))
    reply = served.get("/v2.0/oa/getoa")
    assert (reply.status, reply.json) == (200, sample(f"zalo/oa_error_{TROUBLES[trouble]}.json"))
    assert served.diary.violations == []


def test_outage_html_and_zero(serve):
    assert serve(oa(None, Trouble.OUTAGE)).get("/v2.0/oa/getoa").status == 503
    assert serve(oa(None, Trouble.HTML)).get("/v2.0/oa/getoa").body.startswith(b"<!DOCTYPE html>")
    assert serve(oa(None, Trouble.ZERO)).get("/v2.0/oa/getoa").json["data"]["num_follower"] == 0


def test_access_lasts_twenty_five_hours_and_a_refresh_token_works_once(serve):
    one = oa()
    served = serve(one)
    seeded = zalo.seed_tokens(world(one))["zalo-mau"]
    served.clock.now = START + timedelta(hours=25)
    assert served.get("/v2.0/oa/getoa").json == sample("zalo/oa_error_220.json")
    pair = refresh(served, seeded.refresh_token or "").json
    assert pair.keys() == sample("zalo/oa_token_refresh_ok.json").keys()
    assert pair["expires_in"] == "90000"
    again = refresh(served, seeded.refresh_token or "")
    assert again.status == 200
    assert again.json.keys() == sample("zalo/oa_token_refresh_error_SHAPE_UNCONFIRMED.json").keys()
    assert again.json["error"] < 0
    served.headers = {"access_token": pair["access_token"]}
    assert served.get("/v2.0/oa/getoa").json["error"] == 0
    served.clock.now += 90 * DAY
    assert refresh(served, pair["refresh_token"]).json["error"] < 0
    assert served.diary.violations == []


def test_a_consent_needs_its_verifier_and_cures_a_dead_token(serve):
    served = serve(oa(None, Trouble.TOKEN_DEAD))
    asked = {"app_id": zalo.APP_ID, "code_challenge": CHALLENGE}
    form = {"app_id": zalo.APP_ID, "grant_type": "authorization_code"}
    back = served.consent("/v4/oa/permission", **asked)
    assert back["oa_id"] == "zalo-1"
    wrong = served.form("/v4/oa/access_token", SECRET, **form, code=back["code"], code_verifier="sai")
    assert wrong.json["error"] < 0
    code = served.consent("/v4/oa/permission", **asked)["code"]
    pair = served.form("/v4/oa/access_token", SECRET, **form, code=code, code_verifier=VERIFIER).json
    served.headers = {"access_token": pair["access_token"]}
    assert served.get("/v2.0/oa/getoa").json["error"] == 0


def test_where_several_accounts_fit_a_person_chooses_one_and_comes_back_as_that():
    one, two = (account("zalo", [], slug=f"zalo-{n}", id=f"oa-{n}", name=f"Zalo OA {n} & bạn (mẫu)") for n in (1, 2))
    with simulated(zalo, world(one, two)) as served:
        asked = {"app_id": zalo.APP_ID, "code_challenge": CHALLENGE, "redirect_uri": REDIRECT, "state": "a&b"}
        page = served.get("/v4/oa/permission", **asked)
        assert (page.status, "Zalo OA 2 &amp; bạn (mẫu)" in page.body.decode()) == (200, True)
        links = [unescape(link) for link in re.findall(r'href="([^"]+)"', page.body.decode())]
        chosen = served.get(f"/v4/oa/permission{links[1]}")
        assert dict(parse_qsl(urlsplit(chosen.headers["location"]).query))["oa_id"] == "oa-2"
        assert "state=a%26b" in chosen.headers["location"]
        assert served.diary.violations == []


FORBIDDEN = [
    "/v3.0/oa/user/getlist",
    "/v3.0/oa/user/detail",
    "/v2.0/oa/conversation",
    "/v2.0/oa/listrecentchat",
    "/v2.0/oa/getfollowers",
    "/v3.0/oa/message/cs",
]


@pytest.mark.parametrize("path", FORBIDDEN)
def test_whatever_shows_followers_or_their_words_is_written_down(serve, path):
    served = serve(oa())
    assert served.get(path).json["error"] == -209
    assert served.diary.violations == [f"zalo: unknown path {path}"]


def test_missing_headers_and_a_token_in_the_address_are_written_down(serve):
    served = serve(oa())
    assert served.get("/v2.0/oa/getoa", access_token="mau").json["error"] == -201
    served.headers = {}
    assert served.get("/v2.0/oa/getoa").json == sample("zalo/oa_error_216.json")
    form = {"app_id": zalo.APP_ID, "grant_type": "refresh_token", "refresh_token": "mau"}
    assert served.form("/v4/oa/access_token", **form).json["error"] < 0
    assert len(served.diary.violations) == 3
