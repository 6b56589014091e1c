"""INSERT ... ON CONFLICT, which SQLite and PostgreSQL both have and SQL does not."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy import Table
from sqlalchemy.dialects import sqlite

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

Insert: TypeAlias = "sqlite.Insert | postgresql.Insert"


def insert_of(dialect: str, table: Table) -> Insert:
    """An insert into a table in a dialect, by its name."""
    if dialect == "postgresql":
        # Imported by the engine of such a store already; one in SQLite starts without.
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    return sqlite.insert(table)
