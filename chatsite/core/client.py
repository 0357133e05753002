"""Who is calling: the address behind known proxies, the user agent, the request's id."""

from __future__ import annotations

import functools
import ipaddress
import re
import uuid

from django.conf import settings
from django.http import HttpRequest

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Of a chain only this much is read: a header may hold thousands of hops.
_MOST_HOPS = 20
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
UNKNOWN_ADDRESS = "0.0.0.0"  # noqa: S104  (a value that is stored, nothing is bound to it)


def address(request: HttpRequest) -> str:
    """The caller's address, IPv4-mapped forms unwrapped; only TRUSTED_PROXIES may name another."""
    found = _parse(request.META.get("REMOTE_ADDR", ""))
    hops = request.META.get("HTTP_X_FORWARDED_FOR", "").rsplit(",", _MOST_HOPS)[-_MOST_HOPS:]
    depth, networks = _trusted(tuple(settings.TRUSTED_PROXIES))
    while hops and (depth > 0 or _is_within(found, networks)):
        named = _parse(hops.pop())
        if named is None:
            break
        found, depth = named, depth - 1
    return str(found) if found else UNKNOWN_ADDRESS


def network(caller: str) -> str:
    """What limits count by: an IPv4 address itself, the /64 of an IPv6 address (RFC 6177)."""
    parsed = ipaddress.ip_address(caller)
    if parsed.version == 4:
        return caller
    return str(ipaddress.ip_network((parsed, 64), strict=False))


def user_agent(request: HttpRequest) -> str:
    """The user agent as sent, empty when there is none."""
    return str(request.META.get("HTTP_USER_AGENT", ""))


def request_id(request: HttpRequest) -> str:
    """The caller's X-Request-ID if it is 8 to 64 of `A-Za-z0-9._-`, else a new one."""
    given = request.META.get("HTTP_X_REQUEST_ID", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _parse(text: str) -> Address | None:
    try:
        found = ipaddress.ip_address(text.strip().strip("[]").split("%", 1)[0])
    except ValueError:
        return None
    mapped = getattr(found, "ipv4_mapped", None)
    return mapped or found


@functools.lru_cache(maxsize=8)
def _trusted(
    proxies: tuple[str, ...],
) -> tuple[int, tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]]:
    """TRUSTED_PROXIES as a number of hops, or as networks."""
    if len(proxies) == 1 and proxies[0].isdigit():
        return int(proxies[0]), ()
    return 0, tuple(ipaddress.ip_network(proxy, strict=False) for proxy in proxies)


def _is_within(
    found: Address | None, networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]
) -> bool:
    if found is None:  # a unix socket: only a proxy on this machine can be behind it
        return bool(networks)
    return any(found in one for one in networks)
