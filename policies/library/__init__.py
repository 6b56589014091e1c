"""The packaged policies: <payer>/<topic>/policy.yaml with cases.yaml beside it."""

from __future__ import annotations

from pathlib import Path

LIBRARY = Path(__file__).parent


def policy_files(folder: Path) -> list[Path]:
    """The policy files below a folder, in a stable order."""
    return sorted(folder.rglob("policy.yaml"))
