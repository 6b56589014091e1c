"""Key sets that clients publish: rotation, and servers that are down, slow or wrong."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cds_service.app import create_app
from cds_service.trust import key_sets
from cds_service.trust.key_sets import GOOD_SECONDS, GRACE_SECONDS, PAUSE_SECONDS
from mappings.terminology import ValueSets
from tests.service.bodies import code
from tests.service.fake_engine import FakeEngine
from tests.service.trust.key_server import KeyServer
from tests.service.trust.tokens import EC_KEY, OTHER_EC_KEY, ecdsa, jwk
from tests.service.trust.world import World, served
from tests.service.trust.world import settings as settings_of
from tests.service.trust.world import world as world_of


@pytest.fixture
def world(tmp_path: Path, fake_engine: FakeEngine) -> Iterator[World]:
    with world_of(tmp_path, fake_engine) as found:
        yield found


def status(world: World, kid: str = "ec-1", **more: Any) -> tuple[int, str]:
    """Status and code of the answer to a new token with this kid."""
    response = world.post(world.token({"kid": kid}, **more))
    return response.status_code, "" if response.ok else code(response.json())


def new(world: World) -> tuple[int, str]:
    return status(world, "ec-2", by=ecdsa(OTHER_EC_KEY))


GOOD = (200, "")
UNAVAILABLE = (401, "keys-unavailable")
UNKNOWN = (401, "unknown-key")


@pytest.mark.req("A9.91")
def test_a_set_is_fetched_once_for_many_tokens(world: World) -> None:
    assert [status(world) for _ in range(3)] == [GOOD] * 3
    assert world.keys.asked == ["/jwks.json"]


@pytest.mark.req("A9.91")
def test_a_new_key_is_found_at_once(world: World) -> None:
    assert status(world) == GOOD
    world.keys.keys = [jwk(OTHER_EC_KEY, "ec-2")]
    assert new(world) == GOOD
    assert len(world.keys.asked) == 2


def test_a_key_that_was_taken_away_counts_no_more_once_the_set_is_read_again(world: World) -> None:
    assert status(world) == GOOD
    world.keys.keys = [jwk(OTHER_EC_KEY, "ec-2")]
    assert new(world) == GOOD
    assert status(world) == UNKNOWN


def test_a_key_that_was_taken_away_counts_for_ten_minutes_at_most(world: World) -> None:
    assert status(world) == GOOD
    world.keys.keys = [jwk(OTHER_EC_KEY, "ec-2")]
    world.pass_time(GOOD_SECONDS - 1)
    assert status(world) == GOOD
    world.pass_time(1)
    assert status(world) == UNKNOWN


def test_a_replaced_key_under_the_same_name_counts_after_ten_minutes(world: World) -> None:
    assert status(world) == GOOD
    world.keys.keys = [jwk(OTHER_EC_KEY, "ec-1")]
    assert status(world, by=ecdsa(OTHER_EC_KEY)) == (401, "bad-signature")
    world.pass_time(GOOD_SECONDS)
    assert status(world, by=ecdsa(OTHER_EC_KEY)) == GOOD


@pytest.mark.req("A9.91")
def test_invented_keys_make_the_set_be_read_once_in_a_pause(world: World) -> None:
    assert status(world) == GOOD
    assert {status(world, f"invented-{n}") for n in range(5)} == {UNKNOWN}
    assert len(world.keys.asked) == 2
    world.pass_time(PAUSE_SECONDS - 1)
    assert status(world, "invented") == UNKNOWN
    assert len(world.keys.asked) == 2
    world.pass_time(1)
    assert status(world, "invented") == UNKNOWN
    assert len(world.keys.asked) == 3
    assert status(world) == GOOD


def test_a_key_that_comes_during_the_pause_is_found_after_it(world: World) -> None:
    assert status(world) == GOOD
    assert status(world, "invented") == UNKNOWN
    world.keys.keys.append(jwk(OTHER_EC_KEY, "ec-2"))
    assert new(world) == UNKNOWN
    world.pass_time(PAUSE_SECONDS)
    assert new(world) == GOOD


# Servers that are not as they should be

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "an error": ({"status": 503}, "status 503"),
    "a page that is not there": ({"status": 404}, "status 404"),
    "a redirect": ({"status": 302, "location": "/elsewhere"}, "status 302"),
    "a redirect to another server": ({"status": 301, "location": "http://169.254.169.254/"}, "status 301"),
    "no content": ({"status": 204, "body": b""}, "status 204"),
    "nothing": ({"body": b""}, "no JWK set"),
    "a web page": ({"body": b"<html>secret</html>"}, "no JWK set"),
    "a list": ({"body": b"[]"}, "no JWK set"),
    "a lone key": ({"body": b'{"kty": "EC"}'}, "no JWK set"),
    "keys that are no objects": ({"body": b'{"keys": ["secret"]}'}, "no JWK set"),
    "keys as an object": ({"body": b'{"keys": {"a": {}}}'}, "no JWK set"),
    "not UTF-8": ({"body": b'{"keys": [{"kid": "\xff"}]}'}, "no JWK set"),
    "nested without end": ({"body": b'{"keys": [' + b'{"a":' * 5000}, "no JWK set"),
    "half a set": ({"body": b'{"keys": [{"kid": "ec-1"'}, "no JWK set"),
    "a hundred keys and one": ({"keys": [{"kid": "ec-1"}] * 101}, "more than 100 keys"),
    "far too much": ({"body": b" " * 600_000}, "larger than any key set"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_set_that_cannot_be_used_lets_nobody_in_and_is_not_asked_again_at_once(
    world: World, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    good = world.keys.keys
    faults, says = WRONG[name]
    for field, value in faults.items():
        setattr(world.keys, field, value)
    with caplog.at_level(logging.WARNING, "cds_service"):
        assert status(world) == UNAVAILABLE
    assert status(world) == UNAVAILABLE
    assert world.keys.asked == ["/jwks.json"]
    assert says in caplog.text
    assert "secret" not in caplog.text
    world.keys.keys, world.keys.body, world.keys.status = good, None, 200
    world.pass_time(PAUSE_SECONDS)
    assert status(world) == GOOD


@pytest.mark.parametrize("name", WRONG)
def test_a_set_that_was_good_before_serves_on_for_an_hour(world: World, name: str) -> None:
    assert status(world) == GOOD
    for field, value in WRONG[name][0].items():
        setattr(world.keys, field, value)
    world.pass_time(GOOD_SECONDS)
    assert status(world) == GOOD
    assert len(world.keys.asked) == 2
    world.pass_time(GRACE_SECONDS - 1)
    assert status(world) == GOOD
    world.pass_time(1)
    assert status(world) == UNAVAILABLE


def test_a_server_that_is_down_lets_nobody_in(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.keys.stop()
    assert status(world) == UNAVAILABLE
    assert "it cannot be reached" in caplog.text


@pytest.mark.parametrize("fault", [{"delay": 1.0}, {"drip": 0.02}], ids=["silent", "byte by byte"])
def test_a_slow_server_is_given_up(
    world: World, fault: dict[str, float], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(key_sets, "DEADLINE_SECONDS", 0.2)
    for field, value in fault.items():
        setattr(world.keys, field, value)
    assert status(world) == UNAVAILABLE
    assert "it does not answer in time" in caplog.text


def test_requests_that_come_together_fetch_once(world: World) -> None:
    world.keys.delay = 0.3
    found: list[tuple[int, str]] = []
    threads = [threading.Thread(target=lambda: found.append(status(world))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [GOOD] * 6
    assert len(world.keys.asked) == 1


def test_one_client_whose_server_is_down_does_not_shut_out_the_others(
    tmp_path: Path, fake_engine: FakeEngine
) -> None:
    with KeyServer([jwk(EC_KEY, "ec-1")]) as other:
        client = {"name": "other", "issuer": "https://other.example.org", "jku": other.jku}
        with world_of(tmp_path, fake_engine, client) as world:
            world.keys.status = 500
            assert status(world) == UNAVAILABLE
            token = world.token({"jku": other.jku}, {"iss": "https://other.example.org"})
            assert world.post(token).status_code == 200


def test_the_keys_of_one_client_are_not_those_of_another(tmp_path: Path, fake_engine: FakeEngine) -> None:
    """A client must not be able to speak for another by signing with its own key."""
    with KeyServer([jwk(OTHER_EC_KEY, "ec-1")]) as other:
        client = {"name": "other", "issuer": "https://other.example.org", "jku": other.jku}
        with world_of(tmp_path, fake_engine, client) as world:
            own = world.token({"jku": other.jku}, {"iss": "https://other.example.org"}, ecdsa(OTHER_EC_KEY))
            assert world.post(own).status_code == 200
            for jku in (other.jku, world.keys.jku):
                assert not world.post(world.token({"jku": jku}, by=ecdsa(OTHER_EC_KEY))).ok


def test_two_services_share_sets_through_redis(tmp_path: Path, value_sets: ValueSets, redis_url: str) -> None:
    engine = FakeEngine(value_sets)
    with world_of(tmp_path, engine, redis_url=redis_url) as first:
        assert status(first) == GOOD
        again = settings_of(tmp_path / "clients.yaml", redis_url=redis_url)
        app = create_app(again, engine, clock=first.clock)  # type: ignore[arg-type]
        with served(app) as first.base:
            first.keys.status = 500
            assert status(first) == GOOD
        assert len(first.keys.asked) == 1
