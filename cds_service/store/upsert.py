"""INSERT ... ON CONFLICT, which SQLite and PostgreSQL both have and SQL does not."""

from __future__ import annotations

from typing import TypeAlias

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

Insert: TypeAlias = sqlite.Insert | postgresql.Insert


def insert_of(dialect: str, table: Table) -> Insert:
    """An insert into a table in a dialect, by its name."""
    if dialect == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
