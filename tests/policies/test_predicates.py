"""Demands of a criterion, each with its boundary triple."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from mappings.catalogue import FactDefinition
from mappings.dates import span
from mappings.evidence import Bounds
from mappings.terminology import ValueSets
from policies.logic import Truth
from policies.predicates import Asked, UnfitError, compile_predicate

M, U, K = Truth.MET, Truth.UNMET, Truth.UNKNOWN
DAY = date(2026, 2, 16)


def fact(kind: str, options: tuple[str, ...] = ()) -> FactDefinition:
    return FactDefinition(name="asked_fact", type=kind, label="asked fact", ask="?", options=options)


def decide(demand: Any, kind: str, value: Any, value_sets: ValueSets, **parameters: Any) -> Truth:
    asked = Asked(DAY, parameters, value_sets, {"other_fact": "intrathecal"}.get)
    return compile_predicate(demand, fact(kind)).test(value, asked)


@pytest.mark.parametrize(
    ("demand", "below", "at", "above"),
    [
        ({"at_least": 4}, U, M, M),
        ({"above": 7}, U, U, M),
        ({"at_most": 25}, M, M, U),
        ({"below": 70}, M, U, U),
    ],
)
def test_a_threshold_is_decided_below_at_and_above(
    demand: dict[str, int], below: Truth, at: Truth, above: Truth, value_sets: ValueSets
) -> None:
    limit = float(next(iter(demand.values())))
    found = [decide(demand, "decimal", limit + step, value_sets) for step in (-0.1, 0.0, 0.1)]
    assert found == [below, at, above]


def test_a_threshold_may_be_a_parameter(value_sets: ValueSets) -> None:
    demand = {"at_least": {"parameter": "tests"}}
    assert decide(demand, "decimal", 4.0, value_sets, tests=Decimal(4)) is M
    assert decide(demand, "decimal", 4.0, value_sets, tests=Decimal(5)) is U


def test_two_comparisons_in_one_demand_must_both_hold(value_sets: ValueSets) -> None:
    demand = {"at_least": 1, "below": 3}
    assert [decide(demand, "decimal", v, value_sets) for v in (0.0, 1.0, 2.9, 3.0)] == [U, M, M, U]


@pytest.mark.parametrize(("share", "state"), [(0.09, U), (0.1, K), (0.49, K), (0.5, M)])
def test_a_share_between_rarely_and_commonly_is_open(
    share: float, state: Truth, value_sets: ValueSets
) -> None:
    assert (
        decide({"at_least": Decimal("0.5"), "unknown_from": Decimal("0.1")}, "decimal", share, value_sets)
        is state
    )


@pytest.mark.parametrize(("low", "state"), [(2.0, K), (3.0, M)])
def test_a_lower_bound_decides_only_when_it_reaches(low: float, state: Truth, value_sets: ValueSets) -> None:
    assert decide({"at_least": 3}, "decimal", Bounds(low), value_sets) is state
    assert decide({"at_least": 3}, "decimal", Bounds(0, 2), value_sets) is U


@pytest.mark.parametrize(
    ("drugs", "state"),
    [(("morphine",), U), (("bupivacaine", "morphine"), M), (("bupivacaine", "clonidine", "morphine"), M)],
)
def test_the_elements_of_a_list_can_be_counted(
    drugs: tuple[str, ...], state: Truth, value_sets: ValueSets
) -> None:
    assert decide({"count_at_least": 2}, "list", drugs, value_sets) is state


def test_an_element_that_stands_twice_counts_once(value_sets: ValueSets) -> None:
    assert decide({"count_at_least": 2}, "list", ("morphine", "morphine"), value_sets) is U


def test_a_list_can_be_asked_for_any_every_and_no_element(value_sets: ValueSets) -> None:
    liver, both = ("liver",), ("liver", "lung")
    assert decide({"only": ["liver"]}, "list", liver, value_sets) is M
    assert decide({"only": ["liver"]}, "list", both, value_sets) is U
    assert decide({"includes": ["lung"]}, "list", both, value_sets) is M
    assert decide({"includes": ["bone"]}, "list", both, value_sets) is U
    assert decide({"excludes": ["lung"]}, "list", both, value_sets) is U
    assert decide({"excludes": ["lung"]}, "list", liver, value_sets) is M


def test_values_named_unsure_are_left_open(value_sets: ValueSets) -> None:
    demand = {"one_of": ["MD", "DO"], "unsure": ["NP"]}
    assert [decide(demand, "code", v, value_sets) for v in ("MD", "NP", "PT")] == [M, K, U]


def test_codes_are_compared_by_value_set(value_sets: ValueSets) -> None:
    diabetes = ("http://hl7.org/fhir/sid/icd-10-cm|E10.65",)
    pain = ("http://hl7.org/fhir/sid/icd-10-cm|G89.4",)
    assert decide({"in": ["cond-diabetes-type1"]}, "list", diabetes, value_sets) is M
    assert decide({"in": ["cond-diabetes-type1"]}, "list", pain, value_sets) is U
    assert decide({"not_in": ["cond-diabetes-type1"]}, "list", pain, value_sets) is M


def test_a_code_that_nobody_knows_may_be_in_any_set(value_sets: ValueSets) -> None:
    local, pain = "urn:example:problems|DM1", "http://hl7.org/fhir/sid/icd-10-cm|G89.4"
    unlisted = "http://snomed.info/sct|999999999"
    for codes in ((local,), (pain, local), (unlisted,)):
        assert decide({"not_in": ["cond-diabetes-type1"]}, "list", codes, value_sets) is K
    assert decide({"not_in": ["cond-diabetes-type1"]}, "list", (pain,), value_sets) is M


@pytest.mark.parametrize(
    ("written", "state"),
    [("2025-08-15", U), ("2025-08-16", M), ("2026-02-16", M), ("2026-02-17", U), ("2025-08", K), ("2025", K)],
)
def test_a_calendar_span_counts_its_first_and_last_day(
    written: str, state: Truth, value_sets: ValueSets
) -> None:
    assert decide({"within": "P6M"}, "date", span(written), value_sets) is state


@pytest.mark.parametrize(("written", "state"), [("2025-12-16", M), ("2025-12-17", U), ("2025-12", K)])
def test_at_least_ago_counts_from_the_day_itself(written: str, state: Truth, value_sets: ValueSets) -> None:
    assert decide({"at_least_ago": "P2M"}, "date", span(written), value_sets) is state


def test_dates_compare_with_a_fixed_day(value_sets: ValueSets) -> None:
    start = date(2026, 1, 25)
    found = [
        decide({"on_or_after": start}, "date", span(d), value_sets) for d in ("2026-01-24", "2026-01-25")
    ]
    assert found == [U, M]
    found = [decide({"before": start}, "date", span(d), value_sets) for d in ("2026-01-24", "2026-01-25")]
    assert found == [M, U]


def test_a_text_can_be_compared_with_another_fact(value_sets: ValueSets) -> None:
    assert decide({"same_as": "other_fact"}, "enum", "intrathecal", value_sets) is M
    assert decide({"same_as": "other_fact"}, "enum", "epidural", value_sets) is U
    assert decide({"same_as": "unknown_fact"}, "enum", "epidural", value_sets) is K


@pytest.mark.parametrize(
    ("demand", "kind", "words"),
    [
        (True, "decimal", "true or false fits only a boolean"),
        ({"atleast": 3}, "decimal", "unknown demand 'atleast'"),
        ({"at_least": 3}, "boolean", "does not fit asked_fact"),
        ({"at_least": "3"}, "decimal", "takes a number"),
        ({"within": 6}, "date", "takes a duration like P6M"),
        ({"one_of": "MD"}, "code", "takes a list of quoted texts"),
        ({"unsure": ["NP"]}, "code", "alone demands nothing"),
        ({}, "code", "takes true, false or a mapping"),
    ],
)
def test_a_demand_that_does_not_fit_is_refused_with_the_mend(demand: Any, kind: str, words: str) -> None:
    with pytest.raises(UnfitError, match=words):
        compile_predicate(demand, fact(kind))


def test_an_option_that_the_fact_does_not_have_is_refused() -> None:
    with pytest.raises(UnfitError, match="no option 'epidurall'; options: epidural, intrathecal"):
        compile_predicate({"one_of": ["epidurall"]}, fact("enum", ("epidural", "intrathecal")))


@pytest.mark.parametrize(
    ("demand", "unit", "said"),
    [
        ({"at_least": {"parameter": "tests"}}, "/d", "at least 4 /d"),
        ({"within": "P6M"}, "", "within the last 6 months"),
        ({"above": 7}, "%", "more than 7 %"),
    ],
)
def test_a_demand_can_be_said_in_words(demand: Any, unit: str, said: str) -> None:
    definition = FactDefinition(
        name="f", type="date" if "within" in demand else "decimal", label="f", ask="", unit=unit
    )
    assert compile_predicate(demand, definition).wanted({"tests": 4}) == said
