"""A23: only the origins of the list, exactly as they are there, and never with credentials."""

import pytest

pytestmark = pytest.mark.django_db

OURS = "https://shop.example.com"
OTHERS = [
    "null",
    "",
    "*",
    "http://shop.example.com",
    "https://shop.example.com:8443",
    "https://shop.example.com.evil.example",
    "https://evil-shop.example.com",
    "https://sub.shop.example.com",
    "https://shop.example.com@evil.example",
    "https://shopxexample.com",
    "https://shop.example.com https://evil.example",
    "file://",
    "chrome-extension://abc",
]


@pytest.fixture(autouse=True)
def _listed(settings):
    settings.CORS_ALLOWED_ORIGINS = [OURS]


@pytest.mark.parametrize("path", ["/auth/email", "/chat", "/chat/history", "/health/live"])
def test_a23_allows_only_what_is_listed(visitor, path):
    for method in ("GET", "POST", "OPTIONS"):
        asked = {"access_control_request_method": "POST"} if method == "OPTIONS" else {}
        for origin in OTHERS:
            answer = visitor.call(method, path, origin=origin, **asked)
            assert "Access-Control-Allow-Origin" not in answer, (method, origin)
        answer = visitor.call(method, path, origin=OURS, **asked)
        assert answer["Access-Control-Allow-Origin"] == OURS
        assert "Access-Control-Allow-Credentials" not in answer
        assert "origin" in answer["Vary"].lower()


def test_a23_allows_nobody_when_nothing_is_listed(visitor, settings):
    settings.CORS_ALLOWED_ORIGINS = []

    for origin in (*OTHERS, OURS):
        assert "Access-Control-Allow-Origin" not in visitor.get("/chat/history", origin=origin)
