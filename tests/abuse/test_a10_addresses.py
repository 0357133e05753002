"""A10: the right address is limited, whatever a request says of itself; never a 500."""

import pytest

pytestmark = pytest.mark.django_db

SPOOFED = [
    {"x_forwarded_for": "203.0.113.9"},
    {"x_forwarded_for": ", ".join(f"203.0.113.{n}" for n in range(20))},
    {"x_forwarded_for": ",".join(["198.51.100.1"] * 5000)},
    {"x_forwarded_for": "garbage"},
    {"x_forwarded_for": "'; DROP TABLE users; --"},
    {"x_forwarded_for": ""},
    {"x_forwarded_for": ",,,"},
    {"x_forwarded_for": "::ffff:203.0.113.9"},
    {"x_forwarded_for": "fe80::1%eth0"},
    {"x_forwarded_for": "[2001:db8::1]:443"},
    {"x_forwarded_for": "203.0.113.9:1234"},
    {"x_forwarded_for": "999.1.1.1"},
    {"forwarded": "for=203.0.113.9;proto=https"},
    {"x_real_ip": "203.0.113.9"},
    {"true_client_ip": "203.0.113.9"},
    {"cf_connecting_ip": "203.0.113.9"},
]


def sign_in(api, **headers):
    return api.post("/auth/email", {"email": "ann@example.com"}, **headers).status_code


def test_a10_counts_by_the_socket_when_no_proxy_is_trusted(api, settings):
    settings.AUTH_RATE_LIMIT = "3/minute"

    found = [sign_in(api, **headers) for headers in SPOOFED]

    assert found == [200] * 3 + [429] * (len(SPOOFED) - 3)


@pytest.mark.parametrize("trusted", [["1"], ["127.0.0.0/8"]])
def test_a10_counts_by_the_last_hop_when_a_proxy_is_trusted(api, settings, trusted):
    settings.TRUSTED_PROXIES, settings.AUTH_RATE_LIMIT = trusted, "2/minute"
    same = [
        "203.0.113.9",
        "198.51.100.1, 203.0.113.9",
        "::ffff:203.0.113.9",
        ",".join(f"10.0.0.{n}" for n in range(60)) + ",203.0.113.9",
        "garbage, 203.0.113.9",
    ]

    assert [sign_in(api, x_forwarded_for=one) for one in same] == [200] * 2 + [429] * 3
    assert sign_in(api, x_forwarded_for="203.0.113.9, 198.51.100.1") == 200


def test_a10_counts_by_the_hop_of_its_depth_when_two_proxies_are_trusted(api, settings):
    settings.TRUSTED_PROXIES, settings.AUTH_RATE_LIMIT = ["2"], "1/minute"
    chains = ["6.6.6.6, 203.0.113.9, 10.0.0.1", "7.7.7.7, 203.0.113.9, 10.0.0.2"]

    assert [sign_in(api, x_forwarded_for=one) for one in chains] == [200, 429]


def test_a10_counts_a_64_as_one_when_a_caller_walks_through_it(api, settings):
    settings.TRUSTED_PROXIES, settings.AUTH_RATE_LIMIT = ["1"], "2/minute"
    walk = [f"2001:db8:1:2:{n:x}::{n:x}" for n in range(1, 30)]

    assert [sign_in(api, x_forwarded_for=one) for one in walk] == [200] * 2 + [429] * 27


def test_a10_never_fails_whatever_a_trusted_proxy_says(api, settings):
    settings.TRUSTED_PROXIES, settings.RATE_LIMITING_ENABLED = ["1"], False

    assert {sign_in(api, **headers) for headers in SPOOFED} == {200}
