"""The packaged policies: <payer>/<topic>/policy.yaml with cases.yaml beside it."""

from __future__ import annotations

import os
from pathlib import Path

LIBRARY = Path(__file__).parent


def policy_files(folder: Path) -> list[Path]:
    """The policy files below a folder, in a stable order."""
    # Path.rglob takes twice as long over a thousand policies.
    return sorted(Path(place, "policy.yaml") for place, _, names in os.walk(folder) if "policy.yaml" in names)
