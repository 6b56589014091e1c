"""The table of docs/performance.md: everything it compares is started and measured in one run.

Run: python -m tests.benchmarks.table [--short] [--rounds N] [--seconds S] [--only NAME] [--write].
`--short` is what CI prints: one round, one second of load. `--write` writes docs/performance/table.json,
table.md and the plot of throughput by the size of the body. Nothing fails on a time.
"""

from __future__ import annotations

import argparse
import json
import platform
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

from tests.benchmarks import rows
from tests.benchmarks.rows import Effort, Row

FOLDER = Path(__file__).parent.parent.parent / "docs" / "performance"
PARTS: dict[str, Callable[[Effort], Iterator[Row]]] = {
    "throughput": rows.throughput,
    "large": rows.large,
    "flatness": rows.flatness,
    "policies": rows.many_policies,
    "fetching": rows.fetched,
    "cold-start": rows.cold_start,
    "typed": rows.typed,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=4.0, help="of load in each round")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--only", choices=PARTS, action="append")
    arguments = parser.parse_args()
    effort = Effort(1, 1.0) if arguments.short else Effort(arguments.rounds, arguments.seconds)
    print(f"{'work':42}{'ours':>12} {'beside':20}{'':>12}{'ratio':>8}  aim")
    found = []
    for name in arguments.only or PARTS:
        for row in PARTS[name](effort):
            print(_line(row), flush=True)
            found.append(row)
    if arguments.write:
        _write(found)


def _line(row: Row) -> str:
    reached = "reached" if row.reached else "missed"
    return f"{row.work:42}{row.ours:>12} {row.beside:20}{row.reference:>12}{row.ratio:>8.2f}  {row.aim}: {reached}"


def _write(found: list[Row]) -> None:
    FOLDER.mkdir(exist_ok=True)
    about = {"day": date.today().isoformat(), "python": platform.python_version()}
    table = about | {"rows": [row._asdict() for row in found]}
    (FOLDER / "table.json").write_text(json.dumps(table, indent=1) + "\n", encoding="utf-8")
    lines = ["| work | ours | beside | | ratio | aim | |", "|---|---|---|---|---|---|---|"]
    lines += [
        f"| {row.work} | {row.ours} | {row.beside} | {row.reference} | {row.ratio:.2f} | {row.aim} "
        f"| {'reached' if row.reached else '**missed**'} |"
        for row in found
    ]
    (FOLDER / "table.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    _plot([row for row in found if row.work.endswith("requests/s")])


def _plot(found: list[Row]) -> None:
    """Throughput by the size of the body, ours and the references."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    series: dict[str, list[tuple[str, float]]] = {}
    for row in found:
        size = row.work.partition(" order")[0]
        series.setdefault("coverage-hooks", []).append((size, float(row.ours.removesuffix("/s"))))
        series.setdefault(row.beside, []).append((size, float(row.reference.removesuffix("/s"))))
    figure, axes = pyplot.subplots(figsize=(7, 4))
    for name, points in series.items():
        unique = dict(points)
        axes.plot(list(unique), list(unique.values()), marker="o", label=name)
    axes.set(yscale="log", ylabel="requests per second, 2 workers", xlabel="size of the request")
    axes.legend()
    figure.tight_layout()
    figure.savefig(FOLDER / "throughput.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
