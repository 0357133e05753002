"""client.py: who is calling, behind proxies that are known and ones that are not."""

import pytest
from django.test import RequestFactory

from chatsite.core import client


def address(remote="10.0.0.1", forwarded=None):
    headers = {"X-Forwarded-For": forwarded} if forwarded is not None else {}
    request = RequestFactory().get("/", headers=headers)
    request.META["REMOTE_ADDR"] = remote
    return client.address(request)


@pytest.mark.parametrize(
    ("proxies", "remote", "forwarded", "found"),
    [
        # Nobody is trusted.
        ([], "198.51.100.7", None, "198.51.100.7"),
        ([], "198.51.100.7", "203.0.113.1", "198.51.100.7"),
        ([], "2001:db8::1", None, "2001:db8::1"),
        ([], "::ffff:198.51.100.7", None, "198.51.100.7"),
        ([], "fe80::1%eth0", None, "fe80::1"),
        ([], "", None, "0.0.0.0"),
        ([], "", "203.0.113.1", "0.0.0.0"),
        ([], "garbage", "203.0.113.1", "0.0.0.0"),
        # Networks are trusted.
        (["10.0.0.0/8"], "10.0.0.1", "203.0.113.1", "203.0.113.1"),
        (["10.0.0.0/8"], "198.51.100.7", "203.0.113.1", "198.51.100.7"),
        (["10.0.0.0/8"], "10.0.0.1", "1.2.3.4, 203.0.113.1", "203.0.113.1"),
        (["10.0.0.0/8"], "10.0.0.1", "1.2.3.4, 203.0.113.1, 10.9.9.9", "203.0.113.1"),
        (["10.0.0.0/8"], "10.0.0.1", "10.2.2.2, 10.3.3.3", "10.2.2.2"),
        (["10.0.0.0/8"], "10.0.0.1", None, "10.0.0.1"),
        (["10.0.0.0/8"], "10.0.0.1", "", "10.0.0.1"),
        (["10.0.0.0/8"], "10.0.0.1", "unknown", "10.0.0.1"),
        (["10.0.0.0/8"], "10.0.0.1", "203.0.113.1, <script>", "10.0.0.1"),
        (["10.0.0.0/8"], "10.0.0.1", "::ffff:203.0.113.1", "203.0.113.1"),
        (["10.0.0.0/8"], "::ffff:10.0.0.1", "203.0.113.1", "203.0.113.1"),
        (["10.0.0.0/8"], "10.0.0.1", "[2001:db8::1]", "2001:db8::1"),
        (["10.0.0.0/8"], "10.0.0.1", "fe80::1%eth0", "fe80::1"),
        (["10.0.0.1"], "10.0.0.1", "203.0.113.1", "203.0.113.1"),
        (["10.0.0.5/8"], "10.0.0.1", "203.0.113.1", "203.0.113.1"),
        (["10.0.0.1", "2001:db8::/32"], "10.0.0.1", "1.2.3.4, 2001:db8::9", "1.2.3.4"),
        # A unix socket: the proxy is on this machine.
        (["127.0.0.1"], "", "203.0.113.1", "203.0.113.1"),
        (["127.0.0.1"], "", None, "0.0.0.0"),
        # A number of proxies is trusted.
        (["1"], "10.0.0.1", "203.0.113.1", "203.0.113.1"),
        (["1"], "10.0.0.1", "1.2.3.4, 203.0.113.1", "203.0.113.1"),
        (["2"], "10.0.0.1", "1.2.3.4, 203.0.113.1, 10.0.0.2", "203.0.113.1"),
        (["2"], "10.0.0.1", "203.0.113.1", "203.0.113.1"),
        (["1"], "10.0.0.1", None, "10.0.0.1"),
        (["1"], "10.0.0.1", "garbage", "10.0.0.1"),
        (["1"], "", "203.0.113.1", "203.0.113.1"),
        (["0"], "10.0.0.1", "203.0.113.1", "10.0.0.1"),
    ],
)
def test_finds_the_address_when(settings, proxies, remote, forwarded, found):
    settings.TRUSTED_PROXIES = proxies

    assert address(remote, forwarded) == found


def test_reads_twenty_hops_when_there_are_thousands(settings):
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    hops = ["203.0.113.1", *["10.1.1.1"] * 5000]

    assert address("10.0.0.1", ", ".join(hops)) == "10.1.1.1"
    assert address("10.0.0.1", ", ".join(hops[:20])) == "203.0.113.1"


def test_ignores_the_forwarded_header_when_a_proxy_is_trusted(settings):
    settings.TRUSTED_PROXIES = ["10.0.0.1"]
    request = RequestFactory().get(
        "/", headers={"Forwarded": "for=203.0.113.1", "X-Real-IP": "203.0.113.2"}
    )
    request.META["REMOTE_ADDR"] = "10.0.0.1"

    assert client.address(request) == "10.0.0.1"


@pytest.mark.parametrize(
    ("caller", "counted"),
    [
        ("203.0.113.1", "203.0.113.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::1", "::/64"),
    ],
)
def test_counts_an_ipv6_network_as_one_when_limits_ask(caller, counted):
    assert client.network(caller) == counted


@pytest.mark.parametrize("given", ["abcdefgh", "A-b_c.1234", "a" * 64])
def test_keeps_the_request_id_when_it_is_well_formed(given):
    request = RequestFactory().get("/", headers={"X-Request-ID": given})

    assert client.request_id(request) == given


@pytest.mark.parametrize(
    "given", ["", "short", "a" * 65, "with space", "line\nbreak", "é" * 8, "abcdefgh\n"]
)
def test_makes_a_request_id_when_the_given_one_is_not_well_formed(given):
    request = RequestFactory().get("/")
    request.META["HTTP_X_REQUEST_ID"] = given

    first, second = client.request_id(request), client.request_id(request)

    assert len(first) == 32
    assert first not in (given, second)
