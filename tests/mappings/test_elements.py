"""The structs hold what facts read, and no more: what is declared is built for every resource."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from msgspec import Struct

import cds_service
from mappings import fhir

_ROOT = Path(cds_service.__file__).parent.parent
_READERS = ("mappings", "policies", "cards", "cds_service")


def _read() -> set[str]:
    """Names of attributes, and texts that may name one, in all modules but the table itself."""
    found: set[str] = set()
    for package in _READERS:
        for path in (_ROOT / package).rglob("*.py"):
            if path == Path(fhir.__file__):
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Attribute):
                    found.add(node.attr)
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.add(node.value)
    return found


def _types() -> list[type[Struct]]:
    declared = [value for value in vars(fhir).values() if isinstance(value, type)]
    return [kind for kind in declared if issubclass(kind, fhir.Element | fhir.Resource)]


@pytest.fixture(scope="module")
def read() -> set[str]:
    return _read()


@pytest.mark.parametrize("kind", _types(), ids=lambda kind: kind.__name__)
def test_each_element_is_read_by_some_module(kind: type[Struct], read: set[str]) -> None:
    assert [name for name in kind.__struct_fields__ if name not in read] == []
