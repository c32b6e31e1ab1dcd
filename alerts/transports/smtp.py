"""One letter over one SMTP connection, and what each way of failing means for the letter.

What a server writes in its answers is not shown, because it may repeat addresses: the code says enough.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
import threading
from contextlib import suppress
from dataclasses import dataclass, field

from alerts.base import PassingError, RefusedError, TransportError, UnreadyError
from config.alert_models import Smtp
from config.secrets import Secret

UNREACHABLE = "Không kết nối được tới máy chủ thư {host}. Đề nghị kiểm tra mạng và bảng [smtp] trong alerts.toml."
SLOW = "Máy chủ thư {host} không nhận xong tin trong {seconds:g} giây. Hệ thống tự thử lại."
CUT = "Máy chủ thư {host} ngắt kết nối giữa chừng. Hệ thống tự thử lại."
BUSY = "Máy chủ thư {host} chưa nhận tin (mã {code}). Hệ thống tự thử lại."
NO_STARTTLS = (
    "Máy chủ thư {host} không mã hóa được bằng STARTTLS. Đề nghị hỏi người quản trị máy chủ thư, rồi sửa security."
)
CERTIFICATE = (
    "Chứng chỉ của máy chủ thư {host} không hợp lệ. Đề nghị người quản trị thay chứng chỉ, hoặc khai báo ca_bundle."
)
CERTIFICATES = "Không đọc được chứng chỉ trong tệp {file}. Đề nghị kiểm tra ca_bundle trong bảng [smtp]."
LOGIN = "Máy chủ thư {host} không nhận tài khoản hoặc mật khẩu. Đề nghị kiểm tra user và NHIP_SMTP_PASSWORD."
SENDER = (
    "Máy chủ thư {host} không cho gửi từ địa chỉ sender (mã {code}). Đề nghị kiểm tra sender, user trong bảng [smtp]."
)
ADDRESS = "Máy chủ thư không nhận địa chỉ này (mã {code}). Đề nghị sửa ways của nơi nhận trong alerts.toml."
CONTENT = "Máy chủ thư không nhận nội dung tin (mã {code}). Đề nghị hỏi người quản trị máy chủ thư."
LOGIN_CODES = frozenset({530, 534, 535, 538})
"""It is we who are not let in, whatever was asked (RFC 4954)."""

_MEANINGS: tuple[tuple[type[Exception], str], ...] = (
    (UnicodeError, LOGIN),  # the password has letters that SMTP cannot carry
    (smtplib.SMTPNotSupportedError, LOGIN),
    (smtplib.SMTPServerDisconnected, CUT),
    (ssl.SSLCertVerificationError, CERTIFICATE),
)


@dataclass(slots=True)
class Errand:
    """One letter on its way; `run` blocks and is for a thread, `hang_up` ends it from any other."""

    smtp: Smtp
    password: Secret | None
    context: ssl.SSLContext = field(repr=False)
    address: str = field(repr=False)
    raw: bytes = field(repr=False)
    seconds: float
    handed_over: bool = False
    """From here on the letter may have arrived, whatever is heard of it."""
    accepted: bool = False
    _line: _Line | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _is_over: bool = False

    def run(self) -> TransportError | None:
        """Why the letter was not accepted; None when it was."""
        try:
            with self._open() as line:
                self._talk(line)
        except (OSError, UnicodeError, smtplib.SMTPException, TransportError) as error:
            return None if self.accepted else self._failure(error)
        return None

    def hang_up(self) -> None:
        with self._lock:
            self._is_over = True
            if self._line:
                self._line.cut()

    def _open(self) -> _Line:
        with self._lock:
            if self._is_over:
                raise ConnectionAbortedError
            self._line = _Line(self.smtp, self.context, self.seconds)
        return self._line

    def _talk(self, line: _Line) -> None:
        self._expect(line.connect(self.smtp.host, self.smtp.port), BUSY)
        line.ehlo_or_helo_if_needed()
        if self.smtp.security == "starttls":
            self._encrypt(line)
        if self.smtp.user and self.password:
            line.login(self.smtp.user, self.password.reveal())
        self._expect(line.mail(self.smtp.sender), SENDER)
        self._expect(line.rcpt(self.address), ADDRESS, final=True)
        self.handed_over = True
        self._expect(line.data(self.raw), CONTENT, final=True)
        self.accepted = True

    def _encrypt(self, line: _Line) -> None:
        """Never goes on in clear: whoever stands in between may have hidden that the server can encrypt."""
        if not line.has_extn("starttls"):
            raise self._passing(NO_STARTTLS)
        line.starttls(context=self.context)
        line.ehlo()

    def _expect(self, reply: tuple[int, bytes], sentence: str, *, final: bool = False) -> None:
        """A refusal is *final* where it is about this address or letter, and not about us."""
        code = reply[0]
        if 200 <= code < 300:
            return
        self.handed_over = False
        if code in LOGIN_CODES:
            raise self._passing(LOGIN)
        if code < 500:
            raise self._passing(BUSY, code)
        raise RefusedError(sentence.format(code=code)) if final else self._passing(sentence, code)

    def _failure(self, error: Exception) -> TransportError:
        if isinstance(error, TransportError):
            return error
        if isinstance(error, smtplib.SMTPResponseException):
            self.handed_over = False
            is_busy = error.smtp_code < 500 or not isinstance(error, smtplib.SMTPAuthenticationError)
            return self._passing(BUSY if is_busy else LOGIN, error.smtp_code)
        sentence = next((sentence for kind, sentence in _MEANINGS if isinstance(error, kind)), UNREACHABLE)
        return self._passing(sentence)

    def _passing(self, sentence: str, code: int = 0) -> PassingError:
        words = sentence.format(host=self.smtp.host, code=code)
        return UnreadyError(words) if sentence == LOGIN else PassingError(words, doubtful=self.handed_over)


def cut_off(errand: Errand) -> PassingError | None:
    """The failure of an errand whose time is over; None when only the good-bye was missing."""
    sentence = SLOW.format(host=errand.smtp.host, seconds=errand.seconds)
    return None if errand.accepted else PassingError(sentence, doubtful=errand.handed_over)


class _Line(smtplib.SMTP):
    """A connection that another thread can cut, also while it is being encrypted."""

    def __init__(self, smtp: Smtp, context: ssl.SSLContext, seconds: float) -> None:
        self._tls = context if smtp.security == "tls" else None
        self._end: socket.socket | None = None
        self._is_cut = False
        self._lock = threading.Lock()
        super().__init__(timeout=seconds)
        self._host = smtp.host  # whose certificate STARTTLS wants to see; smtplib forgets it when it connects later

    def cut(self) -> None:
        with self._lock:
            self._is_cut = True
            if self._end:
                with suppress(OSError):
                    self._end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        super().close()
        with self._lock:
            if self._end:
                self._end.close()

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        """What smtplib calls to connect, as its own SMTP_SSL does."""
        plain = socket.create_connection((host, port), timeout)
        with self._lock:
            self._end = plain.dup()  # the same connection, whatever is wrapped around the first handle
        if self._is_cut:
            self.cut()
        return self._tls.wrap_socket(plain, server_hostname=host) if self._tls else plain
