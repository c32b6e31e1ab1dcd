"""YouTube: what every collector owes, every saved answer, and what a list in the order of uploading can prove."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors import youtube
from collectors.base import Bucket, CollectError, Credentials, Meter
from collectors.client import Answer
from collectors.payload import decode_json
from collectors.youtube.address import Who, read_address
from collectors.youtube.api import BATCH_STATISTICS, PARTS, UNITS
from collectors.youtube.errors import CODES, REASONS, refusal
from collectors.youtube.history import read_changes
from collectors.youtube.known import Recent, is_due
from collectors.youtube.posts import counts_of, is_upcoming, snapshot_of
from collectors.youtube.shapes import ChannelPage, ListPage, StatisticsPage, Table, VideoPage
from collectors.youtube.uploads import is_public, published_at
from config.platforms import Platforms, YouTube
from config.secrets import Secret
from store.records import EVER, Counts, FailureKind, Precision, Reading, Source
from tests.collector_contract import NOW, ODD_VALUES, CollectorContract, _places, ids
from tests.scripted_server import Said, Script, says
from tests.wallets import RENEWED, TOKEN, FixedWallet, wallet
from tests.youtube_channel import CHANNEL, DAY, PAYLOADS, Clip, Tube, body, daily, reason, saved

KEY = "mau-api-key"
KEYED = FixedWallet({"youtube": Credentials(api_key=Secret(KEY))})
NEXT_DAY = NOW + DAY


@dataclass
class Ledger:
    """A meter that writes down what is spent, and can be empty."""

    spent: list[str] = field(default_factory=list)
    empty: str = ""

    def spend(self, bucket: Bucket, units: int = 1) -> None:
        if bucket.name == self.empty:
            raise CollectError(FailureKind.QUOTA, "four fifths are used up", retry_at=NEXT_DAY)
        self.spent.append(bucket.name)

    def exhaust(self, bucket: Bucket) -> datetime:
        return NEXT_DAY


class Looking(CollectorContract):
    """How a look at YouTube is made, for all tests here."""

    platform = "youtube"
    collect = staticmethod(youtube.collect)
    address = f"https://www.youtube.com/channel/{CHANNEL}"
    count_key = "subscriberCount"
    needed_key = "videoId"
    person_keys = ("channelTitle", "videoOwnerChannelTitle", "localized", "author", "owner", "ownerDetails", "email")

    def __init__(self) -> None:
        self.ledger = Ledger()

    def platforms(self, url: str) -> Platforms:
        return Platforms(youtube=YouTube(base=url, feeds_base=url, analytics_base=url, oauth_base=url, consent=url))

    def meter(self) -> Meter:
        return self.ledger


class TestYouTube(CollectorContract):
    """The promises of every collector."""

    platform = Looking.platform
    collect = staticmethod(youtube.collect)
    address = Looking.address
    count_key, needed_key, person_keys = Looking.count_key, Looking.needed_key, Looking.person_keys
    platforms = Looking.platforms

    def valid(self) -> Script:
        return Tube(daily(3))

    def empty_account(self) -> Script:
        return Tube()

    def hidden_count(self) -> Script:
        return Tube(daily(2), subscribers=None)

    def three_pages(self) -> tuple[Script, int]:
        return Tube(daily(120), page=50, overlap=10), 120

    def repeated_cursor(self) -> Script:
        return Tube(daily(120), page=50, overlap=50)

    def invalid_token(self) -> Said:
        return reason(401, "authError")

    def missing_permission(self) -> Said:
        return Said(body("error_403_forbidden.json"), 403)

    def test_a_channel_that_was_never_connected_says_how_to_connect_it(self) -> None:
        script = Tube(refuses={"videos.xml": Said(body("feed_videos.xml"))})
        reading = self.look(script, wallet=wallet("youtube", None))
        assert "nhip connect youtube" in reading.notes[0]
        assert reading.snapshots == ()


look = Looking().look
refused = Looking().refusal


def covered_from(reading: Reading) -> datetime:
    assert reading.coverage_from
    return reading.coverage_from


def keyed(script: Script, **known: Any) -> Reading:
    return look(script, wallet=KEYED, **known)


# --- saved answers --------------------------------------------------------------------------------------------------

REFUSALS = {
    "error_400_keyInvalid_legacy.json": (400, FailureKind.AUTH, "keyInvalid"),
    "error_400_keyInvalid_new.json": (400, FailureKind.AUTH, "API_KEY_INVALID"),
    "error_403_accessNotConfigured.json": (403, FailureKind.PERMISSION, "accessNotConfigured"),
    "error_403_forbidden.json": (403, FailureKind.PERMISSION, "forbidden"),
    "error_403_quotaExceeded.json": (403, FailureKind.QUOTA, "quotaExceeded"),
    "error_404_channelNotFound.json": (404, FailureKind.GONE, "channelNotFound"),
    "error_404_playlistNotFound.json": (404, FailureKind.GONE, "playlistNotFound"),
    "error_429_rateLimitExceeded.json": (429, FailureKind.THROTTLED, "rateLimitExceeded"),
}
READ_ELSEWHERE = {
    "analytics_reports_query.json",
    "channels_list_ok.json",
    "channels_list_unknown_id.json",
    "feed_videos.xml",
    "playlist_items_page1.json",
    "videos_batch_get_stats_ok.json",
    "videos_list_ok.json",
    "studio_table_data_UNCONFIRMED.csv",  # an export: tests of the importers
}


def test_every_saved_answer_has_a_test():
    assert {path.name for path in PAYLOADS.iterdir()} <= REFUSALS.keys() | READ_ELSEWHERE
    assert {path.name for path in PAYLOADS.glob("error_*")} == REFUSALS.keys()


@pytest.mark.parametrize(("name", "expected"), REFUSALS.items())
def test_a_saved_refusal_means_what_the_facts_say(name, expected):
    status, kind, word = expected
    error = refusal(Answer("https://youtube.example/", status, {}, body(name)), NOW)
    assert error.kind is kind
    assert word in error.detail


def test_a_saved_channel_is_found_by_its_id_and_cut_down_from_a_thousand_up():
    channels = {item.id: item for item in decode_json(body("channels_list_ok.json"), ChannelPage).items}
    shown = snapshot_of(channels[CHANNEL], NOW, Source.YOUTUBE_KEY)
    assert (shown.followers, shown.posts, shown.views, shown.precision) == (1240, 312, 845213, Precision.FLOOR3)
    hidden = snapshot_of(channels["UCbbbbbbbbbbbbbbbbbbbbbQ"], NOW, Source.YOUTUBE_KEY)
    assert (hidden.followers, hidden.posts, hidden.precision) == (None, 0, Precision.EXACT)


def test_an_answer_about_two_channels_gives_the_right_one():
    tube = Tube(daily(1), refuses={"channels": Said(body("channels_list_ok.json"))})
    assert keyed(tube).snapshots[0].followers == 1240


def test_an_unknown_channel_is_gone():
    tube = Tube(refuses={"channels": Said(body("channels_list_unknown_id.json"))})
    assert refused(tube, wallet=KEYED).kind is FailureKind.GONE


def test_a_saved_page_of_uploads_shows_public_videos_with_their_publishing_date():
    items = decode_json(body("playlist_items_page1.json"), ListPage).items
    assert [(item.id, published_at(item)) for item in items if is_public(item)] == [
        ("vid00000001", datetime(2026, 11, 19, 12, 0, 5, tzinfo=UTC).timestamp()),
        ("vid00000002", datetime(2026, 11, 20, 1, 30, tzinfo=UTC).timestamp()),
    ]


def test_saved_statistics_leave_hidden_likes_and_closed_comments_missing():
    items = decode_json(body("videos_batch_get_stats_ok.json"), StatisticsPage).items
    counts = {item.id: counts_of(item.statistics) for item in items}
    assert counts == {"vid00000001": Counts(57, 4, None, 1203), "vid00000002": Counts(None, None, None, 88)}


def test_saved_videos_tell_which_one_is_only_announced():
    videos = decode_json(body("videos_list_ok.json"), VideoPage).items
    assert [video.id for video in videos if is_upcoming(video)] == ["vid00000004"]
    assert counts_of(videos[1].statistics) == Counts(None, None, None, 88)


def test_a_saved_report_is_read_by_the_names_of_its_columns():
    table = decode_json(body("analytics_reports_query.json"), Table)
    last = datetime(2026, 11, 17, tzinfo=UTC).toordinal()
    assert [(one.gained, one.lost) for one in read_changes(table, up_to=last).values()] == [(3, 1), (0, 0), (5, 0)]
    assert len(read_changes(table, up_to=last - 1)) == 2


def test_a_whole_look_at_the_saved_answers():
    page = saved("playlist_items_page1.json")
    del page["nextPageToken"]
    tube = Tube(
        refuses={
            "channels": Said(body("channels_list_ok.json")),
            "playlistItems": says(page),
            "videos": Said(body("videos_list_ok.json")),
        }
    )
    reading = keyed(tube)
    assert ids(reading.posts) == ["vid00000001", "vid00000002"]
    assert reading.posts[0].title == "Mỗi ngày một tin tốt 19/11"
    assert reading.posts[0].excerpt == "#MỗiNgàyMộtTinTốt #tintot"
    assert any("312" in note for note in reading.notes)


# --- refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", REASONS)
def test_every_known_reason_fails_the_look_with_its_own_kind(word):
    answer = Answer("https://youtube.example/", 403, {}, reason(403, word).body)
    assert refusal(answer, NOW).kind is REASONS[word].kind


@pytest.mark.parametrize(("status", "kind"), [(400, "drift"), (404, "drift"), (418, "drift"), (500, "network")])
def test_an_unknown_reason_is_a_failed_look(status, kind):
    assert refusal(Answer("https://youtube.example/", status, {}, reason(status, "new").body), NOW).kind == kind


@pytest.mark.parametrize(
    ("status", "kind"), [(401, "blocked"), (403, "blocked"), (429, "throttled"), (404, "drift"), (503, "network")]
)
def test_an_answer_that_is_no_json_is_judged_by_its_status(status, kind):
    assert refusal(Answer("https://youtube.example/", status, {}, b"<html>?</html>"), NOW).kind == kind
    assert 401 in CODES


def test_a_spent_quota_waits_for_the_next_pacific_day():
    tube = Tube(daily(2), refuses={"playlistItems": Said(body("error_403_quotaExceeded.json"), 403)})
    error = refused(tube, wallet=KEYED)
    assert (error.kind, error.retry_at) == (FailureKind.QUOTA, NEXT_DAY)


def test_too_fast_is_tried_again_within_the_look():
    tube = Tube(daily(2), refuses={"channels": Said(body("error_429_rateLimitExceeded.json"), 429)})
    assert refused(tube, wallet=KEYED).kind is FailureKind.THROTTLED
    assert tube.count("channels") == 2


def test_a_stale_page_token_starts_the_list_again_once():
    tube = Tube(daily(2), refuses={"playlistItems": reason(400, "invalidPageToken")})
    assert refused(tube, wallet=KEYED).kind is FailureKind.DRIFT
    assert tube.count("playlistItems") == 2


def test_a_refused_token_is_renewed_once():
    tube = Tube(daily(2))

    def answer(asked):
        return reason(401, "authError") if TOKEN in asked.headers["authorization"] else tube(asked)

    reading = look(answer, wallet=wallet("youtube", spare=RENEWED))
    assert reading.snapshots[0].source is Source.YOUTUBE_OWNER


# --- what is asked --------------------------------------------------------------------------------------------------


def test_only_the_listed_parts_are_asked_for_and_the_key_travels_in_a_header():
    tube = Tube(daily(2))
    keyed(tube, cursor=keyed(tube).cursor, now=NEXT_DAY)
    assert {asked.path.rpartition("/")[2]: asked.query["part"] for asked in tube.asked} == PARTS
    assert {asked.headers["x-goog-api-key"] for asked in tube.asked} == {KEY}
    assert all(KEY not in asked.target for asked in tube.asked)


def test_every_call_is_metered_in_its_bucket():
    looking = Looking()
    first = looking.look(Tube(daily(3)), wallet=KEYED)
    assert looking.ledger.spent == [UNITS.name] * 3
    looking.look(Tube(daily(3)), wallet=KEYED, cursor=first.cursor, now=NEXT_DAY)
    assert looking.ledger.spent[3:] == [UNITS.name, UNITS.name, BATCH_STATISTICS.name]


@pytest.mark.parametrize(
    ("address", "who"),
    [
        (CHANNEL, Who("id", CHANNEL)),
        (f"https://www.youtube.com/channel/{CHANNEL}/videos", Who("id", CHANNEL)),
        ("@tuoitre.mau", Who("forHandle", "@tuoitre.mau")),
        ("https://youtube.com/@tuoitremau?si=x", Who("forHandle", "@tuoitremau")),
        ("https://www.youtube.com/@tu%E1%BB%95itr%E1%BA%BB", Who("forHandle", "@tuổitrẻ")),
        ("https://m.youtube.com/user/TuoiTreMau", Who("forUsername", "TuoiTreMau")),
    ],
)
def test_the_ways_to_write_a_channel(address, who):
    assert read_address(address) == who


@pytest.mark.parametrize("address", ["https://www.youtube.com/c/TuoiTre", "https://youtu.be/vid", "tuoi tre", ""])
def test_other_addresses_are_refused_with_advice(address):
    with pytest.raises(CollectError, match="not an address") as caught:
        read_address(address)
    assert "channels.toml" in caught.value.sentence


def test_a_handle_is_looked_up_once():
    class ByHandle(Looking):
        address = "https://www.youtube.com/@kenhmaua"

    tube = Tube(daily(2))
    first = ByHandle().look(tube, wallet=KEYED)
    ByHandle().look(tube, wallet=KEYED, cursor=first.cursor, now=NEXT_DAY)
    filters = [asked.query for asked in tube.asked if asked.path.endswith("/channels")]
    assert [("forHandle" in one, one.get("id")) for one in filters] == [(True, None), (False, CHANNEL)]


# --- counts ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("shown", "precision"), [("980", Precision.EXACT), ("1000", Precision.FLOOR3)])
def test_subscribers_are_exact_below_a_thousand_only(shown, precision):
    assert look(Tube(daily(1), subscribers=shown)).snapshots[0].precision is precision


def test_hidden_subscribers_are_missing_and_said_to_be_hidden():
    reading = keyed(Tube(daily(1), subscribers=None))
    assert reading.snapshots[0].followers is None
    assert "ẩn số người đăng ký" in reading.notes[0]


def test_counts_are_asked_daily_then_weekly_then_monthly():
    def due(age: float, since: float) -> bool:
        published, counted = (int((NOW - timedelta(days=days)).timestamp()) for days in (age, since))
        return is_due(Recent(published, published, counted, "video"), NOW)

    assert due(1, 0.6)
    assert not due(1, 0.3)
    assert not due(10, 6)
    assert due(10, 7)
    assert not due(31, 20)
    assert due(31, 28)


def test_without_the_batch_method_counts_come_from_the_videos_and_it_is_remembered():
    tube = Tube(daily(3), batch=reason(404, "notFound"))
    first = keyed(tube)
    second = keyed(tube, cursor=first.cursor, now=NEXT_DAY)
    third = keyed(tube, cursor=second.cursor, now=NEXT_DAY + DAY)
    assert {post.counts for post in (*second.posts, *third.posts)} == {Counts(5, 1, None, 90)}
    assert tube.count("videos:batchGetStats") == 1


def test_a_batch_answer_without_videos_is_not_believed():
    tube = Tube(daily(3), batch=says({"kind": "youtube#batchGetStatsResponse"}))
    second = keyed(tube, cursor=keyed(tube).cursor, now=NEXT_DAY)
    assert {post.counts for post in second.posts} == {Counts(5, 1, None, 90)}


def test_an_empty_statistics_bucket_leaves_counts_missing_and_the_posts_read():
    looking = Looking()
    first = looking.look(Tube(daily(3)), wallet=KEYED)
    looking.ledger.empty = BATCH_STATISTICS.name
    second = looking.look(Tube(daily(3)), wallet=KEYED, cursor=first.cursor, now=NEXT_DAY)
    assert {post.counts for post in second.posts} == {None}
    assert "Hạn mức" in second.notes[0]
    assert second.complete


# --- what a list proves ---------------------------------------------------------------------------------------------


def test_a_whole_list_proves_everything():
    assert keyed(Tube(daily(3))).coverage_from == EVER


def test_an_empty_channel_proves_that_nothing_was_published():
    reading = keyed(Tube())
    assert (reading.posts, reading.coverage_from, reading.complete) == ((), EVER, True)


def test_a_lost_list_of_a_channel_with_videos_proves_nothing():
    reading = keyed(Tube(stated=312))
    assert (reading.coverage_from, reading.complete) == (None, False)
    assert reading.snapshots[0].posts == 312


def test_an_empty_list_of_a_channel_with_videos_proves_nothing():
    empty = says({"pageInfo": {"totalResults": 0}, "items": []})
    reading = keyed(Tube(daily(3), refuses={"playlistItems": empty}))
    assert (reading.coverage_from, reading.complete) == (None, False)


def test_a_lost_list_of_a_channel_that_hides_its_number_of_videos_proves_nothing():
    channel = saved("channels_list_ok.json")
    del channel["items"][0]["statistics"]["videoCount"]
    reading = keyed(Tube(refuses={"channels": says(channel)}))
    assert (reading.coverage_from, reading.complete) == (None, False)


def test_the_etag_of_a_first_page_is_not_trusted_while_a_video_may_wait_below_it():
    waiting = Clip(999, NOW - 2 * DAY, uploaded=NOW - 32 * DAY)
    tube = Tube([*daily(60, NOW - DAY), waiting], page=20, etag='"e1"')
    second = keyed(tube, cursor=keyed(tube).cursor, now=NEXT_DAY)
    assert not second.unchanged
    tube = Tube(daily(60), page=20, etag='"e1"')
    assert keyed(tube, cursor=keyed(tube).cursor, now=NEXT_DAY).unchanged


def test_counts_read_with_the_consent_of_another_channel_are_kept_no_longer_than_with_a_key():
    held = {"youtube": Credentials(access=Secret(TOKEN), account="UCanother")}
    assert look(Tube(daily(2)), wallet=FixedWallet(held)).snapshots[0].source is Source.YOUTUBE_KEY
    held = {"youtube": Credentials(access=Secret(TOKEN), account=CHANNEL)}
    assert look(Tube(daily(2)), wallet=FixedWallet(held)).snapshots[0].source is Source.YOUTUBE_OWNER


def test_a_cursor_that_a_clock_wrote_which_ran_ahead_does_not_stop_full_sweeps():
    first = keyed(Tube(daily(90)), now=NOW + 900 * DAY)
    assert keyed(Tube(daily(90)), cursor=first.cursor).coverage_from == EVER


def test_the_first_look_reads_back_to_the_horizon():
    tube = Tube(daily(300), page=50)
    reading = keyed(tube, back_to=NOW - 120 * DAY)
    assert tube.count("playlistItems") == 3
    assert len(reading.posts) == 150
    assert covered_from(reading) < NOW - 120 * DAY


def test_daily_looks_read_two_pages_and_weekly_ones_four():
    tube = Tube(daily(400), page=50)
    reading = keyed(tube)
    tube.asked.clear()
    keyed(tube, cursor=reading.cursor, now=NOW + DAY)
    assert tube.count("playlistItems") == 2
    tube.asked.clear()
    keyed(tube, cursor=reading.cursor, now=NOW + 8 * DAY)
    assert tube.count("playlistItems") == 4
    tube.asked.clear()
    keyed(tube, cursor=reading.cursor, now=NOW + 28 * DAY)
    assert tube.count("playlistItems") == 8


def test_a_daily_look_speaks_of_the_last_35_days_only():
    tube = Tube(daily(90), page=50)
    reading = keyed(tube, cursor=keyed(tube).cursor, now=NEXT_DAY)
    assert reading.coverage_from == NEXT_DAY - 35 * DAY
    assert len(reading.posts) == 34


def test_a_video_that_was_uploaded_long_before_is_found_and_shortens_what_is_proved():
    early = Clip(999, NOW - 2 * DAY, uploaded=NOW - 22 * DAY)
    tube = Tube([*daily(400), early], page=10)
    first = keyed(tube)
    second = keyed(tube, cursor=first.cursor, now=NEXT_DAY)
    assert early.id in ids(second.posts)
    assert NOW - 35 * DAY <= covered_from(second) <= NOW + DAY - 7 * DAY


def test_private_and_deleted_videos_are_no_posts():
    tube = Tube([*daily(2), Clip(7, NOW - DAY, state="private"), Clip(8, NOW - DAY, state="privacyStatusUnspecified")])
    assert len(keyed(tube).posts) == 2


def test_an_announced_live_is_a_post_from_its_start_on():
    announced = Clip(50, NOW - 40 * DAY, live="upcoming")
    tube = Tube([*daily(2), announced])
    first = keyed(tube)
    assert announced.id not in ids(first.posts)
    tube.clips = [*daily(2), replace(announced, live="none", started=NOW + DAY / 2)]
    second = keyed(tube, cursor=first.cursor, now=NEXT_DAY)
    post = next(post for post in second.posts if post.platform_id == announced.id)
    assert (post.published_at, post.kind) == (NOW + DAY / 2, "live")
    third = keyed(tube, cursor=second.cursor, now=NEXT_DAY + DAY)
    assert announced.id in ids(third.posts)


def test_listed_videos_without_details_leave_a_look_incomplete():
    tube = Tube(daily(3), refuses={"videos": says({"items": [daily(3)[0].whole()]})})
    reading = keyed(tube)
    assert (len(reading.posts), reading.complete) == (1, False)
    assert "2 video" in reading.notes[0]


def test_an_unchanged_list_is_not_read_again_but_young_videos_are_counted():
    tube = Tube(daily(3), etag='"e1"')
    first = keyed(tube)
    tube.clips = [replace(clip, counts=(("viewCount", "95"),)) for clip in tube.clips]
    second = keyed(tube, cursor=first.cursor, now=NEXT_DAY)
    assert second.unchanged
    assert second.coverage_from == EVER
    assert {post.counts for post in second.posts} == {Counts(views=95)}
    assert {replace(post, counts=None) for post in second.posts} == {replace(post, counts=None) for post in first.posts}


def test_a_weekly_sweep_does_not_ask_whether_the_list_has_changed():
    tube = Tube(daily(3), etag='"e1"')
    reading = keyed(tube, cursor=keyed(tube).cursor, now=NOW + 8 * DAY)
    assert not reading.unchanged


def test_a_deleted_video_is_missing_from_a_reading_that_covers_its_day():
    tube = Tube(daily(3))
    first = keyed(tube)
    lost = tube.clips[1]
    tube.clips = [clip for clip in tube.clips if clip != lost]
    second = keyed(tube, cursor=first.cursor, now=NEXT_DAY)
    assert lost.id not in ids(second.posts)
    assert covered_from(second) < lost.published


@cache
def learned() -> dict[str, Any]:
    """What a look leaves behind."""
    return dict(look(Tube(daily(60), etag='"e1"', subscribers="980")).cursor)


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False))
def test_a_damaged_cursor_does_no_harm(random: Random):
    tube = Tube(daily(60), etag='"e1"', subscribers="980")
    cursor = json.loads(json.dumps(learned()))
    holder, key = random.choice(list(_places(cursor)))
    holder[key] = random.choice(ODD_VALUES)
    reading = look(tube, cursor=cursor, now=NOW + 4 * DAY)
    assert len(ids(reading.posts)) == len(set(ids(reading.posts)))
    assert reading.snapshots[0].followers == 980


def test_pages_without_end_and_without_videos_are_left():
    page = says({"items": [], "nextPageToken": "T1", "pageInfo": {"totalResults": 0}})
    tube = Tube(daily(3), refuses={"playlistItems": page})
    reading = keyed(tube)
    assert not reading.complete
    assert reading.coverage_from is None
    assert tube.count("playlistItems") < 5
