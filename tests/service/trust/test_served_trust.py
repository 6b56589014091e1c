"""Trust as it is served: gunicorn with two workers, and the real clock."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from cds_service.samples import paperwork_missing
from tests.service.bodies import SIGN, code
from tests.service.test_served import free_port, start, wait_for
from tests.service.trust.key_server import KeyServer
from tests.service.trust.tokens import EC_KEY, OTHER_EC_KEY, ecdsa, jwk, new_id, signed
from tests.service.trust.world import write_clients

WORKERS = 2


class Place:
    """A service on a port, and the key server of its client."""

    def __init__(self, base: str, keys: KeyServer) -> None:
        self.base, self.keys = base, keys
        self.made: list[str] = []

    def token(self, kid: str = "ec-1") -> str:
        now = int(time.time())
        header = {"alg": "ES384", "typ": "JWT", "kid": kid, "jku": self.keys.jku}
        claims = {"iss": "ehr", "aud": self.base + SIGN, "iat": now, "exp": now + 300, "jti": new_id()}
        self.made.append(signed(header, claims, ecdsa(EC_KEY if kid == "ec-1" else OTHER_EC_KEY)))
        return self.made[-1]

    def post(self, token: str) -> requests.Response:
        headers = {"Authorization": f"Bearer {token}", "Connection": "close"}
        return requests.post(self.base + SIGN, json=paperwork_missing(), headers=headers, timeout=20)

    def together(self, *tokens: str) -> list[int]:
        found: list[int] = []
        threads = [
            threading.Thread(target=lambda t=t: found.append(self.post(t).status_code)) for t in tokens
        ]  # type: ignore[misc]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return sorted(found)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder: Path = tmp_path_factory.mktemp("served")
    temporary = folder / "tmp"
    temporary.mkdir()
    with KeyServer([jwk(EC_KEY, "ec-1")]) as keys:
        file = write_clients(folder, {"name": "ehr", "issuer": "ehr", "jku": keys.jku})
        port = free_port()
        process = start(
            port,
            COVERAGE_HOOKS_TRUST="jwt",
            COVERAGE_HOOKS_CLIENTS_FILE=str(file),
            COVERAGE_HOOKS_WORKERS=str(WORKERS),
            TMPDIR=str(temporary),
        )
        found = Place(f"http://127.0.0.1:{port}", keys)
        wait_for(found.base, process)
        yield found
        assert any(path.name.startswith("coverage-hooks-") for path in temporary.iterdir())
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=15)
    assert process.returncode == 0
    assert "no token is asked" not in out + err
    assert "refused POST /cds-services/<service_id>: replayed (client ehr)" in err
    assert "Traceback" not in err
    assert found.made
    assert not any(part in out + err for token in found.made for part in token.split("."))
    assert list(temporary.iterdir()) == []


def test_workers_share_what_they_saw(place: Place) -> None:
    token = place.token()
    assert place.together(*[token] * 12) == [200] + [401] * 11


def test_workers_share_the_key_set_and_find_a_new_key(place: Place) -> None:
    assert place.together(*(place.token() for _ in range(8))) == [200] * 8
    assert len(place.keys.asked) <= WORKERS
    place.keys.keys.append(jwk(OTHER_EC_KEY, "ec-2"))
    assert place.together(*(place.token("ec-2") for _ in range(8))) == [200] * 8
    assert len(place.keys.asked) <= 2 * WORKERS


def test_a_sender_of_a_large_body_without_a_token_gets_to_see_the_answer(place: Place) -> None:
    response = requests.post(place.base + SIGN, data=b" " * 3_900_000, timeout=10)
    assert (response.status_code, code(response.json())) == (401, "no-token")


def test_forced_open_is_served_and_said() -> None:
    port = free_port()
    process = start(port, COVERAGE_HOOKS_MODE="production", COVERAGE_HOOKS_ALLOW_OPEN="true")
    wait_for(f"http://127.0.0.1:{port}", process)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=15)
    assert "Open: no token is asked" in out
    assert "no token is asked" in err
    assert "Development mode" not in out
