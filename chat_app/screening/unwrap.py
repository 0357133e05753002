"""Undoing what hides an attack: zero-width and full-width characters, encodings, code layout."""

import re
import string
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from html.entities import html5

# Deeper nesting than this is not decoded by any web server in one request.
MAX_LAYERS = 3
# Words are told apart by this many letters: enough to be rare, and blind to endings.
STEM = 5
NOT_ASCII = "é"

_LONGEST_FORM = 4
# Up to here replacing one character after the other is faster than one table for all.
_FEW = 16
_NO_LETTERS = {code: " " for code in range(128) if not chr(code).isalpha()}
_SYMBOLS = string.punctuation + "§\n"
_QUOTES = dict.fromkeys("‘’‚‛′´", "'") | dict.fromkeys("“”„‟″", '"')
# Only where Markdown readers see one: not in "src=`x`", "$(`id`)" or ";`id`".
_SPAN = re.compile(
    r"(?:(?<=[\s\[,.:!?])|(?<=[\w\s]\()|^)(?<!`)`[^`\n]{1,300}`(?=[\s)\]},.:;!?]|$)", re.MULTILINE
)
# A line break also separates commands: thousands of them would be thousands of starts.
_BLANK_LINES = re.compile(r"\n[ \t\r\n]{2,}")
_PERCENT = re.compile(r"(?:%[0-9a-fA-F]{2})+")
_OVERLONG = re.compile(rb"[\xc0\xc1\xe0\xf0\xf8\xfc]\x80{0,4}[\x00-\xff]")
_UNICODE_ESCAPE = re.compile(
    r"[%\\]u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|\\u\{([0-9a-fA-F]{1,5})\}"
)
# Digits are bounded: int() of thousands of digits raises, and of millions takes minutes.
_ENTITY = re.compile(r"&(?:#0{0,8}(\d{1,7})|#[xX]0{0,8}([0-9a-fA-F]{1,6})|([a-zA-Z]{2,31})(?=;));?")
_SQL_COMMENT = re.compile(r"/\*!?\d{0,6}([^*]{0,60})\*/|/\*!\d{0,6}|\*/")

# The apostrophe of "don't" opens no string.
_CONTRACTION = re.compile(r"'(?<=[a-z]')((?:s|t|re|ll|ve|m|d)\b(?!'))")
# A string that opens and closes like one: what is left of the quotes may break out of a query.
_STRING = re.compile(
    r"(['\"`])(?<![\w'\"`]['\"`])(?:(?=[\w%$<./#{\[^*@&-])[^'\"`\n]{1,60}(?<=[^\s(=])|[;,:.|?!])\1(?![\w'\"`])"
)


@dataclass(frozen=True, slots=True)
class Views:
    """The same message as the rules read it; all but `cased` are in lower case.

    `prose` is everything with its characters folded, code included; `raw` is without
    code; `text` and `cased` are decoded as well; `sql` has SQL comments and plus signs
    read as the blanks a database and a web server make of them, and "§" for whole strings.
    `stems` are the first letters of all words; `symbols` the punctuation that occurs, and
    `NOT_ASCII` if anything else does.
    """

    prose: str
    raw: str
    cased: str
    text: str
    sql: str
    stems: frozenset[str]
    symbols: frozenset[str]


def unwrap(message: str) -> Views:
    """Return every view of a message; takes time linear in its length and never raises."""
    folded = _BLANK_LINES.sub("\n\n", fold(message))
    plain = without_code(folded)
    cased = decode(plain)
    prose = folded.lower()
    raw = prose if plain is folded else plain.lower()
    text = raw if cased is plain else cased.lower()
    sql = _as_sql(text)
    read = prose if text is prose else f"{prose} {raw} {text}"
    return Views(prose, raw, cased, text, sql, _stems(read), _symbols(read + sql))


def _symbols(text: str) -> frozenset[str]:
    symbols = {symbol for symbol in _SYMBOLS if symbol in text}
    return frozenset(symbols if text.isascii() else symbols | {NOT_ASCII})


def _stems(text: str) -> frozenset[str]:
    words = text.encode("ascii", "replace").decode().translate(_NO_LETTERS).split()
    return frozenset(word[:STEM] for word in set(words))


def fold(text: str) -> str:
    """Drop invisible characters and replace compatibility forms (NFKC) and curly quotes.

    Works character by character: NFKC of a whole text sorts runs of combining
    characters in quadratic time.
    """
    if text.isascii():
        return text
    changes = {char: plain for char in set(text) if (plain := _fold_char(char)) != char}
    if len(changes) > _FEW:
        # Every character is in the table: a missing one costs an exception.
        return text.translate({ord(char): changes.get(char, char) for char in set(text)})
    for char, plain in changes.items():
        text = text.replace(char, plain)
    return text


@lru_cache(maxsize=4096)
def _fold_char(char: str) -> str:
    if char.isascii():
        return char
    if unicodedata.category(char) == "Cf" or "\ufe00" <= char <= "\ufe0f":
        return ""
    plain = _QUOTES.get(char) or unicodedata.normalize("NFKC", char)
    # Some ligatures become eighteen letters; no attack is spelled with them.
    return plain if len(plain) <= _LONGEST_FORM else char


def without_code(text: str) -> str:
    """Blank out Markdown's closed code fences and inline code spans."""
    if "`" not in text:
        return text
    parts = text.split("```")
    paired = (len(parts) - 1) // 2 * 2
    outside = [*parts[:paired:2], "```".join(parts[paired:])]
    return _SPAN.sub(" ", "\n".join(outside))


def decode(text: str) -> str:
    """Undo percent, entity and JavaScript escapes, at most `MAX_LAYERS` deep."""
    for _ in range(MAX_LAYERS):
        before = text
        if "%" in text:
            text = _PERCENT.sub(_percent, text)
        if "&" in text:
            text = _ENTITY.sub(_entity, text)
        if "\\u" in text or "\\x" in text or "%u" in text:
            text = _UNICODE_ESCAPE.sub(_unicode_escape, text)
        if text == before:
            break
    return text if text.isascii() else fold(text)


def _percent(match: re.Match[str]) -> str:
    octets = bytes.fromhex(match[0].replace("%", ""))
    try:
        return octets.decode()
    except UnicodeDecodeError:
        # Overlong UTF-8 writes "." and "/" in two to six bytes, and lenient servers accept it.
        return _OVERLONG.sub(_overlong, octets).decode("latin-1")


def _overlong(match: re.Match[bytes]) -> bytes:
    last = match[0][-1]
    low = last if last < 0x60 and match[0][0] == 0xC0 else last & 0x3F | (match[0][0] & 1) << 6
    return bytes([low])


def _entity(match: re.Match[str]) -> str:
    decimal, hexadecimal, name = match.groups()
    if name:
        return html5.get(name + ";") or html5.get(name.lower() + ";") or match[0]
    return _char(int(decimal) if decimal else int(hexadecimal, 16), match[0])


def _unicode_escape(match: re.Match[str]) -> str:
    return _char(int(match[1] or match[2] or match[3], 16), match[0])


def _char(code: int, otherwise: str) -> str:
    return chr(code) if code <= 0x10FFFF else otherwise


def _as_sql(text: str) -> str:
    if "*/" in text or "/*" in text:
        text = _SQL_COMMENT.sub(r" \1 ", text)
    if "'" in text:
        text = _CONTRACTION.sub(r"\1", text)
    if "'" in text or '"' in text or "`" in text:
        text = _STRING.sub("§", text)
    return text.replace("+", " ")
