"""How calls leave: a session of their own, and for FHIR servers connections to checked addresses only."""

from __future__ import annotations

import socket
from functools import partial
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError

from cds_service.addresses import AddressError, resolve
from cds_service.origins import Allowed, Url


def plain_session() -> requests.Session:
    """A session that takes nothing from its surroundings and keeps nothing.

    Neither .netrc nor proxies of the environment may change where a token goes, and no server sets a
    cookie that another request then carries.
    """
    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


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


class CheckedAdapter(HTTPAdapter):
    """Calls what is allowed, at addresses within its reach; each new connection is checked anew."""

    def __init__(self, allowed: Allowed, connections: int) -> None:
        self._allowed = allowed
        super().__init__(pool_connections=connections, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        super().init_poolmanager(*args, **options)
        pools = {"http": _Pool, "https": _TlsPool}
        self.poolmanager.pool_classes_by_scheme = {
            scheme: partial(pool, allowed=self._allowed) for scheme, pool in pools.items()
        }
