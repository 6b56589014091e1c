"""Why a request is not let in: one code for each reason, with what to do about it.

The texts go to whoever sent the request and to the log, so they hold nothing of the token: a claim
may name a patient or a user, and whoever reads a token in a log can use it until it expires.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cds_service.trust.clients import Client


class Reason(Enum):
    """code: stable, for programs. what: one sentence. mend: how the sender sets it right."""

    NO_TOKEN = (
        "no-token",
        "This address asks for a token.",
        "Send Authorization: Bearer with a JWT of a registered client.",
    )
    WRONG_SCHEME = ("wrong-scheme", "The Authorization header has another scheme.", "Use Bearer.")
    SEVERAL_TOKENS = ("several-tokens", "The request carries more than one token.", "Send one.")
    TOO_LARGE = ("token-too-large", "The token is larger than any client needs.", "Keep it below 8000 bytes.")
    MALFORMED = (
        "not-a-jwt",
        "The token is no signed JWT.",
        "Send the compact form: header, claims and signature in base64url, joined by dots.",
    )
    UNSIGNED = ("unsigned", "The token says that it is not signed (alg none).", "Sign it.")
    SYMMETRIC = (
        "symmetric-algorithm",
        "The token is signed with a shared secret.",
        "Sign it with a private key: ES384 or RS384.",
    )
    ALGORITHM = (
        "algorithm-not-allowed",
        "The token is signed with an algorithm that is not allowed to this client.",
        "Use ES384 or RS384, or what was agreed at registration.",
    )
    CRITICAL = (
        "critical-header",
        "The header of the token makes an extension critical, and none is known here.",
        "Leave crit and b64 out.",
    )
    OWN_KEY = (
        "brings-own-key",
        "The header of the token holds a key or leads to one.",
        "Leave jwk, x5c and x5u out; keys are those of the registered set.",
    )
    WRONG_TYPE = ("wrong-type", "The token is of another type.", "The header must have typ JWT.")
    NO_KEY_ID = ("no-kid", "The token names no key.", "The header must have kid.")
    NO_ISSUER = ("no-iss", "The token names no issuer.", "Claim iss must be a text.")
    UNKNOWN_ISSUER = (
        "unknown-issuer",
        "The issuer of the token is not registered here.",
        "Ask whoever runs this service to register it.",
    )
    UNKNOWN_TENANT = (
        "unknown-tenant",
        "The issuer is registered, but not for the tenant of the token.",
        "Claim tenant must be the one that was registered.",
    )
    UNKNOWN_JKU = (
        "unknown-jku",
        "The token names another key set than the one that is registered.",
        "Header jku must be exactly the registered address, or absent.",
    )
    KEYS_UNAVAILABLE = (
        "keys-unavailable",
        "The key set of this client cannot be read now.",
        "Look whether its registered address answers with a JWK set; try again later.",
    )
    UNKNOWN_KEY = (
        "unknown-key",
        "The key set of this client has no key of this name.",
        "Publish the key under its kid; a set is read again at most every 15 seconds.",
    )
    AMBIGUOUS_KEY = (
        "ambiguous-key",
        "The key set of this client has several keys of this name.",
        "Give each key its own kid.",
    )
    PRIVATE_KEY = (
        "private-key-published",
        "The key set of this client shows the private part of this key: anybody can sign with it.",
        "Replace the key, and publish the public part alone.",
    )
    UNFIT_KEY = (
        "unfit-key",
        "The key of this name is not one for signatures of this algorithm.",
        "Kind, curve, alg, use and key_ops of the key must fit; RSA keys need 2048 bits.",
    )
    BAD_SIGNATURE = (
        "bad-signature",
        "The signature does not belong to this token and key.",
        "Sign with the private key of the published one.",
    )
    NO_AUDIENCE = ("no-aud", "The token names no audience.", "Claim aud must be a text or a list of texts.")
    WRONG_AUDIENCE = (
        "wrong-audience",
        "The token is meant for another address.",
        "Claim aud must be the address that is called, as clients see it, without a query.",
    )
    NO_EXPIRY = ("no-exp", "The token does not say when it ends.", "Claim exp must be a number.")
    EXPIRED = ("expired", "The token has expired.", "Make a new one; compare the clocks.")
    NO_ISSUE_TIME = ("no-iat", "The token does not say when it was made.", "Claim iat must be a number.")
    ISSUED_LATER = (
        "issued-in-future",
        "The token was made in the future.",
        "Compare the clocks.",
    )
    NOT_YET = ("not-yet-valid", "The token is not valid yet.", "Wait, or leave nbf out.")
    LIFETIME = (
        "lifetime",
        "The token is valid for longer than an hour, or ends before it begins.",
        "Let exp be minutes after iat.",
    )
    NO_ID = ("no-jti", "The token has no identifier.", "Claim jti must be a text of 1 to 256 characters.")
    REPLAYED = (
        "replayed",
        "This request came before with this token.",
        "Make a new token for a request that is sent again.",
    )

    def __init__(self, code: str, what: str, mend: str) -> None:
        self.code, self.what, self.mend = code, what, mend


class RefusedError(Exception):
    """A token that is not accepted. client: the registered one that it claims, when there is one."""

    def __init__(self, reason: Reason, client: Client | None = None) -> None:
        super().__init__(reason.code)
        self.reason, self.client = reason, client
