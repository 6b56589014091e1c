"""JWK sets, and the one key in them that may verify a token.

A key is taken by its kid alone, and only when everything that it says about itself fits: a set may
hold keys for encryption, for other algorithms and of kinds that are not known here (RFC 7517,
section 5), and none of them must make the others unusable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.util import base64_to_int
from msgspec import Struct

from cds_service.trust.reasons import Reason, RefusedError

Algorithm = Literal["ES384", "RS384", "ES256", "ES512", "RS256", "RS512", "PS256", "PS384", "PS512"]
Jwk = dict[str, Any]

_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
_PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}
_RSA_BITS = range(2048, 8193)  # fewer can be broken, more only cost time
_MOST_KEYS = 100


class KeySetError(ValueError):
    """What was read is no JWK set; the message repeats nothing of it."""


class _KeySet(Struct):
    keys: list[Jwk]


def read_key_set(text: bytes) -> tuple[Jwk, ...]:
    """The keys of a JWK set, as they stand there. Raises KeySetError."""
    try:
        keys = msgspec.json.decode(text, type=_KeySet).keys
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise KeySetError("it is no JWK set") from None
    if len(keys) > _MOST_KEYS:
        raise KeySetError(f"it holds more than {_MOST_KEYS} keys")
    return tuple(keys)


def choose(keys: Sequence[Jwk], key_id: str, algorithm: str) -> ECKey | RSAKey:
    """The public key of a set that verifies tokens with this kid and algorithm.

    Raises RefusedError: UNKNOWN_KEY when no key has the kid, AMBIGUOUS_KEY, PRIVATE_KEY, UNFIT_KEY.
    """
    named = [key for key in keys if key.get("kid") == key_id]
    if not named:
        raise RefusedError(Reason.UNKNOWN_KEY)
    if any(_PRIVATE & key.keys() for key in named):
        raise RefusedError(Reason.PRIVATE_KEY)
    kind = "EC" if algorithm in _CURVES else "RSA"
    # Keys of different kinds may share a kid: they are then alternatives (RFC 7517, section 4.5).
    fitting = [key for key in named if key.get("kty") == kind]
    if len(fitting) > 1:
        raise RefusedError(Reason.AMBIGUOUS_KEY)
    if not fitting or not _serves(fitting[0], algorithm):
        raise RefusedError(Reason.UNFIT_KEY)
    return _imported(fitting[0], algorithm)


def _serves(key: Jwk, algorithm: str) -> bool:
    """Whether a key says nothing against verifying signatures of the algorithm."""
    operations = key.get("key_ops", ["verify"])
    return (
        key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and key.get("crv") == _CURVES.get(algorithm)
        and isinstance(operations, list)
        and "verify" in operations
    )


def _imported(key: Jwk, algorithm: str) -> ECKey | RSAKey:
    try:
        if algorithm in _CURVES:
            return ECKey.import_key(key)
        if base64_to_int(key["n"]).bit_length() in _RSA_BITS:
            return RSAKey.import_key(key)
    except (JoseError, ValueError, TypeError, KeyError):
        pass
    raise RefusedError(Reason.UNFIT_KEY)
