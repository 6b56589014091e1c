"""The command line `coverage-hooks`.

Ends with 0 when the command did its work, 1 when what it was given cannot be used (a request, a
policy, a setting), 2 when it was called wrongly.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from rich.console import Console

from cds_service.settings import SettingsError
from cds_service.version import VERSION
from mappings.documents import DocumentError
from mappings.yaml_file import DataError

_MODULES = {
    "serve": "serve_cli",
    "demo": "serve_cli",
    "check": "check_cli",
    "policy": "policy_cli",
    "population": "population_cli",
    "store": "store_cli",
    "settings": "settings_cli",
}
"""Where each command is; a module adds all of its commands."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    arguments = _parser(sys.argv[1:] if argv is None else argv).parse_args(argv)
    command: Callable[[argparse.Namespace, Console], int] = arguments.run
    try:
        return command(arguments, Console())
    except (SettingsError, DataError, DocumentError) as error:
        print(error, file=sys.stderr)
        return 1
    except BrokenPipeError:  # `| head` closed the output
        sys.stderr.close()
        return 0


def _parser(argv: Sequence[str]) -> argparse.ArgumentParser:
    """The parser of the command that is called, or of all where none is: each takes long to import."""
    about = "Checks infusion-pump orders against payer policies (CDS Hooks 2.0)."
    parser = argparse.ArgumentParser(prog="coverage-hooks", description=about)
    parser.add_argument("--version", action="version", version=f"coverage-hooks {VERSION}")
    subcommands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    called = _MODULES.get(argv[0]) if argv else None
    for module in [called] if called else dict.fromkeys(_MODULES.values()):
        import_module(f"cds_service.{module}").add_commands(subcommands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
