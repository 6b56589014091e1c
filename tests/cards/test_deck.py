"""Cards as a clinician and a CDS Hooks client read them."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from cards.deck import EXTENSION, brief, build_cards, indicator
from cards.sentences import step_words
from cards.wording import detail, summary
from mappings.evidence import Evidence
from policies.determination import Cited, CoverageRef, Determination, Node, Part, PolicyRef, Report, Stated
from policies.nearest import Choice, lacking
from policies.selection import NO_COVERAGE

POLICY = PolicyRef("plan.pump", "1", "Plan", "Pump policy", "ab12", "https://plan.example/doc")


def criterion(name: str, state: str, **more: Any) -> Node:
    cited = Cited("doc", f"quote of {name}", f"plan-1/{name}")
    return Node(
        id=name, state=state, says=f"The {name} is shown", clauses=[f"plan-1/{name}"], citation=cited, **more
    )


def determination(outcome: str, *criteria: Node, **more: Any) -> Determination:
    states = [node.state for node in criteria]
    state = "unmet" if "unmet" in states else "unknown" if "unknown" in states else "met"
    tree = Node(id="criteria", state=state, operator="all", criteria=list(criteria))
    return Determination(
        order="DeviceRequest/1",
        policy=POLICY,
        service="pump",
        as_of="2026-02-16",
        outcome=outcome,
        criteria=tree,
        order_label="Pump (E0784)",
        lacking=[node.id for node in criteria if node.state != "met"],
        **more,
    )


NOT_MET = determination(
    "not-met",
    criterion("diabetes", "met"),
    criterion(
        "testing",
        "unmet",
        evidence=[Evidence("Observation/9", date="2026-02-15", value=2.1, unit="/d")],
        notes=["128 tests in 61 days"],
    ),
    criterion("teaching", "unknown", reason="no_data", asks=["File the certificate."]),
)


def cards(*found: Determination, **more: Any) -> list[dict[str, Any]]:
    return build_cards(Report(list(found), []), lambda name: f"id of {name}", **more)


@pytest.mark.req("A4.37")
def test_the_summary_names_the_policy_and_what_lacks_in_less_than_140_characters() -> None:
    said = summary(NOT_MET)
    assert said == "Plan Pump policy: not met: the testing is shown (+1 more)"
    long = criterion("x" * 300, "unmet")
    assert len(summary(determination("not-met", long, criterion("b", "unmet")))) < 140


def test_the_detail_tells_what_was_found_what_would_settle_it_and_where_the_policy_says_so() -> None:
    text = detail(NOT_MET)
    not_met, not_documented, shown = (
        text.index(f"**{title}**") for title in ("Not met", "Not documented", "Already shown")
    )
    assert not_met < not_documented < shown
    assert "128 tests in 61 days" in text[not_met:not_documented]
    assert "2.1 a day on 2026-02-15 (Observation/9)" in text[not_met:not_documented]
    assert 'Policy: "quote of testing" (plan-1/testing)' in text[not_met:not_documented]
    assert "Nothing on file" in text[not_documented:shown]
    assert "To settle it: File the certificate." in text[not_documented:shown]
    assert "the diabetes is shown (plan-1/diabetes)" in text[shown:].lower()


def test_what_could_not_be_fetched_is_named() -> None:
    assert "Observation: the server did not answer in time" in detail(
        NOT_MET, ["Observation: the server did not answer in time"]
    )


@pytest.mark.req("A4.38")
@pytest.mark.req("B2.115")
@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ("not-met", "warning"),
        ("excluded", "warning"),
        ("needs-documentation", "info"),
        ("not-applicable", "info"),
    ],
)
def test_the_indicator_follows_the_outcome(outcome: str, expected: str) -> None:
    assert indicator(determination(outcome, criterion("a", "unmet"))) == expected


@pytest.mark.req("B2.115")
def test_only_danger_to_life_is_critical() -> None:
    danger = criterion("allergy", "met", kind="contraindication", danger=True)
    assert indicator(determination("excluded", exclusions=[danger])) == "critical"
    harmless = criterion("allergy", "unmet", kind="contraindication", danger=True)
    assert indicator(determination("not-met", criterion("a", "unmet"), exclusions=[harmless])) == "warning"


def test_an_exclusion_that_applies_leads_the_card() -> None:
    found = determination(
        "excluded", criterion("a", "met"), exclusions=[criterion("upgrade", "met", kind="exclusion")]
    )
    assert summary(found) == "Plan Pump policy: not covered: the upgrade is shown"
    assert "**Not covered**" in detail(found)


def test_an_exclusion_that_applies_is_counted_once() -> None:
    upgrade, allergy = (criterion(name, "met", kind="exclusion") for name in ("upgrade", "allergy"))
    found = determination("excluded", criterion("a", "met"), exclusions=[upgrade])
    found.lacking = ["upgrade"]
    assert summary(found) == "Plan Pump policy: not covered: the upgrade is shown"
    found = determination("excluded", criterion("a", "unmet"), exclusions=[upgrade, allergy])
    found.lacking = ["upgrade", "allergy", "a"]
    assert summary(found) == "Plan Pump policy: not covered: the upgrade is shown (+2 more)"


def open_exclusion(**more: Any) -> Node:
    parts = [
        Part("met", "infection", "active infection", evidence=[Evidence("Condition/3", says="sepsis")]),
        Part("unknown", "risk", "infection that raises the risk", reason="no_data"),
    ]
    elements = {"kind": "contraindication", "reason": "no_data", "asks": ["Is it a risk?"], "parts": parts}
    return criterion("infection", "unknown", **(elements | more))


def perhaps_excluded(*criteria: Node, **more: Any) -> Determination:
    found = determination("needs-documentation", *criteria, exclusions=[open_exclusion(**more)])
    found.lacking = [*found.lacking, "infection"]
    return found


def test_an_open_exclusion_is_nothing_to_document() -> None:
    found = perhaps_excluded(criterion("teaching", "unknown", reason="no_data"))
    assert summary(found) == "Plan Pump policy: not documented: the teaching is shown (+1 more)"
    text = detail(found)
    documented, perhaps = text.index("**Not documented**"), text.index("**May exclude the order**")
    assert "infection" not in text[documented:perhaps]
    assert "**Excluded if the infection is shown.** Open: infection that raises the risk." in text[perhaps:]
    assert "Found: active infection: sepsis (Condition/3).\n  To settle it: Is it a risk?" in text[perhaps:]
    assert "Nothing on file" not in text[perhaps:]


def test_an_order_of_which_only_an_exclusion_is_open_is_not_called_undocumented() -> None:
    found = perhaps_excluded(criterion("teaching", "met"))
    assert summary(found) == "Plan Pump policy: may be excluded: the infection is shown"
    assert "The chart shows every criterion, but leaves open whether" in detail(found)
    assert "ocumented" not in detail(found)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"asks": [], "parts": []}, "Whether this applies to the order is open. Found: seen (Condition/3)."),
        ({"parts": []}, "What is on file does not tell. Found: seen (Condition/3)."),
        ({"parts": [], "reason": "stale"}, "The record is too old. Found: seen (Condition/3)."),
        ({"parts": [], "evidence": []}, "Nothing on file rules this out.\n"),
    ],
    ids=["scope open", "not telling", "another reason", "nothing found"],
)
def test_an_open_exclusion_tells_why_it_is_open(more: dict[str, Any], expected: str) -> None:
    evidence = {"evidence": [Evidence("Condition/3", says="seen")]}
    text = detail(perhaps_excluded(**(evidence | more)))
    assert f"**Excluded if the infection is shown.** {expected}" in text


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"notes": ["no time is told"]}, "No time is told.\n"),
        ({"evidence": [Evidence("Procedure/1")]}, "What is on file does not tell. Found: Procedure/1.\n"),
        ({}, "Nothing on file.\n"),
    ],
)
def test_nothing_on_file_is_not_said_beside_a_finding(found: dict[str, Any], expected: str) -> None:
    text = detail(determination("needs-documentation", criterion("a", "unknown", reason="no_data", **found)))
    assert f"**The a is shown.** {expected}" in text


def test_alternatives_that_tie_are_shown_as_a_choice() -> None:
    ways = [criterion("meter", "unmet"), criterion("sensor", "unmet")]
    group = Node(id="monitoring", state="unmet", operator="any", criteria=ways, title="Monitoring")
    found = determination("not-met", group)
    found.lacking = ["meter", "sensor"]
    text = detail(found)
    assert "One of these would do" in text
    assert text.index("meter") < text.index("sensor")


def lasting(*names: str, prefix: str = "") -> Node:
    """What a way asks for together: a shared use, and more of its own."""
    own = [criterion(name, "unknown", reason="no_data") for name in names]
    shared = Node(id=f"{prefix}use", state="unknown", says="The use is shown", reason="no_data")
    return Node(id=f"{prefix}way", state="unknown", operator="all", criteria=[shared, *own])


def choice(*ways: Node, state: str = "unknown") -> Node:
    return Node(id="choice", state=state, operator="any", criteria=list(ways), title="Ways")


def open_choice(*ways: Node) -> Determination:
    found = determination("needs-documentation", choice(*ways))
    found.lacking = [node.id for node in lacking(found.criteria)]
    return found


def test_a_way_of_several_steps_is_one_alternative() -> None:
    pattern = Node(
        id="pattern",
        state="unknown",
        operator="all",
        criteria=[
            criterion("months", "unknown"),
            choice(criterion("lows", "unknown"), criterion("highs", "unknown")),
        ],
    )
    other = Node(
        id="other",
        state="unknown",
        operator="all",
        criteria=[criterion(f"test {n}", "unknown") for n in (1, 2, 3)],
    )
    found = open_choice(pattern, other)
    bullets = [line.partition(".**")[0] for line in detail(found).splitlines() if "- " in line[:10]]
    assert bullets == [
        "- One of these would do:",
        "  - All of these together:",
        "    - **The months is shown",
        "    - One of these would do:",
        "      - **The lows is shown",
        "      - **The highs is shown",
        "  - All of these together:",
        "    - **The test 1 is shown",
        "    - **The test 2 is shown",
        "    - **The test 3 is shown",
    ]


def test_a_choice_counts_once_in_the_headline_and_tells_its_ways_apart() -> None:
    head = "Plan Pump policy: not documented: "
    found = open_choice(criterion("meter", "unknown"), criterion("sensor", "unknown"))
    assert summary(found) == head + "either the meter is shown or the sensor is shown"
    three = open_choice(*(criterion(name, "unknown") for name in "abc"))
    assert summary(three) == head + "one of (the a is shown; or the b is shown; or the c is shown)"


def test_a_way_that_is_nothing_but_a_choice_adds_its_ways() -> None:
    """ "Either either" is no English: a choice in a choice is one choice."""
    poisoning, overload, need, home = (
        criterion(n, "unknown") for n in ("poisoning", "overload", "need", "home")
    )
    iron = Choice(poisoning, ((poisoning,), (overload,)))
    said = "(the poisoning is shown; or the overload is shown; or (the need is shown and the home is shown))"
    assert step_words(Choice(need, ((iron,), (need, home)))) == f"one of {said}"
    two_of = Choice(poisoning, ((poisoning,), (overload,)), needed=2)
    assert step_words(Choice(need, ((two_of,), (need,)))).startswith("either 2 of (the poisoning")


def test_what_every_way_asks_for_is_said_once_and_before_the_choice() -> None:
    found = open_choice(lasting("long"), lasting("short", prefix="2-"))
    text = detail(found)
    assert text.count("**The use is shown.**") == 1
    assert text.index("The use is shown") < text.index("One of these would do")
    assert "All of these" not in text
    assert summary(found) == "Plan Pump policy: not documented: the use is shown (+1 more)"


def test_no_card_when_everything_is_met_unless_asked_for() -> None:
    met = determination("met", criterion("a", "met"))
    assert cards(met) == []
    assert cards(met, show_met=True)[0]["summary"] == "Plan Pump policy: all criteria are shown"


@pytest.mark.req("A4.39")
@pytest.mark.req("A4.40")
@pytest.mark.req("A4.41", "A4.56", "A4.57")
@pytest.mark.req("B2.116")
def test_a_card_has_what_the_specification_asks_for() -> None:
    card = cards(NOT_MET)[0]
    assert {"uuid", "summary", "detail", "indicator", "source", "links", "overrideReasons"} <= set(card)
    assert card["source"]["label"] == "Plan"
    assert card["source"]["url"] == "https://plan.example/doc"
    assert card["links"][0] == {
        "label": "Open Pump policy",
        "url": "https://plan.example/doc",
        "type": "absolute",
    }
    assert all({"code", "system", "display"} == set(reason) for reason in card["overrideReasons"])
    suggested = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
    assert {reason["system"] for reason in card["overrideReasons"]} == {suggested}
    assert card["uuid"] == "id of DeviceRequest/1 plan.pump@1"


def test_the_card_carries_the_determination_without_the_evidence_of_met_criteria() -> None:
    met = criterion("diabetes", "met", evidence=[Evidence("Condition/1")], notes=["a note"])
    carried = cards(
        determination("not-met", met, criterion("b", "unmet", evidence=[Evidence("Observation/1")]))
    )[0]
    first, second = msgspec.to_builtins(carried["extension"][EXTENSION])["criteria"]["criteria"]
    assert "evidence" not in first
    assert second["evidence"] == [{"resource": "Observation/1"}]


@pytest.mark.req("A4.36")
def test_nothing_in_a_card_is_null_or_empty() -> None:
    def check(value: Any, path: str) -> None:
        assert value not in (None, "", [], {}), path
        if isinstance(value, dict):
            for key, inner in value.items():
                check(inner, f"{path}.{key}")
        elif isinstance(value, list):
            for inner in value:
                check(inner, path)

    check(json.loads(msgspec.json.encode(cards(NOT_MET))), "cards")


@pytest.mark.req("A4.43")
def test_text_from_the_request_cannot_become_markup() -> None:
    hostile = '<img src=x onerror="alert(1)"> [click](http://evil.example) `x` **bold**\n# Title'
    evil = criterion(
        "testing", "unmet", notes=[hostile], evidence=[Evidence(hostile, value=hostile, unit=hostile)]
    )
    found = determination("not-met", evil)
    found.order_label = hostile
    found.coverage = CoverageRef("Coverage/1", hostile, plan=hostile)
    text = detail(found)
    assert "<img" not in text
    assert "[click]" not in text
    assert "\n# Title" not in text
    assert "**bold**" not in text


def test_next_steps_come_last_with_their_clauses() -> None:
    found = determination(
        "not-met",
        criterion("a", "unmet"),
        later=[Stated(["plan-1/form"], "Send the form", phase="claim")],
        prior_authorization=Stated(["plan-1/pa"], "Prior authorization is needed", answer="required"),
    )
    text = detail(found)
    assert text.index("**Not met**") < text.index("**Next**")
    assert "Send the form. (plan-1/form)" in text
    assert "Prior authorization is needed. (plan-1/pa)" in text


def test_a_brief_determination_is_a_copy() -> None:
    found = determination("not-met", criterion("a", "met", evidence=[Evidence("Condition/1")]))
    brief(found)
    assert found.criteria.criteria[0].evidence


def test_without_a_known_payer_one_card_compares_the_policies() -> None:
    other = determination("met", criterion("a", "met"))
    other.policy = PolicyRef("other.pump", "1", "Other", "Other policy")
    (card,) = cards(NOT_MET, other)
    assert card["summary"] == (
        "No payer known; 2 policies list this order: 1 would be covered, 1 criteria not met"
    )
    assert "| Other Other policy | would be covered | - |" in card["detail"]
    assert (
        "| Plan Pump policy | criteria not met | the testing is shown; the teaching is shown |"
        in card["detail"]
    )
    assert card["detail"].index("would be covered |") < card["detail"].index("criteria not met |")


def test_a_coverage_whose_payer_has_no_loaded_policy_is_not_called_missing() -> None:
    other = determination("met", criterion("a", "met"))
    note = "the payer of Coverage/a has no loaded policy"
    (card,) = build_cards(Report([NOT_MET, other], [], note), lambda name: name)
    assert card["summary"].startswith("Payer without a loaded policy; 2 policies list this order: ")
    assert f"because {note}." in card["detail"]
    assert "no loaded policy belongs to its payer" in card["detail"]
    assert "add the member's active coverage" not in card["detail"]
    (card,) = build_cards(Report([NOT_MET, other], [], NO_COVERAGE), lambda name: name)
    assert card["summary"].startswith("No payer known; ")
    assert "add the member's active coverage" in card["detail"]


@pytest.mark.parametrize(("number", "expected"), [(1, "1 does not decide"), (2, "2 do not decide")])
def test_policies_that_do_not_decide_are_counted_in_grammatical_words(number: int, expected: str) -> None:
    elsewhere = [determination("not-applicable", criterion("scope", "unmet")) for _ in range(number)]
    (card,) = cards(NOT_MET, *elsewhere)
    assert card["summary"].endswith(f"1 criteria not met, {expected} this order")


def test_each_of_several_known_coverages_is_answered_by_a_card_of_its_own() -> None:
    first, second = (
        msgspec.structs.replace(NOT_MET, coverage=CoverageRef(f"Coverage/{n}", "Plan")) for n in (1, 2)
    )
    assert len(cards(first, second)) == 2


def test_a_failure_that_the_policy_reserves_is_not_called_undocumented() -> None:
    failed = criterion("guideline", "unmet", reserved=True)
    found = determination("needs-documentation", failed)
    assert "the policy reserves the decision" in detail(found)
    assert summary(found) == "Plan Pump policy: not met, but the payer may decide: the guideline is shown"
    open_one = criterion("guideline", "unknown", reason="no_data")
    assert "Nothing on file contradicts" in detail(determination("needs-documentation", open_one))


def test_the_failing_way_that_the_policy_reserves_is_not_called_undocumented() -> None:
    ways = [criterion(name, "unmet", reserved=True) for name in ("early", "late")]
    group = Node(id="either", state="unmet", operator="any", criteria=ways)
    found = determination("needs-documentation", criterion("diabetes", "met"), group)
    head = "not met, but the payer may decide: either the early is shown or the late is shown"
    assert head in summary(found)


def test_what_a_document_would_settle_is_named_before_what_the_payer_may_decide() -> None:
    failed = criterion("guideline", "unmet", reserved=True)
    found = determination("needs-documentation", failed, criterion("visit", "unknown", reason="no_data"))
    assert summary(found) == "Plan Pump policy: not documented: the visit is shown (+1 more)"


def test_what_the_payer_may_decide_is_told_among_several_policies_too() -> None:
    failed = determination("needs-documentation", criterion("guideline", "unmet", reserved=True))
    (card,) = cards(NOT_MET, failed)
    assert "| criteria not met, but the payer may decide | the guideline is shown |" in card["detail"]


def test_a_document_that_is_too_old_is_not_documented() -> None:
    old = criterion("paper", "unmet")
    found = determination("needs-documentation", criterion("diabetes", "met"), documentation=[old])
    found = msgspec.structs.replace(found, lacking=["paper"])
    assert summary(found) == "Plan Pump policy: not documented: the paper is shown"


def test_a_sentence_ends_with_one_full_stop() -> None:
    noted = criterion("visit", "unmet", notes=["the last visit was in 2024."])
    assert "Found: the last visit was in 2024.\n" in detail(determination("not-met", noted))


def limb(label: str, state: str, value: object, says: str) -> Part:
    return Part(state, label=label, evidence=[Evidence("Condition/9", value=value, says=says)])


def test_a_yes_of_one_limb_goes_with_the_name_of_what_it_answers() -> None:
    works = limb("working order", "unmet", True, "stated")
    reason = limb("reason", "unmet", "upgrade", "stated")
    both = [*works.evidence, *reason.evidence]
    text = detail(determination("not-met", criterion("a", "unmet", evidence=both, parts=[works, reason])))
    assert "Found: working order: yes, stated (Condition/9); upgrade stated (Condition/9)." in text


def test_what_limbs_show_is_no_silence() -> None:
    weeks, asked = limb("length", "unmet", None, "14 days"), Part("unknown", label="payer", reason="no_data")
    text = detail(
        determination(
            "needs-documentation", criterion("a", "unknown", reason="no_data", parts=[weeks, asked])
        )
    )
    assert "What is on file does not tell. Found: length: 14 days (Condition/9)." in text
