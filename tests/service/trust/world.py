"""A served app with registered clients, their key server and a clock that a test moves."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import requests
from flask import Flask
from werkzeug.serving import make_server

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.service.bodies import PATIENT, SIGN, bundle, observation, sign
from tests.service.fake_engine import FakeEngine
from tests.service.trust.key_server import KeyServer
from tests.service.trust.tokens import (
    EC_KEY,
    P256_KEY,
    RSA_KEY,
    Json,
    Signer,
    ecdsa,
    jwk,
    new_id,
    rsassa,
    signed,
)

PUBLIC = "https://cds.example.org/pumps"
ISSUER = "https://ehr.example.org"
START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
BODY = sign(prefetch={"patient": PATIENT, "observations": bundle(observation())})


class World:
    """base: where the app answers; clients know it as PUBLIC."""

    def __init__(self, keys: KeyServer) -> None:
        self.keys = keys
        self.now = START
        self.base = ""

    def clock(self) -> datetime:
        return self.now

    def pass_time(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    def header(self, **changes: Any) -> Json:
        return {"alg": "ES384", "typ": "JWT", "kid": "ec-1", "jku": self.keys.jku} | changes

    def claims(self, path: str = SIGN, **changes: Any) -> Json:
        made = int(self.now.timestamp())
        found = {"iss": ISSUER, "aud": f"{PUBLIC}{path}", "iat": made, "exp": made + 300, "jti": new_id()}
        return found | changes

    def token(
        self,
        header: Json | None = None,
        claims: Json | None = None,
        by: Signer | None = None,
        path: str = SIGN,
    ) -> str:
        """A good ES384 token, but for what is given."""
        return signed(self.header(**(header or {})), self.claims(path, **(claims or {})), by or ecdsa(EC_KEY))

    def rsa_token(self, **claims: Any) -> str:
        return self.token({"alg": "RS384", "kid": "rsa-1"}, claims, rsassa(RSA_KEY))

    def post(
        self, token: str = "", body: Json | None = None, path: str = SIGN, **headers: str
    ) -> requests.Response:
        if token:
            headers["Authorization"] = f"Bearer {token}"
        return requests.post(self.base + path, json=body or BODY, headers=headers, timeout=20)

    def get(self, path: str, token: str = "") -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.get(self.base + path, headers=headers, timeout=20)


def published() -> list[Json]:
    """The key set of the EHR: two good keys, and all that may stand beside them."""
    return [
        {"kty": "AKP", "kid": "of-a-later-day", "alg": "ML-DSA-65", "pub": "AAAA"},
        {"kty": "oct", "kid": "shared", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"},
        jwk(EC_KEY, "ec-1", use="sig", alg="ES384", key_ops=["verify"]),
        jwk(RSA_KEY, "rsa-1"),
        jwk(P256_KEY, "p256"),
        jwk(EC_KEY, "twice"),
        jwk(EC_KEY, "twice"),
        jwk(EC_KEY, "both-kinds"),
        jwk(RSA_KEY, "both-kinds"),
        jwk(EC_KEY, "shown", private=True),
        jwk(EC_KEY, "for-encryption", use="enc"),
        jwk(EC_KEY, "for-signing-only", key_ops=["sign"]),
        jwk(EC_KEY, "for-another-algorithm", alg="ES256"),
        jwk(EC_KEY, "off-the-curve", y="AAAA"),
        {key: value for key, value in jwk(EC_KEY, "x").items() if key != "kid"},
        jwk(EC_KEY, "numbered") | {"kid": 7},
    ]


def write_clients(folder: Path, *clients: Json) -> Path:
    path = folder / "clients.yaml"
    path.write_text(json.dumps({"clients": list(clients)}), encoding="utf-8")  # JSON is YAML
    return path


def settings(clients_file: Path, **more: Any) -> Settings:
    return Settings(trust="jwt", public_url=PUBLIC, clients_file=str(clients_file), **more)


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The app over a socket; its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def world(
    folder: Path,
    engine: FakeEngine,
    *others: Json,
    client: Json | None = None,
    tls: ssl.SSLContext | None = None,
    **more: Any,
) -> Iterator[World]:
    """A world with one client that publishes its keys (by tls), `others` beside it; more: settings."""
    with KeyServer(published(), tls=tls) as keys:
        found = World(keys)
        main = {"name": "general", "issuer": ISSUER, "jku": keys.jku} | (client or {})
        app = create_app(settings(write_clients(folder, main, *others), **more), engine, clock=found.clock)  # type: ignore[arg-type]
        with served(app) as found.base:
            yield found
