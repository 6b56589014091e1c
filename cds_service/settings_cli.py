"""`coverage-hooks settings`: every setting, its default and what it is now."""

from __future__ import annotations

import argparse
import os

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from cds_service.settings import from_environment, rows


def add_commands(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `settings` to the command line."""
    parser = subcommands.add_parser("settings", help="list the settings and check those of the environment")
    parser.add_argument("--markdown", action="store_true", help="the table of docs/settings.md")
    parser.set_defaults(run=settings)


def settings(arguments: argparse.Namespace, console: Console) -> int:
    """Print the table. Raises SettingsError when the environment holds one that cannot be used."""
    if arguments.markdown:
        print(markdown(), end="")
        return 0
    from_environment(os.environ)
    table = Table(Column("variable", no_wrap=True), "default", "now", "meaning")
    for row in rows():
        now = os.environ.get(row.variable, "").strip()
        if now and row.secret:
            now = "(set)"
        table.add_row(row.variable, escape(row.default), f"[bold]{escape(now)}[/]", escape(row.meaning))
    console.print(table)
    return 0


def markdown() -> str:
    """The table as docs/settings.md holds it."""
    lines = ["| variable | default | meaning |", "|---|---|---|"]
    lines += [f"| `{row.variable}` | `{row.default}` | {row.meaning} |" for row in rows()]
    return "\n".join(lines) + "\n"
