"""How Facebook's consent becomes a token, and what is told of it: real requests to a scripted server."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from collectors.base import CollectError
from collectors.client import Client
from collectors.consent import Asking
from collectors.facebook import CONSENT
from collectors.facebook.consent import Granted, covered, pages, uncovered
from collectors.facebook.errors import SCOPES
from collectors.facebook.keys import parse_page_token
from config.models import Channel, Owner
from config.platforms import Facebook, Platforms
from config.secrets import Secret
from store.records import FailureKind
from tests.collector_contract import NOW, assert_says_what_to_do, assert_shows_no_secret
from tests.facebook_page import PAGE, load, sample
from tests.scripted_server import Asked, Said, Script, always, says, scripted
from tests.wallets import APP_SECRET, TOKEN

APP = "1284405912266310"
REDIRECT = "https://doan-mau.example/ket-noi"
CODE = "mau-code"


def settings(base: str = "https://graph.facebook.com", without: str = "") -> Platforms:
    known: dict[str, Any] = {"base": base, "app_id": APP, "redirect": REDIRECT}
    return Platforms(facebook=Facebook(**{name: value for name, value in known.items() if name != without}))


def ask(script: Script, work: Callable[[Asking], Awaitable[Any]]) -> tuple[Any, list[Asked]]:
    """What *work* brings when Facebook answers by the script, and what it asked; nothing secret in an address."""

    async def talk(url: str, place: str) -> Any:
        async with Client(contact="mau@doan.example", allow=[place], gap_seconds=0, tries=1) as client:
            return await work(Asking(client, settings(url), Secret(APP_SECRET), NOW))

    with scripted(script) as served:
        try:
            result = asyncio.run(talk(served.url, served.place))
        except CollectError as error:
            assert_says_what_to_do(error)
            raise
        finally:
            assert_shows_no_secret("".join(asked.target for asked in served.asked))
    return result, served.asked


def exchanging(asked: Asked) -> Said:
    if asked.path.endswith("/debug_token"):
        return Said(sample("debug_token_60day_user.json"))
    if asked.form.get("code") == CODE:
        return says({"access_token": "mau-short", "token_type": "bearer", "expires_in": 3600})
    assert asked.form["fb_exchange_token"] == "mau-short"
    return Said(sample("long_lived_user_token.json"))


def test_the_consent_page_is_asked_for_every_needed_permission() -> None:
    parts = urlsplit(CONSENT.address(settings(), "mau-state", "mau-verifier"))
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert (parts.hostname, parts.path) == ("www.facebook.com", "/v26.0/dialog/oauth")
    assert asked == {
        "client_id": APP,
        "redirect_uri": REDIRECT,
        "state": "mau-state",
        "scope": ",".join(SCOPES),
        "response_type": "code",
    }
    assert CONSENT.scopes == SCOPES
    assert CONSENT.shared


@pytest.mark.parametrize("missing", ["app_id", "redirect"])
def test_an_app_that_is_not_configured_says_what_to_write(missing: str) -> None:
    with pytest.raises(CollectError) as caught:
        CONSENT.address(settings(without=missing), "s", "v")
    assert "district.toml" in caught.value.sentence


def test_a_code_becomes_a_token_of_sixty_days_with_the_scopes_really_granted() -> None:
    grant, asked = ask(exchanging, lambda asking: CONSENT.exchange(asking, CODE, ""))
    assert grant.access.reveal() == "EAAB...LONG"
    assert grant.access_expires_at == NOW + timedelta(seconds=5183944)
    assert grant.refresh is None
    assert grant.scopes == ("pages_show_list", "pages_read_engagement", "read_insights", "public_profile")
    assert grant.account == ""
    assert [one.method for one in asked] == ["POST"] * 3
    assert asked[2].headers["authorization"] == f"Bearer {APP}|{APP_SECRET}"


def test_a_used_code_asks_to_connect_again() -> None:
    used = says(
        {"error": {"code": 100, "error_subcode": 36009, "message": "This authorization code has been used."}}, 400
    )
    with pytest.raises(CollectError) as caught:
        ask(always(used), lambda asking: CONSENT.exchange(asking, CODE, ""))
    assert caught.value.kind is FailureKind.AUTH
    assert "nhip connect facebook" in caught.value.sentence


@pytest.mark.parametrize(("code", "words"), [(1, "Error validating client secret."), (101, "Invalid App ID")])
def test_a_wrong_app_or_secret_is_named(code: int, words: str) -> None:
    wrong = says({"error": {"code": code, "message": words}}, 400)
    with pytest.raises(CollectError) as caught:
        ask(always(wrong), lambda asking: CONSENT.exchange(asking, CODE, ""))
    assert caught.value.kind is FailureKind.PERMISSION
    assert "NHIP_FACEBOOK_SECRET" in caught.value.sentence


def test_a_token_is_kept_although_nothing_more_is_said_about_it() -> None:
    def silent(asked: Asked) -> Said:
        return Said(b"", 500) if asked.path.endswith("/debug_token") else exchanging(asked)

    grant, _ = ask(silent, lambda asking: CONSENT.exchange(asking, CODE, ""))
    assert (grant.access.reveal(), grant.scopes) == ("EAAB...LONG", ())


def health(name: str) -> Any:
    inspect = CONSENT.inspect
    assert inspect is not None
    return ask(always(Said(sample(name))), lambda asking: inspect(asking, Secret(TOKEN)))[0]


def test_a_token_lives_until_the_earlier_of_its_two_ends() -> None:
    of_a_person = health("debug_token_60day_user.json")
    assert (of_a_person.is_valid, of_a_person.expires_at) == (True, datetime.fromtimestamp(1800230400, UTC))
    assert of_a_person.missing == ("pages_read_user_content",)
    of_a_page = health("debug_token_page_never_expires.json")
    assert of_a_page.expires_at == datetime.fromtimestamp(1802822400, UTC)
    assert of_a_page.missing == ()


def test_a_dead_token_is_not_valid_and_no_error() -> None:
    assert not health("debug_token_invalid.json").is_valid


def test_the_pages_of_an_account_come_without_their_tokens() -> None:
    found, asked = ask(always(Said(sample("me_accounts.json"))), lambda asking: pages(asking, Secret(TOKEN)))
    assert [(page.id, "ANALYZE" in page.tasks) for page in found] == [(PAGE, True), ("61558204917362", True)]
    assert asked[0].query["fields"] == "id,name,username,tasks"
    assert "EAAB" not in repr(found)
    assert len(asked) == 1


def test_a_list_of_pages_that_never_ends_is_left() -> None:
    again = load("me_accounts.json")
    again["paging"]["next"] = "https://graph.example/"
    _, asked = ask(always(says(again)), lambda asking: pages(asking, Secret(TOKEN)))
    assert len(asked) == 2


def channel(slug: str, address: str) -> Channel:
    owners = (Owner(unit="doan-mau", start=date(2020, 1, 1)),)
    return Channel(slug=slug, platform="facebook", name="Trang mẫu", address=address, owners=owners)


def test_every_channel_that_the_account_cannot_read_is_named() -> None:
    granted = [Granted(PAGE, "Trang mẫu", "Doan.Mau", ("ANALYZE",)), Granted("55555", "Trang mẫu 2", "", ("MODERATE",))]
    channels = [channel("mot", PAGE), channel("hai", "https://facebook.com/doan.mau"), channel("ba", "55555")]
    said = uncovered([*channels, channel("bon", "66666")], granted)
    assert [one.slug for one in covered([*channels, channel("bon", "66666")], granted)] == ["mot", "hai", "ba"]
    assert ["«ba»" in said[0], "thống kê" in said[0], "«bon»" in said[1], len(said)] == [True, True, True, 2]


def test_a_system_user_brings_the_token_of_a_page() -> None:
    assert parse_page_token(sample("page_token_from_system_user.json")).reveal() == "EAAB...PAGE1"


def test_no_account_id_of_a_person_is_kept() -> None:
    person = load("debug_token_60day_user.json")["data"]["user_id"]
    grant, _ = ask(exchanging, lambda asking: CONSENT.exchange(asking, CODE, ""))
    assert person not in repr(grant)
