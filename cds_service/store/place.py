"""Where the store lies: the URL of its database, and the file when that is SQLite."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from cds_service.settings import PREFIX, SettingsError

OFF = "none"
_VARIABLE = f"{PREFIX}DATABASE_URL"
_ALLOWED = f"a URL like postgresql://user@host/name or sqlite:////srv/store.sqlite3, or {OFF}"


class StoreError(SettingsError):
    """A store that cannot be used as it is set; the message says why and how to mend it."""


class Place(Struct, frozen=True):
    """A database. file: of SQLite, else None."""

    url: URL
    file: Path | None = None

    def __str__(self) -> str:
        return str(self.file) if self.file else self.url.render_as_string(hide_password=True)


def place_of(database_url: str) -> Place | None:
    """The database that a setting names; None when it switches the store off.

    Raises StoreError for a URL that is none, or of a database that is not supported.
    """
    if database_url == OFF:
        return None
    if not database_url:
        return _sqlite(default_file())
    try:
        url = make_url(database_url)
    except (ArgumentError, ValueError):
        raise StoreError(f"{_VARIABLE} is no URL of a database: it must be {_ALLOWED}") from None
    backend = url.drivername.partition("+")[0]
    if backend in ("postgresql", "postgres"):
        return Place(url.set(drivername="postgresql+psycopg"))
    if backend != "sqlite":
        raise StoreError(f"{_VARIABLE} names a {backend} database: it must be {_ALLOWED}")
    if url.database in (None, "", ":memory:") or url.query:
        raise StoreError(f"{_VARIABLE} names no file: a SQLite store must be one, e.g. {_ALLOWED}")
    return _sqlite(Path(str(url.database)))


def default_file() -> Path:
    """The SQLite file of a user, below XDG_STATE_HOME. Source: XDG Base Directory Specification."""
    state = os.environ.get("XDG_STATE_HOME", "")
    folder = Path(state) if Path(state).is_absolute() else Path.home() / ".local" / "state"
    return folder / "coverage-hooks" / "store.sqlite3"


def _sqlite(file: Path) -> Place:
    absolute = file.absolute()
    return Place(URL.create("sqlite", database=str(absolute)), absolute)
