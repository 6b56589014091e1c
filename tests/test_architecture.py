"""The packages import downwards only: cds_service -> cards -> policies -> mappings."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = ("mappings", "policies", "cards", "cds_service")
ONLY_SERVICE = {"flask", "requests", "sqlalchemy", "werkzeug", "gunicorn", "urllib3"}
PURE_FORBIDDEN = {"random", "secrets", "uuid", "time", "socket", "http", "threading", "subprocess"}


def imports(path: Path) -> set[str]:
    """Top-level names of all modules that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("floor", range(len(FLOORS)), ids=FLOORS)
def test_a_package_imports_nothing_from_the_floors_above(floor: int) -> None:
    above = set(FLOORS[floor + 1 :])
    breaches = {str(path.relative_to(ROOT)): imports(path) & above for path in modules(FLOORS[floor])}
    assert {path: found for path, found in breaches.items() if found} == {}


@pytest.mark.parametrize("package", FLOORS[:3])
def test_only_the_service_knows_flask_the_network_the_clock_and_chance(package: str) -> None:
    forbidden = ONLY_SERVICE | PURE_FORBIDDEN
    breaches = {str(path.relative_to(ROOT)): imports(path) & forbidden for path in modules(package)}
    assert {path: found for path, found in breaches.items() if found} == {}


@pytest.mark.parametrize("package", FLOORS[:3])
def test_the_pure_packages_never_ask_what_time_it_is(package: str) -> None:
    for path in modules(package):
        text = path.read_text(encoding="utf-8")
        assert ".today()" not in text, path
        assert ".now()" not in text, path


def test_every_package_has_modules_to_check() -> None:
    assert all(len(modules(package)) > 1 for package in FLOORS)
