"""So many requests are worked on, so many wait a moment, and all others hear at once that they must come again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from cds_service.app import create_app
from cds_service.errors import BusyError
from cds_service.places import LARGE, Places
from cds_service.settings import Settings
from cds_service.turn import aside
from mappings.terminology import ValueSets
from policies.determination import Report
from tests.service.bodies import PATIENT, SIGN, code, encoded, sign
from tests.service.fake_engine import FakeEngine

BODY = encoded(sign(prefetch={"patient": PATIENT}))
EXEMPT = ["/health/live", "/health/ready", "/cds-services", "/"]


class HeldEngine(FakeEngine):
    """An engine that answers when it is let, as one whose requests wait for FHIR servers."""

    def __init__(self, value_sets: ValueSets) -> None:
        super().__init__(value_sets)
        self.go = threading.Event()
        self.inside = 0

    def decide(self, *arguments: Any, **options: Any) -> Report:
        self.inside += 1
        with aside():
            assert self.go.wait(20)
        return super().decide(*arguments, **options)


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.fixture
def held(value_sets: ValueSets) -> HeldEngine:
    return HeldEngine(value_sets)


def app_of(engine: FakeEngine, **settings: Any) -> Flask:
    return create_app(Settings(**settings), engine)  # type: ignore[arg-type]


def post(app: Flask, body: bytes = BODY, **options: Any) -> Any:
    return app.test_client().post(SIGN, data=body, content_type="application/json", **options)


def test_one_more_than_work_and_wait_is_refused_at_once(held: HeldEngine) -> None:
    app = app_of(held, threads=2, waiting=1, wait_limit=20)
    with ThreadPoolExecutor(3) as pool:
        accepted = [pool.submit(post, app) for _ in range(3)]
        until(lambda: held.inside == 2)
        # Whoever asks before the third one waits would wait in its place.
        until(lambda: app.extensions["coverage-hooks"]._places._places.waiting == 1)
        refused = post(app)
        assert (refused.status_code, code(refused.json)) == (503, "busy")
        assert refused.headers["Retry-After"] == "1"
        assert refused.mimetype == "application/fhir+json"
        assert "Access-Control-Allow-Origin" in refused.headers
        assert [app.test_client().get(path).status_code for path in EXEMPT] == [200] * len(EXEMPT)
        held.go.set()
        assert [each.result().status_code for each in accepted] == [200] * 3
    assert post(app).status_code == 200


def test_who_waits_too_long_is_refused(held: HeldEngine) -> None:
    app = app_of(held, threads=1, waiting=1, wait_limit=0.05)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(post, app)
        until(lambda: held.inside == 1)
        assert code(post(app).json) == "busy"
        held.go.set()
        assert first.result().status_code == 200


def test_nobody_need_wait_where_nobody_may(held: HeldEngine) -> None:
    app = app_of(held, threads=1, waiting=0)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(post, app)
        until(lambda: held.inside == 1)
        assert post(app).status_code == 503
        held.go.set()
        assert first.result().status_code == 200
    assert post(app).status_code == 200


@pytest.mark.parametrize(
    "body",
    [BODY, b"{", b"", b" " * (LARGE + 1), encoded(sign())],
    ids=["answered", "no json", "empty", "large", "no data"],
)
def test_a_place_is_given_back_whatever_the_answer(fake_engine: FakeEngine, body: bytes) -> None:
    app = app_of(fake_engine, threads=1, waiting=0)
    for _ in range(3):
        assert post(app, body).status_code != 503


def test_a_place_is_given_back_after_a_fault(fake_engine: FakeEngine) -> None:
    app = app_of(fake_engine, threads=1, waiting=0)
    fake_engine.error = KeyError("x")
    assert all(b"had a fault" in post(app).data for _ in range(3))
    fake_engine.error = None
    assert post(app).status_code == 200


def test_large_bodies_are_counted_on_their_own(held: HeldEngine) -> None:
    app = app_of(held, threads=2, waiting=2, wait_limit=20)
    large = BODY + b" " * LARGE
    with ThreadPoolExecutor(3) as pool:
        accepted = [pool.submit(post, app, large) for _ in range(2)]
        until(lambda: held.inside == 2)
        assert post(app, large).status_code == 503
        small = pool.submit(post, app)
        held.go.set()
        assert [each.result().status_code for each in (*accepted, small)] == [200] * 3
    assert post(app, large).status_code == 200


def test_places_never_grow_nor_shrink() -> None:
    places = Places(Settings(threads=3, waiting=2, wait_limit=0.001))
    refused = []

    def work(_: int) -> None:
        try:
            places.take()
        except BusyError:
            refused.append(1)
        else:
            time.sleep(0.0005)
            places.give()

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(work, range(600)))
    assert refused
    over = threading.Event()

    def stay() -> bool:
        places.take()
        with aside():
            went = over.wait(20)
        places.give()
        return went

    with ThreadPoolExecutor(3) as pool:
        inside = [pool.submit(stay) for _ in range(3)]
        until(lambda: not places._places.is_open)
        with pytest.raises(BusyError):
            places.take()
        over.set()
        assert all(each.result() for each in inside)


def test_one_computes_at_a_time_and_others_while_it_waits(held: HeldEngine) -> None:
    app = app_of(held, threads=3, waiting=0)
    turn = app.extensions["coverage-hooks"]._places._turn
    with ThreadPoolExecutor(2) as pool:
        turn.enter()
        both = [pool.submit(post, app) for _ in range(2)]
        until(lambda: turn.waiting == 2)
        assert held.inside == 0
        turn.leave()
        until(lambda: held.inside == 2)
        assert turn.is_open
        held.go.set()
        assert [each.result().status_code for each in both] == [200] * 2
    assert turn.is_open


def test_large_bodies_do_not_hold_small_ones_up(held: HeldEngine) -> None:
    app = app_of(held, threads=2, waiting=0)
    turn = app.extensions["coverage-hooks"]._places._large_turn
    held.go.set()
    turn.enter()
    with ThreadPoolExecutor(1) as pool:
        large = pool.submit(post, app, BODY + b" " * LARGE)
        until(lambda: turn.waiting == 1)
        assert post(app).status_code == 200
        turn.leave()
        assert large.result().status_code == 200


def test_a_burst_may_wait_and_a_standing_queue_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether more come than are answered is seen by the turn: somebody always waits for it."""
    now = [100.0]
    monkeypatch.setattr("cds_service.gate.monotonic", lambda: now[0])
    places = Places(Settings(threads=1, waiting=8))
    room = []
    places._turn.enter()
    with ThreadPoolExecutor(1) as pool:
        inside = pool.submit(places.take)
        until(lambda: places._turn.waiting == 1)
        for moment in (100.0, 100.099, 100.101, 160.0):
            now[0] = moment
            room.append(places._queue())
        places._turn.leave()
        inside.result(20)
    assert room == [8, 8, 2, 2]
    assert places._queue() == 8
