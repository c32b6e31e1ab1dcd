"""The simulated YouTube answers as the Data API, the Analytics API, the feed and Google's token endpoint do."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import feedparser
import pytest

from pipeline.demo import youtube
from pipeline.demo.world import DAY, Account, Item, Trouble
from pipeline.demo.youtube_tokens import ANALYTICS, DATA
from pipeline.demo.youtube_videos import floored, video_id
from tests.simulated import (
    NOW,
    PAYLOADS,
    REDIRECT,
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

V3 = "/youtube/v3"
CHANNEL = "UC" + "m" * 22
UPLOADS = "UU" + "m" * 22
PARTS = "snippet,statistics,contentDetails"
KEY = {"X-Goog-Api-Key": youtube.API_KEY}
CLIENT = {"client_id": youtube.CLIENT_ID, "client_secret": youtube.CLIENT_SECRET}
VERIFIER = "mau-verifier" * 4
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


def tube(items: list[Item] | None = None, *troubles: Trouble, **more: object) -> Account:
    return account("youtube", daily(60) if items is None else items, *troubles, **({"id": CHANNEL} | more))


@pytest.fixture
def serve() -> Iterator[object]:
    """`serve(account, ...)` gives the running platform, asked with the key."""
    with ExitStack() as stack:

        def start(*accounts: Account, **options: object) -> Simulated:
            served = stack.enter_context(simulated(youtube, world(*accounts), **options))
            served.headers = dict(KEY)
            return served

        yield start


def channels(served: Simulated, **query: object) -> Reply:
    return served.get(f"{V3}/channels", **({"part": PARTS, "id": CHANNEL, "maxResults": 50} | query))


def uploads(served: Simulated, **query: object) -> Reply:
    asked = {"part": "snippet,contentDetails,status", "playlistId": UPLOADS, "maxResults": 50}
    return served.get(f"{V3}/playlistItems", **(asked | query))


def reason(reply: Reply) -> tuple[int, str]:
    return reply.status, reply.json["error"]["errors"][0]["reason"]


def as_owner(served: Simulated, one: Account) -> None:
    """Sign in with a fresh access token of the owner."""
    token = youtube.seed_tokens(world(one))[one.slug].refresh_token
    pair = served.form("/token", **CLIENT, grant_type="refresh_token", refresh_token=token).json
    served.headers = {"Authorization": f"Bearer {pair['access_token']}"}


def test_channels_have_the_shape_of_the_sample_and_three_digits(serve):
    hidden = tube([], Trouble.HIDDEN, id="UC" + "h" * 22, slug="an", handle="an")
    served = serve(tube(), hidden)
    reply = channels(served, id=f"{CHANNEL},{hidden.id},UC{'x' * 22}")
    assert differences(sample("youtube/channels_list_ok.json"), reply.json) == set()
    shown, secret = (one["statistics"] for one in reply.json["items"])
    assert int(shown["subscriberCount"]) == tube().followers(NOW) // 100 * 100
    assert "subscriberCount" not in secret
    assert secret["hiddenSubscriberCount"] is True
    assert served.diary.violations == []


@pytest.mark.parametrize(("true", "shown"), [(0, 0), (980, 980), (1243, 1240), (10486, 10400), (536862, 536000)])
def test_subscribers_are_cut_to_three_digits(true, shown):
    assert floored(true) == shown


def test_an_unknown_channel_is_an_answer_without_items(serve):
    served = serve(tube(), tube([], Trouble.UNPUBLISHED, id="UC" + "u" * 22, slug="vang", handle="vang"))
    for wanted in ("UC" + "x" * 22, "UC" + "u" * 22):
        body = channels(served, id=wanted).json
        assert body.keys() == sample("youtube/channels_list_unknown_id.json").keys()
    assert channels(served, id="", forHandle="x").status == 400
    assert "items" not in served.get(f"{V3}/channels", part="id", forHandle="@khong-co").json
    assert served.get(f"{V3}/channels", part="id", forHandle="@Youtube.Mau").json["items"][0]["id"] == CHANNEL


def test_five_channels_are_shown_unless_more_are_asked_for(serve):
    many = [tube([], id=f"UC{number:022d}", slug=f"k{number}", handle=f"k{number}") for number in range(9)]
    served = serve(*many)
    ids = ",".join(one.id for one in many)
    assert len(served.get(f"{V3}/channels", part="id", id=ids).json["items"]) == 5
    assert len(channels(served, id=ids).json["items"]) == 9


def test_uploads_are_ordered_by_upload_and_private_until_their_moment(serve):
    coming = item(61, NOW + DAY, uploaded_at=NOW - 2 * DAY)
    late = item(60, NOW - timedelta(hours=1), uploaded_at=NOW - 20 * DAY)
    served = serve(tube([*daily(59), late, coming]))
    page = uploads(served)
    assert differences(sample("youtube/playlist_items_page1.json"), page.json) <= {
        "-items.snippet.videoOwnerChannelTitle",
        "-items.snippet.videoOwnerChannelId",
    }
    items = page.json["items"]
    added = [one["snippet"]["publishedAt"] for one in items]
    assert added == sorted(added, reverse=True)
    by_id = {one["contentDetails"]["videoId"]: one for one in items}
    private = by_id[video_id(tube(), coming)]
    assert private["status"] == {"privacyStatus": "private"}
    assert "videoPublishedAt" not in private["contentDetails"]
    assert by_id[video_id(tube(), late)]["contentDetails"]["videoPublishedAt"] == "2026-11-20T11:00:00Z"
    second = uploads(served, pageToken=page.json["nextPageToken"]).json
    assert "nextPageToken" not in second
    assert len(items) + len(second["items"]) == second["pageInfo"]["totalResults"] == 61
    assert reason(uploads(served, pageToken="sai")) == (400, "invalidPageToken")


def test_a_channel_without_public_uploads_has_no_list(serve):
    for items in ([], [item(1, NOW + DAY, uploaded_at=NOW - DAY)], [item(1, NOW - DAY, gone_at=NOW)]):
        reply = uploads(serve(tube(items)))
        assert (reply.status, reply.json) == (404, sample("youtube/error_404_playlistNotFound.json"))


def test_an_unchanged_page_is_304_and_a_changed_one_is_not(serve):
    served = serve(tube())
    etag = uploads(served).headers["etag"]
    served.headers["If-None-Match"] = etag
    unchanged = uploads(served)
    assert (unchanged.status, unchanged.body) == (304, b"")
    served.clock.now = daily(60)[-1].published_at - timedelta(minutes=1)
    assert uploads(served).status == 200


def test_videos_and_their_stats_have_the_shape_of_the_samples(serve):
    shy = item(2, NOW - DAY, likes_hidden=True, comments_off=True, seconds=242)
    upcoming = item(3, NOW + 2 * DAY, kind="live", uploaded_at=NOW - DAY)
    items = [item(1, NOW - 2 * DAY), shy, upcoming]
    served = serve(tube(items))
    ids = ",".join(video_id(tube(), one) for one in items)
    reply = served.get(f"{V3}/videos", part=f"{PARTS},liveStreamingDetails", id=ids)
    assert {lost.rpartition(".")[2] for lost in differences(sample("youtube/videos_list_ok.json"), reply.json)} <= {
        *("tags", "dimension", "definition", "caption", "licensedContent", "contentRating", "projection"),
    }
    first, second, third = reply.json["items"]
    assert (first["contentDetails"]["duration"], second["contentDetails"]["duration"]) == ("PT42S", "PT4M2S")
    assert second["statistics"].keys() == {"viewCount", "favoriteCount"}
    assert third["snippet"]["liveBroadcastContent"] == "upcoming"
    stats = served.get(f"{V3}/videos:batchGetStats", part=PARTS, id=ids)
    assert differences(sample("youtube/videos_batch_get_stats_ok.json"), stats.json) == set()
    assert stats.json["items"][0]["contentDetails"]["duration"] == "42s"
    served.clock.now = NOW + 3 * DAY
    begun = served.get(f"{V3}/videos", part="liveStreamingDetails", id=video_id(tube(), upcoming)).json["items"][0]
    assert begun["liveStreamingDetails"] == {"actualStartTime": "2026-11-22T12:00:00Z"}


def test_batch_stats_can_be_missing(serve):
    served = serve(tube(), batch_stats=False)
    assert served.get(f"{V3}/videos:batchGetStats", part=PARTS, id="mau").status == 404
    assert served.diary.violations == []


def test_each_bucket_is_used_up_by_itself_and_full_again_at_midnight_pacific(serve):
    served = serve(tube(), quota=3)
    served.clock.now = datetime(2026, 11, 20, 7, 59, tzinfo=UTC)
    ok = [channels(served, id="") for _ in range(3)]
    assert {reply.status for reply in ok} == {400}, "a wrong request costs as well"
    reply = channels(served)
    assert (reply.status, reply.json) == (403, sample("youtube/error_403_quotaExceeded.json"))
    assert served.get(f"{V3}/videos:batchGetStats", part="id", id="mau").status == 200
    served.clock.now = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
    assert channels(served).status == 200


def test_keys_are_checked_and_never_stand_in_the_address(serve):
    served = serve(tube())
    served.headers = {"X-Goog-Api-Key": "sai"}
    reply = channels(served)
    assert (reply.status, reply.json) == (400, sample("youtube/error_400_keyInvalid_new.json"))
    assert served.diary.violations == []
    served.headers = {}
    assert reason(channels(served)) == (403, "forbidden")
    assert channels(served, key=youtube.API_KEY).status == 400
    assert channels(served, invented="1").status == 400
    served.headers = dict(KEY)
    assert reason(channels(served, part="snippet,auditDetails")) == (400, "unknownPart")
    assert served.get(f"{V3}/commentThreads", part="snippet").status == 404
    assert len(served.diary.violations) == 5


TROUBLES = {Trouble.OUTAGE: (500, "backendError"), Trouble.THROTTLED: (429, "rateLimitExceeded")}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_a_trouble_strikes_only_requests_that_are_about_nothing_else(serve, trouble):
    healthy = tube([], id="UC" + "k" * 22, slug="khoe", handle="khoe")
    served = serve(tube(None, trouble), healthy)
    assert reason(channels(served)) == TROUBLES[trouble]
    assert reason(uploads(served)) == TROUBLES[trouble]
    assert len(channels(served, id=f"{CHANNEL},{healthy.id}").json["items"]) == 2


def test_html_and_zero(serve):
    assert channels(serve(tube(None, Trouble.HTML))).body.startswith(b"<!DOCTYPE html>")
    counts = channels(serve(tube(None, Trouble.ZERO))).json["items"][0]["statistics"]
    assert counts == {"viewCount": "0", "subscriberCount": "0", "hiddenSubscriberCount": False, "videoCount": "0"}


def test_views_of_a_channel_never_fall(serve):
    served = serve(tube(daily(300)))
    seen = []
    for day in range(120):
        served.clock.now = NOW - (120 - day) * DAY
        seen.append(int(channels(served).json["items"][0]["statistics"]["viewCount"]))
    assert seen == sorted(seen)
    assert seen[-1] > seen[0] > 0


def test_the_feed_shows_fifteen_and_is_down_for_everybody_at_once(serve):
    served = serve(tube())
    reply = served.get("/feeds/videos.xml", channel_id=CHANNEL)
    ours, real = feedparser.parse(reply.body), feedparser.parse((PAYLOADS / "youtube/feed_videos.xml").read_bytes())
    assert not ours.bozo
    assert len(ours.entries) == 15
    assert ours.entries[0].keys() >= {"yt_videoid", "media_statistics", "media_starrating"}
    assert ours.entries[0].keys() ^ real.entries[0].keys() <= {"media_thumbnail", "media_content"}
    other = tube(None, Trouble.FEED_DOWN, id="UC" + "d" * 22, slug="khac", handle="khac")
    assert serve(tube(), other).get("/feeds/videos.xml", channel_id=CHANNEL).status == 404


def report(served: Simulated, **query: str) -> Reply:
    metrics = "subscribersGained,subscribersLost,views,engagedViews,likes"
    asked = {"ids": "channel==MINE", "startDate": "2026-11-01", "endDate": "2026-11-20"}
    return served.get("/v2/reports", **(asked | {"metrics": metrics, "dimensions": "day"} | query))


def test_analytics_have_the_shape_of_the_sample_and_lack_the_last_days(serve):
    one = tube()
    served = serve(one)
    as_owner(served, one)
    reply = report(served)
    assert differences(sample("youtube/analytics_reports_query.json"), reply.json) == set()
    assert reply.json["columnHeaders"] == sample("youtube/analytics_reports_query.json")["columnHeaders"]
    assert (reply.json["rows"][0][0], reply.json["rows"][-1][0]) == ("2026-11-01", "2026-11-16")
    net = sum(row[1] - row[2] for row in reply.json["rows"])
    midnights = (datetime(2026, 11, 1, 7, tzinfo=UTC), datetime(2026, 11, 17, 8, tzinfo=UTC))
    assert net == one.followers(midnights[1]) - one.followers(midnights[0])
    assert reason(report(served, metrics="estimatedRevenue")) == (400, "badRequest")
    assert served.diary.violations == []


def test_analytics_are_for_the_owner_with_the_right_scope(serve):
    served = serve(tube())
    assert reason(report(served)) == (401, "authError")
    denied = tube(None, Trouble.PERMISSION)
    served = serve(denied)
    as_owner(served, denied)
    assert reason(report(served)) == (403, "insufficientPermissions")


def test_the_owner_is_found_as_mine_and_a_dead_token_is_no_token(serve):
    one = tube()
    served = serve(one)
    as_owner(served, one)
    mine = served.get(f"{V3}/channels", part="id", mine="true")
    assert mine.json["items"][0]["id"] == CHANNEL
    served.clock.now += timedelta(hours=1)
    assert reason(served.get(f"{V3}/channels", part="id", mine="true")) == (401, "authError")


def test_consent_takes_pkce_and_the_refresh_token_stays(serve):
    dead = tube(None, Trouble.TOKEN_DEAD)
    served = serve(dead)
    token = youtube.seed_tokens(world(dead))[dead.slug].refresh_token
    refused = served.form("/token", **CLIENT, grant_type="refresh_token", refresh_token=token)
    assert (refused.status, refused.json["error"]) == (400, "invalid_grant")
    asked = {"client_id": youtube.CLIENT_ID, "response_type": "code", "scope": f"{DATA} {ANALYTICS}"}
    challenge = {"code_challenge": CHALLENGE, "code_challenge_method": "S256", "access_type": "offline"}
    form = {**CLIENT, "grant_type": "authorization_code", "redirect_uri": REDIRECT}
    code = served.consent("/o/oauth2/v2/auth", **asked, **challenge)["code"]
    assert served.form("/token", **form, code=code, code_verifier="sai").json["error"] == "invalid_grant"
    code = served.consent("/o/oauth2/v2/auth", **asked, **challenge)["code"]
    first = served.form("/token", **form, code=code, code_verifier=VERIFIER).json
    assert first["expires_in"] == 3600
    for _ in range(2):
        again = served.form("/token", **CLIENT, grant_type="refresh_token", refresh_token=first["refresh_token"]).json
        assert again.keys() == {"access_token", "expires_in", "scope", "token_type"}
        served.clock.now += 100 * DAY
    assert served.diary.violations == []
