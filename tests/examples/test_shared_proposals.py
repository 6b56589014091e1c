"""Whatever is proposed for the example orders is valid CDS Hooks and CRD."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cards.proposals.context import SmartApp
from policies.engine import Engine
from tests.conformance.crd_check import violations
from tests.proposals import answered

EXAMPLES = Path(__file__).parent.parent.parent.parent / "shared" / "examples"
NAMES = sorted(path.name for path in EXAMPLES.glob("*-*") if path.is_dir())


@pytest.mark.skipif(not NAMES, reason="shared/ is absent")
@pytest.mark.parametrize("version", ["2.0", "2.2"])
@pytest.mark.parametrize("name", NAMES)
def test_the_proposals_for_an_example_are_valid(name: str, version: Any, engine: Engine) -> None:
    request = json.loads((EXAMPLES / name / "request.json").read_text(encoding="utf-8"))
    response = answered(
        engine,
        request,
        version=version,
        questionnaire=lambda found: f"https://cds.example.org/Questionnaire/{found.policy.id}",
        smart_app=SmartApp("https://app.example.org/launch", "Open the app"),
    )
    proposed = [
        card for card in response["cards"] if "davinci-crd.associated-resource" in card.get("extension", {})
    ]
    sent = [entry["resource"] for entry in request["context"]["draftOrders"]["entry"]]
    assert violations({"cards": proposed}, version, sent=sent) == []
