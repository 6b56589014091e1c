"""Tokens that are forged, late, repeated, meant for others or broken: each is refused for its reason."""

from __future__ import annotations

import http.client
import logging
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives import hashes

from cds_service.trust.reasons import Reason
from tests.service.bodies import SIGN, code, encoded, issue
from tests.service.trust.tokens import (
    EC_KEY,
    GONE,
    OTHER_EC_KEY,
    P256_KEY,
    RSA_KEY,
    b64,
    ecdsa,
    hmac_of,
    jwk,
    pem,
    rsassa,
    signed,
)
from tests.service.trust.world import BODY, PUBLIC, World

HOUR = 3600
PHI = "Doe-Jane-MRN-4711"
CLOUD = "https://cloud.example.org"


@dataclass(frozen=True)
class Row:
    """token: from a world to what stands behind "Bearer "."""

    name: str
    reason: Reason
    token: Callable[[World], str]


def _cut(token: str) -> str:
    return token.rsplit(".", 1)[0]


def _flipped(w: World) -> str:
    head, claims, signature = w.token().split(".")
    return f"{head}.{claims}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


def _other_claims(w: World) -> str:
    """The signature of one token under the claims of another."""
    first, second = w.token(), w.token(claims={"sub": PHI})
    return f"{second.rsplit('.', 1)[0]}.{first.rsplit('.', 1)[1]}"


def _at(w: World, seconds: int) -> int:
    return int(w.now.timestamp()) + seconds


def _without_key(w: World) -> str:
    return _cut(w.token({"alg": "none"})) + "."


def _secret(w: World, algorithm: str, key: bytes, name: str) -> str:
    return w.token({"alg": algorithm, "kid": "rsa-1"}, by=hmac_of(key, name))


ROWS = [
    # Forged
    Row("alg none", Reason.UNSIGNED, _without_key),
    Row("alg None with a signature", Reason.UNSIGNED, lambda w: w.token({"alg": "nOnE"})),
    Row("HS256 with the public key as secret", Reason.SYMMETRIC, lambda w: _secret(w, "HS256", pem(RSA_KEY), "sha256")),
    Row("HS384 with the public key as secret", Reason.SYMMETRIC, lambda w: _secret(w, "HS384", pem(EC_KEY), "sha384")),
    Row("HS512 with the published secret", Reason.SYMMETRIC, lambda w: w.token({"alg": "HS512", "kid": "shared"}, by=hmac_of(b"secret-secret-secret-secret", "sha512"))),
    Row("signed by a stranger", Reason.BAD_SIGNATURE, lambda w: w.token(by=ecdsa(OTHER_EC_KEY))),
    Row("a changed signature", Reason.BAD_SIGNATURE, _flipped),
    Row("the signature of another token", Reason.BAD_SIGNATURE, _other_claims),
    Row("a signature of zeros", Reason.BAD_SIGNATURE, lambda w: w.token(by=lambda _: bytes(96))),
    Row("no signature", Reason.BAD_SIGNATURE, lambda w: _cut(w.token()) + "."),
    Row("ES384 over SHA-256", Reason.BAD_SIGNATURE, lambda w: w.token(by=ecdsa(EC_KEY, hashes.SHA256()))),
    Row("RS384 over SHA-256", Reason.BAD_SIGNATURE, lambda w: w.token({"alg": "RS384", "kid": "rsa-1"}, by=rsassa(RSA_KEY, hashes.SHA256()))),
    Row("a kid of another key", Reason.BAD_SIGNATURE, lambda w: w.token({"alg": "RS384", "kid": "rsa-1"})),
    Row("its own key in the header", Reason.OWN_KEY, lambda w: w.token({"jwk": jwk(OTHER_EC_KEY, "ec-1")}, by=ecdsa(OTHER_EC_KEY))),
    Row("an address of a certificate", Reason.OWN_KEY, lambda w: w.token({"x5u": "https://evil.example.org/c.pem"})),
    Row("a certificate in the header", Reason.OWN_KEY, lambda w: w.token({"x5c": ["MIIB"]})),
    Row("jku elsewhere", Reason.UNKNOWN_JKU, lambda w: w.token({"jku": "https://evil.example.org/jwks.json"})),
    Row("jku on the same server", Reason.UNKNOWN_JKU, lambda w: w.token({"jku": f"{w.keys.jku}?evil"})),
    Row("jku that is no text", Reason.UNKNOWN_JKU, lambda w: w.token({"jku": [w.keys.jku]})),
    Row("jku of a client with pinned keys", Reason.UNKNOWN_JKU, lambda w: w.token(claims={"iss": CLOUD, "tenant": "north"})),
    Row("a stranger as issuer", Reason.UNKNOWN_ISSUER, lambda w: w.token(claims={"iss": f"https://{PHI}.example.org"})),
    Row("an issuer with a slash more", Reason.UNKNOWN_ISSUER, lambda w: w.token(claims={"iss": "https://ehr.example.org/"})),
    Row("an issuer in capitals", Reason.UNKNOWN_ISSUER, lambda w: w.token(claims={"iss": "https://EHR.example.org"})),
    Row("another client's issuer", Reason.UNKNOWN_TENANT, lambda w: w.token(claims={"iss": CLOUD})),
    Row("a tenant that is not registered", Reason.UNKNOWN_TENANT, lambda w: w.token(claims={"iss": CLOUD, "tenant": PHI})),
    Row("an empty tenant", Reason.UNKNOWN_TENANT, lambda w: w.token(claims={"iss": CLOUD, "tenant": ""})),
    Row("a tenant that is a list", Reason.UNKNOWN_TENANT, lambda w: w.token(claims={"iss": CLOUD, "tenant": ["north"]})),
    # Algorithms and keys
    Row("an algorithm that nobody knows", Reason.ALGORITHM, lambda w: w.token({"alg": "ES999"})),
    Row("ES256 though known", Reason.ALGORITHM, lambda w: w.token({"alg": "ES256", "kid": "p256"}, by=ecdsa(P256_KEY, hashes.SHA256()))),
    Row("RS384 where ES384 was agreed", Reason.ALGORITHM, lambda w: w.token({"alg": "RS384", "kid": "rsa-1", "jku": GONE}, {"iss": "https://small.example.org"}, rsassa(RSA_KEY))),
    Row("lower-case algorithm", Reason.ALGORITHM, lambda w: w.token({"alg": "es384"})),
    Row("EdDSA", Reason.ALGORITHM, lambda w: w.token({"alg": "EdDSA"})),
    Row("ES384 with a key of another curve", Reason.UNFIT_KEY, lambda w: w.token({"kid": "p256"}, by=ecdsa(P256_KEY))),
    Row("ES384 with an RSA key", Reason.UNFIT_KEY, lambda w: w.token({"kid": "rsa-1"}, by=rsassa(RSA_KEY))),
    Row("a key for encryption", Reason.UNFIT_KEY, lambda w: w.token({"kid": "for-encryption"})),
    Row("a key without verify", Reason.UNFIT_KEY, lambda w: w.token({"kid": "for-signing-only"})),
    Row("a key of another algorithm", Reason.UNFIT_KEY, lambda w: w.token({"kid": "for-another-algorithm"})),
    Row("a point off the curve", Reason.UNFIT_KEY, lambda w: w.token({"kid": "off-the-curve"})),
    Row("a key of a kind of a later day", Reason.UNFIT_KEY, lambda w: w.token({"kid": "of-a-later-day"})),
    Row("a shared secret in the set", Reason.PRIVATE_KEY, lambda w: w.token({"kid": "shared"})),
    Row("a key whose private part is shown", Reason.PRIVATE_KEY, lambda w: w.token({"kid": "shown"})),
    Row("a kid that two keys have", Reason.AMBIGUOUS_KEY, lambda w: w.token({"kid": "twice"})),
    Row("a kid that is not published", Reason.UNKNOWN_KEY, lambda w: w.token({"kid": PHI})),
    Row("a kid that leads to a file", Reason.UNKNOWN_KEY, lambda w: w.token({"kid": "../../../dev/null"})),
    Row("no kid", Reason.NO_KEY_ID, lambda w: w.token({"kid": GONE})),
    Row("an empty kid", Reason.NO_KEY_ID, lambda w: w.token({"kid": ""})),
    Row("a kid that is a number", Reason.NO_KEY_ID, lambda w: w.token({"kid": 7})),
    # Headers
    Row("crit", Reason.CRITICAL, lambda w: w.token({"crit": ["exp"], "exp": 1})),
    Row("an empty crit", Reason.CRITICAL, lambda w: w.token({"crit": []})),
    Row("b64 false and critical", Reason.CRITICAL, lambda w: w.token({"b64": False, "crit": ["b64"]})),
    Row("b64 false", Reason.CRITICAL, lambda w: w.token({"b64": False})),
    Row("an access token", Reason.WRONG_TYPE, lambda w: w.token({"typ": "at+jwt"})),
    Row("no type", Reason.WRONG_TYPE, lambda w: w.token({"typ": GONE})),
    # Misdirected
    Row("for another service", Reason.WRONG_AUDIENCE, lambda w: w.token(path="/cds-services/infusion-pump-order-select")),
    Row("for discovery", Reason.WRONG_AUDIENCE, lambda w: w.token(path="/cds-services")),
    Row("for the whole service", Reason.WRONG_AUDIENCE, lambda w: w.token(claims={"aud": PUBLIC})),
    Row("for another host", Reason.WRONG_AUDIENCE, lambda w: w.token(claims={"aud": f"https://other.example.org/pumps{SIGN}"})),
    Row("for the address behind the proxy", Reason.WRONG_AUDIENCE, lambda w: w.token(claims={"aud": f"{w.base}{SIGN}"})),
    Row("for http", Reason.WRONG_AUDIENCE, lambda w: w.token(claims={"aud": f"http://cds.example.org/pumps{SIGN}"})),
    Row("for a longer address", Reason.WRONG_AUDIENCE, lambda w: w.token(claims={"aud": f"{PUBLIC}{SIGN}/feedback"})),
    Row("with two slashes", Reason.WRONG_AUDIENCE, lambda w: w.token(claims={"aud": f"{PUBLIC}{SIGN}//"})),
    Row("for a list of others", Reason.WRONG_AUDIENCE, lambda w: w.token(claims={"aud": ["https://a.example.org", PUBLIC]})),
    Row("no audience", Reason.NO_AUDIENCE, lambda w: w.token(claims={"aud": GONE})),
    Row("an empty list of audiences", Reason.NO_AUDIENCE, lambda w: w.token(claims={"aud": []})),
    Row("an audience that is an object", Reason.NO_AUDIENCE, lambda w: w.token(claims={"aud": {f"{PUBLIC}{SIGN}": 1}})),
    Row("a list with a number", Reason.NO_AUDIENCE, lambda w: w.token(claims={"aud": [f"{PUBLIC}{SIGN}", 1]})),
    # Times
    Row("expired", Reason.EXPIRED, lambda w: w.token(claims={"iat": _at(w, -400), "exp": _at(w, -61)})),
    Row("no expiry", Reason.NO_EXPIRY, lambda w: w.token(claims={"exp": GONE})),
    Row("an expiry that is a text", Reason.NO_EXPIRY, lambda w: w.token(claims={"exp": str(_at(w, 300))})),
    Row("an expiry that is true", Reason.NO_EXPIRY, lambda w: w.token(claims={"exp": True})),
    Row("an expiry beyond all numbers", Reason.NO_EXPIRY, lambda w: w.token(claims={"exp": 10**400})),
    Row("made in the future", Reason.ISSUED_LATER, lambda w: w.token(claims={"iat": _at(w, 62), "exp": _at(w, 300)})),
    Row("not made at any time", Reason.NO_ISSUE_TIME, lambda w: w.token(claims={"iat": GONE})),
    Row("not yet valid", Reason.NOT_YET, lambda w: w.token(claims={"nbf": _at(w, 62)})),
    Row("not before a text", Reason.NOT_YET, lambda w: w.token(claims={"nbf": "now"})),
    Row("valid for a day", Reason.LIFETIME, lambda w: w.token(claims={"exp": _at(w, 24 * HOUR)})),
    Row("a second longer than an hour", Reason.LIFETIME, lambda w: w.token(claims={"exp": _at(w, HOUR + 1)})),
    Row("ends before it begins", Reason.LIFETIME, lambda w: w.token(claims={"iat": _at(w, 30), "exp": _at(w, 20)})),
    # Identifiers
    Row("no jti", Reason.NO_ID, lambda w: w.token(claims={"jti": GONE})),
    Row("an empty jti", Reason.NO_ID, lambda w: w.token(claims={"jti": ""})),
    Row("a jti that is a number", Reason.NO_ID, lambda w: w.token(claims={"jti": 7})),
    Row("a jti without end", Reason.NO_ID, lambda w: w.token(claims={"jti": "x" * 257})),
    Row("no issuer", Reason.NO_ISSUER, lambda w: w.token(claims={"iss": GONE})),
    Row("an issuer that is a list", Reason.NO_ISSUER, lambda w: w.token(claims={"iss": ["https://ehr.example.org"]})),
    # Malformed
    Row("an opaque token", Reason.MALFORMED, lambda _: PHI),
    Row("two parts", Reason.MALFORMED, lambda w: _cut(w.token())),
    Row("four parts", Reason.MALFORMED, lambda w: f"{w.token()}.AAAA"),
    Row("an encrypted token", Reason.MALFORMED, lambda w: f"{w.token()}.AAAA.AAAA"),
    Row("padding", Reason.MALFORMED, lambda w: f"{w.token()}="),
    Row("the other alphabet", Reason.MALFORMED, lambda w: f"{_cut(w.token())}.+/AA"),
    Row("a header that is no JSON", Reason.MALFORMED, lambda w: f"{b64(b'alg')}.{w.token().split('.', 1)[1]}"),
    Row("a header that is a list", Reason.MALFORMED, lambda w: f"{b64(b'[]')}.{w.token().split('.', 1)[1]}"),
    Row("a header that is not UTF-8", Reason.MALFORMED, lambda w: f"{b64(bytes([255]))}.{w.token().split('.', 1)[1]}"),
    Row("a header without alg", Reason.MALFORMED, lambda w: w.token({"alg": GONE})),
    Row("claims that are no JSON", Reason.MALFORMED, lambda w: signed(w.header(), PHI.encode(), ecdsa(EC_KEY))),
    Row("claims that are a list", Reason.MALFORMED, lambda w: signed(w.header(), b"[]", ecdsa(EC_KEY))),
    Row("claims nested without end", Reason.MALFORMED, lambda w: signed(w.header(), b'{"a":' + b"[" * 3000, ecdsa(EC_KEY))),
    Row("no claims", Reason.MALFORMED, lambda w: signed(w.header(), b"", ecdsa(EC_KEY))),
    Row("huge", Reason.TOO_LARGE, lambda w: w.token(claims={"sub": PHI * 1000})),
    Row("two tokens", Reason.SEVERAL_TOKENS, lambda w: f"{w.token()} {w.token()}"),
    Row("two tokens with a comma", Reason.SEVERAL_TOKENS, lambda w: f"{w.token()}, Bearer {w.token()}"),
    Row("nothing", Reason.NO_TOKEN, lambda _: ""),
]  # fmt: skip


@pytest.mark.req("A9.86", "A9.89", "A9.90", "A9.91", "A9.93")
@pytest.mark.req("A9.87")
@pytest.mark.req("A9.92")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_token_is_refused_for_its_reason_and_nothing_of_it_is_told(
    town: World, row: Row, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    token = row.token(town)
    response = town.post(Authorization=f"Bearer {token}")
    assert (response.status_code, code(response.json())) == (401, row.reason.code)
    assert response.headers["Content-Type"] == "application/fhir+json"
    assert issue(response.json())["details"]["text"] == row.reason.what
    challenge = response.headers["WWW-Authenticate"]
    assert challenge.startswith('Bearer realm="coverage-hooks"')
    assert (row.reason.code in challenge) == (row.reason is not Reason.NO_TOKEN)
    told = response.text + challenge + caplog.text
    assert row.reason.code in caplog.text
    for secret in (PHI, *(part for part in token.split(".") if len(part) > 8)):
        assert secret not in told


def test_the_table_holds_every_reason_that_a_token_can_have() -> None:
    elsewhere = {Reason.REPLAYED, Reason.KEYS_UNAVAILABLE, Reason.WRONG_SCHEME}
    assert {row.reason for row in ROWS} == set(Reason) - elsewhere
    assert len({reason.code for reason in Reason}) == len(Reason)


@pytest.mark.req("A9.89", "A9.90")
@pytest.mark.req("A9.88")
@pytest.mark.parametrize(
    "token",
    [
        lambda w: w.token(),
        lambda w: w.rsa_token(),
        lambda w: w.token({"jku": GONE}),
        lambda w: w.token({"typ": "jwt"}),
        lambda w: w.token({"kid": "both-kinds"}),
        lambda w: w.token({"kid": "both-kinds", "alg": "RS384"}, by=rsassa(RSA_KEY)),
        lambda w: w.token({"nonce": "unknown headers are not looked at"}),
        lambda w: w.token(claims={"sub": "dr", "tenant": "any", "nbf": _at(w, 59)}),
        lambda w: w.token(claims={"aud": f"{PUBLIC}{SIGN}/"}),
        lambda w: w.token(claims={"aud": ["https://a.example.org", f"{PUBLIC}{SIGN}"]}),
        lambda w: w.token(claims={"iat": _at(w, -3000), "exp": _at(w, 600)}),
        lambda w: w.token(claims={"iat": _at(w, -400), "exp": _at(w, -59)}),
        lambda w: w.token(claims={"iat": _at(w, 60), "exp": _at(w, 300)}),
        lambda w: w.token(claims={"exp": _at(w, 300) + 0.5}),
        lambda w: w.token({"jku": GONE}, {"iss": CLOUD, "tenant": "north"}),
        lambda w: w.token({"jku": GONE, "alg": "RS256", "kid": "rsa-1"}, {"iss": "https://wide.example.org"}, rsassa(RSA_KEY, hashes.SHA256())),
    ],
)  # fmt: skip
def test_a_good_token_is_let_in(town: World, token: Callable[[World], str]) -> None:
    response = town.post(token(town))
    assert response.status_code == 200, response.text
    assert response.json()["cards"]


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer  ", " Bearer"])
def test_the_scheme_is_written_in_any_case_and_with_blanks(town: World, scheme: str) -> None:
    headers = {"Content-Type": "application/json"}
    assert raw(town, [f"{scheme} {town.token()} "], headers) == 200


def test_another_scheme_is_refused(town: World) -> None:
    for value in ("Basic dXNlcjpwYXNz", f"JWT {town.token()}", town.token(), f"Bearer\t{town.token()}"):
        response = town.post(Authorization=value)
        assert (response.status_code, code(response.json())) == (401, "wrong-scheme")


@pytest.mark.req("A9.85")
def test_no_header_is_answered_with_the_challenge_alone(town: World) -> None:
    response = town.post()
    assert (response.status_code, code(response.json())) == (401, "no-token")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="coverage-hooks"'


def test_two_headers_are_refused_even_when_both_are_good(town: World) -> None:
    assert raw(town, [f"Bearer {town.token()}", f"Bearer {town.token()}"]) == 401


def test_a_token_in_the_query_is_not_looked_at(town: World) -> None:
    response = town.post(path=f"{SIGN}?access_token={town.token()}")
    assert (response.status_code, code(response.json())) == (401, "no-token")


@pytest.mark.req("A9.90")
def test_headers_of_proxies_do_not_change_the_audience(town: World) -> None:
    token = town.token(claims={"aud": f"https://evil.example.org{SIGN}"})
    headers = {
        "Host": "evil.example.org",
        "X-Forwarded-Host": "evil.example.org",
        "X-Forwarded-Proto": "https",
        "Forwarded": "host=evil.example.org;proto=https",
    }
    response = town.post(token, **headers)
    assert (response.status_code, code(response.json())) == (401, "wrong-audience")
    assert town.post(town.token(), **headers).status_code == 200


def raw(world: World, values: list[str], headers: dict[str, str] | None = None) -> int:
    """The status of a request with these Authorization headers, as they are."""
    connection = http.client.HTTPConnection(urlsplit(world.base).netloc, timeout=10)
    body = encoded(BODY)
    connection.putrequest("POST", SIGN)
    for value in values:
        connection.putheader("Authorization", value)
    for name, value in (headers or {}).items():
        connection.putheader(name, value)
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    status = connection.getresponse().status
    connection.close()
    return status
