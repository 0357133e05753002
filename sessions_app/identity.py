"""What identifies a visitor: the address's one spelling, and keyed hashes of it and the browser."""

from __future__ import annotations

import hashlib
import hmac
import unicodedata

from django.conf import settings
from email_validator import EmailNotValidError, validate_email

MAX_EMAIL_LENGTH = 254  # RFC 5321 4.5.3.1.3, the path without its brackets


def normalise_email(typed: str) -> str:
    """The address in its one spelling (RFC 5321, IDNA 2008, lower case).

    Raises ValueError where it is none: quoted, without a dot, a literal, over-long.
    """
    if len(typed) > MAX_EMAIL_LENGTH:
        raise ValueError("too long")
    try:
        found = validate_email(typed, check_deliverability=False, strict=True)
    except EmailNotValidError as error:
        raise ValueError(str(error)) from error
    return unicodedata.normalize("NFC", f"{found.local_part}@{found.ascii_domain}".lower())


def email_hash(normalised: str) -> str:
    """64 hex digits that stand for the address; useless without EMAIL_HASH_KEY."""
    return _keyed_hash("email", normalised)


def browser_hash(user_agent: str) -> str:
    """64 hex digits that stand for the visitor's browser."""
    return _keyed_hash("browser", user_agent)


def code_hash(code_id: int, code: str) -> str:
    """64 hex digits that stand for a one-time code; useless without EMAIL_HASH_KEY."""
    return _keyed_hash("code", f"{code_id}:{code}")


def mask(email: str) -> str:
    """The address as staff and logs may see it: `a…@example.com`."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}…@{domain}"


def _keyed_hash(purpose: str, value: str) -> str:
    key = settings.EMAIL_HASH_KEY.encode()
    message = f"{purpose}:{value}".encode("utf-8", "surrogateescape")
    return hmac.new(key, message, hashlib.sha256).hexdigest()
