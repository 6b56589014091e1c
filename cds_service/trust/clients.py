"""The allow list: which clients may call, where their keys are, and what they may do.

A YAML file, read strictly, since a misspelled limit that is silently ignored lets somebody in:

    clients:
      - name: general-hospital
        issuer: https://ehr.general.example.org
        jku: https://ehr.general.example.org/jwks.json

Source: CDS Hooks 2.0, section Trusting CDS Clients: iss and jku are held against an allow list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from cds_service.origins import BadUrlError, base_url, checked, is_loopback
from cds_service.trust.keys import Algorithm, Jwk, KeySetError, choose, read_key_set
from cds_service.trust.reasons import RefusedError
from mappings.documents import At, DocumentError, read

_ALGORITHMS_OF_CURVE = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}

_Text = Annotated[str, Meta(min_length=1, max_length=2000)]
_Name = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class KeySet(Struct, frozen=True, forbid_unknown_fields=True):
    """A pinned JWK set (RFC 7517)."""

    keys: tuple[Jwk, ...] = ()


class Client(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One registered client.

    name: in the log. issuer: claim iss, exactly. tenant: claim tenant; "" takes any. jku: address of
    its key set. jwks, jwks_file: its key set, pinned; jku is then only compared. services: ids and
    names of routes it may use, None for all. fhir_servers: origins that its requests may name, None
    for all that the service may call.
    """

    name: _Name
    issuer: _Text
    tenant: str = ""
    jku: str = ""
    jwks: KeySet = msgspec.field(default_factory=KeySet)
    jwks_file: str = ""
    algorithms: Annotated[tuple[Algorithm, ...], Meta(min_length=1)] = ("ES384", "RS384")
    services: Annotated[tuple[str, ...], Meta(min_length=1)] | None = None
    fhir_servers: tuple[str, ...] | None = None

    def may_use(self, service: str) -> bool:
        return self.services is None or service in self.services

    def may_name(self, fhir_server: str) -> bool:
        """Whether a request of this client may name a FHIR server; a broken address is not judged here."""
        if self.fhir_servers is None or not fhir_server:
            return True
        try:
            origin = base_url(fhir_server).origin
        except BadUrlError:
            return True
        return any(origin == base_url(one).origin for one in self.fhir_servers)


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    clients: tuple[Client, ...]


class Clients:
    """The registered clients by issuer and tenant."""

    def __init__(self, clients: tuple[Client, ...]) -> None:
        self._all = clients
        self._by_issuer: dict[str, dict[str, Client]] = {}
        for client in clients:
            self._by_issuer.setdefault(client.issuer, {})[client.tenant] = client

    def __iter__(self) -> Iterator[Client]:
        return iter(self._all)

    def of_issuer(self, issuer: str) -> bool:
        return issuer in self._by_issuer

    def find(self, issuer: str, tenant: object) -> Client | None:
        """The client of a token; an entry without tenant takes whatever the token says there."""
        tenants = self._by_issuer.get(issuer, {})
        return tenants.get("") or (tenants.get(tenant) if isinstance(tenant, str) else None)


def read_clients(path: Path, *, loopback: bool) -> Clients:
    """The allow list in a YAML file. loopback: whether http on this machine may hold key sets.

    Raises DocumentError that leads to the line, OSError when the file cannot be read.
    """
    document = read(path, _File, lambda file: _problems(file, loopback))
    return Clients(tuple(_with_keys(path, n, client) for n, client in enumerate(document.clients)))


def _problems(file: _File, loopback: bool) -> Iterator[tuple[At, str]]:
    if not file.clients:
        yield ("clients",), "there is no client: nobody could call"
    names = Counter(client.name for client in file.clients)
    pairs = Counter((client.issuer, client.tenant) for client in file.clients)
    open_issuers = {client.issuer for client in file.clients if not client.tenant}
    for n, client in enumerate(file.clients):
        at: At = ("clients", n)
        if names[client.name] > 1:
            yield (*at, "name"), f"two clients are named {client.name}"
        if pairs[client.issuer, client.tenant] > 1:
            yield (*at, "issuer"), "two clients have this issuer and tenant: no token could tell them apart"
        if client.tenant and client.issuer in open_issuers:
            what = "an issuer has either one entry without tenant, which takes all, or one for each tenant"
            yield (*at, "tenant"), what
        if client.jwks.keys and client.jwks_file:
            yield (*at, "jwks_file"), "a key set is pinned either here (jwks) or in a file (jwks_file)"
        if not (client.jku or client.jwks.keys or client.jwks_file):
            yield at, "it has no keys: jku, jwks or jwks_file is needed"
        if client.jku and (why := _unusable(client.jku, loopback)):
            yield (*at, "jku"), why
        for place, server in enumerate(client.fhir_servers or ()):
            if why := _no_origin(server):
                yield (*at, "fhir_servers", place), why
        for place, why in _unfit(client.jwks.keys):
            yield (*at, "jwks", "keys", place), why


def _unusable(jku: str, loopback: bool) -> str:
    try:
        url = checked(jku)
    except BadUrlError as error:
        return str(error)
    if url.scheme == "https" or (loopback and is_loopback(url.host)):
        return ""
    return "a key set is read over https (http on this machine in development mode alone)"


def _no_origin(server: str) -> str:
    try:
        return "only the origin is compared, leave the path out" if base_url(server).path else ""
    except BadUrlError as error:
        return str(error)


def _with_keys(path: Path, n: int, client: Client) -> Client:
    """A client with the keys of its file, which lies beside the list."""
    if not client.jwks_file:
        return client
    file = path.parent / client.jwks_file
    at: At = ("clients", n, "jwks_file")
    try:
        keys = read_key_set(file.read_bytes())
    except OSError as error:
        raise DocumentError(path, f"{file} cannot be read: {error.strerror}", at=at) from None
    except KeySetError as error:
        raise DocumentError(path, f"{file}: {error}", at=at) from None
    for place, why in _unfit(keys):
        raise DocumentError(path, f"{file}: key {place}: {why}", at=at)
    if not keys:
        raise DocumentError(path, f"{file} holds no key", at=at)
    return msgspec.structs.replace(client, jwks=KeySet(keys))


def _unfit(keys: tuple[Jwk, ...]) -> Iterator[tuple[int, str]]:
    """What is wrong with pinned keys: unlike those of others, these can be set right before the start."""
    for place, key in enumerate(keys):
        key_id = key.get("kid")
        if not isinstance(key_id, str) or not key_id:
            yield place, "the key has no kid, and tokens name keys by it"
            continue
        usual = _ALGORITHMS_OF_CURVE.get(str(key.get("crv")), "RS384")
        try:
            choose(keys, key_id, str(key.get("alg", usual)))
        except RefusedError as refused:
            yield place, f"{refused.reason.what} {refused.reason.mend}"
