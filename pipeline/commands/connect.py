"""`nhip connect PLATFORM`: an owner's consent becomes stored tokens, by copy and paste, without a web server.

What was granted is tried before it is kept: a wrong consent must not replace a good one.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from collectors.base import Collect, CollectError, Credentials
from collectors.consent import Asking, Consent, Grant, setting
from config.models import Config
from config.secrets import Secret, SecretError
from pipeline import prompts
from pipeline.clock import Clock, utc_now
from pipeline.outfit import open_client
from pipeline.pasted import code_in
from pipeline.problems import CONFIG, UserError
from pipeline.renewal import token_set
from pipeline.secret_names import (
    KEYED,
    app_name,
    connect_words,
    given_app_secret,
    is_token,
    key_name,
    split,
    token_name,
    variable,
)
from pipeline.show import say
from pipeline.tokens_report import THRESHOLDS, ends_at, losses, missing_scopes, title_of
from pipeline.trial import REFUSING, TRIALS, try_out
from pipeline.workplace import local_text, open_workplace
from store.records import FailureKind, StoredTokens, TokenSet
from store.tokens import Tokens
from store.vault import Vault
from store.verbs import Store

REFUSED = 1
KEY_HINT = (
    "Tệp khóa {path} vừa được tạo; khóa này mở các mã truy cập đã lưu. "
    "Đề nghị sao lưu tệp ấy ở nơi khác với cơ sở dữ liệu và không gửi cho ai."
)
HOW = (
    "Việc cần làm:",
    "  1. Mở địa chỉ dưới đây bằng trình duyệt đang đăng nhập tài khoản quản trị của kênh.",
    "  2. Bấm đồng ý, giữ nguyên mọi quyền được hỏi.",
    "  3. Trình duyệt sẽ chuyển sang một trang khác (trang ấy báo lỗi cũng không sao).",
    "  4. Chép TOÀN BỘ địa chỉ trên thanh địa chỉ và dán vào đây trong vòng vài phút.",
)

CODE_REFUSED = (
    "Nền tảng không nhận mã vừa dán: mã đã dùng rồi hoặc đã quá hạn. "
    "Đề nghị chạy lại «{command}» và dán địa chỉ mới trong vòng vài phút."
)
OLD_KEPT = "Kết nối cũ vẫn được giữ nguyên."
NOTHING_KEPT = "Chưa có gì được lưu."
KEPT_UNTRIED = "Kết nối mới đã được lưu nhưng chưa đọc thử được kênh. {why}"
COVERS_NONE = (
    "Tài khoản vừa cho phép không quản lý Trang nào trong channels.toml, còn kết nối cũ thì có. "
    "Đề nghị chạy lại bằng tài khoản quản trị các Trang."
)

T = TypeVar("T")


@dataclass(frozen=True)
class Desk:
    """What every way of connecting needs at hand."""

    config: Config
    store: Store
    vault: Vault
    clock: Clock
    grant: str
    consent: Consent
    environ: Mapping[str, str]
    trials: Mapping[str, Collect]

    @property
    def tokens(self) -> Tokens:
        return self.store.tokens(self.vault)


def run(
    folder: Path,
    platform: str,
    *,
    channel: str | None,
    token: bool,
    key: bool,
    consents: Mapping[str, Consent],
    trials: Mapping[str, Collect] = TRIALS,
    clock: Clock = utc_now,
    environ: Mapping[str, str] = os.environ,
) -> int:
    """0 when something usable was stored, 1 when the platform refused; UserError when asked for nonsense."""
    if platform not in consents:
        problem = f"Không có nền tảng «{platform}»" if platform else "Chưa chọn nền tảng"
        raise UserError(f"{problem}. Đề nghị viết một trong: {', '.join(consents)}; ví dụ: nhip connect facebook.")
    with open_workplace(folder) as (config, store):
        desk = Desk(config, store, Vault(folder, environ), clock, platform, consents[platform], environ, trials)
        _refuse_unusable_key(desk.vault)
        if key:
            return _keep_key(desk)
        name = token_name(platform, desk.consent, _channel_of(desk, channel))
        try:
            return _paste_token(desk, name) if token else _ask_consent(desk, name)
        except CollectError as error:
            say(error.sentence)
            _hint_at_app_secret(desk)
            return REFUSED


def _refuse_unusable_key(vault: Vault) -> None:
    """Before a person goes through a consent that could not be stored; SecretError says what is wrong."""
    if vault.has_key:
        vault.seal("", {})


def rotate_key(folder: Path, *, environ: Mapping[str, str] = os.environ) -> int:
    """0 after everything stored was sealed again with the first of the keys; the old one may go then."""
    with open_workplace(folder) as (_, store):
        count = store.tokens(Vault(folder, environ)).reseal()
    say(f"Đã mã hóa lại {count} mục bằng khóa đứng đầu. Khóa cũ không còn cần nữa, trừ khi khôi phục bản sao lưu cũ.")
    return 0


def _channel_of(desk: Desk, slug: str | None) -> str:
    """The channel that the owner speaks for; the only one there is need not be named."""
    slugs = [one.slug for one in desk.config.channels.values() if one.platform == desk.consent.platform]
    if desk.consent.shared:
        if slug:
            raise UserError(f"{desk.grant} dùng chung một kết nối cho mọi kênh. Chạy lại không có --channel.")
        return ""
    if slug is None and len(slugs) == 1:
        return slugs[0]
    if slug in slugs:
        return slug
    named = (
        f"Các kênh {desk.consent.platform}: {', '.join(slugs)}." if slugs else "Khai kênh trong channels.toml trước."
    )
    raise UserError(f"Cần ghi --channel MÃ_KÊNH của đúng kênh {desk.consent.platform}. {named}")


def _ask_consent(desk: Desk, name: str) -> int:
    """The whole way: consent page, pasted address, first tokens, what was granted."""
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    address = _address(desk, state, verifier)
    app_secret = _app_secret(desk)
    for line in (f"Kết nối {title_of(name, desk.config)}.", *HOW, "", address, ""):
        say(line)
    code = code_in(prompts.ask("Dán địa chỉ nhận được:"), state)
    try:
        grant = _with_platform(desk, app_secret, lambda asking: desk.consent.exchange(asking, code, verifier))
    except CollectError as error:
        if error.kind is not FailureKind.AUTH:
            raise
        _refuse(desk, name, CODE_REFUSED.format(command=connect_words(name)))
        _hint_at_app_secret(desk)
        return REFUSED
    return _keep(desk, name, app_secret, grant)


def _address(desk: Desk, state: str, verifier: str) -> str:
    """The consent page; UserError when district.toml does not say enough of our app."""
    try:
        return desk.consent.address(desk.config.district.platforms, state, verifier)
    except CollectError as error:
        raise UserError(error.sentence, CONFIG) from error


def _refuse_unsaid_app(desk: Desk) -> None:
    """A ready token needs no way back to us, but the platform has to know whose it is."""
    try:
        setting(desk.config.district.platforms, desk.consent.platform, "app_id")
    except CollectError as error:
        raise UserError(error.sentence, CONFIG) from error


def _paste_token(desk: Desk, name: str) -> int:
    """A token that was made elsewhere: the system user of a Facebook business portfolio."""
    if desk.consent.refresh is not None or desk.consent.inspect is None:
        raise UserError(f"{desk.grant} không nhận mã truy cập dán sẵn. Chạy lại không có --token.")
    _refuse_unsaid_app(desk)
    app_secret = _app_secret(desk)
    access = prompts.ask_secret("Dán mã truy cập (màn hình không hiện):")
    inspect = desk.consent.inspect
    health = _with_platform(desk, app_secret, lambda asking: inspect(asking, access))
    if not health.is_valid:
        say("Nền tảng không nhận mã truy cập này nên không lưu. Đề nghị tạo mã mới rồi dán lại.")
        return REFUSED
    scopes = tuple(scope for scope in desk.consent.scopes if scope not in health.missing)
    return _keep(desk, name, app_secret, Grant(access, access_expires_at=health.expires_at, scopes=scopes))


def _keep_key(desk: Desk) -> int:
    if desk.grant != KEYED:
        raise UserError(f"{desk.grant} không dùng khóa API. Chạy lại không có --key.")
    value = prompts.ask_secret("Dán khóa API của dự án Google Cloud (màn hình không hiện):")
    _make_key(desk)
    desk.tokens.keep(key_name(desk.grant), TokenSet(value), desk.clock())
    say("Đã lưu khóa API (được mã hóa). Số liệu đọc bằng khóa chỉ được giữ 30 ngày theo điều khoản của YouTube;")
    say("muốn giữ lâu dài, chủ kênh cho phép bằng: nhip connect youtube --channel MÃ_KÊNH")
    return 0


def _app_secret(desk: Desk) -> Secret:
    """The secret of our app: from the environment, from the table, or asked for."""
    given = given_app_secret(desk.grant, desk.environ)
    stored = _stored_app_secret(desk) if given is None else None
    if found := given or (stored.tokens.access if stored else None):
        return found
    return prompts.ask_secret(f"Mã bí mật của ứng dụng {desk.grant} (app secret, màn hình không hiện):")


def _stored_app_secret(desk: Desk) -> StoredTokens | None:
    return _stored(desk, app_name(desk.grant))


def _stored(desk: Desk, name: str) -> StoredTokens | None:
    """None also when its key is lost: connecting again is the way out of that."""
    try:
        return desk.tokens.find(name)
    except SecretError:
        return None


def _with_platform(desk: Desk, app_secret: Secret, ask: Callable[[Asking], Awaitable[T]]) -> T:
    async def go() -> T:
        async with open_client(desk.config, desk.clock) as client:
            return await ask(Asking(client, desk.config.district.platforms, app_secret, desk.clock()))

    return asyncio.run(go())


def _refuse(desk: Desk, name: str, sentence: str) -> int:
    """Say why nothing was stored, and what became of the connection there was."""
    old = _stored(desk, name)
    say(f"{sentence} {OLD_KEPT if old and not old.state.needs_consent else NOTHING_KEPT}")
    return REFUSED


def _tried(desk: Desk, name: str, app_secret: Secret, grant: Grant) -> CollectError | None:
    """What a gentle look at the channel complains of; None when it went well, or when nothing can be tried."""
    slug, collect = split(name)[1], desk.trials.get(desk.grant)
    if not slug or collect is None:
        return None
    fresh = Credentials(grant.access, app_secret=app_secret, scopes=grant.scopes, account=grant.account)
    channel = desk.config.channels[slug]
    return asyncio.run(try_out(desk.config, desk.store, desk.clock, channel, desk.grant, fresh, collect))


def _keep(desk: Desk, name: str, app_secret: Secret, grant: Grant) -> int:
    """Store what was granted, unless it opens another account than the channel's, or less than what there was."""
    trouble = _tried(desk, name, app_secret, grant)
    if trouble and trouble.kind in REFUSING:
        return _refuse(desk, name, trouble.sentence)
    if _loses_all_pages(desk, name, app_secret, grant):
        return _refuse(desk, name, COVERS_NONE)
    code = _store(desk, name, app_secret, grant)
    if trouble:
        say(KEPT_UNTRIED.format(why=trouble.sentence))
    return code


def _store(desk: Desk, name: str, app_secret: Secret, grant: Grant) -> int:
    _make_key(desk)
    now = desk.clock()
    if given_app_secret(desk.grant, desk.environ) is None:
        desk.tokens.keep(app_name(desk.grant), TokenSet(app_secret), now)
    _warn_of_same_account(desk, name, grant)
    desk.tokens.keep(name, token_set(grant), now)
    say(f"Đã kết nối {title_of(name, desk.config)}. Mã truy cập được lưu dạng mã hóa.")
    _say_end(desk, name)
    _say_uncovered(desk, app_secret, grant)
    return _say_missing(desk, grant)


def _make_key(desk: Desk) -> None:
    if desk.vault.create_key():
        say(KEY_HINT.format(path=desk.vault.path))


def _warn_of_same_account(desk: Desk, name: str, grant: Grant) -> None:
    """The browser was still signed in to the other channel: the commonest slip."""
    for state in desk.store.token_states():
        same = is_token(state.name) and state.name != name and split(state.name)[0] == desk.grant
        if same and grant.account and state.account == grant.account:
            other = title_of(state.name, desk.config)
            say(f"Lưu ý: tài khoản vừa cho phép cũng là tài khoản của {other}. Nếu nhầm, đăng nhập đúng rồi chạy lại.")


def _say_end(desk: Desk, name: str) -> None:
    stored = desk.tokens.find(name)
    assert stored is not None
    end = ends_at(stored.state, desk.consent)
    if end is None:
        say("Nền tảng không ghi hạn của kết nối này.")
        return
    days = (end - desk.clock()).days
    until = local_text(end, desk.config.district.tz)
    say(f"Kết nối còn dùng được {days} ngày (đến {until}); hệ thống nhắc trước {THRESHOLDS[0]} ngày.")


def _loses_all_pages(desk: Desk, name: str, app_secret: Secret, grant: Grant) -> bool:
    """Whether the stored connection opens some of our Pages and the new one none; a silent platform proves nothing."""
    from collectors.facebook.consent import CONSENT

    old = _stored(desk, name) if desk.consent is CONSENT else None
    if old is None or old.state.needs_consent:
        return False
    return _opens_a_page(desk, app_secret, grant.access) is False and bool(
        _opens_a_page(desk, app_secret, old.tokens.access)
    )


def _opens_a_page(desk: Desk, app_secret: Secret, access: Secret) -> bool | None:
    """Whether a token opens at least one watched Page; None when the platform did not say."""
    from collectors.facebook.consent import covered, pages

    try:
        granted = _with_platform(desk, app_secret, lambda asking: pages(asking, access))
    except CollectError as error:
        return False if error.kind in REFUSING else None
    return bool(covered(desk.config.watched(), granted))


def _say_uncovered(desk: Desk, app_secret: Secret, grant: Grant) -> None:
    """Which of our Pages the connected account may not wholly read."""
    from collectors.facebook.consent import CONSENT, pages, uncovered

    if desk.consent is not CONSENT:
        return
    try:
        granted = _with_platform(desk, app_secret, lambda asking: pages(asking, grant.access))
    except CollectError as error:
        say(error.sentence)
        return
    for sentence in uncovered(desk.config.watched(), granted):
        say(sentence)


def _say_missing(desk: Desk, grant: Grant) -> int:
    missing = missing_scopes(grant.scopes, desk.consent)
    if missing:
        say(f"Còn thiếu quyền: {losses(missing)}.")
        say("Đề nghị chạy lại lệnh này và giữ nguyên mọi quyền được hỏi.")
        return REFUSED
    say("Việc tiếp theo: nhip doctor (kiểm tra kết nối), rồi nhip collect --now (đọc ngay).")
    return 0


def _hint_at_app_secret(desk: Desk) -> None:
    if given_app_secret(desk.grant, desk.environ) is None and _stored_app_secret(desk) is not None:
        name = variable(desk.grant, "SECRET")
        say(f"Nếu mã bí mật của ứng dụng đã đổi, đặt mã mới vào biến {name} (hoặc tệp {name}_FILE) rồi chạy lại.")
