"""What all tests share."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
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


@pytest.fixture(scope="session", autouse=True)
def _state_elsewhere() -> Iterator[None]:
    """Stores of the default place lie in a folder of this run, never in the home directory."""
    before = os.environ.get("XDG_STATE_HOME")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = folder
        yield
    os.environ.pop("XDG_STATE_HOME")
    if before is not None:
        os.environ["XDG_STATE_HOME"] = before


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
