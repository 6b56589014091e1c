"""The table of docs/performance.md: everything it compares is started and measured in one run.

Run: python -m tests.benchmarks.table [--short] [--rounds N] [--seconds S] [--only NAME] [--write].
`--short` is what CI prints: one round, one second of load. `--write` puts the table into
docs/performance.md, and writes it as JSON and the plot of throughput by the size of the body into
docs/performance/. Nothing fails on a time.
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
from tests.benchmarks.timing import Spread

DOCS = Path(__file__).parent.parent.parent / "docs"
FOLDER = DOCS / "performance"
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
    print(f"{'work':46}{'ours':>12} {'beside':20}{'':>12}{'ratio':>8}  aim")
    found = []
    for name in arguments.only or PARTS:
        for row in PARTS[name](effort):
            print(_line(row), flush=True)
            found.append(row)
    if arguments.write:
        _write(found)


def _shown(value: float, unit: str) -> str:
    return f"{value:.0f}{unit}" if value >= 100 else f"{value:.3g}{unit}"


def _line(row: Row) -> str:
    ours, other = _shown(row.ours.median, row.unit), _shown(row.reference.median, row.unit)
    return f"{row.work:46}{ours:>12} {row.beside:20}{other:>12}{row.ratio:>8.2f}  {row.aimed}: {row.verdict}"


def _cell(spread: Spread, unit: str) -> str:
    """The median, and between which ends the rounds lie."""
    shown = _shown(spread.median, unit)
    if spread.low == spread.high:
        return shown
    return f"{shown} ({_shown(spread.low, '')} to {_shown(spread.high, '')})"


def _write(found: list[Row]) -> None:
    FOLDER.mkdir(exist_ok=True)
    about = {"day": date.today().isoformat(), "python": platform.python_version()}
    rows_ = [row._asdict() | {"ratio": round(row.ratio, 3), "verdict": row.verdict} for row in found]
    (FOLDER / "table.json").write_text(json.dumps(about | {"rows": rows_}, indent=1) + "\n", encoding="utf-8")
    lines = ["| work | ours | beside | | ratio | aim | |", "|---|---|---|---|---|---|---|"]
    lines += [
        f"| {row.work} | {_cell(row.ours, row.unit)} | {row.beside} | {_cell(row.reference, row.unit)} "
        f"| {row.ratio:.2f} | {row.aimed} | {'**missed**' if row.verdict == 'missed' else row.verdict} |"
        for row in found
    ]
    put_between(DOCS / "performance.md", "table", lines)
    _plot([row for row in found if row.size])


def put_between(page: Path, name: str, lines: list[str]) -> None:
    """Replace what stands between the marks of a name in a Markdown page."""
    before, start, rest = page.read_text(encoding="utf-8").partition(f"<!-- {name} -->\n")
    _, end, after = rest.partition(f"<!-- end of {name} -->\n")
    page.write_text(before + start + "\n".join(lines) + "\n" + end + after, encoding="utf-8")


def _plot(found: list[Row]) -> None:
    """Throughput by the size of the body, ours and the references."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    series: dict[str, dict[int, Spread]] = {}
    for row in found:
        series.setdefault("coverage-hooks", {})[row.size] = row.ours
        series.setdefault(row.beside, {})[row.size] = row.reference
    matplotlib.rcParams["svg.hashsalt"] = "coverage-hooks"
    figure, axes = pyplot.subplots(figsize=(7, 4))
    for name, points in series.items():
        medians = [spread.median for spread in points.values()]
        ends = [
            [spread.median - spread.low for spread in points.values()],
            [spread.high - spread.median for spread in points.values()],
        ]
        axes.errorbar(list(points), medians, yerr=ends, marker="o", capsize=3, label=name)
    axes.set(
        xscale="log", yscale="log", ylabel="requests per second, 2 workers", xlabel="bytes of the request"
    )
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(FOLDER / "throughput.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
