"""So many are inside, the others come in in their order, and who is tired of waiting takes nobody's place."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from cds_service.gate import Gate
from tests.service.test_places import until


def test_places_are_handed_on_in_the_order_of_waiting() -> None:
    gate, order = Gate(1), []
    assert gate.enter()

    def come(number: int) -> None:
        assert gate.enter(patience=20)
        order.append(number)
        gate.leave()

    with ThreadPoolExecutor(8) as pool:
        for number in range(8):
            pool.submit(come, number)
            until(lambda number=number: gate.waiting == number + 1)  # type: ignore[misc]
        gate.leave()
    assert order == list(range(8))
    assert gate.is_open
    assert not gate.waiting


def test_nobody_waits_behind_more_than_the_most() -> None:
    gate = Gate(1)
    assert gate.enter(most=0)
    assert not gate.enter(most=0)
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(gate.enter, 20, 1)
        until(lambda: gate.waiting == 1)
        assert not gate.enter(most=1)
        gate.leave()
        assert second.result()


def test_the_queue_stands_while_somebody_waits() -> None:
    gate = Gate(1)
    gate.enter()
    assert gate.standing == 0.0
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(gate.enter)
        until(lambda: gate.standing > 0.01)
        gate.leave()
        waiting.result()
    assert gate.standing == 0.0


def test_as_many_as_there_are_places_are_inside_whatever_happens() -> None:
    gate, inside, most = Gate(3), 0, 0
    lock = threading.Lock()

    def work(seed: int) -> None:
        nonlocal inside, most
        chance = random.Random(seed)
        for _ in range(100):
            if gate.enter(patience=chance.choice([0.0, 0.0002, 0.002]), most=chance.choice([None, 0, 4])):
                with lock:
                    inside += 1
                    most = max(most, inside)
                time.sleep(chance.random() / 2000)
                with lock:
                    inside -= 1
                gate.leave()

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(work, range(12)))
    assert most == 3
    assert [gate.enter(most=0) for _ in range(4)] == [True, True, True, False]
