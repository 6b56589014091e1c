"""`coverage-hooks store ...`: what whoever runs the service needs to keep and to delete data."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from cds_service.clock import system_clock
from cds_service.settings import PREFIX, Settings, from_environment
from cds_service.store.connection import forget_journal, open_engine
from cds_service.store.erasure import delete_patient
from cds_service.store.feedback import by_policy, unknown_cards
from cds_service.store.metrics import crd_metric_data
from cds_service.store.place import Place, StoreError, place_of
from cds_service.store.retention import Deleted, delete_before
from cds_service.store.schema import make_ready, migrate, unusable
from cds_service.store.store import Store

Command = Callable[[argparse.Namespace, Console], int]


def add_commands(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `store` with its subcommands to the command line."""
    parser = subcommands.add_parser("store", help="migrate, prune, erase and read what is kept")
    inner = parser.add_subparsers(dest="store_command", required=True, metavar="COMMAND")

    def add(name: str, help_: str, command: Command) -> argparse.ArgumentParser:
        sub = inner.add_parser(name, help=help_)
        sub.set_defaults(run=command)
        return sub

    add("migrate", "bring the tables to the state that this version needs", _migrate)
    retention = add("retention", "delete what is older than it has to be kept", _retention)
    retention.add_argument("--days", type=_days, help="days to keep (default: the setting RETENTION_DAYS)")
    erase = add("erase", "delete all that is kept about patients", _erase)
    erase.add_argument("patient", help="id of a patient; - reads ids from standard input, one a line")
    metrics = add("export-metrics", "print CRDMetricData of the calls, one JSON object a line", _export)
    metrics.add_argument("--since", type=date.fromisoformat, default=date.min, help="first day (UTC)")
    metrics.add_argument(
        "--until", type=date.fromisoformat, default=date.max, help="day after the last (UTC)"
    )
    overrides = add("overrides", "how clinicians took the cards, by policy and outcome", _overrides)
    overrides.add_argument("--json", action="store_true", help="one JSON object a line")


def _days(text: str) -> int:
    days = int(text)
    if days < 1:
        raise ValueError
    return days


def _place(settings: Settings) -> Place:
    place = place_of(settings.database_url)
    if place is None:
        raise StoreError(f"the store is switched off ({PREFIX}DATABASE_URL=none)")
    return place


@contextmanager
def _store(settings: Settings) -> Iterator[Store]:
    """The store of the settings. Raises StoreError, also for a database that fails meanwhile."""
    place = _place(settings)
    store = Store(place, settings, patient=True)
    try:
        make_ready(store.engine, place)
        store.settle()
        yield store
    except SQLAlchemyError as error:
        raise unusable(place, error) from None
    finally:
        store.close()


def _migrate(_: argparse.Namespace, console: Console) -> int:
    place = _place(from_environment(os.environ))
    engine = open_engine(place, patient=True)
    try:
        before, after = migrate(engine)
    except SQLAlchemyError as error:
        raise unusable(place, error) from None
    finally:
        engine.dispose()
    done = f"from {before or 'empty'} to {after}" if before != after else f"at {after} already"
    console.print(f"{place}: {done}", highlight=False)
    return 0


def _retention(arguments: argparse.Namespace, console: Console) -> int:
    settings = from_environment(os.environ)
    days = settings.retention_days if arguments.days is None else arguments.days
    with _store(settings) as store:
        with store.writing() as connection:
            deleted = delete_before(connection, system_clock() - timedelta(days=days))
        forget_journal(store.engine)
    _tell(deleted, console)
    return 0


def _erase(arguments: argparse.Namespace, console: Console) -> int:
    lines = sys.stdin if arguments.patient == "-" else [arguments.patient]
    patients = [patient for line in lines if (patient := line.strip().removeprefix("Patient/"))]
    with _store(from_environment(os.environ)) as store:
        with store.writing() as connection:
            found = [delete_patient(connection, store.hash.of("patient", patient)) for patient in patients]
        forget_journal(store.engine)
    _tell(Deleted(sum(one.calls for one in found), sum(one.feedback for one in found)), console)
    return 0


def _tell(deleted: Deleted, console: Console) -> None:
    console.print(f"deleted: {deleted.calls} calls, {deleted.feedback} feedback entries", highlight=False)


def _export(arguments: argparse.Namespace, _: Console) -> int:
    since, until = (datetime.combine(day, time(), UTC) for day in (arguments.since, arguments.until))
    with _store(from_environment(os.environ)) as store, store.reading() as connection:
        for data in crd_metric_data(connection, since, until):
            print(msgspec.json.encode(data).decode())
    return 0


def _overrides(arguments: argparse.Namespace, console: Console) -> int:
    with _store(from_environment(os.environ)) as store, store.reading() as connection:
        rows, unknown = list(by_policy(connection)), unknown_cards(connection)
    if arguments.json:
        for row in rows:
            print(msgspec.json.encode(row).decode())
        return 0
    table = Table("policy", "outcome", "cards", "accepted", "overridden", "reasons")
    for row in rows:
        why = ", ".join(
            f"{reason.rpartition('|')[2]} {count}" for reason, count in sorted(row.reasons.items())
        )
        policy = f"{row.policy}@{row.version}" if row.policy else "(no policy)"
        counts = (str(row.issued), str(row.accepted), str(row.overridden))
        table.add_row(policy, row.outcome, *counts, escape(why))
    console.print(table)
    console.print(f"{unknown} cards with feedback are not known here, or no longer", highlight=False)
    return 0
