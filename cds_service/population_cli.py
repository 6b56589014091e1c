"""`coverage-hooks population`: answer every order of an export, and compare two runs."""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path

from rich.console import Console

from cds_service.clock import system_clock
from cds_service.population.errors import PopulationError
from cds_service.population.job import prepare
from cds_service.population.judges import load_engine
from cds_service.population.parquet import require_parquet
from cds_service.population.report import show_summary
from cds_service.population.run import available_cores, run


def add_population_command(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
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
    parser.set_defaults(run=_run, parser=parser)


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
        summary = run(job, arguments.processes, console)
    except PopulationError as error:
        print(error, file=sys.stderr)
        return 1
    show_summary(summary, console)
    console.print(f"results: {arguments.output}", highlight=False)
    return 0
