"""Zalo Official Accounts: what every collector owes, every saved answer, articles as an extra, and tokens."""

from __future__ import annotations

import asyncio
import hmac
import json
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from collectors import zalo
from collectors.base import CollectError
from collectors.client import Answer, Client
from collectors.consent import Asking, Grant
from collectors.refusals import understood
from collectors.zalo.account import AccountAnswer, name_of
from collectors.zalo.articles import MediaAnswer, to_post
from collectors.zalo.consent import Tokens
from collectors.zalo.errors import judge
from config.platforms import Platforms, Zalo
from config.secrets import Secret
from store.records import EVER, Counts, FailureKind, Snapshot, Source
from tests.collector_contract import NOW, CollectorContract, assert_says_what_to_do, ids
from tests.scripted_server import Asked, Said, Script, always, says, scripted
from tests.wallets import APP_SECRET, RENEWED, TOKEN, FixedWallet, credentials, wallet

PAYLOADS = Path(__file__).parent / "payloads" / "zalo"
OA_ID = "1000000000000000001"
DAY = timedelta(days=1)
DENIED = "oa_error_223.json"


def body(name: str) -> bytes:
    return (PAYLOADS / name).read_bytes()


def media(number: int, *, days_ago: float = 0, **more: Any) -> dict[str, Any]:
    moment = int((NOW - timedelta(hours=2) - DAY * days_ago).timestamp() * 1000)
    shown = {"id": f"art{number:03}", "type": "normal", "title": f"Tin tốt số {number} (mẫu)", "create_date": moment}
    return shown | {"status": "show", "total_view": 12, "link_view": f"https://oa.example/art{number}"} | more


def weekly(count: int) -> list[dict[str, Any]]:
    """One article every five days, newest first."""
    return [media(count - i, days_ago=5 * i) for i in range(count)]


def account(articles: Sequence[dict[str, Any]] = (), *, total: int | None = None, **more: Any) -> Script:
    """An OA that lists these articles ten at a time, and no videos."""
    told = {"oa_id": OA_ID, "name": "Đoàn Mẫu", "oa_alias": "doanmau", "num_follower": 3271} | more

    def answer(asked: Asked) -> Said:
        if asked.path == "/v2.0/oa/getoa":
            return says({"error": 0, "message": "Success", "data": told})
        assert asked.path == "/v2.0/article/getslice"
        shelf = articles if asked.query["type"] == "normal" else ()
        offset = int(asked.query["offset"])
        stated = total if total is not None and shelf else len(shelf)
        return says({"error": 0, "data": {"total": stated, "medias": shelf[offset : offset + 10]}})

    return answer


def noting(script: Script, seen: list[Asked]) -> Script:
    def answer(asked: Asked) -> Said:
        seen.append(asked)
        return script(asked)

    return answer


def without_articles(said: Said) -> Script:
    return lambda asked: account()(asked) if asked.path.endswith("getoa") else said


class TestZalo(CollectorContract):
    platform = "zalo"
    collect = staticmethod(zalo.collect)
    address = f"https://zalo.me/{OA_ID}"
    count_key = "num_follower"
    needed_key = "num_follower"
    person_keys = ("name", "description", "author", "display_name", "user_id", "avatar", "phone")

    def platforms(self, url: str) -> Platforms:
        return Platforms(zalo=Zalo(base=url, oauth_base=url))

    def valid(self) -> Script:
        return account(weekly(4))

    def empty_account(self) -> Script:
        return account()

    def hidden_count(self) -> Script:
        return account(weekly(2), num_follower=None)

    def three_pages(self) -> tuple[Script, int]:
        """An article is published while the pages are turned: each page repeats one."""
        shown = weekly(26)
        script = account(shown)

        def answer(asked: Asked) -> Said:
            offset = int(asked.query.get("offset", "0"))
            if not offset or asked.query["type"] == "video":
                return script(asked)
            page = shown[offset - offset // 10 :][:10]
            return says({"error": 0, "data": {"total": len(shown), "medias": page}})

        return answer, 26

    def repeated_cursor(self) -> Script:
        page = says({"error": 0, "data": {"total": 99, "medias": weekly(10)}})
        return without_articles(page)

    def invalid_token(self) -> Said:
        return Said(body("oa_error_216.json"))

    def missing_permission(self) -> Said:
        return Said(body(DENIED))


look = TestZalo().look
refusal = TestZalo().refusal


# --- every saved answer -----------------------------------------------------------------------------------------


def kind_of(name: str, shape: type[Any]) -> FailureKind | None:
    """How an answer is refused where an OA's answer of this shape is due; None when it is taken."""
    try:
        judge(Answer("https://openapi.example/", 200, {}, body(name)), NOW, "")
        understood(body(name), shape, "Zalo")
    except CollectError as error:
        assert_says_what_to_do(error)
        return error.kind
    return None


REFUSED = {
    "oa_error_32.json": FailureKind.THROTTLED,
    "oa_error_209.json": FailureKind.PERMISSION,
    "oa_error_216.json": FailureKind.AUTH,
    "oa_error_219.json": FailureKind.PERMISSION,
    "oa_error_220.json": FailureKind.AUTH,
    "oa_error_223.json": FailureKind.PERMISSION,
    "oa_error_224.json": FailureKind.PERMISSION,
    "oa_error_230.json": FailureKind.DRIFT,
    "oa_article_getslice_error_limit.json": FailureKind.DRIFT,
    "oa_token_refresh_error_SHAPE_UNCONFIRMED.json": FailureKind.DRIFT,
}
FOREIGN = (
    "bot_error_401.json",
    "bot_getUpdates_ok_single_object.json",
    "bot_getUpdates_timeout_408.json",
    "bot_sendMessage_ok.json",
    "bot_sendMessage_request.json",
    "oa_message_cs_ok.json",
    "oa_message_cs_request.json",
    "oa_token_refresh_ok.json",
    "telegram_error_429.json",
    "telegram_sendMessage_ok.json",
    "zns_template_ok.json",
    "zns_template_request.json",
)
"""Answers and questions of other services, and of other calls of this one."""
READ = {"oa_getoa_ok.json": AccountAnswer, "oa_article_getslice_ok_PARTLY_CONFIRMED.json": MediaAnswer}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_is_known_by_its_number(name: str):
    assert kind_of(name, AccountAnswer) is REFUSED[name]


@pytest.mark.parametrize("shape", [AccountAnswer, MediaAnswer])
@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_no_answer_of_an_oa_is_never_taken_for_one(name: str, shape: type[Any]):
    assert kind_of(name, shape) is FailureKind.DRIFT


@pytest.mark.parametrize("name", READ)
def test_one_kind_of_answer_is_not_taken_for_the_other(name: str):
    assert [kind_of(name, shape) for shape in (AccountAnswer, MediaAnswer) if shape is not READ[name]] == [
        FailureKind.DRIFT
    ]
    assert kind_of(name, READ[name]) is None


def test_no_saved_answer_is_forgotten():
    assert {path.name for path in PAYLOADS.iterdir()} == {*REFUSED, *FOREIGN, *READ}


def test_the_saved_account_has_its_exact_followers():
    reading = look(lambda asked: Said(body("oa_getoa_ok.json")) if "getoa" in asked.path else account()(asked))
    assert reading.snapshots == (Snapshot(NOW, Source.ZALO_OA, followers=3271),)


def test_the_saved_article_is_a_post():
    found = understood(body("oa_article_getslice_ok_PARTLY_CONFIRMED.json"), MediaAnswer, "Zalo").data
    post = to_post(found.medias[0], "normal")
    assert (post.platform_id, post.title, post.link) == (
        "art001",
        "Câu chuyện đẹp tuần 47",
        "https://example.invalid/art001",
    )
    assert post.published_at == found.medias[0].published_at
    assert post.published_at.isoformat() == "2026-11-20T01:30:00+00:00"
    assert post.counts == Counts(shares=9, views=512)


# --- one look ---------------------------------------------------------------------------------------------------


def test_only_the_account_and_its_articles_are_asked_for():
    seen: list[Asked] = []
    look(noting(account(weekly(3)), seen))
    assert [asked.target for asked in seen] == [
        "/v2.0/oa/getoa",
        "/v2.0/article/getslice?offset=0&limit=10&type=normal",
        "/v2.0/article/getslice?offset=0&limit=10&type=video",
    ]
    assert {asked.headers["access_token"] for asked in seen} == {TOKEN}
    assert [asked for asked in seen if "appsecret_proof" in asked.headers] == []


def test_the_proof_of_the_app_secret_goes_along_when_it_is_known():
    seen: list[Asked] = []
    look(noting(account(), seen), wallet=FixedWallet({"zalo": credentials(app_secret=APP_SECRET)}))
    proof = hmac.new(APP_SECRET.encode(), TOKEN.encode(), "sha256").hexdigest()
    assert {asked.headers["appsecret_proof"] for asked in seen} == {proof}


@pytest.mark.parametrize("name", ["oa_error_216.json", "oa_error_220.json"])
def test_a_refused_token_is_renewed_once(name: str):
    def answer(asked: Asked) -> Said:
        return account(weekly(2))(asked) if asked.headers["access_token"] == RENEWED else Said(body(name))

    holds = wallet("zalo", spare=RENEWED)
    assert len(look(answer, wallet=holds).posts) == 2
    assert holds.renewed == ["zalo"]
    assert refusal(always(Said(body(name))), wallet=wallet("zalo", spare=RENEWED)).kind is FailureKind.AUTH


@pytest.mark.parametrize(
    "address", [OA_ID, f"https://zalo.me/{OA_ID}", f"zalo.me/{OA_ID}/", f"https://oa.zalo.me/{OA_ID}"]
)
def test_an_oa_has_one_number_however_it_is_written(address: str):
    assert name_of(address) == OA_ID


@pytest.mark.parametrize("address", ["", "https://facebook.com/doan", "https://zalo.me/g/abcdef", "Đoàn phường"])
def test_an_address_that_is_no_oa_says_how_to_write_one(address: str):
    with pytest.raises(CollectError, match="no Zalo address") as caught:
        name_of(address)
    assert "channels.toml" in caught.value.sentence


def test_another_oa_is_refused():
    found = refusal(account(oa_id="2000000000000000002"))
    assert found.kind is FailureKind.AUTH
    assert "2000000000000000002" in found.sentence


@pytest.mark.parametrize("code", [-230, -999, 7])
def test_a_number_that_nobody_knows_is_a_failed_look(code: int):
    assert refusal(always(says({"error": code, "message": "?"}))).kind is FailureKind.DRIFT


def test_the_limit_of_a_minute_and_of_a_day_name_their_ends():
    assert refusal(always(Said(body("oa_error_32.json")))).retry_at == NOW + timedelta(minutes=1)
    spent = refusal(always(says({"error": -211})))
    assert (spent.kind, spent.retry_at) == (FailureKind.QUOTA, NOW + timedelta(hours=6))


# --- articles ---------------------------------------------------------------------------------------------------


def test_the_first_look_reads_every_article_and_says_so():
    reading = look(account(weekly(34)))
    assert ids(reading.posts) == [one["id"] for one in weekly(34)]
    assert (reading.coverage_from, reading.complete, reading.notes) == (EVER, True, ())


def test_other_days_read_back_a_week_before_the_newest_and_claim_no_more():
    first = look(account(weekly(34)))
    seen: list[Asked] = []
    second = look(noting(account(weekly(34)), seen), cursor=first.cursor, now=NOW + DAY)
    assert len(seen) == 4
    assert second.coverage_from == NOW - timedelta(hours=2) - 7 * DAY
    assert look(account(weekly(34)), cursor=first.cursor, now=NOW + 7 * DAY).coverage_from == EVER


def test_a_list_that_is_not_sorted_proves_nothing_about_what_was_not_read():
    shuffled = weekly(34)
    shuffled[1], shuffled[5] = shuffled[5], shuffled[1]
    first = look(account(shuffled))
    second = look(account(shuffled), cursor=first.cursor, now=NOW + DAY)
    assert (first.coverage_from, second.coverage_from) == (EVER, None)


def test_a_hidden_article_is_no_post():
    assert ids(look(account([media(1), media(2, status="hide")])).posts) == ["art001"]


def test_a_list_that_ends_before_its_total_proves_nothing():
    reading = look(account(weekly(4), total=9))
    assert (len(reading.posts), reading.coverage_from, reading.complete) == (4, None, False)


@pytest.mark.parametrize("total", [0, 3])
def test_a_total_that_is_too_small_does_not_end_the_list(total: int):
    reading = look(account(weekly(34), total=total))
    assert (len(reading.posts), reading.coverage_from, reading.complete) == (34, EVER, True)


def test_a_list_that_is_suddenly_empty_is_not_believed():
    first = look(account(weekly(4)))
    second = look(account(), cursor=first.cursor, now=NOW + DAY)
    assert (second.coverage_from, second.complete) == (None, False)


@pytest.mark.parametrize("name", ["oa_error_209.json", "oa_error_223.json", "oa_error_224.json"])
def test_articles_that_are_refused_are_asked_for_again_after_a_week(name: str):
    seen: list[Asked] = []
    script = noting(without_articles(Said(body(name))), seen)
    first = look(script)
    assert [one.followers for one in first.snapshots] == [3271]
    assert (first.posts, first.coverage_from, len(first.notes)) == ((), None, 1)
    second = look(script, cursor=first.cursor, now=NOW + DAY)
    assert len(seen) == 3 + 1
    assert (second.coverage_from, len(second.notes)) == (None, 1)
    look(script, cursor=second.cursor, now=NOW + 7 * DAY)
    assert len(seen) == 3 + 1 + 3


@pytest.mark.parametrize("data", [[], {"medias": []}, {"total": 1, "medias": [{"id": "a", "title": "b"}]}])
def test_articles_of_an_unknown_shape_cost_only_the_articles(data: Any):
    reading = look(without_articles(says({"error": 0, "data": data})))
    assert [one.followers for one in reading.snapshots] == [3271]
    assert (reading.posts, reading.coverage_from, reading.complete) == ((), None, False)
    assert len(reading.notes) == 1


# --- tokens -----------------------------------------------------------------------------------------------------

BACK = "https://doan-mau.example/ve"
VERIFIER = "mau-verifier-0123456789-0123456789-0123456"


def settings(url: str) -> Platforms:
    return Platforms(zalo=Zalo(base=url, oauth_base=url, app_id="mau-app", redirect=BACK))


def granted(said: Said, code: str | None = None) -> tuple[Grant, Asked]:
    """What a code, or else a refresh token, becomes by one answer, and the only request that was sent."""
    with scripted(always(said)) as served:
        try:
            grant = asyncio.run(_granted(served.url, served.place, code))
        finally:
            (asked,) = served.asked
    return grant, asked


async def _granted(url: str, place: str, code: str | None) -> Grant:
    async with Client(contact="mau@doan.example", allow=[place], gap_seconds=0, deadline_seconds=10) as client:
        asking = Asking(client, settings(url), Secret(APP_SECRET), NOW)
        if code:
            return await zalo.CONSENT.exchange(asking, code, VERIFIER)
        assert zalo.CONSENT.refresh
        return await zalo.CONSENT.refresh(asking, Secret(TOKEN))


def test_the_consent_page_carries_a_challenge_in_base64():
    parts = urlsplit(zalo.CONSENT.address(settings("https://oauth.example"), "mau-state", VERIFIER))
    assert parts.path == "/v4/oa/permission"
    assert dict(parse_qsl(parts.query)) == {
        "app_id": "mau-app",
        "redirect_uri": BACK,
        "code_challenge": urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).decode().rstrip("="),
        "state": "mau-state",
    }


def test_a_code_and_a_refresh_token_become_the_next_pair():
    fresh = Said(body("oa_token_refresh_ok.json"))
    grant, asked = granted(fresh, code="mã")
    assert asked.path == "/v4/oa/access_token"
    assert asked.form == {
        "app_id": "mau-app",
        "grant_type": "authorization_code",
        "code": "mã",
        "code_verifier": VERIFIER,
    }
    assert asked.headers["secret_key"] == APP_SECRET
    grant, asked = granted(fresh)
    assert asked.form == {"app_id": "mau-app", "grant_type": "refresh_token", "refresh_token": TOKEN}
    assert grant.refresh
    assert (grant.access.reveal(), grant.refresh.reveal()) == ("ACCESS_TOKEN_NEW", "REFRESH_TOKEN_NEW_SINGLE_USE")
    assert grant.access_expires_at == NOW + timedelta(hours=25)


def test_a_lifetime_may_be_a_number_too():
    tokens = json.loads(body("oa_token_refresh_ok.json")) | {"expires_in": 3600}
    assert granted(says(tokens))[0].access_expires_at == NOW + timedelta(hours=1)
    assert understood(json.dumps(tokens).encode(), Tokens, "Zalo").expires_in == 3600


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (says({"error": -14014, "error_name": "Invalid refresh token"}), FailureKind.AUTH),
        (says({"error": -1, "error_description": "Refresh token has expired"}), FailureKind.AUTH),
        (says({"error": -1, "error_reason": "Authorization code is invalid"}, 400), FailureKind.AUTH),
        (Said(body("oa_token_refresh_error_SHAPE_UNCONFIRMED.json")), FailureKind.DRIFT),
        (says({"error": -14004, "error_name": "Invalid secret key"}), FailureKind.DRIFT),
        (says({"access_token": "a"}), FailureKind.DRIFT),
        (says({"access_token": "a", "refresh_token": "b", "expires_in": "soon"}), FailureKind.DRIFT),
        (says([]), FailureKind.DRIFT),
        (Said(b"<html></html>", 502), FailureKind.NETWORK),
        (Said(b"<html></html>", 403), FailureKind.BLOCKED),
        (Said(b"", 200), FailureKind.DRIFT),
    ],
)
def test_a_refresh_is_sent_once_whatever_is_answered(said: Said, kind: FailureKind):
    with pytest.raises(CollectError) as caught:
        granted(said)
    assert_says_what_to_do(caught.value)
    assert caught.value.kind is kind
