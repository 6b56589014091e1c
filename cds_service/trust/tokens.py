"""A bearer token: which registered client signed it for this address, just now.

The claims are read before they are believed, to find the client; its entry in the allow list, never
the token, then says which keys and algorithms count. The signature is verified by joserfc.

Sources: CDS Hooks 2.0, section Trusting CDS Clients; RFC 7515, 7519, 8725.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple, TypeGuard, get_args

import msgspec
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.util import urlsafe_b64decode

from cds_service.trust.audience import is_for
from cds_service.trust.clients import Client, Clients
from cds_service.trust.key_sets import KeySets
from cds_service.trust.keys import Algorithm, choose
from cds_service.trust.reasons import Reason, RefusedError

LIFETIME_SECONDS = 3600
_LARGEST = 8000
_LATEST = 1e12  # beyond any calendar; larger integers do not fit a float
_COMPACT = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*){2}")
_ALGORITHMS = frozenset(get_args(Algorithm))


class _Registry(jws.JWSRegistry):
    """joserfc's reader with room for the address of a key set in the header."""

    max_header_length = _LARGEST


class Verified(NamedTuple):
    """A token that counts. jti: what tells it from the client's others. ends: its exp."""

    client: Client
    jti: str
    ends: float


class Verifier:
    """Holds tokens against the allow list.

    leeway: seconds by which the clock of a client may differ.
    """

    def __init__(self, clients: Clients, key_sets: KeySets, leeway: float) -> None:
        self._clients = clients
        self._key_sets = key_sets
        self._leeway = leeway

    def verify(self, authorization: str, address: str, now: float) -> Verified:
        """The client behind an Authorization header.

        address: the endpoint as clients see it. now: seconds since 1970. Raises RefusedError.
        """
        token = bearer(authorization)
        header, claims = _parts(token)
        algorithm, key_id = _checked_header(header)
        client = self._client(claims)
        try:
            if algorithm not in client.algorithms:
                raise RefusedError(Reason.ALGORITHM)
            if "jku" in header and header["jku"] != client.jku:
                raise RefusedError(Reason.UNKNOWN_JKU)
            keys = client.jwks.keys or self._key_sets.keys(client.jku, key_id, now)
            key = choose(keys, key_id, algorithm)
            try:
                registry = _Registry(algorithms=[algorithm], strict_check_header=False)
                jws.deserialize_compact(token, key, registry=registry)
            except (JoseError, ValueError):
                raise RefusedError(Reason.BAD_SIGNATURE) from None
            return self._checked_claims(client, claims, address, now)
        except RefusedError as refused:
            raise RefusedError(refused.reason, client) from None

    def _client(self, claims: dict[str, Any]) -> Client:
        issuer = claims.get("iss")
        if not isinstance(issuer, str) or not issuer:
            raise RefusedError(Reason.NO_ISSUER)
        client = self._clients.find(issuer, claims.get("tenant"))
        if client is None:
            known = self._clients.of_issuer(issuer)
            raise RefusedError(Reason.UNKNOWN_TENANT if known else Reason.UNKNOWN_ISSUER)
        return client

    def _checked_claims(self, client: Client, claims: dict[str, Any], address: str, now: float) -> Verified:
        audience = claims.get("aud")
        if not _texts(audience):
            raise RefusedError(Reason.NO_AUDIENCE)
        if not is_for(audience, address):
            raise RefusedError(Reason.WRONG_AUDIENCE)
        ends = _time(claims, "exp", Reason.NO_EXPIRY)
        made = _time(claims, "iat", Reason.NO_ISSUE_TIME)
        if ends + self._leeway <= now:
            raise RefusedError(Reason.EXPIRED)
        if made - self._leeway > now:
            raise RefusedError(Reason.ISSUED_LATER)
        if "nbf" in claims and _time(claims, "nbf", Reason.NOT_YET) - self._leeway > now:
            raise RefusedError(Reason.NOT_YET)
        if not 0 < ends - made <= LIFETIME_SECONDS:
            raise RefusedError(Reason.LIFETIME)
        jti = claims.get("jti")
        if not isinstance(jti, str) or not 0 < len(jti) <= 256:
            raise RefusedError(Reason.NO_ID)
        return Verified(client, jti, ends)


def bearer(authorization: str) -> str:
    """The one token of an Authorization header. The scheme is written in any case (RFC 9110)."""
    scheme, _, rest = authorization.strip().partition(" ")
    token = rest.strip()
    if not scheme:
        raise RefusedError(Reason.NO_TOKEN)
    if scheme.lower() != "bearer":
        raise RefusedError(Reason.WRONG_SCHEME)
    if not token:
        raise RefusedError(Reason.NO_TOKEN)
    if len(token) > _LARGEST:
        raise RefusedError(Reason.TOO_LARGE)
    if re.search(r"[\s,]", token):  # servers join the values of two headers with a comma
        raise RefusedError(Reason.SEVERAL_TOKENS)
    return token


def _parts(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims as they stand in a token, believed by nobody yet."""
    if not _COMPACT.fullmatch(token):
        raise RefusedError(Reason.MALFORMED)
    try:
        header, claims = (_object(part) for part in token.split(".")[:2])
    except (ValueError, RecursionError):
        raise RefusedError(Reason.MALFORMED) from None
    return header, claims


def _object(part: str) -> dict[str, Any]:
    return msgspec.json.decode(urlsafe_b64decode(part.encode()), type=dict[str, Any])


def _checked_header(header: dict[str, Any]) -> tuple[str, str]:
    """Algorithm and kid of a header that has nothing it should not have."""
    algorithm = header.get("alg")
    if not isinstance(algorithm, str):
        raise RefusedError(Reason.MALFORMED)
    if algorithm.lower() == "none":
        raise RefusedError(Reason.UNSIGNED)
    if algorithm.upper().startswith("HS"):
        raise RefusedError(Reason.SYMMETRIC)
    if algorithm not in _ALGORITHMS:
        raise RefusedError(Reason.ALGORITHM)
    if "crit" in header or "b64" in header:
        raise RefusedError(Reason.CRITICAL)
    if header.keys() & {"jwk", "x5c", "x5u"}:
        raise RefusedError(Reason.OWN_KEY)
    if str(header.get("typ")).upper() != "JWT":
        raise RefusedError(Reason.WRONG_TYPE)
    key_id = header.get("kid")
    if not isinstance(key_id, str) or not key_id:
        raise RefusedError(Reason.NO_KEY_ID)
    return algorithm, key_id


def _texts(value: object) -> TypeGuard[str | list[str]]:
    if isinstance(value, list):
        return bool(value) and all(isinstance(one, str) for one in value)
    return isinstance(value, str)


def _time(claims: dict[str, Any], name: str, reason: Reason) -> float:
    """A NumericDate (RFC 7519): seconds since 1970."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > _LATEST:
        raise RefusedError(reason)
    return float(value)
