"""The same application under other servers than the one that `serve` starts.

Run: python -m tests.benchmarks.server_choice [--short] [--write]. Two workers each; rounds take turns.
`--write` puts the table into docs/performance.md. The others lack what `serve` does beside answering:
loading before the fork, slow clients held off, limits of waiting.
"""

from __future__ import annotations

import argparse
import statistics

from tests.benchmarks.bodies import large_body, small_body
from tests.benchmarks.load import Load, load
from tests.benchmarks.servers import OTHERS, OURS, Server
from tests.benchmarks.table import DOCS, put_between

_BODIES = {"10 kB": small_body, "9.3 MB": large_body}


def measure(rounds: int, seconds: float) -> list[str]:
    """The lines of a Markdown table."""
    lines = ["| server | request | requests/s | median ms | p99 ms |", "|---|---|---|---|---|"]
    for work, body in _BODIES.items():
        sent = body()
        found: dict[str, list[Load]] = {name: [] for name in (OURS, *OTHERS)}
        for _ in range(rounds):
            for name, runs in found.items():
                with Server(name, workers=2) as server:
                    server.post(sent)
                    runs.append(load(server, sent, seconds))
        for name, runs in found.items():
            rate, p50, p99 = (statistics.median(column) for column in zip(*runs, strict=True))
            server_name = "gunicorn, threads (`serve`)" if name == OURS else name
            lines.append(f"| {server_name} | {work} | {rate:.0f} | {p50:.1f} | {p99:.1f} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    lines = measure(*((1, 2.0) if arguments.short else (5, 4.0)))
    print("\n".join(lines))
    if arguments.write:
        put_between(DOCS / "performance.md", "servers", lines)


if __name__ == "__main__":
    main()
