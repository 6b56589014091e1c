"""Large requests of a process are worked on one after the other, and give way while they wait."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock

import pytest

from cds_service import turns
from cds_service.app import create_app
from cds_service.settings import Settings
from tests.service.fake_engine import FakeEngine
from tests.service.test_places import BODY, LARGE, HeldEngine, held, post, until  # noqa: F401


def test_one_large_request_at_a_time_and_small_ones_beside_it(held: HeldEngine) -> None:  # noqa: F811
    app = create_app(Settings(threads=4, waiting=0), held)
    large = BODY + b" " * LARGE
    with ThreadPoolExecutor(3) as pool:
        first = pool.submit(post, app, large)
        until(lambda: held.inside == 1)
        second = pool.submit(post, app, large)
        small = pool.submit(post, app)
        until(lambda: held.inside == 2)
        assert not second.done()
        held.go.set()
        assert [each.result().status_code for each in (first, second, small)] == [200] * 3


def test_the_turn_ends_with_the_request_whatever_the_answer(fake_engine: FakeEngine) -> None:
    app = create_app(Settings(threads=1, waiting=0), fake_engine)
    for body in (b"{" + b" " * LARGE, BODY + b" " * LARGE, b"[]" + b" " * LARGE):
        assert post(app, body).status_code != 503
    fake_engine.error = KeyError("x")
    assert b"had a fault" in post(app, BODY + b" " * LARGE).data
    fake_engine.error = None
    assert post(app, BODY + b" " * LARGE).status_code == 200


def test_who_waits_for_something_else_gives_the_turn_away_and_gets_it_back() -> None:
    turn, waits, over = Lock(), Event(), Event()

    def first() -> bool:
        turns.take(turn)
        with turns.given_away():
            waits.set()
            over.wait(10)
        mine = turn.locked()
        turns.give()
        return mine

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(first)
        assert waits.wait(10)
        turns.take(turn)
        over.set()
        assert not done.done()
        turns.give()
        assert done.result(10)
    assert not turn.locked()


def test_the_turn_comes_back_after_a_failure() -> None:
    turn = Lock()
    turns.take(turn)
    with pytest.raises(KeyError), turns.given_away():
        raise KeyError
    assert turn.locked()
    turns.give()
    assert not turn.locked()


def test_who_has_no_turn_gives_away_nobody_elses() -> None:
    turn = Lock()
    turns.take(turn)

    def other() -> bool:
        with turns.given_away():
            still_held = turn.locked()
        turns.give()
        return still_held and turn.locked()

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(other).result(10)
    turns.give()
