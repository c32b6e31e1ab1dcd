"""`nhip demo`: a simulated district whose year passes in less than a minute, read by the real program."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

import pandas as pd

from config.load import load_config
from config.models import Config
from metrics.periods import local_date
from pipeline import show
from pipeline.clock import utc_now
from pipeline.demo.child import Child
from pipeline.demo.keep import holds_demonstration
from pipeline.demo.play import Played, Story, play
from pipeline.problems import UserError
from pipeline.workplace import database_url, local_text
from store.verbs import open_store

FEWEST_UNITS, MOST_DAYS = 6, 3 * 366
LONG_ENOUGH_FOR_A_WEEK = 21
"""A shorter story has no whole week to show."""
PLATFORMS = {
    "facebook": "Fanpage",
    "tiktok": "TikTok",
    "youtube": "YouTube",
    "zalo": "Zalo OA",
    "website": "Trang thông tin",
}


def run(keep: Path | None, *, days: int, units: int, serve: bool) -> int:
    """0 when the whole story was played and nothing was asked that must not be asked."""
    if not 1 <= days <= MOST_DAYS:
        raise UserError(f"Số ngày phải từ 1 đến {MOST_DAYS}. Đề nghị chọn lại --days.")
    if units < FEWEST_UNITS:
        raise UserError(f"Quận minh họa cần ít nhất {FEWEST_UNITS} đơn vị. Đề nghị chọn lại --units.")
    if keep is not None and holds_demonstration(keep):
        show.say(f"Quận minh họa cũ trong {keep} được thay bằng quận mới.")
    story = Story(units, days, utc_now())
    with _place(keep) as folder, Child(story.seed, units, story.start, days) as district:
        played = _play(folder, story, district)
        config = load_config(folder)
        _print(folder, config, story, played)
        if serve:
            _say_next(folder, config, story)
            _serve(district)
        elif keep is not None:
            _say_next(folder, config, story)
    return 1 if played.report.violations else 0


@contextmanager
def _place(keep: Path | None) -> Iterator[Path]:
    """Where the district lives: in the folder to keep, or in one that goes with it."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
    else:
        with tempfile.TemporaryDirectory(prefix="nhip-demo-") as folder:
            yield Path(folder)


def _play(folder: Path, story: Story, district: Child) -> Played:
    show.say(f"Dữ liệu minh họa: một quận không có thật, {story.units} đơn vị, {story.days} ngày.")
    return play(folder, story, district, partial(show.progress, "Một năm trôi qua"))


def _print(folder: Path, config: Config, story: Story, played: Played) -> None:
    """What was looked at, found, refused and why, by platform."""
    with open_store(database_url(folder, {})) as store:
        looks = store.looks(story.start, story.until)
        posts = store.posts(story.start - timedelta(days=3650), story.until)
        doubts = len(store.open_suspects())
    by_channel = {channel.slug: channel.platform for channel in config.channels.values()}
    looks, posts = (frame.assign(platform=frame["channel"].map(by_channel)) for frame in (looks, posts))
    rows = [
        _row(name, looks[looks["platform"] == key], posts[posts["platform"] == key]) for key, name in PLATFORMS.items()
    ]
    headers = ("Nền tảng", "Kênh", "Lượt xem", "Đọc được", "Bị từ chối", "Bài", "Số liệu", "Yêu cầu gửi đi")
    show.print_table("", headers, [row for row in rows if row[1] != "0"])
    _print_refusals(config, looks)
    first, last = (local_text(moment, config.district.tz) for moment in (story.start, story.until))
    show.say(f"Đã đi qua {played.slots} lượt theo lịch từ {first} đến {last}.")
    told = f"{show.number(played.figures)} số liệu, đánh dấu xong {show.number(played.ticks)} việc của các kế hoạch"
    show.say(f"Các đơn vị đã báo cáo {told}.")
    if doubts:
        show.say(f"{show.number(doubts)} số liệu khác thường đang bị giữ lại, chờ người xác nhận.")
    for violation in played.report.violations[:5]:
        show.warn(f"Yêu cầu không được phép: {violation}.")


def _row(name: str, looks: pd.DataFrame, posts: pd.DataFrame) -> tuple[str, ...]:
    done = looks["state"] == "done"
    totals = (
        looks["channel"].nunique(),
        len(looks),
        int(done.sum()),
        int((~done).sum()),
        len(posts),
        int(looks["snapshots"].sum()),
        int(looks["requests"].sum()),
    )
    return (name, *(show.number(total) for total in totals))


def _print_refusals(config: Config, looks: pd.DataFrame) -> None:
    """Every reason once, with how many looks of how many channels it cost."""
    refused = looks[looks["state"] == "failed"]
    if refused.empty:
        return
    reasons = refused.groupby(["platform", "outcome", "channel"], sort=False)["error"].agg(["size", "last"])
    show.say("Những lượt không đọc được, và vì sao:")
    for (_, _, channel), times, sentence in reasons.itertuples():
        show.say(f"  {config.channels[channel].name}: {show.number(times)} lượt. {sentence}")


def _say_next(folder: Path, config: Config, story: Story) -> None:
    show.say()
    show.say("Xem tiếp:")
    for purpose, words in _next(config, story):
        show.say(f"  {purpose}:")
        show.say(f"    {show.command_line(folder, *words)}")


def _next(config: Config, story: Story) -> Iterator[tuple[str, tuple[str, ...]]]:
    yield "Tuần này từng đơn vị đạt chưa", ("check",)
    if story.days >= LONG_ENOUGH_FOR_A_WEEK:
        year, week, _ = local_date(story.middle, config.district.tz).isocalendar()
        yield "Một tuần giữa kỳ", ("check", "--week", f"{year}-W{week:02}")
    yield "Số liệu khác thường đang chờ xác nhận", ("suspect",)


def _serve(district: Child) -> None:
    """Keep the simulated platforms and websites up until Ctrl+C; their clock goes with ours."""
    show.say("Các nền tảng mô phỏng vẫn đang chạy, nên «doctor» và «collect» cũng dùng được. Nhấn Ctrl+C để dừng.")
    pause = threading.Event()
    with suppress(KeyboardInterrupt):
        while not pause.wait(1):
            district.set_clock(utc_now())
