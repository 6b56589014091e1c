"""The command line `coverage-hooks`.

Ends with 0 when the command did its work, 1 when what it was given cannot be used (a request, a
policy, a setting), 2 when it was called wrongly.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from rich.console import Console

from cds_service.check_cli import add_check_command
from cds_service.policy_cli import add_policy_commands
from cds_service.population_cli import add_population_command
from cds_service.serve_cli import add_serve_commands
from cds_service.settings import SettingsError
from cds_service.settings_cli import add_settings_command
from cds_service.store_cli import add_store_commands
from cds_service.version import VERSION
from mappings.documents import DocumentError
from mappings.yaml_file import DataError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    about = "Checks infusion-pump orders against payer policies (CDS Hooks 2.0)."
    parser = argparse.ArgumentParser(prog="coverage-hooks", description=about)
    parser.add_argument("--version", action="version", version=f"coverage-hooks {VERSION}")
    subcommands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (
        add_serve_commands,
        add_check_command,
        add_policy_commands,
        add_population_command,
        add_store_commands,
        add_settings_command,
    ):
        add(subcommands)
    arguments = parser.parse_args(argv)
    command: Callable[[argparse.Namespace, Console], int] = arguments.run
    try:
        return command(arguments, Console())
    except (SettingsError, DataError, DocumentError) as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:  # `| head` closed the output
        sys.stderr.close()
        return 0


if __name__ == "__main__":
    sys.exit(main())
