"""What the service does at twice the rate that it can keep: who is turned away, and how fast the others are served.

Run: python -m tests.benchmarks.overload [--short]. It starts the real server with one process, finds
the sustainable rate (so many clients as it has places, each sending again when it has its answer),
then sends at that rate and at twice of it without waiting for answers, and then at the first rate
again. Nothing fails on a time; what must hold is printed at the end as it was found.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field

from cds_service.settings import Settings
from tests.benchmarks.bodies import small_body
from tests.benchmarks.servers import OURS, PATH, Server

_OTHER = "no answer"


@dataclass
class Load:
    """What came back: milliseconds of each accepted request, and how many answers of each status."""

    times: list[float] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    refused_times: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Accepted requests a second."""
        return len(self.times) / self.seconds

    @property
    def shed(self) -> float:
        """The share that was turned away."""
        return 1 - len(self.times) / max(1, sum(self.statuses.values()))

    def line(self, title: str) -> str:
        p50, p99 = percentile(self.times, 50), percentile(self.times, 99)
        turned = f"{percentile(self.refused_times, 99):>10.1f}" if self.refused_times else f"{'-':>10}"
        return (
            f"{title:28}{sum(self.statuses.values()) / self.seconds:>8.0f}{self.rate:>10.0f}"
            f"{self.shed:>8.0%}{p50:>9.1f}{p99:>9.1f}{turned}   {dict(self.statuses)}"
        )


def percentile(times: list[float], percent: int) -> float:
    if len(times) < 2:
        return times[0] if times else float("nan")
    return statistics.quantiles(times, n=100, method="inclusive")[percent - 1]


class Client:
    """Sends one body over and over, a connection for each request, as many EHRs do."""

    def __init__(self, port: int, body: bytes) -> None:
        self._port = port
        head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        self._request = f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body

    async def send(self, load: Load) -> None:
        started = time.perf_counter()
        try:
            async with asyncio.timeout(30):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                writer.write(self._request)
                answer = await reader.read()
                writer.close()
        except (OSError, TimeoutError):
            answer = b""
        status = answer[9:12].decode() or _OTHER
        load.statuses[status] += 1
        times = load.times if status == "200" else load.refused_times
        times.append((time.perf_counter() - started) * 1000)

    async def closed(self, clients: int, seconds: float) -> Load:
        """So many at a time, each waiting for its answer: the rate that the service can keep."""
        load, started = Load(), time.perf_counter()
        end = started + seconds

        async def repeat() -> None:
            while time.perf_counter() < end:
                await self.send(load)

        await asyncio.gather(*(repeat() for _ in range(clients)))
        load.seconds = time.perf_counter() - started
        return load

    async def open(self, rate: float, seconds: float) -> Load:
        """At a rate, whether answers come or not."""
        load, started = Load(), time.perf_counter()
        async with asyncio.TaskGroup() as group:
            for number in range(int(rate * seconds)):
                due = started + number / rate
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                group.create_task(self.send(load))
        load.seconds = time.perf_counter() - started
        return load


async def measure(port: int, seconds: float) -> None:
    client = Client(port, small_body())
    await client.closed(2, min(1.0, seconds))
    sustainable = await client.closed(Settings().threads, seconds)
    rate = sustainable.rate
    print(f"{'':28}{'sent/s':>8}{'answered/s':>10}{'shed':>8}{'p50 ms':>9}{'p99 ms':>9}{'503 p99':>10}")
    print(sustainable.line("as fast as it answers"))
    before = await client.open(0.7 * rate, seconds)
    print(before.line("at 0.7 of that rate"))
    overload = await client.open(2 * rate, seconds)
    print(overload.line("at twice the rate"))
    await asyncio.sleep(1)
    after = await client.open(0.7 * rate, seconds)
    print(after.line("at 0.7 again"))
    print(
        f"\nunder overload it answered {overload.rate / rate:.0%} of the sustainable rate, the rest with 503"
    )
    kept = percentile(overload.times, 99) / percentile(sustainable.times, 99)
    print(f"p99 of what was accepted: {kept:.2f} times that at the sustainable rate")
    print(f"unanswered: {overload.statuses[_OTHER]}; after the load {after.shed:.0%} are turned away")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="four seconds for each part instead of fifteen")
    seconds = 4.0 if parser.parse_args().short else 15.0
    with Server(OURS) as server:
        asyncio.run(measure(server.port, seconds))


if __name__ == "__main__":
    main()
