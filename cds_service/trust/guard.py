"""One look at every request before its route is entered.

Every route asks for a token unless its blueprint is named here, so one that is added later is not
open by accident. Preflight requests carry no token and learn nothing (CDS Hooks 2.0, section CORS).

A token may carry several requests: some clients make one and send all bodies of a test with it. So
not the token is remembered but the token with the request: address, query and body.
"""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask, g, request

from cds_service.body import discard_body, read_body
from cds_service.clock import Clock
from cds_service.errors import ForbiddenError, UnauthorizedError, UnavailableError
from cds_service.outgoing import tls_context
from cds_service.services import Registry
from cds_service.settings import PREFIX, Settings, SettingsError
from cds_service.telemetry.observed import observed, stage
from cds_service.trust.audience import endpoint
from cds_service.trust.mode import OPEN_NOTE, check_mode
from cds_service.trust.reasons import Reason, RefusedError
from cds_service.trust.replay import FileMemory, Memory, MemoryLostError, RedisMemory
from mappings.yaml_file import allowed_words

# Cryptography takes long to import, and a service that asks no token needs none.
if TYPE_CHECKING:
    from cds_service.trust.clients import Client, Clients
    from cds_service.trust.tokens import Verified, Verifier

log = logging.getLogger(__name__)

OPEN = frozenset({"home", "health", "metrics"})
_DISCOVERY = "hooks.discovery"


def protect(app: Flask, settings: Settings, clock: Clock, services: Registry) -> Memory | None:
    """Ask for tokens, if the settings say so; to be called when all that are not OPEN are registered.

    Returns the memory of what came before; None where no token is asked.
    Raises SettingsError or DocumentError for settings and a list of clients that cannot be used.
    """
    check_mode(settings)
    if settings.trust == "open":
        log.warning(OPEN_NOTE)
        return None
    rights = {service.id for service in services} | (set(app.blueprints) - OPEN - {"hooks"})
    clients, memory = _clients(settings, rights), _memory(settings)
    app.before_request(_Guard(settings, clock, _verifier(settings, clients, memory), memory).look)
    return memory


def current_client() -> Client | None:
    """Who sent the current request; None when no token was asked or sent."""
    client: Client | None = g.get("client")
    return client


def check_fhir_server(address: str) -> None:
    """Raise ForbiddenError when the client may not name this FHIR server."""
    client = current_client()
    if client is not None and not client.may_name(address):
        what = "This client may not name this FHIR server."
        mend = "Name one of those that were agreed at registration."
        raise ForbiddenError("not-allowed", what, where="fhirServer", mend=mend)


class _Guard:
    def __init__(self, settings: Settings, clock: Clock, verifier: Verifier, memory: Memory) -> None:
        self._settings = settings
        self._clock = clock
        self._memory = memory
        self._verifier = verifier

    def look(self) -> None:
        """Let the current request pass, or raise the error that answers it."""
        if request.url_rule is None or request.method == "OPTIONS" or request.blueprint in OPEN:
            return
        authorization = request.headers.get("Authorization", "")
        discovery = request.endpoint == _DISCOVERY
        if discovery and self._settings.discovery_open and not authorization.strip():
            return
        with stage("trust"):
            self._let_in(authorization, discovery)

    def _let_in(self, authorization: str, discovery: bool) -> None:
        now = self._clock().timestamp()
        try:
            address = endpoint(self._settings.base_url, request.path)
            verified = self._verifier.verify(authorization, address, now)
            observed().client = verified.client.name
            if not discovery:
                _check_right(verified.client)
            self._check_new(verified, now)
        except RefusedError as refused:
            raise self._unauthorized(refused) from None
        except ForbiddenError:
            discard_body(request, self._settings.body_limit)
            raise
        g.client = verified.client

    def _check_new(self, verified: Verified, now: float) -> None:
        body = read_body(request, self._settings.body_limit) if request.method == "POST" else b""
        until = verified.ends + self._settings.token_leeway
        try:
            new = self._memory.first_time(_fingerprint(verified, body), now, until)
        except MemoryLostError as error:
            log.error("no request can be let in: %s", error)
            what = "It cannot be told whether this request came before."
            headers = {"Retry-After": "5"}
            raise UnavailableError(
                "trust-unavailable", what, mend="Send it again later.", headers=headers
            ) from None
        if not new:
            raise RefusedError(Reason.REPLAYED, verified.client)

    def _unauthorized(self, refused: RefusedError) -> UnauthorizedError:
        discard_body(request, self._settings.body_limit)
        reason = refused.reason
        who = f"client {refused.client.name}" if refused.client else "no registered client"
        rule = request.url_rule.rule if request.url_rule else ""
        log.warning("refused %s %s: %s (%s)", request.method, rule, reason.code, who)
        challenge = 'Bearer realm="coverage-hooks"'
        if reason is not Reason.NO_TOKEN:
            challenge += f', error="invalid_token", error_description="{reason.code}"'
        headers = {"WWW-Authenticate": challenge}
        return UnauthorizedError(reason.code, reason.what, mend=reason.mend, headers=headers)


def _check_right(client: Client) -> None:
    right = (request.view_args or {}).get("service_id") or request.blueprint or ""
    if not client.may_use(right):
        what = "This client is known, but not allowed to use this address."
        mend = "Ask whoever runs this service to add it to the client's services."
        log.warning("refused client %s: not allowed", client.name)
        raise ForbiddenError("not-allowed", what, mend=mend)


def _fingerprint(verified: Verified, body: bytes) -> str:
    """What a token and a request have in common with a repetition of both, as a hash."""
    digest = hashlib.blake2b(digest_size=32)
    client = verified.client
    parts = (client.issuer, client.tenant, verified.jti, request.full_path)
    for part in parts:
        text = part.encode(errors="surrogatepass")
        digest.update(b"%d:%b" % (len(text), text))
    digest.update(body)
    return f"request:{digest.hexdigest()}"


def _verifier(settings: Settings, clients: Clients, memory: Memory) -> Verifier:
    from cds_service.trust.key_sets import KeySets
    from cds_service.trust.tokens import Verifier

    key_sets = KeySets(memory, tls_context(settings.ca_file))
    return Verifier(clients, key_sets, settings.token_leeway)


def _clients(settings: Settings, rights: set[str]) -> Clients:
    from cds_service.trust.clients import read_clients

    path = Path(settings.clients_file)
    try:
        clients = read_clients(path, loopback=settings.development)
    except OSError as error:
        raise SettingsError(f"{PREFIX}CLIENTS_FILE={path} cannot be read: {error.strerror}") from None
    for client in clients:
        for service in client.services or ():
            if service not in rights:
                words = allowed_words(service, rights)
                raise SettingsError(f"{path}: client {client.name}: there is no service {service!r}; {words}")
    return clients


def _memory(settings: Settings) -> Memory:
    try:
        return RedisMemory(settings.redis_url) if settings.redis_url else FileMemory()
    except ImportError:
        what = f"{PREFIX}REDIS_URL needs the library redis: install coverage-hooks[cluster]"
        raise SettingsError(what) from None
    except ValueError:  # its message would repeat the password
        what = f"{PREFIX}REDIS_URL must begin with redis://, rediss:// or unix://"
        raise SettingsError(what) from None
    except (OSError, sqlite3.Error) as error:
        what = f"there is no place for temporary files ({error}): set TMPDIR or {PREFIX}REDIS_URL"
        raise SettingsError(what) from None
