"""Joins the widget's sources into the files that are served, small enough for any page.

Visitors load what `manage.py pack_widget` wrote to `packed/`; a test fails when that is stale."""

from __future__ import annotations

import hashlib
import re
import string
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent / "static" / "chat_app"
PACKED: Final = FOLDER / "packed"
# What each served file gives to those who import it.
ENTRIES: Final = {"widget.js": (), "client.js": ("ChatClient", "Problem")}

_IMPORT = re.compile(r"^import [^;]*?'(?P<path>[^']+)';\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?!default)(\{[^}]*\};\n)?", re.MULTILINE)
_PRIVATE = re.compile(r"#([a-zA-Z]\w*)")
_SHEET = re.compile(r"replaceSync\(`(.*?)`\)", re.DOTALL)


def sources() -> list[Path]:
    """All files that a visitor's browser may need, in a stable order."""
    return sorted([*FOLDER.glob("*.js"), *FOLDER.glob("client/*.js"), *FOLDER.glob("widget/*.js")])


def fingerprint() -> str:
    """What the sources are now; a packed file begins with what they were."""
    told = hashlib.sha256()
    for path in sources():
        told.update(path.read_bytes())
    return told.hexdigest()[:16]


def is_fresh() -> bool:
    """Whether the packed files were made from the sources as they are."""
    packed = PACKED / "widget.js"
    return packed.is_file() and fingerprint() in packed.read_text(encoding="utf-8")[:100]


def pack(entry: str, minify: Callable[[str], str]) -> str:
    """One module that is `entry` and all that it imports, through `minify`."""
    joined = "".join(_scope(path) for path in _order(FOLDER / entry, set()))
    given = ",".join(ENTRIES[entry])
    # Within a function even the outermost names are nobody else's, and can be short.
    closed = f"(()=>{{{joined};return{{{given}}}}})();"
    if given:
        closed = f"const{{{given}}}={closed}export{{{given}}};"
    return f"/*! Chatsite {fingerprint()}, MIT */\n{minify(closed)}\n"


def _order(path: Path, seen: set[Path]) -> Iterator[Path]:
    """The modules that `path` needs, then `path` itself, each once."""
    if path in seen:
        return
    seen.add(path)
    for found in _IMPORT.finditer(path.read_text(encoding="utf-8")):
        yield from _order((path.parent / found["path"]).resolve(), seen)
    yield path


def _scope(path: Path) -> str:
    """A module's text for the one scope that all of them share: their names must differ."""
    text = _EXPORT.sub("", _IMPORT.sub("", path.read_text(encoding="utf-8")))
    if path.stem == "style":
        return _SHEET.sub(lambda found: f"replaceSync(`{_squeeze(found[1])}`)", text)
    return _shorten(text)


def _squeeze(css: str) -> str:
    css = re.sub(r"\s+", " ", css.strip())
    css = re.sub(r" ?([{};,>]) ?", r"\1", css)
    return re.sub(r": (?=[^{}]*[;}])", ":", css).replace(";}", "}")


def _shorten(text: str) -> str:
    """Private names as letters: they are no one else's, and minifiers leave them as they are."""
    return _PRIVATE.sub(lambda found: f"#{_letter(found[1])}", text)


_letters: dict[str, str] = {}


def _letter(name: str) -> str:
    if name not in _letters:
        rest, first = divmod(len(_letters), len(string.ascii_letters))
        _letters[name] = string.ascii_letters[first] + (str(rest) if rest else "")
    return _letters[name]
