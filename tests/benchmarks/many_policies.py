"""An order with a thousand policies loaded beside the five: the same answer, in the same time.

Run: python -m tests.benchmarks.many_policies [--policies N] [--rounds N]. Two servers, one with the
packaged policies and one with N more, get the same order in turn; medians are printed, and how long
each took from its start to its first answer.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from tests.benchmarks.bodies import small_body
from tests.benchmarks.order_sign import medians
from tests.benchmarks.policies import write_policies
from tests.benchmarks.servers import OURS, Server


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--policies", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=200)
    arguments = parser.parse_args()
    body = small_body()
    with tempfile.TemporaryDirectory() as folder:
        write_policies(Path(folder), arguments.policies)
        started = time.perf_counter()
        with Server(OURS) as few:
            answer = few.post(body)
            between = time.perf_counter()
            with Server(OURS, COVERAGE_HOOKS_POLICY_DIRS=folder) as many:
                if many.post(body) != answer:
                    raise SystemExit("the answer is another one with more policies")
                ended = time.perf_counter()
                times = medians(
                    {"5": lambda: few.post(body), "more": lambda: many.post(body)}, arguments.rounds
                )
    print("policies loaded        start to first answer   an order-sign request")
    print(f"5                      {between - started:>18.2f} s {times['5']:>20.2f} ms")
    ratio = times["more"] / times["5"]
    print(
        f"{5 + arguments.policies:<22} {ended - between:>18.2f} s {times['more']:>20.2f} ms = {ratio:.2f} times"
    )


if __name__ == "__main__":
    main()
