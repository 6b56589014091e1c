"""Every packaged table is read when an engine is loaded, and none by the first request."""

from __future__ import annotations

import importlib
import pkgutil
from inspect import signature
from types import ModuleType

import mappings
from policies.engine import Engine


def modules() -> list[ModuleType]:
    found = pkgutil.walk_packages(mappings.__path__, "mappings.")
    return [importlib.import_module(module.name) for module in found]


def test_a_loaded_engine_leaves_no_table_to_read(engine: Engine) -> None:
    assert engine.registry.policies
    cached = {
        f"{module.__name__}.{name}": value.cache_info().currsize
        for module in modules()
        for name, value in vars(module).items()
        if hasattr(value, "cache_info") and not signature(value).parameters
    }
    assert len(cached) >= 9
    assert [name for name, size in cached.items() if not size] == []
