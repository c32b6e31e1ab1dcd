"""What each kind of export says, trap by trap (facts: exports of Meta, TikTok and YouTube)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from collectors.exports import EXPORTS, write_template
from store.records import Confidence, Counts, DateSource, Precision, Source
from tests.export_builders import (
    all_notes,
    archive,
    followers,
    posts,
    read,
    reasons,
    refusal,
    sample,
    sheet,
    with_cell,
    workbook,
)

PAGE = "104729385617204"
META = (
    "Post ID",
    "Page ID",
    "Title",
    "Publish time",
    "Post type",
    "Permalink",
    "Is share",
    "Date",
    "Reactions",
    "Views",
)
PHOTO = ("872913450126739", PAGE, "Tin tốt (mẫu)", "11/19/2026 01:15", "Photos", "", "0", "Lifetime", "1,412", "9,820")
REEL = ("872913450126740", PAGE, "Chuyện đẹp (mẫu)", "11/02/2026 15:58", "Reels", "", "0", "Lifetime", "", "N/A")

HISTORY = ("Date", "Followers", "Difference in followers from previous day")
CONTENT = (
    "Time",
    "Video title",
    "Video link",
    "Post time",
    "Total likes",
    "Total comments",
    "Total shares",
    "Total views",
)
VIDEO_ID = "7709851688469478477"
LINK = f"https://www.tiktok.com/@tuoitrebinhtan.mau/video/{VIDEO_ID}"
VIDEO = ("November 20", "Tin tốt (mẫu)", LINK, "November 19", "812", "31", "12", "18440")

STUDIO = ("Content", "Video title", "Video publish time", "Views", "Watch time (hours)", "Subscribers")
TEMPLATE = ("Ngày", "Số người theo dõi", "Lượt thích", "Số bài", "Lượt xem", "Nguồn số liệu")


def meta(*rows: Sequence[object]) -> bytes:
    return sheet(META, *rows)


def history(*rows: Sequence[object]) -> bytes:
    return sheet(HISTORY, *rows)


def filled(*rows: Sequence[object]) -> bytes:
    return sheet(TEMPLATE, *rows)


# --- Meta: posts --------------------------------------------------------------------------------------------------


def test_the_posts_of_meta_have_the_ids_of_the_graph_api_and_their_counts():
    found = posts(read(sample("facebook/export/mbs_content_posts_en.csv")))
    first = found[f"{PAGE}_872913450126739"]
    assert (first.kind, first.published_at) == ("photo", datetime(2026, 11, 19, 23, 58, tzinfo=UTC))
    assert first.counts == Counts(reactions=412, comments=37, shares=21, views=9820)
    assert found[f"{PAGE}_872401883511229"].title == 'Tuổi trẻ Bình Tân ra quân "Ngày Chủ nhật xanh"'


def test_a_day_is_sure_only_where_it_is_the_same_in_california_and_here():
    found = posts(read(meta(PHOTO, REEL)))
    early, late = found[f"{PAGE}_{PHOTO[0]}"], found[f"{PAGE}_{REEL[0]}"]
    assert (early.date_confidence, late.date_confidence) == (Confidence.HOUR, Confidence.LOW)
    assert "múi giờ" in all_notes(read(meta(PHOTO)))


def test_what_meta_does_not_say_stays_missing():
    reel = posts(read(meta(PHOTO, REEL)))[f"{PAGE}_{REEL[0]}"]
    assert (reel.kind, reel.counts) == ("reel", None)


def test_an_export_proves_nothing_about_silence():
    reading = read(meta(PHOTO)).reading
    assert reading.complete
    assert reading.coverage_from is None


def test_vietnamese_headings_and_semicolons_are_understood():
    header = ("ID bài viết", "ID trang", "Tiêu đề", "Thời gian đăng", "Loại bài viết", "Cảm xúc", "Cột lạ")
    row = (PHOTO[0], PAGE, "Tin (mẫu)", "2026-11-19 01:15:30", "Ảnh", "1.412", "?")
    found = read(sheet(header, row, delimiter=";"))
    (post,) = found.reading.posts
    assert (post.kind, post.counts) == ("photo", Counts(reactions=1412))
    assert "«Cột lạ»" in all_notes(found)


def test_one_row_decides_the_order_of_day_and_month_for_all():
    found = read(meta(PHOTO, REEL)).reading.posts
    assert [post.published_at.month for post in found if post.published_at] == [11, 11]
    (day_first,) = read(meta((*PHOTO[:3], "19/11/2026 01:15", *PHOTO[4:]))).reading.posts
    assert day_first.published_at == datetime(2026, 11, 19, 9, 15, tzinfo=UTC)


def test_dates_that_nothing_decides_refuse_the_whole_file():
    error = refusal(meta((*PHOTO[:3], "11/11/2026 01:00", *PHOTO[4:]), REEL))
    assert error.row == 3
    assert "đâu là ngày" in error.sentence


def test_dates_in_two_orders_refuse_the_whole_file():
    assert refusal(meta(PHOTO, (*REEL[:3], "19/11/2026 01:15", *REEL[4:]))).row == 3


@pytest.mark.parametrize("mangled", ["8.72913E+14", "8,72913E+14", "1.0473E14"])
@pytest.mark.parametrize("column", [0, 1])
def test_an_id_that_a_spreadsheet_mangled_refuses_the_whole_file(mangled: str, column: int):
    error = refusal(meta(PHOTO, with_cell([REEL], 0, column, mangled)[0]))
    assert error.row == 3
    assert "8.72913E+14" in error.sentence


def test_long_ids_that_all_end_in_zero_were_cut_by_a_spreadsheet():
    rows = [(f"8729134501267{number}000", *PHOTO[1:]) for number in (1, 2, 3)]
    assert refusal(meta(*rows)).row == 2
    assert len(read(meta(*rows[:2])).rows) == 2


def test_a_long_id_in_a_workbook_has_lost_its_end_and_is_refused():
    assert refusal(workbook(META, (87291345012673912, *PHOTO[1:]))).row == 2


def test_a_row_that_is_no_post_is_skipped_with_its_reason():
    rows = [
        PHOTO,
        PHOTO,
        ("Total", "", "", "", "", "", "", "", "1412", ""),
        ("872913450126741", PAGE, "", "hôm qua", *PHOTO[4:]),
        ("872913450126742", PAGE, "", "11/19/2026 01:15", "IG reel", *PHOTO[5:]),
        ("872913450126743", *PHOTO[1:8], "-3", ""),
        ("872913450126744", *PHOTO[1:3], "11/31/2026 01:15", *PHOTO[4:]),
        ("mã hỏng", *PHOTO[1:]),
        ("trang_872913450126745", *PHOTO[1:]),
    ]
    found = read(meta(*rows))
    assert len(found.reading.posts) == 1
    assert {row: reason.partition(" ")[0] for row, reason in reasons(found).items()} == {
        3: "trùng",
        4: "dòng",
        5: "không",
        6: "bài",
        7: "cột",
        8: "có",
        9: "mã",
        10: "mã",
    }


def test_the_counts_of_a_single_day_are_no_totals():
    found = read(meta((*PHOTO[:7], "11/19/2026", "12", "30")))
    assert [post.counts for post in found.reading.posts] == [None]
    assert "trong kỳ" in all_notes(found)


def test_a_rounded_count_of_a_post_is_left_out():
    found = read(meta((*PHOTO[:8], "1.2K", "980")))
    assert [post.counts for post in found.reading.posts] == [Counts(views=980)]


def test_a_post_from_after_the_export_shows_that_the_file_is_misunderstood():
    assert refusal(meta((*PHOTO[:3], "11/20/2026 08:00", *PHOTO[4:]))).row == 2


def test_a_file_of_another_page_or_of_two_pages_is_refused():
    other = with_cell([PHOTO], 0, 1, "999999385617204")[0]
    assert "trang khác" in refusal(meta(other)).sentence
    assert "nhiều trang" in refusal(meta(PHOTO, other), address="https://www.facebook.com/ten.trang").sentence


def test_a_reel_has_the_id_of_its_video_as_the_graph_api_lists_it():
    link = "https://www.facebook.com/reel/1234567890123456/"
    (post,) = read(meta((*REEL[:3], "11/19/2026 01:15", "Reels", link, *REEL[6:]))).reading.posts
    assert post.platform_id == "1234567890123456"


def test_a_shared_post_says_so():
    (post,) = read(meta((*PHOTO[:6], "1", *PHOTO[7:]))).reading.posts
    assert (post.kind, post.is_share) == ("share", True)


def test_title_and_description_are_split_as_the_page_itself_is_read():
    header = (*META, "Description")
    found = read(sheet(header, (*PHOTO[:2], "Dòng đầu (mẫu)\nDòng hai", *PHOTO[3:], "Mô tả #tintot")))
    (post,) = found.reading.posts
    assert (post.title, post.excerpt) == ("Dòng đầu (mẫu)", "Dòng hai Mô tả #tintot")


def test_without_a_page_id_the_channel_says_which_page_it_is():
    bare = with_cell([META, PHOTO], 1, 1, "")
    assert list(posts(read(sheet(*bare)))) == [f"{PAGE}_{PHOTO[0]}"]
    named = "https://www.facebook.com/ten.trang"
    assert "Page ID" in refusal(sheet(*bare), address=named).sentence


def test_the_daily_gain_of_a_page_is_refused_with_the_number_to_take_instead():
    sentence = refusal(sample("facebook/export/mbs_page_metric_follows_utf16le.csv")).sentence
    assert "tổng số người theo dõi" in sentence
    assert "--template" in sentence


# --- TikTok -------------------------------------------------------------------------------------------------------


def test_the_follower_history_is_a_total_per_settled_day():
    found = read(sample("tiktok/studio/FollowerHistory.csv"), "tiktok")
    days = {"2026-11-15": 12790, "2026-11-16": 12812, "2026-11-17": 12805, "2026-11-18": 12814}
    assert followers(found) == days
    assert reasons(found) == {2: "TikTok chưa có số của ngày này"}
    assert {(one.source, one.precision) for one in found.reading.snapshots} == {(Source.TIKTOK_STUDIO, Precision.EXACT)}


def test_the_last_two_days_before_an_export_are_not_settled():
    found = read(history(("November 18", 10, 0), ("November 19", 11, 0), ("November 20", 12, 0)), "tiktok")
    assert followers(found) == {"2026-11-18": 10}
    assert list(reasons(found)) == [3, 4]


@pytest.mark.parametrize(
    "printed",
    [
        ("30 tháng Mười Hai", "31 tháng 12", "1 tháng Một", "2 January"),
        ("December 30", "31 December", "January 1", "2 tháng Giêng"),
    ],
)
def test_days_without_a_year_step_back_over_the_new_year(printed: tuple[str, ...]):
    at = datetime(2026, 1, 5, 3, tzinfo=UTC)
    rows = [(day, 100 + number, 0) for number, day in enumerate(printed)]
    days = ["2025-12-30", "2025-12-31", "2026-01-01", "2026-01-02"]
    assert list(followers(read(history(*rows), "tiktok", at))) == days
    assert list(followers(read(history(*rows[::-1]), "tiktok", at))) == days[::-1]


def test_a_leap_day_finds_its_year():
    at = datetime(2028, 3, 9, tzinfo=UTC)
    found = followers(read(history(("February 29", 5, 0), ("March 1", 6, 0)), "tiktok", at))
    assert list(found) == ["2028-02-29", "2028-03-01"]


def test_days_out_of_order_have_no_year_and_are_refused():
    rows = [("November 3", 1, 0), ("November 9", 1, 0), ("November 5", 1, 0)]
    assert "thứ tự" in refusal(history(*rows), "tiktok").sentence


def test_the_single_file_with_iso_dates_is_read_and_its_zip_name_means_nothing():
    header = ("Date", "Video views", "Profile views", "Likes", "Comments", "Shares", "Followers", "Net followers")
    row = ("2026-11-10", 9, 8, 7, 6, 5, "12,790", -3)
    packed = archive({"Overview_1700000000.csv": sheet(header, row)})
    assert followers(read(packed, "tiktok")) == {"2026-11-10": 12790}


def test_flows_and_audiences_in_an_archive_are_named_and_left_out():
    files = {
        "FollowerHistory.csv": sample("tiktok/studio/FollowerHistory.csv"),
        "Overview.csv": sample("tiktok/studio/Overview_vi_dates.csv"),
        "Viewers.csv": sample("tiktok/studio/Viewers.csv"),
        "FollowerGender.csv": sheet(("Gender", "Distribution"), ("Female", "0.6")),
        "ghi-chu.txt": b"x",
        "__MACOSX/._FollowerHistory.csv": b"\x00",
    }
    found = read(archive(files), "tiktok")
    assert len(found.reading.snapshots) == 4
    notes = all_notes(found)
    assert "«Overview.csv» (4 ngày có số)" in notes
    assert "«Viewers.csv» (1 ngày có số)" in notes  # an unfinished day is no day of zero
    assert "«FollowerGender.csv»: số liệu về khán giả" in notes
    assert "«ghi-chu.txt»" in notes


@pytest.mark.parametrize("name", ["Overview_en_year_boundary", "Overview_vi_dates", "Viewers"])
def test_a_file_of_flows_alone_is_refused_with_what_to_export_instead(name: str):
    assert "FollowerHistory" in refusal(sample(f"tiktok/studio/{name}.csv"), "tiktok").sentence


def test_a_video_is_as_old_as_its_id_says():
    found = read(sample("tiktok/studio/Content.csv"), "tiktok")
    (video,) = found.reading.posts
    assert (video.platform_id, video.published_at) == (VIDEO_ID, datetime.fromtimestamp(1795089731, UTC))
    assert (video.date_source, video.date_confidence) == (DateSource.URL, Confidence.EXACT)
    assert video.counts == Counts(reactions=812, comments=31, shares=12, views=18440)
    assert "15 video" in all_notes(found)


def test_a_video_whose_printed_day_disagrees_with_its_id_is_skipped():
    rows = [VIDEO, (*VIDEO[:3], "November 9", *VIDEO[4:]), (*VIDEO[:2], LINK.replace("77098", "99098"), *VIDEO[3:])]
    found = read(sheet(CONTENT, *rows), "tiktok")
    assert list(reasons(found)) == [3, 4]
    assert "không khớp" in reasons(found)[3]


def test_videos_of_another_account_refuse_the_file():
    other = (*VIDEO[:2], LINK.replace("@tuoitrebinhtan", "@nguoikhac"), *VIDEO[3:])
    assert refusal(sheet(CONTENT, other), "tiktok").row == 2


def test_a_workbook_holds_the_same_as_the_csv():
    rows = [HISTORY, ("November 17", 12805, 9), (datetime(2026, 11, 18), 12814.0, 0)]  # noqa: DTZ001 - as Excel has it
    assert followers(read(workbook(*rows), "tiktok")) == {"2026-11-17": 12805, "2026-11-18": 12814}


# --- YouTube ------------------------------------------------------------------------------------------------------


def test_the_daily_table_of_youtube_is_refused_with_the_way_to_the_total():
    sentence = refusal(sample("youtube/studio_table_data_UNCONFIRMED.csv"), "youtube").sentence
    assert "tăng giảm" in sentence
    assert "«YouTube Studio»" in sentence


def test_the_table_by_video_gives_videos_without_counts():
    rows = [("Total", "", "", 900, 3, 5), ("abc-DEF_123", "Tin (mẫu)", "Nov 15, 2026", 900, 3, 5)]
    found = read(sheet((*STUDIO, "Cột lạ"), *rows), "youtube")
    (video,) = found.reading.posts
    assert (video.platform_id, video.counts, video.date_confidence) == ("abc-DEF_123", None, Confidence.DAY)
    assert video.published_at == datetime(2026, 11, 14, 17, tzinfo=UTC)
    assert reasons(found) == {2: "dòng tổng"}
    assert "«Cột lạ»" in all_notes(found)


def test_the_smallest_table_of_an_archive_names_every_video_once():
    row = ("abc-DEF_123", "Tin (mẫu)", "15 thg 11, 2026", 900, 3, 5)
    chart = sheet(("Date", *STUDIO), ("2026-11-15", *row), ("2026-11-16", *row), ("2026-11-17", *row))
    found = read(archive({"Chart data.csv": chart, "Table data.csv": sheet(STUDIO, row)}), "youtube")
    assert (len(found.reading.posts), found.skipped) == (1, ())


# --- the plain template -------------------------------------------------------------------------------------------


def test_the_template_is_recognised_and_its_sample_row_is_no_number():
    found = read(write_template(), "website")
    assert found.rows == ()
    assert reasons(found) == {2: "dòng mẫu"}


@pytest.mark.parametrize("platform", ["facebook", "tiktok", "youtube", "zalo", "website"])
def test_the_template_serves_every_platform(platform: str):
    (one,) = read(filled(("2026-11-18", "1.234", "", "0", "", "trang chủ")), platform).reading.snapshots
    assert one.observed_at == datetime(2026, 11, 18, 17, tzinfo=UTC)
    assert (one.followers, one.likes, one.posts, one.views) == (1234, None, 0, None)
    assert (one.source, one.precision) == (Source.SHEET, Precision.REPORTED)


def test_a_number_from_youtube_studio_is_exact_for_a_youtube_channel_only():
    row = ("2026-11-18", "1204", "", "", "", "YouTube Studio")
    (ours,) = read(filled(row), "youtube").reading.snapshots
    assert (ours.source, ours.precision) == (Source.YOUTUBE_STUDIO, Precision.EXACT)
    (other,) = read(filled(row), "facebook").reading.snapshots
    assert other.source is Source.SHEET


def test_a_rounded_number_says_so_and_a_coarse_one_is_skipped():
    found = read(filled(("2026-11-18", "12,3K", "", "", "", "x"), ("2026-11-17", "1K", "", "", "", "x")))
    (one,) = found.reading.snapshots
    assert (one.followers, one.precision) == (12300, Precision.ROUNDED)
    assert "quá thô" in reasons(found)[3]


def test_a_day_that_has_not_ended_is_not_imported():
    rows = [("2026-11-19", 1, "", "", "", ""), ("2026-11-20", 2, "", "", "", ""), ("2026-12-20", 3, "", "", "", "")]
    found = read(filled(*rows))
    assert followers(found) == {"2026-11-19": 1}
    assert list(reasons(found)) == [3, 4]


def test_a_file_dated_to_the_end_of_a_day_holds_that_day():
    end = datetime(2026, 11, 20, 16, 59, 59, tzinfo=UTC)
    assert followers(read(filled(("2026-11-20", 2, "", "", "", "")), exported_at=end)) == {"2026-11-20": 2}


@pytest.mark.parametrize("cell", ["abc", "-3", "3.5", "1,23", "1.2.3", "12,345.678", "٣٤", "1e5", "9" * 16, "=1+1"])
def test_what_is_no_count_is_skipped_and_never_guessed(cell: str):
    found = read(filled(("2026-11-18", cell, "7", "", "", "")))
    assert found.rows == ()
    assert list(reasons(found)) == [2]


def test_a_cell_that_is_no_count_is_named_by_its_column_and_row():
    rows = [("2026-11-18", 5, "nhiều", "", "", ""), ("2026-11-17", "3.5", "", "", "", "")]
    assert reasons(read(filled(*rows))) == {
        2: "cột «Lượt thích» có ô không phải là số đếm nguyên",
        3: "cột «Số người theo dõi» có ô không phải là số đếm nguyên",
    }
    assert reasons(read(history(("November 17", "-5", 0)), "tiktok"))[2].startswith("cột «Followers» có số âm")


@pytest.mark.parametrize("cell", ["", "undefined", "N/A", "-", "null"])
def test_an_empty_cell_is_missing_and_no_zero(cell: str):
    (one,) = read(filled(("2026-11-18", cell, "7", "", "", ""))).reading.snapshots
    assert (one.followers, one.likes) == (None, 7)


def test_a_day_twice_is_skipped_when_equal_and_refused_when_not():
    row = ("2026-11-18", 5, "", "", "", "")
    assert reasons(read(filled(row, row))) == {3: "trùng với một dòng trên"}
    assert refusal(filled(row, ("18/11/2026", 6, "", "", "", ""))).row == 3


def test_two_columns_of_one_meaning_are_refused():
    header = (*TEMPLATE, "Người theo dõi")
    assert refusal(sheet(header, ("2026-11-18", 5, "", "", "", "", 6))).row == 1


def test_days_of_a_person_may_be_ambiguous_too():
    assert refusal(filled(("05/11/2026", 5, "", "", "", ""))).row == 2
    assert followers(read(filled(("05/11/2026", 5, "", "", "", ""), ("18/11/2026", 6, "", "", "", "")))) == {
        "2026-11-05": 5,
        "2026-11-18": 6,
    }


# --- which is which -----------------------------------------------------------------------------------------------


def test_a_file_is_refused_for_a_channel_of_another_platform():
    sentence = refusal(sample("tiktok/studio/FollowerHistory.csv"), "youtube").sentence
    assert "TikTok Studio" in sentence
    assert "--channel" in sentence


def test_an_unknown_file_is_told_which_kinds_are_known():
    sentence = refusal(sheet(("a", "b"), (1, 2))).sentence
    assert all(export.label in sentence for export in EXPORTS.values())


def test_daily_views_without_a_source_column_never_pass_for_a_total():
    assert "Không nhận ra" in refusal(sheet(("Ngày", "Lượt xem"), ("2026-11-18", 412)), "youtube").sentence


def test_utf_16_and_tabs_are_read_and_other_encodings_refused():
    rows = (TEMPLATE, ("2026-11-18", 5, "", "", "", ""))
    assert followers(read(sheet(*rows, encoding="utf-16", delimiter="\t"))) == {"2026-11-18": 5}
    assert "UTF-8" in refusal(sheet(("Ngày", "é"), ("à", "è"), encoding="cp1252")).sentence


def test_names_of_columns_are_known_in_any_unicode_form():
    header = ("NGÀY", "số người theo dõi ", "\u202eLượt thích", "Nguồn\u00a0số liệu")
    assert followers(read(sheet(header, ("2026-11-18", 5, 6, "")))) == {"2026-11-18": 5}


def test_control_and_direction_signs_are_taken_out_of_texts():
    found = read(meta((*PHOTO[:2], "Tin\u202e tốt\x07 (mẫu)", *PHOTO[3:])))
    assert [post.title for post in found.reading.posts] == ["Tin tốt (mẫu)"]
