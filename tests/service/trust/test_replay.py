"""A request that comes again with its token is refused; one token may carry several requests."""

from __future__ import annotations

import gzip
import json
import multiprocessing
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
import requests

from cds_service.app import create_app
from cds_service.trust.replay import FileMemory, Memory, MemoryLostError, RedisMemory
from mappings.terminology import ValueSets
from tests.service.bodies import SIGN, code, sign
from tests.service.fake_engine import FakeEngine
from tests.service.test_served import free_port
from tests.service.trust.tokens import GONE, RSA_KEY, new_id, rsassa
from tests.service.trust.world import BODY, PUBLIC, World, served, settings, world


def answer(response: requests.Response) -> tuple[int, str]:
    return response.status_code, "" if response.ok else code(response.json())


GOOD = (200, "")
REPLAYED = (401, "replayed")


@pytest.mark.req("A9.93")
def test_the_same_request_with_the_same_token_is_refused(town: World) -> None:
    token = town.token()
    assert [answer(town.post(token)) for _ in range(3)] == [GOOD, REPLAYED, REPLAYED]


@pytest.mark.req("A9.93")
def test_one_token_carries_several_bodies_and_none_of_them_twice(town: World) -> None:
    token = town.token()
    bodies = [BODY | {"hookInstance": f"00000000-0000-4000-8000-00000000000{n}"} for n in range(3)]
    assert [answer(town.post(token, body)) for body in bodies] == [GOOD] * 3
    assert [answer(town.post(token, body)) for body in bodies] == [REPLAYED] * 3


@pytest.mark.req("A2.24")
def test_the_same_body_may_come_again_with_a_new_token(town: World) -> None:
    assert [answer(town.post(town.token())) for _ in range(2)] == [GOOD, GOOD]


def test_a_new_token_with_an_old_identifier_is_a_repetition(town: World) -> None:
    jti = new_id()
    assert answer(town.post(town.token(claims={"jti": jti}))) == GOOD
    assert answer(town.post(town.token(claims={"jti": jti, "sub": "other"}))) == REPLAYED
    assert answer(town.post(town.rsa_token(jti=jti))) == REPLAYED


def test_clients_do_not_share_identifiers(town: World) -> None:
    jti = new_id()
    assert answer(town.post(town.token(claims={"jti": jti}))) == GOOD
    small = town.token({"jku": GONE}, {"iss": "https://small.example.org", "jti": jti})
    assert answer(town.post(small)) == GOOD


def test_an_encoded_body_is_the_same_body(town: World) -> None:
    token = town.token()
    assert answer(town.post(token)) == GOOD
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Encoding": "gzip",
        "Content-Type": "application/json",
    }
    packed = gzip.compress(json.dumps(BODY).encode())
    again = requests.post(town.base + SIGN, data=packed, headers=headers, timeout=10)
    assert answer(again) == REPLAYED


def test_another_address_of_the_same_token_is_another_request(town: World) -> None:
    token = town.token(claims={"aud": [f"{PUBLIC}{SIGN}", f"{PUBLIC}/determinations"]})
    paths = [SIGN, "/determinations", "/determinations?policies=plan.pump"]
    assert [answer(town.post(token, path=path)) for path in paths] == [GOOD] * 3
    assert [answer(town.post(token, path=path)) for path in paths] == [REPLAYED] * 3


def test_a_refused_token_is_not_remembered(town: World) -> None:
    claims = town.claims()
    forged = town.token(claims=claims, by=rsassa(RSA_KEY))
    assert answer(town.post(forged)) == (401, "bad-signature")
    assert answer(town.post(town.token(claims=claims))) == GOOD


def test_of_many_that_come_at_once_one_is_let_in(town: World) -> None:
    token = town.token()
    found: list[tuple[int, str]] = []
    threads = [threading.Thread(target=lambda: found.append(answer(town.post(token)))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [GOOD] + [REPLAYED] * 7


def test_a_token_that_lives_on_by_the_leeway_is_remembered_as_long(
    tmp_path: Path, value_sets: ValueSets
) -> None:
    with world(tmp_path, FakeEngine(value_sets)) as place:
        token = place.token()
        assert answer(place.post(token)) == GOOD
        place.pass_time(359)
        assert answer(place.post(place.token())) == GOOD
        assert answer(place.post(token)) == REPLAYED
        place.pass_time(1)
        assert answer(place.post(token)) == (401, "expired")


def test_a_malformed_body_may_be_mended_with_the_same_token(town: World) -> None:
    token = town.token()
    assert answer(town.post(token, sign(hook="order-select")))[0] == 422
    assert answer(town.post(token)) == GOOD


def test_two_services_share_what_they_saw_through_redis(
    tmp_path: Path, value_sets: ValueSets, redis_url: str
) -> None:
    engine = FakeEngine(value_sets)
    with world(tmp_path, engine, redis_url=redis_url) as place:
        second = create_app(
            settings(tmp_path / "clients.yaml", redis_url=redis_url), engine, clock=place.clock
        )  # type: ignore[arg-type]
        token = place.token()
        assert answer(place.post(token)) == GOOD
        with served(second) as place.base:
            assert answer(place.post(token)) == REPLAYED
            assert answer(place.post(place.token())) == GOOD


# The memories themselves


@pytest.fixture
def kept(memory: str) -> Memory:
    return RedisMemory(memory) if memory else FileMemory()


def test_a_key_is_kept_until_its_time_has_passed(kept: Memory) -> None:
    key = new_id()
    assert kept.first_time(key, 1000.0, 1300.0)
    assert not kept.first_time(key, 1299.0, 1300.0)


def test_a_file_forgets_what_cannot_come_again() -> None:
    memory = FileMemory()
    assert memory.first_time("a", 1000.0, 1300.0)
    assert memory.first_time("b", 1300.0, 1600.0)
    assert memory.first_time("a", 1300.0, 1600.0)
    (connection,) = memory._opened.values()
    assert connection.execute("SELECT count(*) FROM kept").fetchone() == (2,)


def test_redis_is_told_when_to_forget(redis_url: str) -> None:
    key = new_id()
    RedisMemory(redis_url).first_time(key, 1000.0, 1300.0)
    with redis.Redis.from_url(redis_url) as client:
        assert 290 < client.ttl(f"coverage-hooks:{key}") <= 300


def test_values_are_kept_and_replaced(kept: Memory) -> None:
    key = new_id()
    assert kept.kept(key, 0.0) is None
    kept.keep(key, b"one", 0.0, 100.0)
    kept.keep(key, b"\x00two", 0.0, 100.0)
    assert kept.kept(key, 50.0) == b"\x00two"


def _try(memory: FileMemory, start: object, found: object) -> None:
    start.wait()  # type: ignore[attr-defined]
    for n in range(50):
        found.put((n, memory.first_time(f"key-{n}", 0.0, 100.0)))  # type: ignore[attr-defined]


def test_forked_workers_share_a_file() -> None:
    memory = FileMemory()
    assert memory.first_time("before", 0.0, 100.0)
    fork = multiprocessing.get_context("fork")
    start, found = fork.Event(), fork.Queue()
    workers = [fork.Process(target=_try, args=(memory, start, found)) for _ in range(4)]
    for worker in workers:
        worker.start()
    start.set()
    seen = [found.get(timeout=30) for _ in range(200)]
    for worker in workers:
        worker.join()
    assert sorted(n for n, first in seen if first) == list(range(50))
    assert not memory.first_time("key-7", 0.0, 100.0)


def _end(memory: FileMemory) -> None:
    """What a worker does that ends: what the memory left to be done at the end is done."""
    assert memory.first_time("in the worker", 0.0, 1.0)
    for finalizer in list(weakref.finalize._registry):  # type: ignore[attr-defined]
        alive = finalizer.peek()
        if alive is not None and alive[0] is memory:
            finalizer()


def test_the_file_is_taken_away_by_its_maker_alone() -> None:
    memory = FileMemory()
    memory.first_time("a", 0.0, 1.0)
    folder = memory._path.parent
    assert folder.stat().st_mode & 0o077 == 0
    worker = multiprocessing.get_context("fork").Process(target=_end, args=(memory,))
    worker.start()
    worker.join()
    assert worker.exitcode == 0
    assert folder.is_dir()
    del memory
    assert not folder.exists()


def test_a_broken_file_is_told() -> None:
    memory = FileMemory()
    memory._path.write_bytes(b"no database" * 1000)
    for call in _calls(memory):
        with pytest.raises(MemoryLostError, match="file"):
            call()


def test_a_redis_that_does_not_answer_is_told() -> None:
    for call in _calls(RedisMemory(f"redis://:secret@127.0.0.1:{free_port()}/0")):
        with pytest.raises(MemoryLostError, match="Redis does not answer"):
            call()


def _calls(memory: Memory) -> Iterator[Callable[[], object]]:
    yield lambda: memory.first_time("a", 0.0, 1.0)
    yield lambda: memory.keep("a", b"", 0.0, 1.0)
    yield lambda: memory.kept("a", 0.0)


@pytest.mark.parametrize("broken", ["redis", "file"])
def test_nobody_is_let_in_while_it_cannot_be_told_what_came_before(
    broken: str,
    tmp_path: Path,
    fake_engine: FakeEngine,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    url = f"redis://:secret@127.0.0.1:{free_port()}/0" if broken == "redis" else ""

    def fail(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("disk I/O error at /secret/path")

    with world(tmp_path, fake_engine, redis_url=url) as found:
        monkeypatch.setattr(sqlite3, "connect", fail)
        response = found.post(found.token())
    assert answer(response) == (503, "trust-unavailable")
    assert response.headers["Retry-After"] == "5"
    assert "no request can be let in" in caplog.text
    assert "secret" not in response.text + caplog.text
