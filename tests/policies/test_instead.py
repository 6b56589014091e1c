"""The code that a policy puts in place of the ordered one: read strictly, checked, carried to the answer."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from mappings.codes import HCPCS
from mappings.yaml_file import DataError
from policies.determination import walk
from policies.lint import lint
from policies.loader import load_policy
from policies.model import Policy
from policies.repeated import Replacement
from policies.schema import json_schema
from tests.mappings.orders import catalogue, value_sets
from tests.policies.northwood import judged
from tests.policies.small_policy import VALID

WORKING = """\
    fact: order_code
    is: {none_of: ["E0784"]}
    instead: {system: "urn:oid:2.16.840.1.113883.6.285", code: "e0784", says: Insulin pump}
"""
UPGRADE = "    fact: pump_functioning\n    is: true\n"


def load(folder: Path, text: str) -> Policy:
    path = folder / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    return load_policy(path, catalogue(), value_sets())


def test_a_replacement_is_read_in_its_canonical_spelling(tmp_path: Path) -> None:
    policy = load(tmp_path, VALID.replace(UPGRADE, WORKING))
    assert policy.exclusions[0].instead == Replacement(HCPCS, "E0784", "Insulin pump")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("code: ", "kode: ", "the key 'code' is missing"),
        (", says: Insulin pump", "", "the key 'says' is missing"),
        ("says: Insulin pump", "says: Insulin pump, display: x", "unknown key 'display'"),
        ("urn:oid:2.16.840.1.113883.6.285", "http://example.org/codes", "no code system that is known"),
        ('"e0784"', "784", "must be text"),
    ],
)
def test_a_mistake_in_a_replacement_is_refused(old: str, new: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=words):
        load(tmp_path, VALID.replace(UPGRADE, WORKING.replace(old, new)))


def found_by_lint(folder: Path, text: str) -> list[str]:
    policy = load(folder, text)
    return [f.what for f in lint([policy], catalogue(), date(2025, 7, 1)) if f.error and "instead" in f.what]


def test_lint_wants_a_code_of_the_document_at_a_criterion_that_asks_for_the_code(tmp_path: Path) -> None:
    assert found_by_lint(tmp_path, VALID.replace(UPGRADE, WORKING)) == []
    foreign = found_by_lint(tmp_path, VALID.replace(UPGRADE, WORKING.replace('"e0784"', '"E0781"')))
    assert foreign == ["upgrade: `instead` names E0781, which is not among the codes under `orders.listed`"]
    beside = UPGRADE + WORKING.splitlines()[2] + "\n"
    assert found_by_lint(tmp_path, VALID.replace(UPGRADE, beside)) == [
        "upgrade: `instead` changes the code of the order, about which this does not ask"
    ]


def test_the_schema_knows_the_keys_of_a_replacement() -> None:
    criterion = json_schema(catalogue(), value_sets())["$defs"]["criterion"]
    assert criterion["properties"]["instead"]["required"] == ["system", "code", "says"]


def test_northwood_puts_k0455_in_place_of_another_pump_for_treprostinil() -> None:
    found = judged("343048", "treprostinil", code="E0781", drug={"route": "subcutaneous"})
    nodes = [node for root in (found.criteria, *found.exclusions) for node in walk(root)]
    proposed = {node.id: (node.state, node.instead.code) for node in nodes if node.instead is not None}
    assert proposed == {
        "other_pump_for_prostanoid": ("met", "K0455"),
        "k0455_ordered": ("unmet", "K0455"),
    }
    assert found.outcome == "excluded"
    assert "other_pump_for_prostanoid" in found.lacking
