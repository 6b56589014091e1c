"""Worlds for each way to remember."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mappings.terminology import ValueSets
from tests.service.fake_engine import FakeEngine
from tests.service.trust.tokens import EC_KEY, RSA_KEY, jwk
from tests.service.trust.world import World, world


@pytest.fixture(scope="module", params=["file", "redis"])
def memory(request: pytest.FixtureRequest) -> str:
    """The setting redis_url for each way to remember."""
    return request.getfixturevalue("redis_url") if request.param == "redis" else ""


@pytest.fixture(scope="module")
def town(memory: str, value_sets: ValueSets, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One service for a module: its tests use tokens of their own and leave the clock alone.

    Clients: "general" publishes its keys; two tenants of one issuer and a small one have pinned keys.
    """
    folder: Path = tmp_path_factory.mktemp("town")
    pinned = {"keys": [jwk(EC_KEY, "ec-1"), jwk(RSA_KEY, "rsa-1")]}
    others = [
        {"name": "north", "issuer": "https://cloud.example.org", "tenant": "north", "jwks": pinned},
        {"name": "south", "issuer": "https://cloud.example.org", "tenant": "south", "jwks": pinned, "services": ["determinations"]},
        {"name": "small", "issuer": "https://small.example.org", "jwks": pinned, "algorithms": ["ES384"], "services": ["infusion-pump-order-sign"], "fhir_servers": ["https://fhir.small.example.org"]},
        {"name": "wide", "issuer": "https://wide.example.org", "jwks": pinned, "algorithms": ["RS256", "PS384"]},
    ]  # fmt: skip
    with world(folder, FakeEngine(value_sets), *others, redis_url=memory) as found:
        yield found
