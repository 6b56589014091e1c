"""The store as the service uses it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Connection, select

from cds_service.settings import PREFIX, Settings
from cds_service.store import decisions, feedback
from cds_service.store.connection import open_engine, reading, writing
from cds_service.store.decisions import Entry
from cds_service.store.journal import Journal
from cds_service.store.keyed_hash import keyed_hash
from cds_service.store.place import Place, StoreError, place_of
from cds_service.store.recorder import Recorder
from cds_service.store.schema import make_ready
from cds_service.store.tables import call


class Store:
    """An open store. It may be opened before a server forks: what it needs is made at first use."""

    def __init__(self, place: Place, settings: Settings, *, patient: bool = False) -> None:
        """patient: for commands, whose statements may take long. Raises StoreError."""
        self.engine = open_engine(place, patient=patient)
        self.hash = keyed_hash(settings.hash_key, place)
        self.full_capture = settings.capture == "full"
        self._turn = threading.Lock()
        self._recorder = Recorder(self._write, Journal(place.file) if place.file is not None else None)

    def record(self, entry: Entry) -> None:
        """Log a decision. Never raises.

        On return it survives the end of this process, and is written or about to be.
        """
        self._recorder.record(entry)

    def keep(self, given: Sequence[feedback.Given]) -> Counter[str]:
        """Keep feedback; on return the disk has it. Returns outcome -> cards that are new.

        Raises sqlalchemy.exc.SQLAlchemyError.
        """
        with writing(self.engine) as connection:
            return feedback.write(connection, given)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is on disk at the end, with all decisions that this process logged before."""
        self._recorder.flush()
        with writing(self.engine) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that sees one state, with all decisions that this process logged before."""
        self._recorder.flush()
        with reading(self.engine) as connection:
            yield connection

    def check(self) -> None:
        """Look whether the tables can be read. Raises sqlalchemy.exc.SQLAlchemyError."""
        with reading(self.engine) as connection:
            connection.execute(select(call.c.id).limit(1))

    def take_over(self) -> None:
        """Write the decisions that processes which have ended left behind, as far as it can be done."""
        self._recorder.take_over()

    def settle(self) -> None:
        """The same, and wait a moment for those that running processes are about to write."""
        self._recorder.settle()

    def close(self) -> None:
        """Write what is waiting and let all connections go."""
        self._recorder.close()
        self.engine.dispose()

    def _write(self, entries: Sequence[Entry], hasty: bool) -> None:
        # SQLite lets those who meet at its lock sleep for milliseconds; threads wait here instead.
        with self._turn, writing(self.engine, hasty=hasty) as connection:
            decisions.write(connection, entries)


def open_store(settings: Settings) -> Store | None:
    """The store of the settings, ready for use; None when it is switched off. Raises StoreError."""
    _check(settings)
    place = place_of(settings.database_url)
    if place is None:
        return None
    store = Store(place, settings)
    try:
        make_ready(store.engine, place)
        store.take_over()
    finally:
        # A server forks after this, and connections must not be shared by processes.
        store.engine.dispose()
    return store


def _check(settings: Settings) -> None:
    if settings.capture == "full" and settings.decision_log == "off":
        raise StoreError(
            f"{PREFIX}CAPTURE=full needs {PREFIX}DECISION_LOG=on: "
            "what is captured could not be erased by patient without it"
        )
