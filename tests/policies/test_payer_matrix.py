"""One situation, five payers: each policy answers what its document does (policies/library/comparison.yaml)."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache

import pytest

from mappings.catalogue import Catalogue
from mappings.dates import Span
from mappings.evidence import Basis, Evidence, Reading
from policies.comparison import (
    COMPARISON,
    NOT_ADDRESSED,
    Compared,
    Comparison,
    Situation,
    answer,
    determine,
    load_comparison,
)
from policies.determination import Determination
from policies.engine import Engine


@cache
def table() -> Comparison:
    return load_comparison(COMPARISON, Catalogue.load())


CELLS = [
    pytest.param(situation, policy, id=f"{situation.name}: {policy.name}")
    for situation in table().situations
    for policy in table().policies
    if policy.name in situation.answers
]


@pytest.mark.parametrize(("situation", "policy"), CELLS)
def test_a_payer_answers_a_situation_as_its_document_does(
    situation: Situation, policy: Compared, engine: Engine
) -> None:
    assert answer(table(), policy, situation, engine) == situation.answers[policy.name]


def test_the_table_decides_most_cells() -> None:
    assert len(CELLS) >= 340


DAYS = ("Aetna", date(2026, 1, 1)), ("Independence", date(2023, 4, 10)), ("HUSKY", date(2024, 2, 1))
FIRST_DAYS = (*DAYS, ("Anthem", date(2023, 9, 27)))
MORPHINE, DEFEROXAMINE = "intrathecal morphine", "deferoxamine for chronic iron overload"
PUMP_OF = {
    "Aetna": MORPHINE,
    "Independence": MORPHINE,
    "Northwood": DEFEROXAMINE,
    "HUSKY": DEFEROXAMINE,
    "Anthem": MORPHINE,
}


def reading(value: object) -> Reading:
    return Reading(value, evidence=(Evidence("Note/1"),), basis=Basis.DOCUMENTED)


def judge(
    engine: Engine, payer: str, situation: str, day: date | None = None, **facts: object
) -> Determination:
    """What a payer answers in a situation of the table with some facts changed."""
    (policy,) = (p for p in table().policies if p.name == payer)
    (found,) = (s for s in table().situations if s.name == situation)
    given = dict(found.given) | {name: reading(value) for name, value in facts.items()}
    determination = determine(table(), policy, given, engine, day)
    assert determination is not None
    return determination


@pytest.mark.parametrize(("payer", "first"), FIRST_DAYS)
def test_a_payer_answers_from_the_first_day_of_its_document_on(
    payer: str, first: date, engine: Engine
) -> None:
    outcomes = []
    for day in (first - timedelta(days=1), first, first + timedelta(days=1)):
        found = judge(engine, payer, PUMP_OF[payer], day, order_date=Span(day, day))
        outcomes.append(found.outcome == "not-applicable")
    assert outcomes == [True, False, False]


@pytest.mark.parametrize(
    ("payer", "situation", "facts", "says"),
    [
        ("Aetna", MORPHINE, {}, "unknown"),
        ("Aetna", DEFEROXAMINE, {}, "unknown"),
        ("Independence", MORPHINE, {}, None),
        ("Northwood", DEFEROXAMINE, {}, None),
        ("Anthem", MORPHINE, {}, None),
        ("HUSKY", DEFEROXAMINE, {"order_code": "E0779"}, "required"),
        ("HUSKY", DEFEROXAMINE, {"order_code": "E0780"}, "required"),
        (
            "HUSKY",
            DEFEROXAMINE,
            {"rental_or_purchase": "rental", "rental_months_cumulative": 3.0},
            "not-required",
        ),
        (
            "HUSKY",
            DEFEROXAMINE,
            {"rental_or_purchase": "rental", "rental_months_cumulative": 4.0},
            "required",
        ),
        ("HUSKY", DEFEROXAMINE, {"rental_or_purchase": "purchase"}, "unknown"),
    ],
)
def test_a_payer_says_of_prior_authorization_what_its_document_says(
    payer: str, situation: str, facts: dict[str, object], says: str | None, engine: Engine
) -> None:
    rule = judge(engine, payer, situation, **facts).prior_authorization
    assert (rule.answer if rule is not None else None) == says


@pytest.mark.parametrize("payer", PUMP_OF)
def test_a_form_without_a_record_suffices_for_all_payers_but_aetna(payer: str, engine: Engine) -> None:
    (found,) = (s for s in table().situations if s.name == PUMP_OF[payer])
    of_order = {
        "pump_class",
        "order_code",
        "drug",
        "drug_set",
        "drug_class",
        "drug_route",
        "planned_route",
        "treatment_indication",
    }
    attested = Situation(
        found.name,
        {
            name: stated
            if name in of_order
            else Reading(stated.value, evidence=stated.evidence, basis=Basis.ATTESTED)
            for name, stated in found.given.items()
        },
        {},
    )
    (policy,) = (p for p in table().policies if p.name == payer)
    assert answer(table(), policy, attested, engine) == ("needs-documentation" if payer == "Aetna" else "met")


def test_only_husky_reviews_a_failed_guideline_of_a_child_individually(engine: Engine) -> None:
    visits = {"infusion_hours": 4.0, "return_to_office_each_infusion": True}
    osteomyelitis = "an external antibiotic for osteomyelitis"

    def outcome(payer: str, years: float) -> str:
        return judge(engine, payer, osteomyelitis, member_age_years=years, **visits).outcome

    assert [outcome("HUSKY", years) for years in (15.0, 20.9, 21.0)] == ["needs-documentation"] * 2 + [
        "not-met"
    ]
    assert outcome("Northwood", 15.0) == "not-met"


def test_treprostinil_on_the_right_pump_meets_northwood(engine: Engine) -> None:
    other = "external treprostinil on another pump than K0455"
    assert judge(engine, "Northwood", other).outcome == "excluded"
    assert judge(engine, "Northwood", other, order_code="K0455").outcome != "excluded"


@pytest.mark.parametrize(
    ("payer", "line", "outcome"),
    [
        ("Independence", "commercial", "not-applicable"),
        ("Independence", "medicare-advantage", "met"),
        ("Northwood", "medicare-advantage", "not-applicable"),
        ("Northwood", "commercial", "met"),
        ("Northwood", "medicaid", "met"),
    ],
)
def test_the_line_of_business_decides_whether_a_document_speaks(
    payer: str, line: str, outcome: str, engine: Engine
) -> None:
    assert judge(engine, payer, PUMP_OF[payer], member_lob=line).outcome == outcome


def test_what_a_document_does_not_address_is_no_refusal(engine: Engine) -> None:
    anthem = next(p for p in table().policies if p.name == "Anthem")
    insulin = next(s for s in table().situations if s.name == "an external insulin pump")
    assert answer(table(), anthem, insulin, engine) == NOT_ADDRESSED
