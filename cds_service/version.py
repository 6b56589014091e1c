"""The version of the installed package."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("coverage-hooks")
except PackageNotFoundError:  # run from a source tree that is not installed
    VERSION = "unknown"
