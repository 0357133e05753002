"""Bodies: strict JSON in UTF-8, or a problem that says why not."""

import pytest

from chatsite.core.parsers import TextField
from tests.support import fields, problem

pytestmark = pytest.mark.django_db

EMAIL = b'"ann@example.com"'


def send(api, body, content_type="application/json"):
    return api.post("/auth/email", body, content_type=content_type)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "application/json ; charset=UTF-8",
    ],
)
def test_takes_json_when_its_charset_is_utf8(api, content_type):
    assert send(api, b'{"email": %s}' % EMAIL, content_type).status_code == 200


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "text/json",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/json; charset=utf-7",
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "application/json; profile=x",
        "application/problem+json",
        "x" * 5000,
        "application/json\x00",
    ],
)
def test_says_unsupported_when_the_type_is_another(api, content_type):
    problem(send(api, b'{"email": %s}' % EMAIL, content_type), 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"not json",
        b"\xff\xfe",
        b'{"email": "\xff"}',
        b'{"email": "\xed\xa0\x80"}',
        b'{"email": "\\ud800"}',
        b'{"email": NaN}',
        b'{"email": Infinity}',
        b'{"email": -Infinity}',
        b'{"email": 1e999}',
        b'{"email": "b@example.com", "email": %s}' % EMAIL,
        b'{"a": {"b": 1, "b": 2}, "email": %s}' % EMAIL,
        b'{"email": ' + b"9" * 5000 + b"}",
        b"[" * 30000 + b"]" * 30000,
        b'{"a":' * 10000 + b"1" + b"}" * 10000,
        b'\xef\xbb\xbf{"email": %s}' % EMAIL,
        '{"email": "ann@example.com"}'.encode("utf-16"),
        '{"email": "ann@example.com"}'.encode("utf-32"),
        b'{"email": %s}x' % EMAIL,
        b"\x00",
        b'{"email": "a\x00b@example.com"}',
        b"{'email': 'ann@example.com'}",
        b'{"email": %s,}' % EMAIL,
        b" ",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_says_invalid_when_the_body_is_no_strict_json(api, body):
    problem(send(api, body), 400, "invalid_input")


def test_says_too_large_when_the_body_is_over_64_kib(api):
    body = b'{"email": "%s"}' % (b"a" * 65536)

    problem(send(api, body), 413, "payload_too_large")


def test_reads_the_body_when_it_is_64_kib(api):
    padding = b" " * (65536 - len(b'{"email": %s}' % EMAIL))
    body = b'{"email": %s}' % EMAIL + padding
    assert len(body) == 65536

    assert send(api, body).status_code == 200
    problem(send(api, body + b" "), 413, "payload_too_large")


def test_says_invalid_when_there_is_no_body(api):
    assert fields(api.post("/auth/email", b"", content_type="application/json")) == ["email"]


def test_names_unknown_fields_when_there_are_any(visitor):
    assert fields(visitor.post("/chat", {"message": "x", "is_staff": 1, "zz": 2})) == [
        "is_staff",
        "zz",
    ]


def test_names_only_the_first_when_thousands_are_unknown(visitor):
    body = {"k" * 200 + str(number): 1 for number in range(200)}

    named = fields(visitor.post("/chat", body))

    assert len(named) <= 20
    assert max(map(len, named)) == 100


@pytest.mark.parametrize("given", [1, 1.5, True, None, [], {}])
def test_refuses_another_type_when_text_is_asked(given):
    from rest_framework.serializers import ValidationError

    with pytest.raises(ValidationError):
        TextField().run_validation(given)


def test_keeps_spaces_when_text_has_them():
    assert TextField().run_validation(" a \n") == " a \n"
