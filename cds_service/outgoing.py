"""How calls leave: over https with certificates checked, for FHIR servers to checked addresses only.

Calls are urllib3's own: it takes nothing from its surroundings (neither .netrc nor proxies of the
environment may change where a token goes) and keeps nothing but connections (no server sets a cookie
that another request then carries).
"""

from __future__ import annotations

import socket
import ssl
from functools import cache, partial
from typing import Any

import certifi
from urllib3 import BaseHTTPResponse, PoolManager, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    SSLError,
)

from cds_service.addresses import AddressError, resolve
from cds_service.origins import Allowed, Url
from cds_service.settings import PREFIX, SettingsError

# Servers to which connections are kept.
_SERVERS = 32


@cache
def tls_context(ca_file: str) -> ssl.SSLContext:
    """How servers must show who they are: by a certificate for their name, of a known authority.

    Known are the public ones and those in ca_file; "" for none. One serves for all connections: to
    read the certificates takes longer than to connect. Raises SettingsError.
    """
    context = ssl.create_default_context(cafile=certifi.where())
    if ca_file:
        try:
            context.load_verify_locations(ca_file)
        except ssl.SSLError:
            what = f"{PREFIX}CA_FILE={ca_file} holds no certificate (PEM) that can be read"
            raise SettingsError(what) from None
        except OSError as error:
            raise SettingsError(f"{PREFIX}CA_FILE={ca_file} cannot be read: {error.strerror}") from None
    return context


def pools(connections: int, context: ssl.SSLContext) -> PoolManager:
    """Connections to whatever is asked for, so many of them kept for each server."""
    return PoolManager(_SERVERS, maxsize=connections, ssl_context=context)


def checked_pools(connections: int, context: ssl.SSLContext, allowed: Allowed) -> PoolManager:
    """Connections to allowed servers at addresses within their reach; each new one is checked anew."""
    found = pools(connections, context)
    classes: dict[str, Any] = {
        "http": partial(_Pool, allowed=allowed),
        "https": partial(_TlsPool, allowed=allowed),
    }
    found.pool_classes_by_scheme = classes
    return found


def get(
    connections: PoolManager, url: Url, headers: dict[str, str], connect: float, silence: float
) -> BaseHTTPResponse:
    """The answer to a GET, its body not read yet; use it as a context manager.

    Redirects are not followed and nothing is tried again. connect, silence: seconds to wait for a
    connection, and for the next bytes. Raises urllib3's HTTPError, and ValueError for a header that
    is none.
    """
    pool = connections.connection_from_host(url.host, url.port, url.scheme)
    try:
        return pool.urlopen(
            "GET",
            url.target,
            headers={"Accept-Encoding": "gzip, deflate", **headers},
            timeout=Timeout(connect=connect, read=silence),
            retries=False,
            redirect=False,
            preload_content=False,
        )
    except SSLError as error:
        if error.args and isinstance(error.args[0], ssl.SSLCertVerificationError):
            raise CertificateRefusedError("the certificate cannot be verified") from None
        raise


class CertificateRefusedError(HTTPError):
    """No connection, because the server has no certificate of a known authority for its name."""


class AddressRefusedError(NewConnectionError):
    """No connection, because the name stands for an address that may not be called."""


class _Connection(HTTPConnection):
    """Resolves the name itself, and hands down an address where the name would be resolved again."""

    scheme = "http"

    def __init__(self, *args: Any, allowed: Allowed, **options: Any) -> None:
        super().__init__(*args, **options)
        self._allowed = allowed

    def _new_conn(self) -> socket.socket:
        name = self._dns_host
        try:
            for address in self._addresses():
                self._dns_host = address
                try:
                    return super()._new_conn()
                except ConnectTimeoutError as error:  # a NewConnectionError is one
                    last = error
            raise last
        finally:
            self._dns_host = name

    def _addresses(self) -> list[str]:
        host = self.host.strip("[]")
        port = self.port or self.default_port
        reach = self._allowed.reach(Url(self.scheme, host.lower(), port, ""))
        try:
            if reach is None:
                raise AddressError("not an allowed server")
            return resolve(host, port, reach)
        except AddressError as error:
            raise AddressRefusedError(self, str(error)) from None
        except socket.gaierror as error:
            raise NameResolutionError(host, self, error) from error
        except (OSError, UnicodeError) as error:
            raise NewConnectionError(self, "the name cannot be resolved") from error


class _TlsConnection(_Connection, HTTPSConnection):
    scheme = "https"


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection
