"""The keys of visitors' tokens: one signs, earlier ones verify until their tokens are over."""

from __future__ import annotations

import functools
import hashlib
import hmac
from datetime import timedelta
from typing import Any, Final

import jwt
from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError

AUDIENCE: Final = "chatsite-visitor"
ISSUER: Final = "chatsite"
# What else a header may say (`jku`, `jwk`, `x5u`, `crit`) names a key or a rule that is not ours.
# Web processes on several machines: a token that one has just issued is not "from the future" for
# the other. How long a session lasts is in the database.
_CLOCKS: Final = timedelta(minutes=5)
_HEADERS: Final = {"alg", "typ", "kid"}


class KeyRing(TokenBackend):
    """Signs with the first key, and names it; verifies with the one that a token names.

    A token without `kid` is one of before there was a ring: the first key must have signed it.
    """

    def __init__(self, algorithm: str, *keys: str) -> None:
        super().__init__(algorithm, keys[0], audience=AUDIENCE, issuer=ISSUER, leeway=_CLOCKS)
        self._kid = kid(keys[0])
        self._keys = {kid(key): self._prepare_key(key) for key in keys}

    def encode(self, payload: dict[str, Any]) -> str:
        """The claims as a token that names its key."""
        claims = {**payload, "aud": self.audience, "iss": self.issuer}
        key, headers = self._keys[self._kid], {"kid": self._kid}
        return jwt.encode(claims, key, algorithm=self.algorithm, headers=headers)

    def get_verifying_key(self, token: Any) -> Any:
        """The key of ours that the token names; nothing is fetched or opened for it."""
        header = jwt.get_unverified_header(token)
        if not header.keys() <= _HEADERS:
            raise TokenBackendError("not our header")
        key = self._keys.get(header.get("kid", self._kid))
        if key is None:
            raise TokenBackendError("not our key")
        return key


def kid(key: str) -> str:
    """How tokens name the key: 16 hex digits that tell nothing of it."""
    return hmac.new(key.encode(), b"chatsite kid", hashlib.sha256).hexdigest()[:16]


def current() -> KeyRing:
    """The ring of JWT_SECRET_KEY and JWT_PREVIOUS_KEYS."""
    return _ring(settings.JWT_ALGORITHM, settings.JWT_SECRET_KEY, *settings.JWT_PREVIOUS_KEYS)


@functools.lru_cache(maxsize=4)
def _ring(algorithm: str, *keys: str) -> KeyRing:
    return KeyRing(algorithm, *keys)
