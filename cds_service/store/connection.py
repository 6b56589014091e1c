"""The engine of a store, and its transactions.

Nothing is connected before the first transaction, so a store may be opened before a server forks.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EACCES
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, create_engine, event, func, select

from cds_service.store.place import Place, StoreError

_BUSY_MS = 5_000
_HASTY_MS = 500
_CONNECT_SECONDS = 2
_HASTY = "coverage_hooks_hasty"
_READ = "coverage_hooks_read"


def open_engine(place: Place, *, patient: bool = False) -> Engine:
    """The engine of a database. patient: a statement may take longer than an answer can wait.

    A SQLite file is made with mode 0600 (its -wal and -shm files take the mode over). Raises
    StoreError when it cannot be made, or the driver of PostgreSQL is absent.
    """
    if place.file is not None:
        try:
            place.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # To close a file lets go of the locks that SQLite may have on it in this process.
            if not place.file.is_file():
                os.close(os.open(place.file, os.O_RDWR | os.O_CREAT, 0o600))
            elif not os.access(place.file, os.R_OK | os.W_OK):
                raise PermissionError(EACCES, os.strerror(EACCES))
        except OSError as error:
            why = error.strerror or str(error)
            mend = "set COVERAGE_HOOKS_DATABASE_URL to another place, or to none to keep nothing"
            raise StoreError(f"the store {place.file} cannot be written ({why}): {mend}") from None
        engine = create_engine(place.url, json_serializer=_json)
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    options: dict[str, Any] = {"connect_timeout": _CONNECT_SECONDS, "tcp_user_timeout": _BUSY_MS}
    if not patient:
        options["options"] = f"-c statement_timeout={_BUSY_MS}"
    try:
        engine = create_engine(place.url, pool_pre_ping=True, connect_args=options, json_serializer=_json)
    except ModuleNotFoundError:
        raise StoreError(
            "PostgreSQL needs a driver: install coverage-hooks with its extra `cluster`"
        ) from None
    event.listen(engine, "begin", _begin_postgresql)
    return engine


@contextmanager
def writing(engine: Engine, *, hasty: bool = False) -> Iterator[Connection]:
    """A transaction that is committed at the end: then the disk has it.

    hasty: it gives up soon when others hold it up, and what is committed survives the end of the
    process, while the last moments before a power failure may be lost.
    """
    with engine.connect().execution_options(**{_HASTY: hasty}) as connection, connection.begin():
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that sees one state of the store and holds up nobody who writes."""
    with engine.connect().execution_options(**{_READ: True}) as connection, connection.begin():
        yield connection


def forget_journal(engine: Engine) -> None:
    """Empty the journal of a SQLite store, which may still hold what was deleted."""
    if engine.dialect.name == "sqlite":
        connection = engine.raw_connection()
        try:
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            connection.close()


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _set_up_sqlite(connection: Any, _: Any) -> None:
    # Transactions begin below, not when the driver thinks so: then DDL is part of them.
    connection.isolation_level = None
    # What is deleted is overwritten; otherwise it would stay in free pages of the file.
    # The journal goes into the file every 16 MB: whoever commits then waits for the disk.
    pragmas = ("journal_mode=WAL", "foreign_keys=ON", "secure_delete=ON", "wal_autocheckpoint=4000")
    for pragma in (f"busy_timeout={_BUSY_MS}", *pragmas):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    options = connection.get_execution_options()
    hasty = bool(options.get(_HASTY))
    if connection.info.get(_HASTY) is not hasty:
        connection.exec_driver_sql(f"PRAGMA synchronous={'NORMAL' if hasty else 'FULL'}")
        connection.exec_driver_sql(f"PRAGMA busy_timeout={_HASTY_MS if hasty else _BUSY_MS}")
        connection.info[_HASTY] = hasty
    # A transaction that reads first and writes later would fail at once when another one writes.
    connection.exec_driver_sql("BEGIN" if options.get(_READ) else "BEGIN IMMEDIATE")


def _begin_postgresql(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get(_HASTY):
        settings = (("synchronous_commit", "off"), ("statement_timeout", str(_HASTY_MS)))
        connection.execute(select(*(func.set_config(name, value, True) for name, value in settings)))
    if options.get(_READ):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
