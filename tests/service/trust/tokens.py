"""Tokens for tests, made by hand: a library would refuse to make most of them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

Json = dict[str, Any]
Signer = Callable[[bytes], bytes]
GONE = object()

EC_KEY = ec.generate_private_key(ec.SECP384R1())
OTHER_EC_KEY = ec.generate_private_key(ec.SECP384R1())
P256_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _number(value: int, size: int | None = None) -> str:
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


def jwk(
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, kid: str, *, private: bool = False, **more: Any
) -> Json:
    """The JWK of a key; the public part unless `private`."""
    if isinstance(key, rsa.RSAPrivateKey):
        public = key.public_key().public_numbers()
        found = {"kty": "RSA", "n": _number(public.n), "e": _number(public.e)}
        if private:
            found["d"] = _number(key.private_numbers().d)
    else:
        size = (key.curve.key_size + 7) // 8
        point = key.public_key().public_numbers()
        curve = f"P-{key.curve.key_size}"
        found = {"kty": "EC", "crv": curve, "x": _number(point.x, size), "y": _number(point.y, size)}
        if private:
            found["d"] = _number(key.private_numbers().private_value, size)
    return {**found, "kid": kid, **more}


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form)


def ecdsa(key: ec.EllipticCurvePrivateKey, hash_: hashes.HashAlgorithm | None = None) -> Signer:
    size = (key.curve.key_size + 7) // 8

    def sign(data: bytes) -> bytes:
        r, s = decode_dss_signature(key.sign(data, ec.ECDSA(hash_ or hashes.SHA384())))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")

    return sign


def rsassa(key: rsa.RSAPrivateKey, hash_: hashes.HashAlgorithm | None = None) -> Signer:
    return lambda data: key.sign(data, padding.PKCS1v15(), hash_ or hashes.SHA384())


def hmac_of(secret: bytes, name: str) -> Signer:
    return lambda data: hmac.new(secret, data, getattr(hashlib, name)).digest()


def signed(header: Json, claims: Json | bytes, sign: Signer) -> str:
    """The compact form. Values that are GONE are left out."""
    parts = [_encoded(header), _encoded(claims)]
    data = ".".join(parts)
    return f"{data}.{b64(sign(data.encode()))}"


def _encoded(part: Json | bytes) -> str:
    if isinstance(part, bytes):
        return b64(part)
    return b64(json.dumps({key: value for key, value in part.items() if value is not GONE}).encode())


def new_id() -> str:
    return uuid4().hex
