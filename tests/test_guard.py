from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.base import CollectError, GateError
from collectors.client import Client
from collectors.guard import Gate, is_public, parse
from store.records import FailureKind
from tests.fault_server import FaultServer, answer

NOT_PUBLIC = [
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.254", "127.0.0.1"),
    *("127.0.53.1", "127.255.255.254", "169.254.0.1", "169.254.169.254", "172.16.0.1", "172.31.255.255"),
    *("192.0.0.1", "192.0.0.8", "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.0.1", "192.168.255.255"),
    *("198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255"),
    *("240.0.0.1", "255.255.255.255", "::", "::1", "::127.0.0.1", "::8.8.8.8", "::ffff:127.0.0.1"),
    *("::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:0:127.0.0.1", "::ffff:0:8.8.8.8"),
    *("64:ff9b::127.0.0.1", "64:ff9b::a00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::808:808", "100::1"),
    *("2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1"),
    *("2002:c0a8:101::1", "2002:a9fe:a9fe::1", "fc00::1", "fd00::1", "fdff:ffff::1", "fe80::1"),
    *("fe80::1%eth0", "febf::1", "fec0::1", "feff::1", "ff02::1", "ff0e::1", "4000::1"),
]
PUBLIC = [
    *("1.1.1.1", "8.8.8.8", "14.225.0.1", "113.160.0.1", "171.244.0.1", "172.15.255.255", "172.32.0.1"),
    *("192.0.1.1", "198.17.255.255", "223.255.255.255", "2001:ee0::1", "2400:cb00::1", "2606:4700::1111"),
    *("2a00:1450::1", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1"),
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_an_address_of_an_inner_network_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_wrapping_an_ipv4_address_never_changes_the_verdict(address: ipaddress.IPv4Address) -> None:
    number = int(address)
    mapped, nat64 = (
        ipaddress.IPv6Address(0xFFFF << 32 | number),
        f"64:ff9b::{number >> 16:x}:{number & 0xFFFF:x}",
    )
    six_to_four = ipaddress.IPv6Address(0x2002 << 112 | number << 80)
    assert is_public(str(mapped)) == is_public(nat64) == is_public(str(six_to_four)) == is_public(str(address))


HOSTS = [
    *("127.0.0.1", "127.1", "127.0.1", "0", "0.0.0.0", "2130706433", "0x7f000001", "0x7f.1", "0x7f.0.0.1"),
    *(
        "0177.0.0.1",
        "0177.1",
        "017700000001",
        "127.0.0.1.",
        "127.0.0.01",
        "127.000.000.001",
        "0x7F.0x0.0x0.0x1",
    ),
    *("①②⑦.0.0.1", "127。0。0。1", "１２７.0.0.1", "127．0．0．1", "⑯⑨。254。⑯⑨。254", "%31%32%37.0.0.1"),
    *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:0:0:1]", "[::127.0.0.1]"),
    *("[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fe80::1%25lo]", "[fe80::1%lo]", "[fec0::1]", "[v1.127]"),
    *("10.0.0.1", "192.168.1.1", "169.254.169.254", "2852039166", "0xa9fea9fe", "[fd00:ec2::254]"),
    *(
        "localhost",
        "LOCALHOST",
        "localhost.",
        "ip6-localhost",
        "999.1.1.1",
        "1.2.3.4.5",
        "0x",
        "127.0.0.1%00",
    ),
    *("127.0.0.1\t", "127.0.0.1%20", "a..b", "-a.vn", "a b.vn", "", ".", "x" * 64 + ".vn", "ⓔ\u200b.vn/\\"),
]


@pytest.fixture(scope="module")
def listener() -> Iterator[FaultServer]:
    with FaultServer() as server:
        server.on("/", answer(b"reached"))
        yield server


def refusal(url: str) -> CollectError:
    async def visit() -> None:
        async with Client(contact="test", gap_seconds=0, tries=1, deadline_seconds=5) as client:
            await client.get(url)

    with pytest.raises(CollectError) as caught:
        asyncio.run(visit())
    return caught.value


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("host", HOSTS)
def test_no_spelling_of_a_host_reaches_the_inner_network(host: str, scheme: str, listener: FaultServer) -> None:
    for port in (f":{listener.port}", ":80", ""):
        error = refusal(f"{scheme}://{host}{port}/")
        assert error.kind in {FailureKind.BLOCKED, FailureKind.NETWORK}
    assert listener.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://user:pw@good.vn/",
        "http://user@127.0.0.1:{port}/",
        "http://good.vn@127.0.0.1:{port}/",
        "http://user:pw@good.vn@127.0.0.1:{port}/",
        "http://127.0.0.1:{port}#@good.vn/",
        "http://127.0.0.1:{port}\\@good.vn/",
        "http://good.vn\\@127.0.0.1:{port}/",
        "http:\\\\127.0.0.1:{port}\\",
        "http:127.0.0.1:{port}/",
        "http:///127.0.0.1:{port}/",
        "//127.0.0.1:{port}/",
        "127.0.0.1:{port}/",
        "ht\ntp://127.0.0.1:{port}/",
        "http://127.0.0.1\n:{port}/",
        "file:///etc/passwd",
        "ftp://127.0.0.1:{port}/",
        "gopher://127.0.0.1:{port}/_GET",
        "unix:///var/run/docker.sock",
        "data:text/plain,hello",
        "javascript:alert(1)",
        "ws://127.0.0.1:{port}/",
        "http+unix://127.0.0.1:{port}/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:{port}abc/",
        "http://127.0.0.1:-1/",
        "http://[::1/",
        "http://[::1]x:{port}/",
        "http://[127.0.0.1]:{port}/",
        "http://1.1.1.1:22/",
        "http://1.1.1.1:8080/",
        "https://good.vn:6379/",
        "http://good.vn:25/",
        "http://good.vn/" + "a" * 5000,
        "",
        " ",
    ],
)
def test_no_trick_of_an_address_reaches_anything(url: str, listener: FaultServer) -> None:
    assert refusal(url.format(port=listener.port)).kind is FailureKind.BLOCKED
    assert listener.connections == 0


def test_an_exact_host_and_port_of_the_allow_list_is_reached(listener: FaultServer) -> None:
    gate = Gate([f"127.0.0.1:{listener.port}", "[::1]:8080", "localhost:81"])
    assert gate.check(f"http://127.0.0.1:{listener.port}/").port == listener.port
    assert gate.check("http://[0:0::1]:8080/").host == "::1"
    assert gate.check("https://LocalHost:81/x").host == "localhost"


@pytest.mark.parametrize("url", ["http://127.0.0.1:8081/", "http://127.0.0.2:8080/", "http://[::1]:8080/"])
def test_the_allow_list_opens_nothing_beside_its_entries(url: str) -> None:
    with pytest.raises(CollectError):
        Gate(["127.0.0.1:8080"]).check(url)


def test_one_inner_address_among_public_ones_is_refused() -> None:
    gate = Gate(["intranet.vn:80"])
    gate.check_addresses("good.vn", 80, ["1.1.1.1", "2606:4700::1111"])
    with pytest.raises(CollectError) as caught:
        gate.check_addresses("bad.vn", 80, ["1.1.1.1", "10.0.0.5"])
    assert "bad.vn:80" in caught.value.sentence
    assert "district.toml" in caught.value.sentence


def test_the_last_look_knows_only_addresses_of_allowed_names() -> None:
    gate = Gate(["intranet.vn:80", "127.0.0.1:8080"])
    assert not gate.may_connect("10.0.0.5", 80)
    gate.check_addresses("intranet.vn", 80, ["10.0.0.5"])
    assert gate.may_connect("10.0.0.5", 80)
    assert not gate.may_connect("10.0.0.5", 81)
    assert gate.may_connect("127.0.0.1", 8080)
    assert gate.may_connect("1.1.1.1", 443)


def test_a_name_that_leads_inside_is_refused_after_its_look_up(listener: FaultServer) -> None:
    names = {info[4][0] for info in socket.getaddrinfo("localhost", 80)}
    assert names <= {"127.0.0.1", "::1"}
    assert refusal("http://localhost/").kind is FailureKind.BLOCKED


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("HTTP://Good.VN", "http://good.vn/"),
        ("http://good.vn:80/a?b=c#d", "http://good.vn/a?b=c"),
        ("https://good.vn.:443/", "https://good.vn/"),
        (
            "https://good.vn/tin tức/số-1?q=đoàn",
            "https://good.vn/tin%20t%E1%BB%A9c/s%E1%BB%91-1?q=%C4%91o%C3%A0n",
        ),
        ("https://good.vn/a%20b?x=%2F&y=1+2", "https://good.vn/a%20b?x=%2F&y=1+2"),
        ("http://thanhniên.vn/", "http://xn--thanhnin-q1a.vn/"),
        ("http://good.vn/\ud83d", "http://good.vn/%3F"),
        (" http://good.vn/ ", "http://good.vn/"),
    ],
)
def test_an_address_is_written_in_one_way_only(url: str, canonical: str) -> None:
    assert parse(url).url == canonical


def test_what_is_shown_of_an_address_has_no_query() -> None:
    assert parse("https://good.vn/a?token=secret#x").where == "https://good.vn/a"


@given(st.text(max_size=60), st.sampled_from(["", "http://", "https://"]))
def test_any_text_is_an_address_or_a_refusal(text: str, scheme: str) -> None:
    try:
        target = parse(scheme + text)
    except CollectError:
        return
    assert target.url.isascii()
    assert parse(target.url).origin == target.origin


@pytest.mark.parametrize(
    ("origin", "is_followed"),
    [
        ("http://good.vn/", False),
        ("http://10.0.0.5:8080/", True),
        ("http://10.0.0.6:80/", True),
        ("http://10.0.0.5/", True),
    ],
)
def test_a_site_outside_may_not_redirect_into_what_the_allow_list_opens(origin: str, is_followed: bool) -> None:
    gate = Gate(["10.0.0.5:8080", "10.0.0.6:80"])
    try:
        gate.check_redirect(parse(origin), "http://10.0.0.5:8080/quan-tri")
    except GateError:
        assert not is_followed
    else:
        assert is_followed
