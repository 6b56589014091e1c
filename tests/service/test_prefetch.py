"""Prefetch templates ask for what the policies need, in words that CDS Hooks 2.0 allows."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from cds_service.contexts import HOOKS, Hook
from cds_service.prefetch import ALWAYS, KINDS, REFERENCED, URL_LIMIT, Query, queries, templates
from mappings.fhir import RESOURCE_TYPES
from mappings.operators import OPERATORS
from mappings.terminology import ValueSets

# Section "Prefetch tokens", and the fields that the definitions of the hooks mark as tokens.
_WITH_USER = {
    "context.patientId",
    "context.userId",
    "context.encounterId",
    "userPractitionerId",
    "userPractitionerRoleId",
    "userPatientId",
    "userRelatedPersonId",
}
LEGAL = dict.fromkeys(HOOKS, _WITH_USER) | {
    "order-dispatch": {"context.patientId", "context.order", "context.performer"}
}
READS: dict[str, set[str] | None] = {"Condition": None, "Device": None, "DeviceRequest": None}


def of(value_sets: ValueSets, reads: dict[str, set[str] | None]) -> dict[str, Query]:
    return {query.key: query for query in queries(reads, value_sets)}


def everything(value_sets: ValueSets, hook: Hook = "order-sign") -> dict[str, str]:
    """Templates as if facts read every type, and all value sets of Observations."""
    reads: dict[str, set[str] | None] = dict.fromkeys(KINDS)
    reads["Observation"] = {name for name in value_sets.ids if name.startswith(("lab-", "obs-"))}
    return templates(hook, queries(reads, value_sets))


@pytest.mark.req("A7.68")
@pytest.mark.req("A7.69")
@pytest.mark.req("A7.72")
@pytest.mark.parametrize("hook", HOOKS)
def test_every_token_is_legal(value_sets: ValueSets, hook: Hook) -> None:
    for template in everything(value_sets, hook).values():
        tokens = re.findall(r"\{\{(.*?)\}\}", template)
        assert tokens
        assert set(tokens) <= LEGAL[hook]
        assert "{" not in re.sub(r"\{\{.*?\}\}", "", template)


@pytest.mark.req("A7.71")
@pytest.mark.parametrize("hook", HOOKS)
def test_every_template_is_a_read_or_a_search_of_a_known_type(value_sets: ValueSets, hook: Hook) -> None:
    for template in everything(value_sets, hook).values():
        if template in ("{{context.userId}}", "{{context.order}}", "{{context.performer}}"):
            continue
        parts = urlsplit(re.sub(r"\{\{.*?\}\}", "1", template))
        kind = parts.path.partition("/")[0]
        assert kind in RESOURCE_TYPES
        if parts.query:
            assert parts.path == kind
            names = [name for name, _ in parse_qsl(parts.query, strict_parsing=True)]
            assert set(names) <= {"patient", "code", "_include", "_id"}
        else:
            assert parts.path == f"{kind}/1"


@pytest.mark.req("A1.6")
def test_keys_are_plain_words(value_sets: ValueSets) -> None:
    assert all(re.fullmatch(r"[A-Za-z0-9]+", key) for key in everything(value_sets))


@pytest.mark.req("A7.71")
def test_no_template_is_longer_than_servers_take(value_sets: ValueSets) -> None:
    assert max(len(template) for template in everything(value_sets).values()) <= URL_LIMIT


@pytest.mark.req("A7.77")
def test_observations_are_asked_for_by_bare_codes_of_the_value_sets(value_sets: ValueSets) -> None:
    query = of(value_sets, {"Observation": {"lab-hba1c-percent"}})["observations"]
    codes = dict(parse_qsl(urlsplit(query.template).query))["code"].split(",")
    assert "4548-4" in codes
    assert set(codes) - {"urn:coverage-hooks:fact|"} == set(value_sets.codes("lab-hba1c-percent", "loinc"))


def test_results_under_our_own_codes_are_always_asked_for(value_sets: ValueSets) -> None:
    query = of(value_sets, {})["observations"]
    assert query.template.endswith("&code=urn:coverage-hooks:fact|")


def test_facts_that_read_observations_of_any_code_lift_the_filter(value_sets: ValueSets) -> None:
    query = of(value_sets, {"Observation": None})["observations"]
    assert query.template == "Observation?patient={{context.patientId}}"


def test_long_lists_of_codes_are_split_and_none_is_lost(value_sets: ValueSets) -> None:
    sets = set(value_sets.ids)
    split = [q for q in queries({"Observation": sets}, value_sets) if q.kind == "Observation"]
    assert len(split) > 1
    assert [query.key for query in split] == [f"observations{n}" for n in range(1, len(split) + 1)]
    asked = [code for q in split for code in dict(parse_qsl(urlsplit(q.template).query))["code"].split(",")]
    assert len(asked) == len(set(asked))
    assert set(value_sets.codes("lab-hba1c-percent", "loinc")) <= set(asked)
    assert all(len(query.template) <= URL_LIMIT for query in split)


@pytest.mark.req("A7.77")
def test_what_statements_and_payers_rest_on_is_always_asked_for(value_sets: ValueSets) -> None:
    assert {query.kind for query in queries({}, value_sets)} == {*ALWAYS, "Observation"}


def test_payers_medications_and_devices_come_with_what_names_them(value_sets: ValueSets) -> None:
    found = of(value_sets, dict.fromkeys(KINDS))
    assert found["coverage"].template.endswith("&_include=Coverage:payor")
    assert found["medicationStatements"].template.endswith("&_include=MedicationStatement:medication")
    assert found["deviceUseStatements"].template.endswith("&_include=DeviceUseStatement:device")


def test_the_patient_is_read_by_id(value_sets: ValueSets) -> None:
    assert of(value_sets, {})["patient"].template == "Patient/{{context.patientId}}"


def test_a_type_without_a_query_stops_the_start(value_sets: ValueSets) -> None:
    with pytest.raises(ValueError, match="Spaceship"):
        queries({"Spaceship": None}, value_sets)


def test_every_type_that_operators_read_can_be_asked_for() -> None:
    read = {kind for operator in OPERATORS.values() for kind in operator.reads}
    assert read <= {*KINDS, *REFERENCED}


def test_the_patient_id_is_quoted_in_a_query() -> None:
    query = Query("conditions", "Condition", "Condition?patient={{context.patientId}}")
    assert query.path("a:b") == "Condition?patient=a%3Ab"


# What each hook needs beside the record


@pytest.mark.req("A7.69")
def test_order_dispatch_has_no_user_and_asks_for_the_order_and_its_performer(value_sets: ValueSets) -> None:
    found = everything(value_sets, "order-dispatch")
    assert (found["order"], found["performer"]) == ("{{context.order}}", "{{context.performer}}")
    assert "user" not in found


@pytest.mark.parametrize("hook", ["encounter-start", "encounter-discharge"])
def test_encounter_hooks_ask_for_the_open_orders_that_no_fact_reads(
    value_sets: ValueSets, hook: Hook
) -> None:
    found = templates(hook, queries({"DeviceRequest": None}, value_sets))
    assert found["deviceRequests"] == "DeviceRequest?patient={{context.patientId}}"
    assert found["serviceRequests"] == (
        "ServiceRequest?patient={{context.patientId}}&encounter={{context.encounterId}}&status=active,draft"
    )


# The expressions of CRD 2.2


@pytest.mark.req("A7.70")
@pytest.mark.req("B5.148")
@pytest.mark.req("B5.150")
@pytest.mark.parametrize("hook", HOOKS)
def test_the_expressions_of_crd_2_2_are_those_of_its_example_discovery(
    shared: Path, value_sets: ValueSets, hook: Hook
) -> None:
    text = (shared / "conformance/data/crd-2.2.1-example-discovery.json").read_text(encoding="utf-8")
    official = next(s["prefetch"] for s in json.loads(text)["services"] if s["hook"] == hook)
    found = templates(hook, queries(READS, value_sets, "2.2"), "2.2")
    ours = {key: found[key] for key in official if key in found}
    assert ours == {key: template for key, template in official.items() if key in ours}
    assert ours.keys() == official.keys() - {"locations", "organizations"}


@pytest.mark.req("A7.70")
@pytest.mark.parametrize("hook", HOOKS)
def test_a_prefetch_stands_behind_those_that_it_uses(value_sets: ValueSets, hook: Hook) -> None:
    seen: set[str] = set()
    for key, template in templates(hook, queries(READS, value_sets, "2.2"), "2.2").items():
        assert set(re.findall(r"%(\w+)", template)) <= seen
        seen.add(key)


def test_queries_for_the_record_make_way_for_keys_of_crd_2_2(value_sets: ValueSets) -> None:
    found = templates("order-sign", queries(READS, value_sets, "2.2"), "2.2")
    assert found["devices"].startswith("Device?_id={{context.draftOrders")
    assert found["patientDevices"] == "Device?patient={{context.patientId}}"
    assert found["patientDeviceRequests"] == "DeviceRequest?patient={{context.patientId}}"
    assert found["conditions"] == "Condition?patient={{context.patientId}}"
