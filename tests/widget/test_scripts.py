"""`/widget.js` and its kin: who may load them, how they are kept, how large they are."""

from __future__ import annotations

import gzip
import re

import pytest
from django.conf import LazySettings
from django.test import Client

from chat_app import assets, packing

pytestmark = pytest.mark.filterwarnings("ignore:No directory at:UserWarning")

# Compressed bytes of all that an English page loads; another language is one more small file.
MOST = 15_000
MOST_A_LANGUAGE = 1_300


@pytest.fixture
def web() -> Client:
    return Client(HTTP_HOST="localhost")


@pytest.mark.parametrize("name", ["widget.js", "client.js", "widget/texts.de.js"])
def test_script_is_open_to_every_origin(web: Client, name: str) -> None:
    response = web.get(f"/{name}")
    assert response.status_code == 200
    assert response["Content-Type"] == "text/javascript; charset=utf-8"
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response["X-Content-Type-Options"] == "nosniff"


def test_script_is_kept_for_minutes_and_asked_for_by_its_tag(
    web: Client, settings: LazySettings
) -> None:
    settings.DEBUG = False
    first = web.get("/widget.js", HTTP_ACCEPT_ENCODING="gzip")
    assert first["Cache-Control"] == "public, max-age=300"
    assert first["Vary"] == "Accept-Encoding"
    assert gzip.decompress(first.content) == web.get("/widget.js").content
    again = web.get("/widget.js", HTTP_IF_NONE_MATCH=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    "path",
    ["/widget/none.js", "/widget/../settings.js", "/client/http.py", "/widget/packed.js", "/x.js"],
)
def test_nothing_else_is_served(web: Client, path: str) -> None:
    response = web.get(path)
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"


def test_other_methods_are_refused(web: Client) -> None:
    assert web.post("/widget.js").status_code == 405


def test_types_are_served_beside_the_scripts(web: Client) -> None:
    assert b"export class ChatClient" in web.get("/client.d.ts").content
    assert b"interface WidgetOptions" in web.get("/widget.d.ts").content


def test_packed_scripts_are_those_of_the_sources() -> None:
    assert packing.is_fresh(), "run: python manage.py pack_widget"


@pytest.mark.parametrize("entry", packing.ENTRIES)
def test_packing_joins_each_module_once_after_what_it_needs(entry: str) -> None:
    packed = packing.pack(entry, minify=lambda source: source)
    assert packing.fingerprint() in packed.splitlines()[0]
    assert packed.count("class Transcript") == 1
    assert packed.index("class Transcript") < packed.index("class ChatClient")
    assert not re.search(r"^(import|export) ", packed, re.MULTILINE)


def test_all_that_a_page_loads_is_small() -> None:
    widget = assets.load("widget.js")
    german = assets.load("widget/texts.de.js")
    assert widget is not None
    assert german is not None
    assert b"import " not in widget.body.replace(b"import(", b"").replace(b"import.meta", b"")
    assert len(widget.packed) <= MOST
    assert len(german.packed) <= MOST_A_LANGUAGE


def test_every_language_says_everything() -> None:
    english, *others = (
        set(re.findall(r"^  (\w+): ", path.read_text(encoding="utf-8"), re.MULTILINE))
        for path in sorted(packing.FOLDER.glob("widget/texts*.js"), key=lambda p: len(p.name))
    )
    assert english
    assert others == [english]


def test_scripts_bring_no_markup_of_their_own() -> None:
    """A strict CSP forbids inline styles; and what parses HTML is one function (dom.js)."""
    for path in packing.sources():
        text = path.read_text(encoding="utf-8")
        assert "eval(" not in text
        assert "setAttribute('style'" not in text
        assert path.name == "dom.js" or "innerHTML" not in text


def test_preferences_are_the_installations_own(web: Client, settings: LazySettings) -> None:
    settings.WIDGET_CONSENT, settings.JWT_EXPIRE_HOURS = "We may.", 48
    response = web.get("/widget.json")
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response.json() == {
        "consent": "We may.",
        "retention": "",
        "privacy": "",
        "session_hours": 48,
        "max_message_length": settings.MAX_MESSAGE_LENGTH,
    }


def test_demo_page_has_the_pages_policy(web: Client, settings: LazySettings) -> None:
    settings.DEMO_PAGE = True
    response = web.get("/")
    assert response.status_code == 200
    assert "script-src 'self'" in response["Content-Security-Policy"]
    assert b'href="/api/docs"' in response.content
    assert web.post("/").status_code == 405


def test_demo_page_is_not_there_when_off(web: Client, settings: LazySettings) -> None:
    settings.DEMO_PAGE = False
    response = web.get("/")
    assert response.status_code == 404
    assert response.json()["code"] == "not_found"
