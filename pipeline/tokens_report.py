"""How the stored tokens stand, in words for people: days left, what is missing, what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from collectors.consent import Consent
from config.models import Channel, Config
from pipeline.secret_names import connect_words, is_token, split, token_name
from store.records import TokenState

THRESHOLDS = (30, 14, 7, 1)
"""Days before its end at which a token is told of."""
URGENT = 14
OPTIONAL = frozenset({"youtube", "tiktok-business"})
"""Channels are read without these too, if less exactly."""
TITLES = {
    "facebook": "Facebook",
    "tiktok": "TikTok",
    "tiktok-business": "TikTok Business",
    "youtube": "YouTube",
    "zalo": "Zalo OA",
}
COSTS = {
    "pages_show_list": "không liệt kê được các Trang",
    "pages_read_engagement": "không đọc được bài đăng và số người theo dõi của Trang",
    "pages_read_user_content": "không đọc được bài đăng của Trang",
    "read_insights": "không có lịch sử số người theo dõi của Trang",
    "user.info.basic": "không đọc được tài khoản TikTok",
    "user.info.stats": "không có số người theo dõi của tài khoản TikTok",
    "video.list": "không đọc được danh sách video",
    "user.account.type": "không biết loại tài khoản TikTok",
    "user.insights": "không có lịch sử 60 ngày của tài khoản TikTok",
    "https://www.googleapis.com/auth/youtube.readonly": "không đọc được kênh YouTube với tư cách chủ kênh",
    "https://www.googleapis.com/auth/yt-analytics.readonly": "không dựng lại được lịch sử số người đăng ký",
}
"""What the program cannot do without a scope."""


@dataclass(frozen=True)
class TokenFinding:
    """How one token stands today: `fix` must be done, `advice` can wait; both are empty when all is well."""

    token: str
    title: str
    state: str
    """live, ending, expired, needs_consent, locked (its key is not here), missing (never connected) or unused (its
    channel is gone)."""
    ends_at: datetime | None = None
    """When a person has to consent again at the latest; None when no platform named a date."""
    days_left: int | None = None
    refreshed_at: datetime | None = None
    fix: str = ""
    advice: str = ""

    @property
    def text(self) -> str:
        """The state in one line of a table."""
        if self.state in WORDS:
            return WORDS[self.state]
        return "✔ Dùng được, không có hạn" if self.days_left is None else f"✔ Còn {self.days_left} ngày"


AGAIN = "Đề nghị chạy «{command}»."
UNCONNECTED = "Chưa kết nối nên chưa đọc được. Đề nghị chạy «{command}»."
LOCKED = "Không có khóa (nhip.key hoặc NHIP_KEY) mở được mã này. Đề nghị đặt lại khóa cũ, hoặc chạy «{command}»."
UNUSED = "Kênh này không còn trong channels.toml nên mã truy cập không được dùng nữa."
WORDS = {
    "expired": "⚙ Đã hết hạn",
    "needs_consent": "⚙ Cần cho phép lại",
    "locked": "⚙ Không mở được",
    "missing": "… Chưa kết nối",
    "unused": "… Không còn dùng",
}


def token_findings(
    states: Sequence[TokenState],
    now: datetime,
    config: Config,
    consents: Mapping[str, Consent],
    *,
    fits: Callable[[str], bool],
) -> list[TokenFinding]:
    """One finding per stored token, and one per watched channel that still has to be connected.

    *fits* knows whether there is a key with this fingerprint.
    """
    tokens = [state for state in states if is_token(state.name) and split(state.name)[0] in consents]
    known = {state.name for state in tokens}
    found = [
        _finding(state, now, config, consents[split(state.name)[0]], is_locked=not fits(state.key_id))
        for state in tokens
    ]
    return found + [_unconnected(name, config) for name in _wanted(config, consents) if name not in known]


def missing_scopes(granted: Iterable[str], consent: Consent) -> list[str]:
    """The needed scopes that were not granted; none when the platform does not say what was."""
    held = set(granted)
    return [scope for scope in consent.scopes if held and scope not in held]


def losses(missing: Iterable[str]) -> str:
    """«user.info.stats (không có số người theo dõi …), …»"""
    return ", ".join(f"{scope} ({COSTS.get(scope, 'thiếu một phần số liệu')})" for scope in missing)


def ends_at(state: TokenState, consent: Consent) -> datetime | None:
    """When a person has to consent again: tokens that renew themselves end with their refresh token."""
    own = state.access_expires_at if consent.refresh is None else state.refresh_expires_at
    return min((end for end in (own, state.checked_until) if end is not None), default=None)


def title_of(name: str, config: Config) -> str:
    """«TikTok: Bản tin Thanh niên»; a shared grant is named by its platform alone."""
    grant, slug = split(name)
    platform = TITLES.get(grant, grant)
    if not slug:
        return f"{platform} (dùng chung)"
    channel = config.channels.get(slug)
    return f"{platform}: {channel.name if channel else slug}"


def _finding(state: TokenState, now: datetime, config: Config, consent: Consent, *, is_locked: bool) -> TokenFinding:
    end = ends_at(state, consent)
    left = None if end is None else (end - now) // timedelta(days=1)
    sound = TokenFinding(state.name, title_of(state.name, config), "live", end, left, state.refreshed_at)
    slug = split(state.name)[1]
    if slug and slug not in config.channels:
        return replace(sound, state="unused", advice=UNUSED)
    if is_locked:
        return replace(sound, state="locked", fix=LOCKED.format(command=connect_words(state.name)))
    return _judged(sound, state, consent)


def _judged(sound: TokenFinding, state: TokenState, consent: Consent) -> TokenFinding:
    again, left = AGAIN.format(command=connect_words(state.name)), sound.days_left
    if state.needs_consent:
        return replace(sound, state="needs_consent", fix=f"Nền tảng không nhận mã truy cập nữa. {again}")
    if left is not None and left < 0:
        return replace(sound, state="expired", fix=f"Mã truy cập đã hết hạn. {again}")
    if missing := missing_scopes(state.scopes, consent):
        return replace(sound, fix=f"Còn thiếu quyền: {losses(missing)}. {again}")
    if left is None or left > THRESHOLDS[0]:
        return sound
    words = f"{_remaining(left)}. {again}"
    ending = replace(sound, state="ending")
    return replace(ending, fix=words) if left <= URGENT else replace(ending, advice=words)


def _remaining(days: int) -> str:
    return f"Mã truy cập còn dùng được {days} ngày" if days else "Mã truy cập hết hạn trong hôm nay"


def _wanted(config: Config, consents: Mapping[str, Consent]) -> list[str]:
    """The tokens without which a watched channel cannot be read."""
    names = [
        token_name(grant, consent, channel.slug)
        for grant, consent in consents.items()
        for channel in config.watched()
        if grant not in OPTIONAL and _belongs(channel, consent)
    ]
    return list(dict.fromkeys(names))


def _belongs(channel: Channel, consent: Consent) -> bool:
    return channel.platform == consent.platform


def _unconnected(name: str, config: Config) -> TokenFinding:
    fix = UNCONNECTED.format(command=connect_words(name))
    return TokenFinding(name, title_of(name, config), "missing", fix=fix)
