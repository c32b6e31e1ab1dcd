"""Facebook Pages: every sample, the promises all collectors make, and what is Facebook's own."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from collectors import facebook
from collectors.base import CollectError
from collectors.facebook import errors, insights
from collectors.facebook.address import page_key
from collectors.facebook.posts import PAGE_FIELDS, POST_FIELDS, PageFacts, parse_page, parse_posts
from collectors.facebook.reels import REEL_FIELDS, parse_reels
from collectors.facebook.usage import usage_of
from collectors.facebook.visit import is_capped
from collectors.faults import PassingError
from config.platforms import Facebook, Platforms
from store.records import EVER, FailureKind, Reading, Source
from tests.collector_contract import HCMC, NOW, CollectorContract, each_object, ids
from tests.facebook_page import PAGE, PAYLOADS, Page, a_post, load, refuses, sample
from tests.scripted_server import Asked, Said, Script, always, says
from tests.wallets import APP_SECRET, RENEWED, TOKEN, FixedWallet, credentials, wallet

K = FailureKind
PERSONAL = re.compile(
    r"\b(from|to|admin_creator|message_tags|story_tags|with_tags|name_tags|likes|reactions\{|comments\{)\b"
)
REMOVED = {"ids", "pretty", "debug", "date_format"}
MONTH = timedelta(days=30)


class TestFacebook(CollectorContract):
    platform = "facebook"
    collect = staticmethod(facebook.collect)
    address = PAGE
    count_key = "followers_count"
    needed_key = "created_time"
    person_keys = ("from", "to", "admin_creator", "message_tags", "story_tags", "with_tags", "target", "user")

    def platforms(self, url: str) -> Platforms:
        return Platforms(facebook=Facebook(base=url))

    def valid(self) -> Script:
        return Page(posts=[a_post(number, NOW - number * timedelta(days=2)) for number in range(1, 5)])

    def empty_account(self) -> Script:
        return Page()

    def hidden_count(self) -> Script:
        return Page(posts=[a_post(1, NOW - MONTH)], counts={})

    def three_pages(self) -> tuple[Script, int]:
        posts = [a_post(number, NOW - number * timedelta(hours=5)) for number in range(1, 60)]
        return Page(posts=posts, overlap=3), 59

    def repeated_cursor(self) -> Script:
        posts = [a_post(number, NOW - timedelta(hours=number)) for number in range(1, 40)]
        return Page(posts=posts, stuck=True)

    def invalid_token(self) -> Said:
        return refuses("190_460", 400)

    def missing_permission(self) -> Said:
        return refuses("010_permission", 400)


PAGES = TestFacebook()


def look(script: Script, **known: Any) -> Reading:
    return PAGES.look(script, **known)


# --- samples ----------------------------------------------------------------------------------------------------

REFUSALS: Mapping[str, tuple[FailureKind, bool]] = {
    "001_reduce_data_http500": (K.QUOTA, False),
    "001_unknown_http500": (K.NETWORK, True),
    "002_service_http500": (K.NETWORK, True),
    "004_app_limit_http403": (K.THROTTLED, False),
    "010_permission": (K.PERMISSION, False),
    "017_user_limit": (K.THROTTLED, False),
    "032_page_limit_user_token": (K.THROTTLED, False),
    "080001_page_limit_page_token": (K.THROTTLED, False),
    "100_33_object_missing": (K.GONE, False),
    "100_appsecret_proof_invalid": (K.PERMISSION, False),
    "100_invalid_insights_metric": (K.DRIFT, False),
    "100_limit_over_100": (K.DRIFT, False),
    "100_nonexisting_field": (K.DRIFT, False),
    "104_appsecret_proof_missing": (K.PERMISSION, False),
    "190_458": (K.AUTH, False),
    "190_459": (K.AUTH, False),
    "190_460": (K.AUTH, False),
    "190_463": (K.AUTH, False),
    "190_464": (K.AUTH, False),
    "190_467": (K.AUTH, False),
    "190_492": (K.AUTH, False),
    "190_needs_page_token": (K.PERMISSION, False),
    "200_permissions": (K.PERMISSION, False),
    "283_requires_pages_read_engagement": (K.PERMISSION, False),
    "3001_no_metric": (K.DRIFT, False),
    "341_application_limit": (K.THROTTLED, False),
    "368_blocked": (K.BLOCKED, False),
    "613_custom_limit": (K.THROTTLED, False),
    "insights_window_over_93_days_http400": (K.DRIFT, False),
    "root_ids_removed": (K.DRIFT, False),
}
"""What each sample error means, and whether it is worth trying again at once."""


def meaning(name: str) -> CollectError:
    fault = errors.fault_of(sample(f"errors/{name}.json"))
    assert fault is not None
    return errors.refusal(fault, {}, NOW)


@pytest.mark.parametrize("name", REFUSALS)
def test_every_refusal_means_what_the_facts_say(name: str) -> None:
    kind, again = REFUSALS[name]
    error = meaning(name)
    assert (error.kind, isinstance(error, PassingError)) == (kind, again)
    assert (error.retry_at is not None) == (kind in {K.THROTTLED, K.BLOCKED})
    assert error.sentence.endswith(".")


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_fails_a_whole_look_whatever_its_status(name: str) -> None:
    for status in (200, 400, 500):
        assert PAGES.refusal(always(refuses(name, status)), tries=1).kind is REFUSALS[name][0]


def test_a_page_of_html_with_status_502_is_a_network_failure() -> None:
    sorry = Said((PAYLOADS / "errors/non_json_http502.html").read_bytes(), 502)
    assert PAGES.refusal(always(sorry), tries=1).kind is K.NETWORK


SHAPES: Mapping[str, Callable[[bytes], Any]] = {
    "page_fields_with_posts": parse_page,
    "published_posts_empty": parse_posts,
    "published_posts_last_page": parse_posts,
    "video_reels": parse_reels,
}
TOLD_ELSEWHERE = {
    "batch_request", "batch_response_mixed", "headers_usage", "page_zero_followers_classic", "insights_daily_multi",
    "insights_empty_small_page", "insights_gap_days", "insights_page_follows_90d", "debug_token_60day_user",
    "debug_token_invalid", "debug_token_page_never_expires", "long_lived_user_token", "me_accounts",
    "page_token_from_system_user",
}  # fmt: skip
"""Samples with tests of their own, here and in test_facebook_consent.py."""


@pytest.mark.parametrize("name", SHAPES)
def test_every_good_answer_is_understood(name: str) -> None:
    SHAPES[name](sample(f"{name}.json"))


def test_no_sample_is_forgotten() -> None:
    told = {*SHAPES, *TOLD_ELSEWHERE}
    assert {path.stem for path in PAYLOADS.glob("*.json")} == told
    assert {path.stem for path in (PAYLOADS / "errors").iterdir()} == {*REFUSALS, "non_json_http502"}


def test_a_page_brings_its_counts_and_its_posts_word_for_word() -> None:
    facts = parse_page(sample("page_fields_with_posts.json"))
    assert (facts.followers, facts.likes) == (48213, 48213)
    assert facts.batch is not None
    assert facts.batch.after == "QVFIUnZAwb2hVZA3VO"
    first, _, cover, shared = facts.batch.posts
    assert (first.title, first.excerpt[:14]) == ("#MoiNgayMotCauChuyenDep", "Ông Tư Hòa và ")
    assert first.published_at == datetime(2026, 11, 19, 23, 58, 41, tzinfo=UTC)
    assert first.published_at.astimezone(HCMC).day == 20
    assert first.counts is not None
    assert (first.counts.reactions, first.counts.comments, first.counts.shares, first.counts.views) == (
        412,
        37,
        21,
        None,
    )
    assert (cover.kind, cover.title[:20], cover.counts and cover.counts.shares) == ("photo", "Tuổi trẻ Bình Tân (m", 0)
    assert (shared.kind, shared.is_share, first.is_share) == ("share", True, False)


def test_the_last_page_of_a_list_has_no_onward_cursor() -> None:
    assert parse_posts(sample("published_posts_last_page.json")).after is None


def test_a_hidden_page_is_a_failed_look_and_not_a_quiet_unit() -> None:
    with pytest.raises(CollectError) as caught:
        parse_page(sample("page_zero_followers_classic.json"))
    assert caught.value.kind is K.PERMISSION
    assert "bị ẩn" in caught.value.sentence


def test_one_batch_answer_means_what_its_parts_mean() -> None:
    good, refused, missing, unknown = load("batch_response_mixed.json")
    facts: PageFacts = parse_page(good["body"].encode())
    assert facts.followers == 48213
    assert missing is None
    faults = [errors.fault_of(one["body"].encode()) for one in (refused, unknown)]
    assert [errors.row_of(fault).kind for fault in faults if fault] == [K.AUTH, K.GONE]


def test_the_sample_request_asks_for_no_more_and_no_less_of_a_post_than_we_do() -> None:
    asked = re.search(r"published_posts\.limit\(25\)\{(.*)\}&", load("batch_request.json")[0]["relative_url"])
    assert asked is not None
    assert asked[1].replace("comments.limit(0)", "comments.limit(0).filter(stream)") == POST_FIELDS


def test_usage_headers_name_the_worst_percentage_and_the_wait() -> None:
    usage = usage_of(load("headers_usage.json"))
    assert (usage.percent, usage.regain) == (97, timedelta(minutes=19))
    assert usage_of({}).percent == 0
    assert usage_of({"x-app-usage": "[", "x-business-use-case-usage": "[]"}).percent == 0


# --- what is asked ----------------------------------------------------------------------------------------------


def asked_by(page: Page, **known: Any) -> list[Asked]:
    look(page, **known)
    return page.asked


def test_no_request_names_a_person_a_removed_parameter_or_the_token() -> None:
    posts = [a_post(number, NOW - timedelta(days=number)) for number in range(1, 40)]
    requests = asked_by(Page(posts=posts, reels=[a_post(1, NOW)]))
    assert {asked.path.rpartition("/")[2] for asked in requests} == {PAGE, "published_posts", "video_reels", "insights"}
    for asked in requests:
        assert asked.path.startswith("/v26.0/")
        assert not PERSONAL.search(asked.query.get("fields", "")), asked.query["fields"]
        assert not REMOVED & asked.query.keys()
        assert asked.headers["authorization"] == f"Bearer {TOKEN}"
        assert "if-none-match" not in asked.headers


def test_the_field_lists_are_exactly_these() -> None:
    assert PAGE_FIELDS == "followers_count,fan_count,is_published"
    assert REEL_FIELDS == "id,created_time,description,permalink_url,length"
    assert "limit(0).summary(total_count)" in POST_FIELDS
    assert insights.FOLLOWERS not in insights.DEAD


def test_the_proof_belongs_to_the_token_it_travels_with() -> None:
    shared = FixedWallet({"facebook": credentials("mau-system-user", shared=True, app_secret=APP_SECRET)})
    requests = asked_by(Page(page_token=TOKEN), wallet=shared)
    proofs = {asked.headers["authorization"]: asked.query["appsecret_proof"] for asked in requests}
    assert len(set(proofs.values())) == len(proofs) == 2


# --- tokens -----------------------------------------------------------------------------------------------------


def test_a_page_token_is_derived_once_per_process() -> None:
    memory: dict[str, Any] = {}
    shared = wallet("facebook", "mau-system-user", shared=True)
    first, second = Page(page_token=TOKEN), Page(page_token=TOKEN)
    look(first, wallet=shared, memory=memory)
    look(second, wallet=shared, memory=memory)
    assert first.asked[0].query == {"fields": "access_token"}
    assert [asked for asked in second.asked if asked.query.get("fields") == "access_token"] == []
    assert TOKEN not in repr(memory)


def test_a_refused_page_token_is_derived_anew_once_and_then_forgotten() -> None:
    memory: dict[str, Any] = {}
    shared = wallet("facebook", "mau-system-user", shared=True)
    page = Page(page_token=TOKEN, dead_tokens={TOKEN})
    assert PAGES.refusal(page, wallet=shared, memory=memory).kind is K.AUTH
    assert [asked.query.get("fields") for asked in page.asked].count("access_token") == 2
    assert memory == {}
    assert shared.renewed == []


def test_a_dead_shared_token_is_renewed_once() -> None:
    shared = wallet("facebook", "mau-dead", spare="mau-fresh", shared=True)
    assert look(Page(page_token=TOKEN, dead_tokens={"mau-dead"}), wallet=shared).complete
    assert shared.renewed == ["facebook"]


def test_a_dead_token_of_a_channel_is_renewed_once_and_the_reason_is_facebooks_own() -> None:
    own = wallet("facebook", TOKEN, spare=RENEWED)
    assert look(Page(dead_tokens={TOKEN}), wallet=own).complete
    error = PAGES.refusal(Page(dead_tokens={TOKEN}))
    assert "Mật khẩu" in error.sentence


def test_an_account_without_a_role_on_the_page_is_told_so() -> None:
    error = PAGES.refusal(Page(page_token=""), wallet=wallet("facebook", "mau-system-user", shared=True))
    assert (error.kind, "vai trò" in error.sentence) == (K.PERMISSION, True)


# --- posts ------------------------------------------------------------------------------------------------------


def daily(count: int) -> list[dict[str, Any]]:
    return [a_post(number, NOW - timedelta(days=number)) for number in range(1, count + 1)]


def test_a_first_look_reads_back_to_the_horizon_and_claims_no_more() -> None:
    reading = look(Page(posts=daily(200)), back_to=NOW - timedelta(days=60))
    assert reading.coverage_from == NOW - timedelta(days=60)
    assert len(reading.posts) == 100
    assert look(Page(posts=daily(40))).coverage_from == EVER


def test_a_usual_look_reads_a_week_back_and_a_weekly_one_35_days() -> None:
    first = look(Page(posts=daily(200)))
    for days, count in ((1, 2), (8, 3)):
        again = Page(posts=daily(200))
        reading = look(again, cursor=first.cursor, now=NOW + timedelta(days=days))
        lists = [asked for asked in again.asked if "published_posts" in asked.target]
        assert len(lists) == count
        assert reading.complete
        assert reading.coverage_from == NOW - timedelta(days=8 if days == 1 else 27)


def test_a_page_that_is_too_much_for_facebook_is_asked_for_in_smaller_pieces() -> None:
    page = Page(posts=daily(30), most=6)
    assert len(look(page).posts) == 30
    sizes = [re.search(r"limit\((\d+)\)\{", asked.query.get("fields", "")) for asked in page.asked]
    assert [int(found[1]) for found in sizes if found] == [25, 12, 6]
    assert len(look(Page(posts=daily(30), most=5)).posts) == 30
    assert PAGES.refusal(Page(posts=daily(30), most=4)).kind is K.QUOTA


def test_a_page_without_a_list_is_asked_for_it_before_it_counts_as_empty() -> None:
    assert look(Page(lists=False)).posts == ()
    assert len(look(Page(posts=daily(3), lists=False)).posts) == 3


def test_a_list_that_lost_all_its_posts_proves_nothing() -> None:
    first = look(Page(posts=daily(3)))
    reading = look(Page(), cursor=first.cursor, now=NOW + timedelta(days=1))
    assert (reading.complete, reading.coverage_from) == (False, None)
    assert len(reading.snapshots) == 1


def test_a_list_that_breaks_off_keeps_what_was_read_and_is_read_as_far_again() -> None:
    page = Page(posts=daily(100), breaks_at=2)
    reading = look(page, tries=1)
    assert (reading.complete, reading.coverage_from) == (False, reading.posts[-1].published_at)
    assert len(reading.posts) == 50
    assert len(look(Page(posts=daily(100)), cursor=reading.cursor).posts) == 100


def test_posts_dated_back_by_generations_pinned_or_dated_ahead_fail_nothing() -> None:
    odd = [a_post(90, datetime(1931, 3, 26, tzinfo=UTC)), a_post(91, NOW - 300 * timedelta(days=1))]
    first = look(Page(posts=[*odd, a_post(92, NOW + MONTH), *daily(60)]))
    assert (len(first.posts), first.coverage_from, first.complete) == (63, EVER, True)
    later = look(Page(posts=[*odd, *daily(60)]), cursor=first.cursor, now=NOW + timedelta(days=1))
    assert later.coverage_from == NOW - timedelta(days=7)
    assert set(ids(first.posts)) >= {f"{PAGE}_{number}" for number in (*range(1, 26), 90, 91)}


def test_a_scheduled_post_is_not_out_yet() -> None:
    posts = [a_post(2, NOW, is_published=False), a_post(1, NOW - MONTH)]
    assert ids(look(Page(posts=posts)).posts) == [f"{PAGE}_1"]


def test_a_page_with_590_posts_in_a_year_may_be_listed_short() -> None:
    few = look(Page(posts=daily(2))).posts
    assert is_capped(few * 295)
    assert not is_capped(few * 294)


def test_a_page_with_too_many_posts_proves_nothing_and_is_not_read_whole_every_day() -> None:
    posts = [a_post(number, NOW - number * timedelta(hours=10)) for number in range(1, 621)]
    first = look(Page(posts=posts))
    assert (len(first.posts), first.coverage_from) == (620, None)
    assert any("Meta Business Suite" in note for note in first.notes)
    again = Page(posts=posts)
    second = look(again, cursor=first.cursor, now=NOW + timedelta(days=1))
    assert second.coverage_from == NOW - timedelta(days=7, hours=10)
    assert len(again.asked) < 6


# --- usage, version ---------------------------------------------------------------------------------------------


def busy(percent: int, minutes: int = 0) -> dict[str, str]:
    load = {"type": "pages", "call_count": percent, "estimated_time_to_regain_access": minutes}
    return {"X-Business-Use-Case-Usage": json.dumps({PAGE: [load]})}


def test_from_75_percent_on_only_the_needed_calls_are_made() -> None:
    page = Page(posts=daily(30), headers=busy(80))
    reading = look(page)
    assert {asked.path.rpartition("/")[2] for asked in page.asked} == {PAGE, "published_posts"}
    assert not reading.complete


def test_from_90_percent_on_the_page_is_left_alone_until_it_may_be_asked_again() -> None:
    page = Page(posts=daily(30), headers=busy(95, minutes=19))
    reading = look(page)
    assert len(page.asked) == 1
    resting = Page(posts=daily(30))
    error = PAGES.refusal(resting, cursor=reading.cursor, now=NOW + timedelta(minutes=18))
    assert (error.kind, error.retry_at) == (K.THROTTLED, NOW + timedelta(minutes=19))
    assert resting.asked == []
    assert look(resting, cursor=reading.cursor, now=NOW + timedelta(minutes=20)).complete


def test_a_throttle_says_when_to_come_back() -> None:
    throttled = refuses("080001_page_limit_page_token", 400)
    waiting = Said(throttled.body, 400, busy(100, minutes=19))
    assert PAGES.refusal(always(throttled)).retry_at == NOW + timedelta(minutes=60)
    assert PAGES.refusal(always(waiting)).retry_at == NOW + timedelta(minutes=19)


def test_another_version_than_the_configured_one_is_told() -> None:
    notes = look(Page(headers={"facebook-api-version": "v27.0"})).notes
    assert any("v27.0" in note for note in notes)
    assert not any("v26.0" in note for note in look(Page(headers={"facebook-api-version": "v26.0"})).notes)


# --- reels ------------------------------------------------------------------------------------------------------


def test_a_page_with_only_reels_is_not_silent() -> None:
    reading = look(Page(reels=[a_post(7, NOW - timedelta(hours=1))]))
    assert [(post.kind, post.title) for post in reading.posts] == [("reel", "Tin tốt số 7 (mẫu)")]


def test_denied_reels_are_told_on_every_look_and_asked_for_weekly() -> None:
    cursor: Mapping[str, Any] = {}
    asked = []
    for day in (0, 1, 8):
        page = Page(posts=daily(2), reels=None)
        reading = look(page, cursor=cursor, now=NOW + timedelta(days=day))
        cursor = reading.cursor
        asked.append(any("video_reels" in one.path for one in page.asked))
        assert any("Reels" in note for note in reading.notes)
        assert reading.complete
    assert asked == [True, False, True]


def test_reels_that_were_read_once_are_not_missed_when_they_are_denied() -> None:
    first = look(Page(posts=daily(2), reels=[a_post(7, NOW)]))
    later = look(Page(posts=daily(2), reels=None), cursor=first.cursor, now=NOW + timedelta(days=1))
    assert (later.complete, later.coverage_from) == (False, None)


def test_reels_that_come_garbled_are_no_denial() -> None:
    page = Page(posts=daily(2))
    garbled = look(lambda asked: Said(b"<html>") if "video_reels" in asked.path else page(asked))
    assert (garbled.complete, garbled.coverage_from) == (False, None)
    assert garbled.cursor.get("reels") is None


@pytest.mark.parametrize("said", [says({"error": {"code": 424242, "message": "?"}}, 400), refuses("368_blocked", 400)])
def test_an_unknown_error_or_a_block_is_no_denial_of_reels(said: Said) -> None:
    page = Page(posts=daily(2))
    reading = look(lambda asked: said if "video_reels" in asked.path else page(asked))
    assert (reading.complete, reading.coverage_from) == (False, None)
    assert reading.cursor.get("reels") is None


def test_a_token_that_dies_before_the_reels_are_read_is_no_denial_of_them() -> None:
    page = Page(posts=daily(2), reels=[a_post(7, NOW)])
    dead = refuses("190_460", 400)

    def dies(asked: Asked) -> Said:
        return dead if "video_reels" in asked.path and asked.headers["authorization"].endswith(TOKEN) else page(asked)

    assert PAGES.refusal(dies).kind is K.AUTH
    assert len(look(dies, wallet=wallet("facebook", spare=RENEWED)).posts) == 3


def test_a_reel_dated_in_the_future_does_not_move_what_later_looks_read() -> None:
    ahead = a_post(9, NOW + 30 * timedelta(days=1))
    first = look(Page(posts=daily(40), reels=[ahead, a_post(7, NOW)]))
    later = look(Page(posts=daily(40), reels=[ahead, a_post(7, NOW)]), cursor=first.cursor, now=NOW + timedelta(days=1))
    assert later.coverage_from is not None
    assert later.coverage_from <= NOW - timedelta(days=7)


def test_a_cursor_that_a_clock_wrote_which_ran_ahead_is_forgotten() -> None:
    first = look(Page(posts=daily(40), headers=busy(95)), now=NOW + 900 * timedelta(days=1))
    again = look(Page(posts=daily(40)), cursor=first.cursor)
    assert (len(again.posts), again.coverage_from, again.complete) == (40, EVER, True)


# --- history ----------------------------------------------------------------------------------------------------


def history(reading: Reading) -> list[tuple[datetime, int | None]]:
    return [(one.observed_at, one.followers) for one in reading.snapshots if one.source is Source.FACEBOOK_INSIGHTS]


def test_the_sample_history_crosses_the_change_of_the_clocks() -> None:
    days = insights.parse_history(sample("insights_page_follows_90d.json"), NOW)
    assert (days[0].observed_at, days[0].followers) == (datetime(2026, 8, 23, 7, tzinfo=UTC), 47651)
    assert {day.observed_at.hour for day in days} == {7, 8}


def test_a_missing_day_stays_a_gap_and_other_metrics_are_no_followers() -> None:
    days = insights.parse_history(sample("insights_gap_days.json"), NOW)
    assert [(day.observed_at.day, day.followers) for day in days] == [(16, 812), (18, 815)]
    assert insights.parse_history(sample("insights_daily_multi.json"), NOW) == ()
    assert insights.parse_history(sample("insights_empty_small_page.json"), NOW) == ()


def test_days_that_are_not_settled_are_not_taken() -> None:
    days = insights.parse_history(sample("insights_gap_days.json"), datetime(2026, 11, 17, tzinfo=UTC))
    assert [day.observed_at.day for day in days] == [16]


def test_a_first_look_brings_two_years_in_nine_calls_and_later_ones_bring_each_day_once() -> None:
    page = Page(followed_since=NOW - timedelta(days=900))
    first = look(page, back_to=NOW - timedelta(days=2000))
    windows = [asked.query for asked in page.asked if asked.path.endswith("/insights")]
    assert len(windows) == 9
    assert all(length(window) <= 90 for window in windows)
    days = [at for at, _ in history(first)]
    assert len(days) == len(set(days)) == 726
    assert max(days) <= NOW - timedelta(days=3)
    cursor, later = first.cursor, NOW
    for _ in range(14):
        later += timedelta(hours=12)
        reading = look(Page(followed_since=NOW - timedelta(days=900)), cursor=cursor, now=later)
        cursor = reading.cursor
        days += [at for at, _ in history(reading)]
    assert len(days) == len(set(days)) == 733


def length(window: Mapping[str, str]) -> int:
    return (datetime.fromisoformat(window["until"]) - datetime.fromisoformat(window["since"])).days


def test_a_page_without_history_is_told_once_and_asked_little() -> None:
    page = Page()
    first = look(page)
    assert any("dưới 100" in note for note in first.notes)
    again = Page()
    second = look(again, cursor=first.cursor, now=NOW + timedelta(days=1))
    assert second.notes == ()
    assert len([asked for asked in again.asked if asked.path.endswith("/insights")]) == 1


def test_a_metric_that_died_is_remembered_and_told_and_fails_nothing() -> None:
    dead = refuses("100_invalid_insights_metric", 400)
    first = look(Page(posts=daily(2), insights=dead))
    again = Page(posts=daily(2), insights=dead)
    second = look(again, cursor=first.cursor, now=NOW + timedelta(days=2))
    for reading in (first, second):
        assert any("page_follows" in note for note in reading.notes)
        assert reading.complete
    assert [asked for asked in again.asked if asked.path.endswith("/insights")] == []


@pytest.mark.parametrize("name", ["283_requires_pages_read_engagement", "190_needs_page_token", "002_service_http500"])
def test_history_that_cannot_be_read_fails_nothing(name: str) -> None:
    reading = look(Page(posts=daily(2), insights=refuses(name, 400)), tries=1)
    assert len(reading.posts) == 2
    assert any("từng ngày" in note for note in reading.notes)


# --- addresses --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "key"),
    [
        (PAGE, PAGE),
        ("quandoanbinhtan.vd", "quandoanbinhtan.vd"),
        ("https://www.facebook.com/quandoanbinhtan.vd/", "quandoanbinhtan.vd"),
        ("https://m.facebook.com/quandoanbinhtan.vd?ref=x", "quandoanbinhtan.vd"),
        (f"https://www.facebook.com/profile.php?id={PAGE}", PAGE),
        (f"https://www.facebook.com/p/Doan-phuong-mau-{PAGE}/", PAGE),
        (f"https://www.facebook.com/pages/Doan-mau/{PAGE}", PAGE),
        (f"facebook.com/{PAGE}", PAGE),
    ],
)
def test_the_usual_ways_to_write_a_page_are_understood(written: str, key: str) -> None:
    assert page_key(written) == key


@pytest.mark.parametrize(
    "written",
    ["https://www.facebook.com/groups/123456", "https://doan-mau.example/trang", "https://www.facebook.com/", "a/b",
     "tên trang", "https://www.facebook.com/share/abc123/", "", "../me"],
)  # fmt: skip
def test_other_addresses_are_refused_with_a_sentence(written: str) -> None:
    with pytest.raises(CollectError, match="no Facebook Page") as caught:
        page_key(written)
    assert "channels.toml" in caught.value.sentence


def test_unknown_codes_are_failed_looks() -> None:
    for code in (0, 5, 99, 301, 12345):
        error = PAGES.refusal(always(says({"error": {"code": code, "message": TOKEN}}, 400)), tries=1)
        assert error.kind is K.DRIFT


def test_an_error_of_an_unknown_shape_is_no_answer() -> None:
    for odd in ("text", [1], {"code": "x"}):
        assert PAGES.refusal(always(says({"error": odd, "is_published": True})), tries=1).kind is K.DRIFT


def test_a_page_whose_words_hold_an_address_loses_it() -> None:
    posts = [a_post(1, NOW - MONTH, message="Liên hệ mau@doan.example\nhoặc mau2@doan.example")]
    assert "@" not in repr(look(Page(posts=posts)).posts)


def test_every_object_may_hold_more_than_we_know() -> None:
    more = each_object(lambda one: {**one, "from": {"name": "Người lạ (mẫu)"}})(load("page_fields_with_posts.json"))
    assert "Người lạ" not in repr(parse_page(json.dumps(more).encode()))
