"""The documentation of the service tells what the code does."""

from __future__ import annotations

import re
from pathlib import Path

from cds_service import errors
from cds_service.app import create_app
from cds_service.services import Registry
from cds_service.settings import Settings
from tests.service.fake_engine import FakeEngine

ROOT = Path(__file__).parent.parent.parent
DOCS = (ROOT / "docs" / "http.md").read_text(encoding="utf-8")


def test_every_error_code_is_documented_and_drawn_in_the_tree() -> None:
    used: set[str] = set()
    for path in (ROOT / "cds_service").rglob("*.py"):
        used |= set(re.findall(r'(?:Error\(\s*|contradiction=)"([a-z-]+)"', path.read_text(encoding="utf-8")))
    assert len(used) >= 12
    assert used == set(re.findall(r"`([a-z]+(?:-[a-z]+)*)`", DOCS.partition("| status |")[2]))
    assert all(code in (errors.__doc__ or "") for code in used)


def test_every_route_is_documented(fake_engine: FakeEngine) -> None:
    app = create_app(Settings(), fake_engine)  # type: ignore[arg-type]
    for rule in app.url_map.iter_rules():
        assert f"{re.sub('<[a-z_]+>', '{id}', rule.rule)}`" in DOCS


def test_every_service_is_documented() -> None:
    assert all(service.id in DOCS for service in Registry())
