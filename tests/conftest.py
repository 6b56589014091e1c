"""What all tests share."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

from mappings.catalogue import Catalogue
from mappings.terminology import ValueSets
from policies.engine import Engine

# No test fails because the machine is busy, and each run tries the same examples.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")

REPOSITORY = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of source material beside the repository; a clone alone does not have it."""
    folder = REPOSITORY.parent / "shared"
    if not folder.is_dir():
        pytest.skip("shared/ is absent")
    return folder


@pytest.fixture(scope="session")
def value_sets() -> ValueSets:
    """The packaged value sets."""
    return ValueSets.load()


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """The packaged fact catalogue."""
    return Catalogue.load()


@pytest.fixture(scope="session")
def engine() -> Engine:
    """Everything that is loaded once: the packaged library."""
    return Engine.load()
