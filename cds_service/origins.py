"""Which FHIR servers may be called: the address in a request is the sender's, not ours.

A request names any URL it likes in `fhirServer`, and Bundles name the next page. Only http and
https without user-info are read; the URL that is called is put together again from the parts that
were checked, so no second parser can understand it otherwise. Allowed are the origins of the
settings, compared exactly, and in development mode this machine.
"""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]+")
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

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        query = f"?{self.query}" if self.query else ""
        return f"{self.scheme}://{host}{port}{self.path}{query}"


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
    if port == 0:
        raise BadUrlError("it names no port")
    return Url(parts.scheme, host, port or _PORTS[parts.scheme], parts.path, parts.query)


def base_url(text: str) -> Url:
    """The base URL of a FHIR server, without a slash at its end. Raises BadUrlError."""
    url = checked(text.strip())
    if url.query or "#" in text:
        raise BadUrlError("a base URL has no query")
    return url._replace(path=url.path.rstrip("/"))


class Allowed(NamedTuple):
    """The servers that may be called.

    origins: compared exactly. loopback: this machine too.
    """

    origins: frozenset[tuple[str, str, int]]
    loopback: bool

    def refusal(self, url: Url) -> str:
        """Why the server at `url` is not called; "" when it may be."""
        if url.origin in self.origins or (self.loopback and is_loopback(url.host)):
            return ""
        return "the FHIR server is not one of those that this service may call"


def is_loopback(host: str) -> bool:
    """Whether a host is this machine as written: names and numbers in odd spelling are not."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
