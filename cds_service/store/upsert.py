"""INSERT ... ON CONFLICT, which SQLite and PostgreSQL both have and SQL does not."""

from __future__ import annotations

from typing import TypeAlias

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

Insert: TypeAlias = sqlite.Insert | postgresql.Insert


def insert_of(connection: Connection, table: Table) -> Insert:
    """An insert into a table in the dialect of the connection."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
