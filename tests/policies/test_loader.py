"""The policy loader: what a policy becomes, and what is said about each mistake."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from mappings.catalogue import Catalogue
from mappings.terminology import ValueSets
from mappings.yaml_file import DataError
from policies.loader import load_policy
from policies.model import Policy
from tests.policies.small_policy import VALID

Load = Callable[[str], Policy]


@pytest.fixture
def load(tmp_path: Path, catalogue: Catalogue, value_sets: ValueSets) -> Load:
    def load_text(text: str) -> Policy:
        path = tmp_path / "policy.yaml"
        path.write_text(text, encoding="utf-8")
        return load_policy(path, catalogue, value_sets)

    return load_text


def test_a_policy_knows_every_fact_it_asks_for(load: Load) -> None:
    assert {"dx_diabetes", "member_lob", "order_is_replacement", "pregnant"} <= load(VALID).facts()


def test_short_clauses_get_the_prefix_of_the_document(load: Load) -> None:
    by_id = {criterion.id: criterion for criterion in load(VALID).criteria()}
    assert by_id["taught"].clauses == ("plan-1/edu",)


def test_a_parameter_has_the_value_of_the_day(load: Load) -> None:
    parameter = load(VALID).parameters["injections"]
    found = [parameter.on(day) for day in (date(2025, 12, 31), date(2026, 1, 1), date(2026, 1, 2))]
    assert found == [3, 4, 4]


def test_listed_codes_lead_to_their_clauses(load: Load) -> None:
    assert list(load(VALID).codes.values()) == [("plan-1/code-E0784",)]


def test_a_service_may_stand_in_a_file_of_its_own(load: Load, tmp_path: Path) -> None:
    head, service = VALID.split("  - id: pump\n", 1)
    service, tail = service.split("exclusions:", 1)
    lines = ["id: pump", *(line[4:] for line in service.splitlines())]
    (tmp_path / "pump.yaml").write_text("\n".join(lines), encoding="utf-8")
    policy = load(head + "  - {file: pump.yaml}\nexclusions:" + tail)
    assert policy.services[0].title == "Insulin pump"


MISTAKES = {
    "an unknown key": ("title: Pump policy", "titel: Pump policy", "the key 'title' is missing"),
    "a misspelt key": ("          gate: true", "          gates: true", "did you mean gate"),
    "a fact that does not exist": ("fact: dx_diabetes", "fact: dx_diabetis", "did you mean dx_diabetes"),
    "a value set that does not exist": (
        "[hcpcs-insulin-pump]",
        "[hcpcs-insulin-pumps]",
        "did you mean hcpcs-insulin-pump",
    ),
    "a parameter that does not exist": (
        "parameter: injections}",
        "parameter: injection}",
        "did you mean injections",
    ),
    "an id used twice": ("- id: taught", "- id: diabetes", "used twice"),
    "a silence that is no no": (
        "applies_when: {fact: order_is_replacement, is: true}",
        "applies_when: {fact: order_is_replacement, is: true, if_silent: met}",
        "allowed: unmet",
    ),
    "a duplicate key": ("status: active", "status: active\nstatus: draft", "stands twice"),
    "an unquoted code": ('codes: ["E0784"]', "codes: [62362]", "quote"),
    "an unquoted version": ('version: "1"', "version: 1", "must be text"),
    "a yes that YAML would swallow": ("required: true", "required: yes", "write true or false"),
    "a missing citation": ("          cite: has been taught\n", "", "quote the words of the document"),
    "a missing clause": ("          clauses: [edu]\n", "", "name the clause"),
    "a group of two kinds": (
        "          any:\n",
        "          all: []\n          any:\n",
        "exactly one of all, any, at_least",
    ),
    "a demand that does not fit": ("is: {within: P6M}", "is: {at_least: 3}", "does not fit"),
    "a span that is none": ("is: {within: P6M}", "is: {within: 6 months}", "takes a duration like P6M"),
    "a reservation over nothing": ("covers: [taught]", "covers: [thought]", "unknown id thought"),
    "an outcome that does not exist": ("outcomes: [not-met]", "outcomes: [notmet]", "did you mean not-met"),
    "a status that does not exist": ("status: active", "status: live", "allowed: active, draft, retired"),
    "a phase that does not exist": ("phase: claim", "phase: claims", "did you mean claim"),
    "an octal number": ("2025-01-01: 3,", "2025-01-01: 03,", "quote '03'"),
    "no services": ("services:", "servicez:", "at least one service|unknown key"),
    "a wrong schema": ("coverage-policy/1", "coverage-policy/9", "allowed: coverage-policy/1"),
    "a broken date": ("from: 2025-01-01", 'from: "soon"', "must be a date like"),
    "no YAML at all": ("schema:", "schema: [", "no YAML"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_refused_with_the_place_and_the_mend(name: str, load: Load) -> None:
    old, new, words = MISTAKES[name]
    assert old in VALID
    with pytest.raises(DataError, match=words) as caught:
        load(VALID.replace(old, new, 1))
    assert "policy.yaml:" in str(caught.value)
    assert caught.value.line >= 1


def test_the_line_of_a_mistake_is_named(load: Load) -> None:
    text = VALID.replace("fact: dx_diabetes", "fact: dx_diabetis")
    line = next(n for n, content in enumerate(text.splitlines(), 1) if "dx_diabetis" in content)
    with pytest.raises(DataError) as caught:
        load(text)
    assert caught.value.line == line
