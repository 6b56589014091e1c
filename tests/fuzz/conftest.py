"""One service for each file."""

from __future__ import annotations

import pytest

from policies.engine import Engine
from tests.fuzz.target import Target


@pytest.fixture(scope="module")
def target(engine: Engine) -> Target:
    return Target(engine)
