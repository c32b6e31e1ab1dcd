"""Which addresses may be reached at all: judged on the URL, after name resolution, and at the socket.

Addresses come from configuration files, redirects and feeds, so any of them may point into our own network.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, quote, urlsplit

from collectors.base import GateError

log = logging.getLogger(__name__)

DEFAULT_PORTS = {"http": 80, "https": 443}
LONGEST = 4096
_LABELS = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.(?!-)[a-z0-9_-]{1,63})*")
_NUMBER = re.compile(r"(\d+|0x[0-9a-f]*)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\\]")
_KEPT = "/%:@!$&'()*+,;=~|[]"

# `is_global` says yes to some of these (facts: SSRF): protocol assignments, 6to4 relays, old site-local,
# IPv4-compatible, IPv4-translated, local-use NAT64 and Teredo.
_NEVER = tuple(
    ip_network(net)
    for net in (
        "192.0.0.0/24",
        "192.88.99.0/24",
        "fec0::/10",
        "::/96",
        "::ffff:0:0:0/96",
        "64:ff9b:1::/48",
        "2001::/32",
    )
)
_NAT64 = ip_network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class Target:
    """One parsed address. `url` is rebuilt from checked parts, so every later parser reads the same host."""

    url: str
    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    @property
    def where(self) -> str:
        """The address without its query: what logs and errors may show."""
        return self.url.partition("?")[0]


class Gate:
    """Refuses every address that is not public, except exact `host:port` pairs of the allow list."""

    def __init__(self, allow: Iterable[str] = ()) -> None:
        self._allowed = frozenset(entry.lower() for entry in allow)
        self._reachable = set(self._allowed)

    def allows(self, target: Target) -> bool:
        """Whether the allow list names exactly this host and port."""
        return target.authority in self._allowed

    def check(self, url: str) -> Target:
        """The parsed address of *url*; CollectError(BLOCKED) when it must not be reached."""
        target = parse(url)
        if target.authority in self._allowed:
            return target
        if target.port not in DEFAULT_PORTS.values():
            raise _closed(target.authority, f"cổng {target.port} không phải cổng web thường dùng (80, 443)")
        if _is_literal(target.host) and not is_public(target.host):
            raise _closed(target.authority, "địa chỉ này nằm trong mạng nội bộ")
        return target

    def check_redirect(self, origin: Target, url: str) -> Target:
        """As `check`, and the allow list opens nothing to a site that is not on it itself."""
        onward = self.check(url)
        if self.allows(onward) and not self.allows(origin) and onward.host != origin.host:
            raise _closed(onward.authority, "một trang bên ngoài chuyển hướng vào mạng nội bộ")
        return onward

    def check_addresses(self, host: str, port: int, addresses: Iterable[str]) -> None:
        """CollectError(BLOCKED) when any address behind a name is not public: half a trap is a trap."""
        found = list(addresses)
        if f"{host}:{port}" in self._allowed:
            self._reachable.update(_socket_name(address, port) for address in found)
        elif not all(is_public(address) for address in found):
            raise _closed(f"{host}:{port}", "địa chỉ này trỏ vào mạng nội bộ")

    def may_connect(self, address: str, port: int) -> bool:
        """The last look, at the socket: whether this very address may be connected to."""
        return is_public(address) or _socket_name(address, port) in self._reachable


@lru_cache(maxsize=8192)
def parse(url: str) -> Target:
    """The checked parts of an http(s) address; anything two parsers could read in two ways is refused.

    Numeric hosts must be written canonically: no decimal, octal, hexadecimal or shortened IPv4.
    """
    if len(url) > LONGEST:
        raise _invalid(f"dài hơn {LONGEST} ký tự")
    if _CONTROL.search(url):
        raise _invalid("có ký tự điều khiển hoặc dấu «\\»")
    try:
        parts = urlsplit(url.strip(" "))
        port = parts.port
    except ValueError:
        raise _invalid("không đúng dạng địa chỉ web") from None
    if parts.scheme not in DEFAULT_PORTS:
        raise _invalid("chỉ nhận http:// hoặc https://")
    if "@" in parts.netloc:
        raise _invalid("không được chứa tên đăng nhập")
    if port == 0:
        raise _invalid("cổng 0 không dùng được")
    return _rebuild(parts, _host(parts.hostname or ""), port or DEFAULT_PORTS[parts.scheme])


def _rebuild(parts: SplitResult, host: str, port: int) -> Target:
    path = quote(parts.path or "/", safe=_KEPT, errors="replace")
    query = "?" + quote(parts.query, safe=_KEPT + "?", errors="replace") if parts.query else ""
    shown = f"[{host}]" if ":" in host else host
    suffix = "" if port == DEFAULT_PORTS[parts.scheme] else f":{port}"
    url = f"{parts.scheme}://{shown}{suffix}{path}{query}"
    return Target(url, parts.scheme, host, port, path)


def _host(name: str) -> str:
    if ":" in name:
        return _ipv6(name)
    try:
        host = name.encode("idna").decode("ascii").lower().removesuffix(".")
    except UnicodeError:
        raise _invalid("tên máy chủ viết sai") from None
    if len(host) > 253 or not _LABELS.fullmatch(host):
        raise _invalid("tên máy chủ viết sai")
    if _NUMBER.fullmatch(host.rpartition(".")[2]) and not _is_literal(host):
        raise _invalid("máy chủ viết bằng số phải có dạng đầy đủ a.b.c.d")
    return host


def _ipv6(name: str) -> str:
    try:
        address = IPv6Address(name)
    except ValueError:
        raise _invalid("địa chỉ IPv6 viết sai") from None
    if address.scope_id:
        raise _invalid("địa chỉ IPv6 không được kèm tên cổng mạng")
    return str(address)


def _is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=8192)
def is_public(address: str) -> bool:
    """Whether a literal address belongs to the public internet, also when it wraps an IPv4 address."""
    ip = ip_address(address)
    inner = _wrapped(ip)
    if inner is not None:
        return is_public(str(inner))
    special = ip.is_multicast or ip.is_reserved or ip.is_unspecified or ip.is_link_local
    return ip.is_global and not special and not any(ip in net for net in _NEVER)


def _wrapped(ip: IPv4Address | IPv6Address) -> IPv4Address | None:
    """The IPv4 address that a mapped, NAT64 or 6to4 address really leads to."""
    if isinstance(ip, IPv4Address):
        return None
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour


def _socket_name(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _closed(authority: str, reason: str) -> GateError:
    log.warning("refused by the gate", extra={"authority": authority})
    sentence = (
        f"Không đọc «{authority}» vì {reason}. Nếu đúng là trang của đơn vị, "
        f"đề nghị thêm «{authority}» vào mục allow của [network] trong district.toml."
    )
    return GateError(f"refused by the gate: {authority}", sentence)


def _invalid(reason: str) -> GateError:
    sentence = f"Địa chỉ không dùng được: {reason}. Đề nghị sửa địa chỉ trong channels.toml."
    return GateError("refused by the gate: not a usable address", sentence)
