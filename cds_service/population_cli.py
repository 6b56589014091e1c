"""`coverage-hooks population`: answer every order of an export, and compare two runs."""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path

from rich.console import Console

from cds_service.clock import system_clock
from cds_service.population.diff import compare
from cds_service.population.errors import PopulationError
from cds_service.population.job import prepare
from cds_service.population.judges import load_engine
from cds_service.population.parquet import require_parquet
from cds_service.population.report import show_difference, show_summary
from cds_service.population.run import available_cores, run
from cds_service.population.spark import run_on_spark


def add_commands(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `population` and `population diff` to the command line."""
    parser = subcommands.add_parser(
        "population",
        help="answer every order of a FHIR Bulk Data export",
        description="Answers every order of a file by the data of a FHIR Bulk Data export (NDJSON), and "
        "writes determinations as NDJSON and Parquet with a summary. A run that was stopped goes on with "
        "the same command. Ends with 0 when the run is done, 1 when it cannot be.",
    )
    parser.add_argument("--orders", type=Path, metavar="ORDERS.ndjson", help="the orders to answer")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="the folder of the export")
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", default=Path("population-run"), help="where the results go"
    )
    parser.add_argument(
        "--as-of",
        type=date.fromisoformat,
        metavar="YYYY-MM-DD",
        help="day 0 of orders without a date (default: today)",
    )
    parser.add_argument(
        "--policy-dir", action="append", type=Path, default=[], help="a further folder of policies"
    )
    parser.add_argument(
        "--processes", type=_processes, default=available_cores(), metavar="N", help="default: all cores"
    )
    parser.add_argument(
        "--spark", metavar="MASTER_URL", help="run on Apache Spark, e.g. spark://host:7077 or local[4]"
    )
    parser.add_argument(
        "--compare-with", type=Path, metavar="FOLDER", help="also report what changed since this run"
    )
    parser.set_defaults(run=_run, parser=parser)
    inner = parser.add_subparsers(dest="population_command", metavar="")
    changes = inner.add_parser("diff", help="what changes between two finished runs")
    changes.add_argument("before", type=Path, metavar="BEFORE", help="output folder of the earlier run")
    changes.add_argument("after", type=Path, metavar="AFTER", help="output folder of the later run")
    changes.set_defaults(run=_diff)


def _processes(text: str) -> int:
    number = int(text)
    if number < 1:
        raise ValueError
    return number


def _run(arguments: argparse.Namespace, console: Console) -> int:
    if arguments.orders is None or arguments.data is None:
        arguments.parser.error("--orders and --data are needed")
    try:
        require_parquet()
        job = prepare(
            folder=arguments.output,
            orders=arguments.orders,
            data=arguments.data,
            policy_dirs=arguments.policy_dir,
            as_of=arguments.as_of,
            today=system_clock().date(),
            engine=load_engine(arguments.policy_dir),
        )
        if arguments.spark:
            summary = run_on_spark(job, arguments.spark, console)
        else:
            summary = run(job, arguments.processes, console)
        show_summary(summary, console)
        if arguments.compare_with:
            _compare(arguments.compare_with, arguments.output, console)
    except PopulationError as error:
        print(error, file=sys.stderr)
        return 1
    console.print(f"results: {arguments.output}", highlight=False)
    return 0


def _diff(arguments: argparse.Namespace, console: Console) -> int:
    try:
        _compare(arguments.before, arguments.after, console)
    except PopulationError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _compare(before: Path, after: Path, console: Console) -> None:
    """The report goes beside the results of the later run."""
    show_difference(compare(before, after, after), console)
    console.print(f"orders: {after / 'difference.ndjson'}", highlight=False)
