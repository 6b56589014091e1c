"""Ids of questionnaires: allowed by FHIR, unique, readable, the same tomorrow."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from policies.determination import Determination, Node, PolicyRef
from policies.engine import Engine
from policies.questionnaires.naming import questionnaire_id, questionnaire_url

FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
names = st.text(st.sampled_from("ab.-_ é/|"), min_size=1, max_size=50)


def test_ids_of_the_library_are_readable_and_unique(engine: Engine) -> None:
    pairs = [(policy.id, service.id) for policy in engine.registry.policies for service in policy.services]
    ids = [questionnaire_id(*pair) for pair in pairs]
    assert ids == [".".join(pair) for pair in pairs]
    assert len(set(ids)) == len(ids)


@given(st.sets(st.tuples(names, names), min_size=2, max_size=30))
def test_any_two_services_have_different_ids_that_fhir_allows(pairs: set[tuple[str, str]]) -> None:
    ids = [questionnaire_id(*pair) for pair in pairs]
    assert all(FHIR_ID.fullmatch(name) for name in ids)
    assert len(set(ids)) == len(pairs)


def test_a_dot_in_the_service_is_not_mistaken_for_one_in_the_policy() -> None:
    assert questionnaire_id("plan.pump", "worn") != questionnaire_id("plan", "pump.worn")


def test_a_long_id_is_cut_and_stays_the_same() -> None:
    name = questionnaire_id("plan." + "x" * 60, "pump")
    assert name == "plan." + "x" * 46 + ".13352cdcb9fa"
    assert len(name) == 64
    assert name != questionnaire_id("plan." + "x" * 60, "pumps")


def test_sixty_four_characters_are_not_too_many() -> None:
    assert questionnaire_id("p" * 59, "pump") == f"{'p' * 59}.pump"


def test_the_address_names_the_version_that_judged() -> None:
    determination = Determination(
        order="DeviceRequest/1",
        policy=PolicyRef("plan.pump", "2026-01-01", "Plan", "Pumps"),
        service="worn",
        as_of="2026-02-01",
        outcome="needs-documentation",
        criteria=Node(id="all", state="unknown"),
    )
    url = questionnaire_url("https://cds.example.org/x", determination)
    assert url == "https://cds.example.org/x/fhir/Questionnaire/plan.pump.worn|2026-01-01"
