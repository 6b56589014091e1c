"""Limits as data of a policy: read, dated, on the answer, and those of the library."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from mappings.catalogue import Catalogue
from mappings.terminology import ValueSets
from mappings.yaml_file import DataError
from policies.cases import load_cases, run
from policies.determination import Determination, Limit, walk
from policies.engine import Engine
from policies.lint import lint
from policies.loader import load_policy
from policies.model import Policy
from policies.repeated import Contact
from policies.schema import json_schema
from tests.policies.small_policy import VALID

RULE = "{id: always, clauses: [pa], says: Prior authorization is needed, answer: required"
CRITERION = "is: {at_least: {parameter: injections}}"


def load(text: str, folder: Path, catalogue: Catalogue, value_sets: ValueSets) -> Policy:
    (folder / "policy.yaml").write_text(text, encoding="utf-8")
    (folder / "cases.yaml").write_text(CASES, encoding="utf-8")
    return load_policy(folder / "policy.yaml", catalogue, value_sets)


CASES = """\
cases:
  - name: before
    as_of: 2025-07-01
    given: {dx_diabetes: true, insulin_injections_per_day: 4, member_age_years: 40}
    expect: {outcome: needs-documentation}
  - name: after
    as_of: 2026-07-01
    given: {dx_diabetes: true, insulin_injections_per_day: 4, member_age_years: 40}
    expect: {outcome: needs-documentation}
"""


def limited(parameter: str, text: str = VALID) -> str:
    """The small policy whose prior authorization rule and one criterion have a limit."""
    text = text.replace(RULE, f"{RULE}, limit: {parameter}")
    return text.replace(CRITERION, f"{CRITERION}\n              limit: {parameter}")


def decided(policy: Policy, catalogue: Catalogue, value_sets: ValueSets) -> dict[str, Determination]:
    return {
        case.name: found
        for case in load_cases(policy, catalogue)
        if (found := run(case, policy, catalogue, value_sets)) is not None
    }


def test_a_limit_has_the_value_of_the_day(
    tmp_path: Path, catalogue: Catalogue, value_sets: ValueSets
) -> None:
    policy = load(limited("injections"), tmp_path, catalogue, value_sets)
    found = decided(policy, catalogue, value_sets)
    for name, amount in (("before", 3), ("after", 4)):
        prior = found[name].prior_authorization
        assert prior is not None
        assert prior.limit == Limit(amount, "/d")
        (node,) = [node for node in walk(found[name].criteria) if node.limit]
        assert (node.id, node.limit) == ("injects", Limit(amount, "/d"))


def test_a_duration_is_a_span(tmp_path: Path, catalogue: Catalogue, value_sets: ValueSets) -> None:
    text = VALID.replace("  adult:", "  rental: {values: {2025-01-01: P3M}, clause: pa}\n  adult:")
    policy = load(limited("rental", text), tmp_path, catalogue, value_sets)
    prior = decided(policy, catalogue, value_sets)["before"].prior_authorization
    assert prior is not None
    assert prior.limit == Limit(span="P3M")


@pytest.mark.parametrize(
    ("parameter", "values", "words"),
    [
        ("injektions", "", "did you mean injections"),
        ("bare", "  bare: {values: {2025-01-01: 3}, clause: pa}\n", "no amount with a unit"),
        ("word", "  word: {values: {2025-01-01: three months}, clause: pa}\n", "no duration like P3M"),
        ("flag", "  flag: {unit: d, values: {2025-01-01: true}, clause: pa}\n", "no amount with a unit"),
    ],
)
def test_what_is_no_limit_is_refused(
    parameter: str, values: str, words: str, tmp_path: Path, catalogue: Catalogue, value_sets: ValueSets
) -> None:
    text = VALID.replace("  adult:", f"{values}  adult:")
    with pytest.raises(DataError, match=words):
        load(limited(parameter, text), tmp_path, catalogue, value_sets)


def test_a_parameter_that_only_limits_is_used(
    tmp_path: Path, catalogue: Catalogue, value_sets: ValueSets
) -> None:
    text = VALID.replace("  adult:", "  rental: {unit: mo, values: {2025-01-01: 3}, clause: pa}\n  adult:")
    for content, unused in ((text, True), (limited("rental", text), False)):
        policy = load(content, tmp_path, catalogue, value_sets)
        said = [finding.what for finding in lint([policy], catalogue, date(2025, 7, 1))]
        assert ("the parameter rental is used nowhere" in said) is unused


def test_contact_and_last_day_stand_on_the_answer(
    tmp_path: Path, catalogue: Catalogue, value_sets: ValueSets
) -> None:
    text = VALID.replace("  from: 2025-01-01\n", "  from: 2025-01-01\n  to: 2026-12-31\n")
    text += 'contact: {name: Pump desk, system: phone, value: "555-0100"}\n'
    policy = decided(load(text, tmp_path, catalogue, value_sets), catalogue, value_sets)["before"].policy
    assert (policy.until, policy.contact) == ("2026-12-31", Contact("Pump desk", "phone", "555-0100"))
    with pytest.raises(DataError, match="allowed: email, fax, phone, url"):
        load(text.replace("system: phone", "system: pigeon"), tmp_path, catalogue, value_sets)


def test_the_schema_for_editors_knows_limits_and_contact(catalogue: Catalogue, value_sets: ValueSets) -> None:
    schema = json_schema(catalogue, value_sets)
    assert "limit" in schema["$defs"]["criterion"]["properties"]
    for key in ("prior_authorization", "caveats"):
        assert "limit" in schema["properties"][key]["items"]["properties"]
    assert "contact" in schema["properties"]


@pytest.mark.parametrize(
    ("policy_id", "limits"),
    [
        ("aetna.cpb-0161", {Limit(2, "d")}),
        ("husky", {Limit(3, "mo")}),
        ("northwood", {Limit(25, "{vial}/mo"), Limit(5, "d"), Limit(1, "{course}")}),
    ],
)
def test_the_limits_that_the_documents_state(policy_id: str, limits: set[Limit], engine: Engine) -> None:
    (policy,) = [p for p in engine.registry.policies if p.id.startswith(policy_id)]
    found = decided(policy, engine.catalogue, engine.value_sets).values()
    stated = {
        item.limit for d in found for item in (d.prior_authorization, *d.caveats) if item and item.limit
    }
    stated |= {node.limit for d in found for node in walk(d.criteria) if node.limit}
    assert stated == limits
