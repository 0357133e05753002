"""Whether a page of the console is what its templates make: which elements are on it, and where."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any, Final

from chat_app import rendering

_ALLOWED: Final = {
    tag: sorted(rendering._ATTRIBUTES.get(tag, ())) for tag in sorted(rendering._TAGS)
}
# Messages may hold what the allow-list of chat_app.rendering lets through; all else on the page is
# described by tag and attributes, to be compared with the same page of harmless texts.
LOOK: Final = (
    "(() => { const allowed = "
    + json.dumps(_ALLOWED)
    + """;
  const SAID = '.item .text, main > article > section';
  const HEAD = 'main > article > section > h3, main > article > section > h3 > small';
  const STATES = ['checked', 'data-state', 'disabled', 'hidden', 'open', 'selected', 'start'];
  const ADDRESSES = ['href', 'src', 'action', 'formaction'];
  const RUNS = /^[\\s\\0-\\x1f]*(javascript|data|vbscript):/i;
  const harm = [], shapes = new Set();
  for (const one of document.querySelectorAll('*')) {
    const names = one.getAttributeNames();
    for (const name of names) {
      const value = one.getAttribute(name);
      const leads = ADDRESSES.includes(name) && RUNS.test(value);
      if (leads || name.startsWith('on')) harm.push(`${name}=${value}`);
    }
    const isOurs = !one.parentElement?.closest(SAID) || one.matches(HEAD);
    if (isOurs) {
      const lasting = names.filter((name) => !STATES.includes(name)).sort();
      shapes.add([one.localName, ...lasting].join(' '));
    } else if (!(one.localName in allowed)
        || names.some((name) => name !== 'rel' && !allowed[one.localName].includes(name))) {
      harm.push(one.outerHTML.slice(0, 200));
    }
  }
  return { harm, shapes: [...shapes], ran: window.ran, violations: window.violations };
})()"""
)


def check(found: dict[str, Any], known: set[str], place: str) -> None:
    """Nothing ran, nothing was reported, and no element is there that harmless texts have not."""
    assert found["ran"] == [], place
    assert found["violations"] == [], place
    assert found["harm"] == [], place
    assert set(found["shapes"]) <= known, (place, set(found["shapes"]) - known)


def check_lines(exported: Path, texts: list[str]) -> None:
    """The JSON lines say every text as it is."""
    rows = [json.loads(line) for line in exported.read_bytes().split(b"\n") if line]
    said = {message["text"] for row in rows for message in row["messages"]}
    assert set(texts) <= said


def check_cells(exported: Path, texts: list[str]) -> None:
    """The spreadsheet has every text, and no cell that is a formula."""
    with exported.open(encoding="utf-8-sig", newline="") as file:
        cells = {cell for row in csv.reader(file) for cell in row}
    assert not [cell for cell in cells if cell.lstrip().startswith(("=", "+", "-", "@", "＝"))]
    assert set(texts) <= cells | {cell.removeprefix("'") for cell in cells}
