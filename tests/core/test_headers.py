"""Headers: security on every route, the request's id, CORS by an exact list, caching."""

import re

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from tests.support import problem

pytestmark = pytest.mark.django_db

ORIGIN = "https://shop.example"
SAMPLES = {
    "row:message_id": "x" * 22,
    "row:answer_id": "x" * 22,
}


def routes(patterns, prefix="/"):
    """A path of every route, the admin's by its entrance."""
    for pattern in patterns:
        route = str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if pattern.app_name == "admin":
                yield prefix + route
            else:
                yield from routes(pattern.url_patterns, prefix + route)
        elif isinstance(pattern, URLPattern) and not re.search(r"[\^$\\]", route):
            yield prefix + re.sub(r"<([\w:]+)>", lambda found: SAMPLES[found[1]], route)


ROUTES = sorted(set(routes(get_resolver().url_patterns)))


def test_walks_the_routes_when_looking_at_all():
    assert {"/chat", "/auth/email", "/chat/history", "/health", "/admin/", "/api/schema"} <= {
        *ROUTES
    }


@pytest.mark.parametrize("path", [*ROUTES, "/nothing", "/static/nothing.js"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_has_the_security_headers_when_any_route_answers(api, method, path):
    response = api.call(method, path)

    assert response.status_code < 500 or path.startswith("/health")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["X-Frame-Options"] == "DENY"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in response["Permissions-Policy"]
    assert len(response["X-Request-ID"]) == 32
    if not path.startswith("/static/"):
        policy = response["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
    if not path.startswith(("/static/", "/admin/", "/api/docs", "/widget")):
        assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", [path for path in ROUTES if path.startswith(("/auth", "/chat"))])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_answers_json_when_any_route_of_the_api_refuses(api, method, path):
    response = api.call(method, path, accept="text/html")

    assert response.status_code in (400, 401, 404, 405, 415)
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["request_id"] == response["X-Request-ID"]


def test_sets_no_cookie_when_the_api_answers(visitor):
    for path in ("/auth/session", "/chat/history", "/nothing"):
        assert not visitor.get(path).cookies


def test_promises_https_when_it_is_used(api, settings):
    settings.SECURE_HSTS_SECONDS = 31536000

    plain = api.get("/health/live")
    secure = api.get("/health/live", x_forwarded_proto="https")

    assert not plain.has_header("Strict-Transport-Security")
    assert secure["Strict-Transport-Security"].startswith("max-age=31536000;")


def test_names_its_length_when_the_body_is_whole(visitor):
    response = visitor.get("/auth/session")

    assert response["Content-Length"] == str(len(response.content))


# --- The request's id -----------------------------------------------------------------------------


def test_keeps_the_request_id_when_it_is_well_formed(api):
    response = api.get("/nothing", x_request_id="abcd-1234.EFGH_5678")

    assert response["X-Request-ID"] == "abcd-1234.EFGH_5678"
    assert problem(response, 404, "not_found")["request_id"] == "abcd-1234.EFGH_5678"


@pytest.mark.parametrize("given", ["short", "x" * 65, "two words", "a;b=c-d-e"])
def test_makes_a_request_id_when_the_given_one_is_not(api, given):
    found = api.get("/nothing", x_request_id=given)["X-Request-ID"]

    assert found != given
    assert len(found) == 32


def test_names_the_request_in_its_line_when_it_is_logged(api, log_lines):
    response = api.get("/nothing", x_request_id="abcd-1234")
    api.get("/health/live")

    (line,) = [line for line in log_lines() if '"event": "request"' in line]
    assert '"request_id": "abcd-1234"' in line
    assert '"status": 404' in line
    assert response.status_code == 404


# --- CORS -----------------------------------------------------------------------------------------


@pytest.fixture
def shop(settings):
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]


def preflight(api, path, method, headers, origin=ORIGIN):
    return api.call(
        "OPTIONS",
        path,
        origin=origin,
        access_control_request_method=method,
        access_control_request_headers=headers,
    )


def test_allows_what_the_api_needs_when_asked_before(shop, api):
    response = preflight(
        api,
        "/chat",
        "POST",
        "authorization,content-type,idempotency-key,last-event-id,prefer,x-request-id",
    )

    assert response.status_code == 200
    assert response["Access-Control-Allow-Origin"] == ORIGIN
    allowed = {name.strip() for name in response["Access-Control-Allow-Headers"].split(",")}
    assert {
        "authorization",
        "content-type",
        "idempotency-key",
        "last-event-id",
        "prefer",
        "x-request-id",
    } <= allowed
    methods = {name.strip() for name in response["Access-Control-Allow-Methods"].split(",")}
    assert methods == {"GET", "POST", "DELETE", "OPTIONS"}
    assert response["Access-Control-Max-Age"] == "7200"
    assert not response.has_header("Access-Control-Allow-Credentials")


def test_lets_scripts_read_what_they_need_when_it_answers(shop, api):
    response = api.get("/auth/session", origin=ORIGIN)

    assert response["Access-Control-Allow-Origin"] == ORIGIN
    exposed = {name.strip() for name in response["Access-Control-Expose-Headers"].split(",")}
    assert exposed == {
        "Idempotency-Replayed",
        "Location",
        "RateLimit",
        "RateLimit-Policy",
        "Retry-After",
        "X-Request-ID",
    }
    assert "origin" in response["Vary"].lower()


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://shop.example",
        "https://shop.example.evil.example",
        "https://evil-shop.example",
        "https://sub.shop.example",
        "https://shop.example:8443",
        "https://SHOP.example/",
        "null",
        "*",
        "",
        "https://shop.example, https://evil.example",
    ],
)
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_allows_nothing_when_the_origin_is_another(shop, api, method, origin):
    response = (
        preflight(api, "/chat", "POST", "authorization", origin)
        if method == "OPTIONS"
        else api.get("/chat/history", origin=origin)
    )

    assert not response.has_header("Access-Control-Allow-Origin")


@pytest.mark.parametrize("path", ["/admin/", "/api/schema", "/api/docs", "/chatter", "/nothing"])
def test_allows_nothing_when_it_is_not_the_api(shop, api, path):
    assert not api.get(path, origin=ORIGIN).has_header("Access-Control-Allow-Origin")


def test_allows_the_origin_when_the_answer_is_an_error(shop, api):
    for path in ("/chat/nothing", "/auth/nothing"):
        assert api.get(path, origin=ORIGIN)["Access-Control-Allow-Origin"] == ORIGIN


# --- Pages ----------------------------------------------------------------------------------------


def test_serves_the_admins_login_when_nobody_is_signed_in(api):
    response = api.client.get("/admin/", follow=True)

    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/html")
    assert "csrftoken" in response.cookies
    assert response.cookies["csrftoken"]["httponly"]


def test_checks_the_forms_token_when_a_page_is_posted(settings):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)

    assert strict.post("/admin/login/", {"username": "x", "password": "y"}).status_code == 403


def test_serves_static_files_when_they_are_there(api):
    response = api.get("/static/admin/css/base.css")

    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/css")
    assert response["X-Content-Type-Options"] == "nosniff"


def test_keeps_the_admins_own_page_when_it_fails(api, monkeypatch):
    def fail(*_args, **_options):
        raise RuntimeError("secret")

    monkeypatch.setattr("django.contrib.admin.site.login", fail)
    api.client.raise_request_exception = False

    response = api.get("/admin/login/")

    assert response.status_code in (200, 500)
    assert not response["Content-Type"].startswith("application/problem")


@pytest.mark.asyncio
async def test_serves_pages_and_files_when_it_is_asynchronous(web):
    for path, kind in (
        ("/static/admin/css/base.css", "text/css"),
        ("/admin/login/", "text/html"),
        ("/api/docs", "text/html"),
        ("/api/schema", "application/vnd.oai.openapi"),
        ("/static/nothing.css", "application/problem+json"),
    ):
        response = await web.get(path)
        assert response["Content-Type"].startswith(kind), path
