"""Which FHIR servers may be called: the address in a request is the sender's, not ours.

A request names any URL it likes in `fhirServer`, and Bundles name the next page. Only http and
https without user-info are read; the URL that is called is put together again from the parts that
were checked, so no second parser can understand it otherwise. Allowed are the origins of the
settings, compared exactly or by a pattern for the hosts below a domain, and in development mode
this machine. How far a connection may reach follows from how the server was allowed; the address
itself is checked where the connection is made (addresses.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from cds_service.addresses import Reach

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]+")
# Resolvers read 2130706433, 0x7f.1 and 0177.0.0.1 as addresses (WHATWG URL, "ends in a number").
_NUMERIC = re.compile(r"(.*\.)?(\d+|0x[0-9a-f]*)\.?")
_BLANK = re.compile(r"[\s\\\x00-\x1f\x7f]")


class BadUrlError(ValueError):
    """A URL that is not called; the message says why and repeats nothing of it."""


class Url(NamedTuple):
    """The parts of a URL that was checked."""

    scheme: str
    host: str
    port: int
    path: str
    query: str = ""

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port

    @property
    def target(self) -> str:
        """What is asked of the server: path and query."""
        return f"{self.path or '/'}{self._question}"

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.path}{self._question}"

    @property
    def _question(self) -> str:
        return f"?{self.query}" if self.query else ""


def checked(text: str) -> Url:
    """The parts of an absolute http(s) URL. Raises BadUrlError."""
    if _BLANK.search(text):
        raise BadUrlError("it holds blanks, control characters or a backslash")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise BadUrlError("it is no URL") from None
    if parts.scheme not in _PORTS:
        raise BadUrlError("it must begin with https:// or http://")
    if "@" in parts.netloc:
        raise BadUrlError("it must not hold a user name")
    host = (parts.hostname or "").lower()
    if not _HOST.fullmatch(host):
        raise BadUrlError("it names no host")
    if _NUMERIC.fullmatch(host) and not _is_address(host):
        raise BadUrlError("it spells an address in an odd way")
    if port == 0:
        raise BadUrlError("it names no port")
    return Url(parts.scheme, host, port or _PORTS[parts.scheme], parts.path, parts.query)


def base_url(text: str) -> Url:
    """The base URL of a FHIR server, without a slash at its end. Raises BadUrlError."""
    url = checked(text.strip())
    if url.query or "#" in text:
        raise BadUrlError("a base URL has no query")
    return url._replace(path=url.path.rstrip("/"))


class Pattern(NamedTuple):
    """All hosts below a domain, at any depth, with one scheme and one port: "https://*.example.org"."""

    scheme: str
    domain: str
    port: int

    def takes(self, url: Url) -> bool:
        same = (url.scheme, url.port) == (self.scheme, self.port)
        return same and url.host.endswith(f".{self.domain}")


def listed(text: str) -> Url | Pattern:
    """A server of the settings: an origin, or a pattern for hosts. Raises BadUrlError."""
    scheme, star, rest = text.strip().partition("://*.")
    url = base_url(f"{scheme}://{rest}" if star else text)
    if url.path:
        raise BadUrlError("it has a path; only the origin is compared")
    if not star:
        return url
    if "." not in url.host or _is_address(url.host):
        raise BadUrlError("a pattern needs a domain of two parts at least")
    return Pattern(url.scheme, url.host, url.port)


class Allowed(NamedTuple):
    """The servers that may be called.

    origins: compared exactly. loopback: this machine too. patterns: hosts below a domain.
    """

    origins: frozenset[tuple[str, str, int]]
    loopback: bool
    patterns: tuple[Pattern, ...] = ()

    @classmethod
    def of(cls, servers: Iterable[str], *, loopback: bool) -> Allowed:
        """Those of a list in the settings. Raises BadUrlError."""
        entries = [listed(text) for text in servers]
        origins = frozenset(entry.origin for entry in entries if isinstance(entry, Url))
        return cls(origins, loopback, tuple(entry for entry in entries if isinstance(entry, Pattern)))

    def reach(self, url: Url) -> Reach | None:
        """Which addresses the server at `url` may have; None when it may not be called.

        Who writes a private address or a name in their own network into the settings means it; a
        pattern takes names that its writer has never seen, so these reach the public internet only.
        """
        if is_loopback(url.host):
            return Reach.LOOPBACK if self.loopback or url.origin in self.origins else None
        if url.origin in self.origins:
            return Reach.NETWORK
        return Reach.PUBLIC if any(pattern.takes(url) for pattern in self.patterns) else None

    def refusal(self, url: Url) -> str:
        """Why the server at `url` is not called; "" when it may be."""
        return "" if self.reach(url) else "the FHIR server is not one of those that this service may call"


def is_loopback(host: str) -> bool:
    """Whether a host is this machine as written: names and numbers in odd spelling are not."""
    return host == "localhost" or (_is_address(host) and ip_address(host).is_loopback)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
