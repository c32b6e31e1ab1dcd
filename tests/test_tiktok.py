"""TikTok: what every collector owes, every saved answer, and what a list without history can prove."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from collectors import tiktok
from collectors.base import CollectError, Credentials
from collectors.client import Answer
from collectors.refusals import understood
from collectors.tiktok import business, handle_of, profile, videos
from collectors.tiktok.consent import BusinessAnswer, Tokens
from collectors.tiktok.errors import judge, judge_business, judge_oauth
from collectors.tiktok.videos import FIELDS, VideoAnswer, to_post
from config.platforms import Platforms, TikTok
from store.records import EVER, Counts, FailureKind, Post, Snapshot, Source
from tests.collector_contract import NOW, CollectorContract, ids
from tests.scripted_server import Asked, Said, Script, always, says
from tests.wallets import RENEWED, TOKEN, FixedWallet, credentials, wallet

PAYLOADS = Path(__file__).parent / "payloads" / "tiktok"
ACCOUNT = "https://www.tiktok.com/@tuoitrebinhtan.mau"
OPEN_ID = "000CtQN5xExampleOpenId"
DAY = timedelta(days=1)


def body(name: str) -> bytes:
    return (PAYLOADS / name).read_bytes()


def saved(name: str) -> Any:
    return json.loads(body(name))


def error(name: str) -> Said:
    """A saved refusal with the status in its name."""
    return Said(body(f"errors/{name}.json"), int(name.rpartition("_http")[2]))


def video(published_at: datetime, **more: Any) -> dict[str, Any]:
    """A video whose id holds its second, as TikTok's do."""
    second = int(published_at.timestamp())
    number = str(second << 32 | 7)
    link = f"{ACCOUNT}/video/{number}?utm_campaign=tt4d_open_api"
    shown = {"id": number, "create_time": second, "title": "Tin tốt (mẫu)", "video_description": "Tin tốt (mẫu) #tin"}
    return shown | {"share_url": link, "like_count": 5, "comment_count": 1, "share_count": 0, "view_count": 90} | more


def daily(count: int, newest: datetime = NOW - timedelta(hours=3)) -> list[dict[str, Any]]:
    """One video a day, newest first."""
    return [video(newest - DAY * i) for i in range(count)]


def listed(shown: Sequence[dict[str, Any]], cursor: int = 0, *, more: bool = False) -> Said:
    return says({"data": {"videos": shown, "cursor": cursor, "has_more": more}, "error": {"code": "ok"}})


def account(shown: Sequence[dict[str, Any]], *, stated: int | None = None, size: int = 20, **stats: Any) -> Script:
    """An account that lists these videos as TikTok does: older than the cursor, newest first."""
    told = {"follower_count": 120, "likes_count": 900, "video_count": len(shown) if stated is None else stated} | stats

    def answer(asked: Asked) -> Said:
        if asked.path == "/v2/user/info/":
            return says({"data": {"user": told}, "error": {"code": "ok"}})
        assert asked.path == "/v2/video/list/"
        before = json.loads(asked.body).get("cursor", 2**60)
        older = [one for one in shown if one["create_time"] * 1000 < before]
        page = older[:size]
        return listed(page, page[-1]["create_time"] * 1000 if page else before, more=len(older) > size)

    return answer


def noting(script: Script, seen: list[Asked]) -> Script:
    """The same script; what it is asked is kept."""

    def answer(asked: Asked) -> Said:
        seen.append(asked)
        return script(asked)

    return answer


def paged(*pages: Said) -> Script:
    """An account whose list is exactly these pages, the last one for ever."""
    left = list(pages)
    return lambda asked: account([])(asked) if "user" in asked.path else left.pop(0) if len(left) > 1 else left[0]


class TestTikTok(CollectorContract):
    platform = "tiktok"
    collect = staticmethod(tiktok.collect)
    address = ACCOUNT
    count_key = "follower_count"
    needed_key = "create_time"
    person_keys = ("display_name", "username", "avatar_url", "bio_description", "open_id", "union_id", "user")

    def platforms(self, url: str) -> Platforms:
        return Platforms(tiktok=TikTok(base=url, business_base=url))

    def valid(self) -> Script:
        """The saved answers, of an account with as many videos as they list."""
        user = saved("user_info.json")
        user["data"]["user"]["video_count"] = 4
        pages = {None: "video_list_page1.json", 1794709910000: "video_list_last.json"}

        def answer(asked: Asked) -> Said:
            if asked.path == "/v2/user/info/":
                return says(user)
            return says(saved(pages.get(json.loads(asked.body).get("cursor"), "video_list_last.json")))

        return answer

    def empty_account(self) -> Script:
        return account([])

    def hidden_count(self) -> Script:
        return account(daily(2), follower_count=None)

    def three_pages(self) -> tuple[Script, int]:
        shown = daily(9)
        pages = [listed(shown[:4], 1, more=True), listed(shown[3:7], 2, more=True), listed(shown[6:], 3)]
        return paged(*pages), 9

    def repeated_cursor(self) -> Script:
        return paged(listed(daily(3), 5, more=True))

    def invalid_token(self) -> Said:
        return error("access_token_invalid_http401")

    def missing_permission(self) -> Said:
        return error("scope_not_authorized_http401")

    def throttled(self) -> Said:
        return error("rate_limit_exceeded_http429")


look = TestTikTok().look
refusal = TestTikTok().refusal


# --- every saved answer -----------------------------------------------------------------------------------------


def answer_of(name: str, status: int = 200) -> Answer:
    return Answer("https://tiktok.example/", status, {}, body(name))


def stats_of(name: str) -> Snapshot | None:
    user = understood(body(name), profile.UserAnswer, "TikTok").data.user
    return profile.snapshot_of(user, (), NOW)


def posts_of(name: str) -> tuple[list[Post], bool]:
    judge(answer_of(name), NOW, "video.list")
    page = understood(body(name), VideoAnswer, "TikTok").data
    return [to_post(one) for one in page.videos], page.has_more


def history_of(name: str) -> tuple[bool, list[tuple[datetime, int | None]]]:
    judge_business(answer_of(name), NOW)
    found = understood(body(name), business.AccountAnswer, "TikTok").data
    days = business.settled(found.metrics or (), None, NOW.date())
    return found.is_business_account, [(one.observed_at, one.followers) for one in days]


def lifetimes_of(name: str) -> tuple[int, int]:
    tokens = understood(body(name), Tokens, "TikTok")
    return tokens.expires_in, tokens.refresh_expires_in


def failure_of(judged: Callable[[Answer], None], name: str, status: int) -> FailureKind:
    with pytest.raises(CollectError) as caught:
        judged(answer_of(name, status))
    assert caught.value.sentence.endswith(".")
    return caught.value.kind


def drift_of(name: str, shape: type[Any]) -> FailureKind:
    with pytest.raises(CollectError) as caught:
        understood(body(name), shape, "TikTok")
    return caught.value.kind


def displayed(name: str, status: int) -> FailureKind:
    return failure_of(lambda answer: judge(answer, NOW, "video.list"), name, status)


def in_business(name: str) -> FailureKind:
    return failure_of(lambda answer: judge_business(answer, NOW), name, 200)


def at_the_token_desk(name: str) -> FailureKind:
    return failure_of(lambda answer: judge_oauth(answer, NOW), name, 400)


def ids_of(name: str) -> tuple[list[str], bool]:
    posts, more = posts_of(name)
    return [post.platform_id for post in posts], more


SAMPLES: dict[str, tuple[Callable[[str], Any], Any]] = {
    "user_info.json": (stats_of, Snapshot(NOW, Source.TIKTOK_DISPLAY, followers=12874, likes=205113, posts=486)),
    "user_info_partial_no_stats.json": (stats_of, None),
    "video_list_page1.json": (
        ids_of,
        (["7709851688469478477", "7709464591943355742", "7708220370268806767"], True),
    ),
    "video_list_last.json": (ids_of, (["7350470597188415344"], False)),
    "video_list_empty_but_has_more.json": (ids_of, ([], True)),
    "video_query.json": (partial(drift_of, shape=VideoAnswer), FailureKind.DRIFT),
    "business_get_60d.json": (
        history_of,
        (True, [(datetime(2026, 11, day + 1, tzinfo=UTC), n) for day, n in ((15, 12790), (16, 12812), (17, 12805))]),
    ),
    "business_get_personal_account.json": (history_of, (False, [])),
    "business_video_list.json": (partial(drift_of, shape=business.AccountAnswer), FailureKind.DRIFT),
    "business_token_response.json": (
        lambda name: understood(body(name), BusinessAnswer, "TikTok").data.refresh_expires_in,
        31527314,
    ),
    "token_response_2026.json": (lifetimes_of, (7200, 15552000)),
    "token_response_before_2026.json": (lifetimes_of, (86400, 31536000)),
    "errors/access_token_invalid_http401.json": (partial(displayed, status=401), FailureKind.AUTH),
    "errors/scope_not_authorized_http401.json": (partial(displayed, status=401), FailureKind.PERMISSION),
    "errors/scope_permission_missed_http400.json": (partial(displayed, status=400), FailureKind.PERMISSION),
    "errors/invalid_params_http400.json": (partial(displayed, status=400), FailureKind.DRIFT),
    "errors/rate_limit_exceeded_http429.json": (partial(displayed, status=429), FailureKind.THROTTLED),
    "errors/internal_error_http500.json": (partial(displayed, status=500), FailureKind.NETWORK),
    "errors/oauth_invalid_grant.json": (at_the_token_desk, FailureKind.AUTH),
    "errors/oauth_invalid_client.json": (at_the_token_desk, FailureKind.PERMISSION),
    "errors/business_40105_http200.json": (in_business, FailureKind.AUTH),
    "errors/business_40001_http200.json": (in_business, FailureKind.PERMISSION),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_saved_answer_means_what_it_says(name: str):
    read, meaning = SAMPLES[name]
    assert read(name) == meaning


def test_no_saved_answer_is_forgotten():
    found = {path.relative_to(PAYLOADS).as_posix() for path in PAYLOADS.rglob("*.json")}
    assert {name for name in found if not name.startswith("studio/")} == set(SAMPLES)


@pytest.mark.parametrize("status", [200, 400, 401])
def test_an_error_that_nobody_knows_is_a_failed_look(status: int):
    said = says({"data": {}, "error": {"code": "brand_new_error"}}, status)
    assert refusal(always(said)).kind is FailureKind.DRIFT


def test_a_stranger_between_us_and_tiktok_never_costs_the_token():
    holds = wallet("tiktok", spare=RENEWED)
    assert refusal(always(Said(b"<html>Proxy</html>", 401)), wallet=holds).kind is FailureKind.BLOCKED
    assert holds.renewed == []


# --- one look ---------------------------------------------------------------------------------------------------


def test_a_video_keeps_its_text_its_exact_moment_and_a_link_without_tracking():
    post = posts_of("video_list_page1.json")[0][0]
    assert post.title == "Mỗi ngày một câu chuyện đẹp #moingaymotcauchuyendep"
    assert post.link == f"{ACCOUNT}/video/7709851688469478477"
    assert post.published_at == datetime.fromtimestamp(1795089731, UTC)
    assert post.counts == Counts(reactions=812, comments=31, shares=12, views=18440)


def test_nothing_about_persons_is_asked():
    seen: list[Asked] = []
    look(noting(account(daily(3)), seen))
    assert [asked.query for asked in seen] == [
        {"fields": "follower_count,likes_count,video_count"},
        {"fields": "id,create_time,title,video_description,share_url,like_count,comment_count,share_count,view_count"},
    ]
    assert [asked.body for asked in seen] == [b"", b'{"max_count":20}']
    assert {asked.headers["authorization"] for asked in seen} == {f"Bearer {TOKEN}"}
    assert not {"open_id", "union_id", "display_name", "username", "avatar_url"} & {*FIELDS, *profile.FIELDS}


def test_a_refused_token_is_renewed_once():
    def answer(asked: Asked) -> Said:
        renewed = asked.headers["authorization"] == f"Bearer {RENEWED}"
        return account(daily(3))(asked) if renewed else error("access_token_invalid_http401")

    holds = wallet("tiktok", spare=RENEWED)
    assert len(look(answer, wallet=holds).posts) == 3
    assert holds.renewed == ["tiktok"]


def test_a_token_that_is_refused_again_waits_for_a_person():
    holds = FixedWallet({"tiktok": credentials()}, [credentials(RENEWED)] * 3)
    assert refusal(always(error("access_token_invalid_http401")), wallet=holds).kind is FailureKind.AUTH
    assert holds.renewed == ["tiktok"]


def test_a_missing_scope_is_named():
    def answer(asked: Asked) -> Said:
        return account([])(asked) if "user" in asked.path else error("scope_not_authorized_http401")

    assert "«video.list»" in refusal(answer).sentence
    assert "«user.info.stats»" in refusal(always(error("scope_permission_missed_http400"))).sentence


def without_stats(asked: Asked) -> Said:
    return says(saved("user_info_partial_no_stats.json")) if "user" in asked.path else account(daily(2))(asked)


def test_without_the_scope_for_counts_the_videos_are_read_and_the_scope_is_named():
    reading = look(without_stats)
    assert reading.snapshots == ()
    assert len(reading.posts) == 2
    assert ["user.info.stats" in note for note in reading.notes] == [True]


def test_counts_that_are_gone_although_they_were_granted_are_drift():
    holds = FixedWallet({"tiktok": granted()})
    assert refusal(without_stats, wallet=holds).kind is FailureKind.DRIFT


def test_one_count_that_is_gone_is_drift():
    user = says({"data": {"user": {"likes_count": 3, "video_count": 0}}, "error": {"code": "ok"}})
    assert refusal(lambda asked: user if "user" in asked.path else listed([])).kind is FailureKind.DRIFT


@pytest.mark.parametrize("address", [ACCOUNT, "@TuoiTreBinhTan.mau", "tuoitrebinhtan.mau", f"{ACCOUNT}/?lang=vi-VN"])
def test_an_account_has_one_name_however_it_is_written(address: str):
    assert handle_of(address) == "tuoitrebinhtan.mau"


@pytest.mark.parametrize("address", ["", "https://vm.tiktok.com/ZSexample1/", "https://facebook.com/@doan", "Đoàn"])
def test_an_address_that_is_no_account_says_how_to_write_one(address: str):
    with pytest.raises(CollectError, match="no TikTok address") as caught:
        handle_of(address)
    assert "channels.toml" in caught.value.sentence


def test_videos_of_another_account_are_refused_without_saying_whose():
    private = [video(NOW - DAY, share_url="https://www.tiktok.com/@rieng.mau/video/1")]
    found = refusal(account(private))
    assert found.kind is FailureKind.AUTH
    assert "@tuoitrebinhtan.mau" in found.sentence
    assert "rieng" not in f"{found.sentence} {found.detail}"


def test_ids_and_dates_that_disagree_are_told_and_the_date_counts():
    shifted = [video(NOW - DAY * i, id=str(int((NOW - DAY * (i + 40)).timestamp()) << 32)) for i in range(3)]
    reading = look(account(shifted))
    assert reading.posts[1].published_at == NOW - DAY
    assert any("mã số" in note for note in reading.notes)
    assert look(account([*daily(3), shifted[2]])).notes == ()  # one scheduled video is no news


# --- what a list proves -----------------------------------------------------------------------------------------


def test_the_first_look_reads_everything_and_says_so():
    reading = look(account(daily(45)))
    assert len(reading.posts) == 45
    assert (reading.coverage_from, reading.complete, reading.notes) == (EVER, True, ())


def test_other_days_read_a_week_back_and_claim_no_more():
    first = look(account(daily(45)))
    seen: list[Asked] = []
    second = look(noting(account(daily(45)), seen), cursor=first.cursor, now=NOW + DAY)
    assert len(seen) == 3
    assert len(second.posts) == 40
    assert second.coverage_from == NOW - timedelta(hours=3) - timedelta(days=7)
    assert second.complete


def test_once_a_week_everything_is_read_again():
    first = look(account(daily(45)))
    assert look(account(daily(45)), cursor=first.cursor, now=NOW + 7 * DAY).coverage_from == EVER


def test_another_address_in_the_configuration_starts_from_nothing():
    cursor = dict(look(account(daily(45))).cursor) | {"address": "kenh-cu"}
    assert look(account(daily(45)), cursor=cursor, now=NOW + DAY).coverage_from == EVER


def test_a_list_shorter_than_tiktok_says_proves_nothing():
    reading = look(account(daily(4), stated=9))
    assert (reading.coverage_from, reading.complete) == (None, False)
    assert "9 video nhưng chỉ liệt kê 4" in reading.notes[0]


def test_what_a_list_always_lacks_is_older_than_the_look_that_first_missed_it():
    first = look(account(daily(4), stated=9))
    second = look(account(daily(4), stated=9), cursor=first.cursor, now=NOW + DAY)
    assert (second.coverage_from, second.complete) == (NOW, True)
    assert "phần còn thiếu là bài cũ" in second.notes[0]
    third = look(account(daily(4), stated=10), cursor=second.cursor, now=NOW + 2 * DAY)
    assert third.coverage_from is None


def test_a_number_of_zero_beside_a_list_of_videos_says_nothing_about_the_list():
    reading = look(account(daily(4), stated=0))
    assert (len(reading.posts), reading.coverage_from, reading.complete) == (4, None, False)
    assert look(account(daily(4)), cursor=reading.cursor, now=NOW + DAY).coverage_from == EVER


def test_a_new_video_that_is_counted_but_not_listed_makes_the_look_read_everything():
    first = look(account(daily(45)))
    second = look(account(daily(45), stated=46), cursor=first.cursor, now=NOW + DAY)
    assert len(second.posts) == 45
    assert (second.coverage_from, second.complete) == (None, False)


def test_empty_pages_that_promise_more_end_after_three():
    seen: list[Asked] = []
    pages = [listed(daily(3), 900, more=True)] + [listed([], 800 - i, more=True) for i in range(9)]
    reading = look(noting(paged(*pages), seen))
    assert len(seen) == 1 + 4
    assert len(reading.posts) == 3
    assert (reading.coverage_from, reading.complete) == (None, False)


def test_the_saved_empty_page_is_not_an_empty_account():
    reading = look(paged(Said(body("video_list_empty_but_has_more.json"))))
    assert (reading.posts, reading.coverage_from, reading.complete) == ((), None, False)


def test_a_list_that_is_suddenly_empty_is_not_believed():
    first = look(account(daily(4)))
    second = look(account([]), cursor=first.cursor, now=NOW + DAY)
    assert (second.coverage_from, second.complete) == (None, False)


def test_a_list_without_an_end_is_cut_and_says_from_when_it_is_whole(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(videos, "MOST_PAGES", 2)
    reading = look(account(daily(45)))
    assert not reading.complete
    assert reading.coverage_from == NOW - timedelta(hours=3) - 39 * DAY
    assert ids(reading.posts) == [one["id"] for one in daily(40)]


# --- sixty days of history --------------------------------------------------------------------------------------


def granted() -> Credentials:
    return replace(credentials(), scopes=("user.info.stats",), account=OPEN_ID)


def both_doors() -> FixedWallet:
    return FixedWallet({"tiktok": credentials(), business.GRANT: granted()})


def with_history(said: Said) -> Script:
    return lambda asked: said if asked.path == "/open_api/v1.3/business/get/" else account(daily(2))(asked)


def test_a_connected_business_account_gives_settled_days_once_a_day():
    seen: list[Asked] = []
    script = noting(with_history(Said(body("business_get_60d.json"))), seen)
    first = look(script, wallet=both_doors())
    (asked,) = [one for one in seen if "business" in one.path]
    assert asked.headers["access-token"] == TOKEN
    assert asked.query == {
        "business_id": OPEN_ID,
        "start_date": "2026-09-22",
        "end_date": "2026-11-18",
        "fields": '["is_business_account", "username", "followers_count", "daily_total_followers"]',
    }
    past = [one for one in first.snapshots if one.source is Source.TIKTOK_BUSINESS]
    assert [one.observed_at.day for one in past] == [16, 17, 18]
    later = look(script, wallet=both_doors(), cursor=first.cursor, now=NOW + timedelta(hours=8))
    assert len([one for one in seen if "business" in one.path]) == 1
    tomorrow = look(script, wallet=both_doors(), cursor=later.cursor, now=NOW + DAY)
    assert len([one for one in seen if "business" in one.path]) == 2
    assert [one.source for one in tomorrow.snapshots] == [Source.TIKTOK_DISPLAY]


def test_days_that_are_young_or_withheld_are_left_out():
    days = [{"date": f"2026-11-{day}", "daily_total_followers": count} for day, count in ((17, None), (18, 7), (19, 8))]
    found = understood(json.dumps(days).encode(), list[business.Day], "TikTok")
    assert [one.followers for one in business.settled(found, None, date(2026, 11, 20))] == [7]


def business_account(**change: Any) -> Script:
    """The saved history as if the account said something else of itself."""
    said = saved("business_get_60d.json")
    said["data"] = {name: value for name, value in (said["data"] | change).items() if value is not None}
    return with_history(says(said))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"username": "doanphuong.mau"}, business.OTHER_ACCOUNT),
        ({"username": None}, business.NO_ACCOUNT),
        ({"username": ""}, business.NO_ACCOUNT),
    ],
)
def test_the_history_of_another_account_or_of_an_unnamed_one_is_not_believed(change: dict[str, Any], said: str):
    reading = look(business_account(**change), wallet=both_doors())
    assert [one.source for one in reading.snapshots] == [Source.TIKTOK_DISPLAY]
    (note,) = reading.notes
    assert said in note
    assert "doanphuong" not in str(reading), "whose it is may be a person's name"


def test_a_name_is_the_same_in_any_case_and_with_its_sign():
    reading = look(business_account(username="@TuoiTreBinhTan.MAU"), wallet=both_doors())
    assert Source.TIKTOK_BUSINESS in {one.source for one in reading.snapshots}


def test_a_personal_account_has_no_history():
    reading = look(business_account(is_business_account=False), wallet=both_doors())
    assert reading.notes == (business.PERSONAL,)


def test_an_account_that_is_not_connected_there_is_not_asked():
    seen: list[Asked] = []
    look(noting(account(daily(2)), seen))
    assert len(seen) == 2


@pytest.mark.parametrize(
    "said",
    [
        Said(body("business_get_personal_account.json")),
        Said(body("errors/business_40105_http200.json")),
        Said(body("errors/business_40001_http200.json")),
        says({"code": 40100, "data": {}}),
        says({"code": 99999, "data": {}}),
        says({"code": 0, "data": {"metrics": []}}),
        Said(b"<html></html>", 502),
    ],
)
def test_whatever_goes_wrong_with_history_the_look_goes_on(said: Said):
    reading = look(with_history(said), wallet=both_doors(), tries=1)
    assert len(reading.posts) == 2
    assert [one.source for one in reading.snapshots] == [Source.TIKTOK_DISPLAY]
    assert len(reading.notes) == 1
    assert reading.complete
