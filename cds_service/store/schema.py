"""Bringing the tables of a store to the state that this version needs."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import (
    Column,
    Connection,
    Engine,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    inspect,
    select,
    text,
)
from sqlalchemy.exc import SQLAlchemyError

from cds_service.store.connection import reading, writing
from cds_service.store.place import Place, StoreError
from cds_service.store.tables import metadata

HEAD = "0002"
"""The newest migration."""

_LOCK = 7_266_021_159
_MIGRATIONS = Path(__file__).parent / "migrations"
# As Alembic would make it.
_version = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def revision(engine: Engine) -> str:
    """The migration that a store is at, "" for an empty one."""
    with reading(engine) as connection:
        return _revision(connection)


def _revision(connection: Connection) -> str:
    if not inspect(connection).has_table(_version.name):
        return ""
    return connection.execute(select(_version.c.version_num)).scalar() or ""


def migrate(engine: Engine) -> tuple[str, str]:
    """Bring a store to the newest state: the migration it was at and the one it is at now.

    Several may do this at once; one does the work. Raises StoreError for a store of a newer version.
    """
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        before = _revision(connection)
        if before > HEAD:
            raise _too_new(before)
        if not before:
            _make(connection)
        elif before != HEAD:
            upgrade(connection)
    return before, HEAD


def _make(connection: Connection) -> None:
    """Make the tables of an empty store as they are now: the way by all migrations takes much longer."""
    metadata.create_all(connection, checkfirst=False)
    _version.create(connection)
    connection.execute(_version.insert().values(version_num=HEAD))


def upgrade(connection: Connection) -> None:
    """Run the migrations that a store has not seen."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def make_ready(engine: Engine, place: Place) -> None:
    """See that a store can be used; one in SQLite is brought to the newest state.

    A shared database is migrated only by hand, because other servers still run the old version.
    Raises StoreError.
    """
    try:
        found = revision(engine)
        if found == HEAD:
            return
        if found > HEAD:
            raise _too_new(found)
        if place.file is None:
            state = f"at migration {found}" if found else "empty"
            raise StoreError(
                f"the store {place} is {state}, this version needs {HEAD}: run `coverage-hooks store migrate`"
            )
        migrate(engine)
    except SQLAlchemyError as error:
        raise unusable(place, error) from None


def unusable(place: Place, error: SQLAlchemyError) -> StoreError:
    """The error for a database that does not answer as it should."""
    cause = str(getattr(error, "orig", None) or type(error).__name__).strip().splitlines()[0]
    return StoreError(f"the store {place} cannot be used: {cause}")


def _too_new(found: str) -> StoreError:
    return StoreError(
        f"the store is at migration {found}, this version knows {HEAD} at most: run a newer version"
    )
