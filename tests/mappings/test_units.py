"""Units: conversion at the policies' thresholds, and what is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.fhir import Quantity
from mappings.units import (
    Converted,
    UnknownKindError,
    _folded,
    _table,
    convert,
    quantity_in_words,
    target_units,
)

UCUM = "http://unitsofmeasure.org"


def quantity(value, code, unit="", comparator=""):
    return Quantity(value=value, code=code, unit=unit or code, system=UCUM, comparator=comparator)


def value(kind, number, code):
    return convert(kind, quantity(number, code)).value


@pytest.mark.parametrize(
    ("ifcc", "ngsp"), [(48, 6.5), (52, 6.9), (53, 7.0), (54, 7.1), (20, 4.0), (200, 20.4)]
)
def test_hba1c_of_ifcc(ifcc, ngsp):
    assert value("hba1c", ifcc, "mmol/mol") == ngsp


def test_fifty_three_is_not_above_seven():
    assert [value("hba1c", number, "mmol/mol") > 7 for number in (52, 53, 54)] == [False, False, True]


def test_percent_stays_as_reported():
    assert value("hba1c", 7.04, "%") == 7.04


@pytest.mark.parametrize(
    "unit",
    ["mmol/mol", "mmol/mol{Hb}", "mmol/mol Hb", "MMOL/MOL", " mmol / mol "],
)
def test_ifcc_spellings(unit):
    for sent in (Quantity(value=54, unit=unit), Quantity(value=54, code=unit, system=UCUM)):
        assert convert("hba1c", sent).value == 7.1


@pytest.mark.parametrize("unit", ["%", "% of total Hgb", "%{HbA1c}", "%{total}", "percent", "% NGSP"])
def test_percent_spellings(unit):
    for sent in (Quantity(value=7.1, unit=unit), Quantity(value=7.1, code=unit, system=UCUM)):
        assert convert("hba1c", sent).value == 7.1


@pytest.mark.parametrize(
    ("kind", "sent", "says"),
    [
        ("hba1c", quantity(52, "%"), "HbA1c 52 is not plausible in %, expected 3 to 20"),
        ("hba1c", quantity(7.5, "mmol/mol"), "HbA1c 7.5 is not plausible in mmol/mol, expected 20 to 200"),
        ("hba1c", quantity(7.2, ""), "HbA1c 7.2 without a unit, expected % or mmol/mol"),
        ("hba1c", quantity(7.2, "g/dL"), "HbA1c 7.2 in g/dL, expected % or mmol/mol"),
        ("glucose", quantity(53, "g/dL"), "glucose 53 in g/dL, expected mg/dL or mmol/L"),
        ("glucose", quantity(7.5, "%"), "glucose 7.5 in %, expected mg/dL or mmol/L"),
        ("glucose", quantity(5.5, "mg/dL"), "glucose 5.5 is not plausible in mg/dL, expected 10 to 3000"),
        ("glucose", quantity(99, "mmol/L"), "glucose 99 is not plausible in mmol/L, expected 0.5 to 50"),
        ("glucose", quantity(99, ""), "glucose 99 without a unit, expected mg/dL or mmol/L"),
        ("calcium", quantity(2.4, "mg/dL"), "calcium 2.4 is not plausible in mg/dL, expected 4 to 30"),
        ("hours", quantity(8, "foo"), "duration 8 in foo, which is not a known unit"),
        ("hours", quantity(-8, "h"), "duration -8 is not plausible in h, expected at least 0"),
        ("percent", quantity(0.1, ""), "share 0.1 without a unit, expected % or 1"),
        ("score", quantity(5, "mg"), "score 5 in mg, expected {score} or 1"),
        (
            "glucose",
            quantity(99, "mg/dL", unit="mmol/L"),
            "glucose 99 in mmol/L according to its unit and mg/dL according to its code",
        ),
        ("glucose", quantity(99, "umol/L", unit="mg/dL"), "glucose 99 in umol/L, which is not a known unit"),
    ],
)
def test_refused_with_a_plain_sentence(kind, sent, says):
    assert convert(kind, sent) == Converted(problem="unit_mismatch", says=says)


@pytest.mark.parametrize("sent", [None, Quantity(), Quantity(unit="%", code="%")])
def test_no_value(sent):
    assert convert("hba1c", sent) == Converted(problem="no_data", says="HbA1c without a value")


@pytest.mark.parametrize(
    ("molar", "mass"),
    [(3.8, 68.5), (3.9, 70.3), (7.7, 138.7), (7.8, 140.5), (11.1, 200.0), (11.2, 201.8)],
)
def test_glucose(molar, mass):
    assert value("glucose", molar, "mmol/L") == mass


def test_glucose_at_the_thresholds():
    assert [value("glucose", number, "mmol/L") < 70 for number in (3.8, 3.9)] == [True, False]
    assert [value("glucose", number, "mmol/L") > 140 for number in (7.7, 7.8)] == [False, True]
    assert [value("glucose", number, "mmol/L") > 200 for number in (11.1, 11.2)] == [False, True]


@pytest.mark.parametrize("unit", ["mg/dl", "mg/dL", "MG/DL", "mg/100mL", "mg%"])
def test_glucose_spellings(unit):
    assert convert("glucose", Quantity(value=71, unit=unit)).value == 71
    assert convert("glucose", Quantity(value=71, unit=unit, code="mg/dL", system=UCUM)).value == 71


@pytest.mark.parametrize(("molar", "above"), [(2.99, False), (2.994, False), (3.0, True)])
def test_calcium_at_twelve(molar, above):
    assert (value("calcium", molar, "mmol/L") > 12) is above


@pytest.mark.parametrize(
    ("kind", "number", "unit", "expected"),
    [
        ("calcium", 2.994, "mmol/L", 12.0),
        ("calcium", 6.0, "mEq/L", 12.02),
        ("albumin", 38, "g/L", 3.8),
        ("pressure", 3.33, "kPa", 25.0),
        ("pressure", 26, "mmHg", 26),
        ("micrograms", 0.1, "mg", 100),
        ("micrograms", 75, "mcg", 75),
        ("micrograms", 75, "µg", 75),
        ("milligrams", 100, "mcg", 0.1),
        ("hours", 480, "min", 8),
        ("hours", 1, "d", 24),
        ("days", 2, "weeks", 14),
        ("weeks", 42, "days", 6),
        ("months", 1, "a", 12),
        ("months", 240, "months", 240),
        ("hours_per_day", 180, "min/d", 3),
        ("hours_per_day", 3, "h", 3),
        ("per_day", 4, "{tests}/d", 4),
        ("per_day", 28, "/wk", 4),
        ("percent", 0.001, "1", 0.1),
        ("percent", 0.1, "%", 0.1),
        ("fraction", 0.1, "%", 0.001),
        ("score", 5, "(score)", 5),
        ("score", 5, "", 5),
        ("count", 2, "{each}", 2),
    ],
)
def test_conversions(kind, number, unit, expected):
    converted = convert(kind, Quantity(value=number, unit=unit))
    assert converted.value == expected
    assert converted.unit == target_units()[kind]
    assert not converted.problem


def test_a_snomed_unit_code_leaves_the_text_to_decide():
    sent = Quantity(value=8, unit="mmol/L", code="258813002", system="http://snomed.info/sct")
    assert convert("glucose", sent).value == 144.1


@pytest.mark.parametrize("comparator", ["<", "<=", ">=", ">"])
def test_comparators_are_kept(comparator):
    assert convert("glucose", quantity(20, "mg/dL", comparator=comparator)).comparator == comparator
    assert convert("hba1c", quantity(140, "mmol/mol", comparator=comparator)) == Converted(
        value=15.0, unit="%", comparator=comparator
    )


def test_unknown_kind():
    with pytest.raises(UnknownKindError) as error:
        convert("glucos", None)
    assert str(error.value) == "unknown kind of measurement 'glucos' (did you mean 'glucose'?)"


@given(st.floats(min_value=3.98, max_value=20.4))
def test_hba1c_round_trip(ngsp):
    """IFCC to NGSP and back lands within the rounding: half of 0.1 % is 0.55 mmol/mol."""
    ifcc = round((ngsp - 2.152) / 0.09148, 3)
    converted = convert("hba1c", quantity(ifcc, "mmol/mol"))
    if not converted.problem:
        assert abs(converted.value - ngsp) <= 0.0501


@given(st.floats(min_value=0, max_value=1e6, allow_subnormal=False), st.sampled_from(["hours", "days"]))
def test_time_round_trip(hours, other):
    there = convert(other, quantity(hours, "h")).value
    assert convert("hours", quantity(there, target_units()[other])).value == pytest.approx(hours)


@given(st.sampled_from(sorted(target_units())), st.floats(-1e4, 1e4), st.text(max_size=6))
def test_never_a_value_with_a_problem(kind, number, unit):
    converted = convert(kind, Quantity(value=number, unit=unit))
    assert (converted.value is None) == bool(converted.problem) == bool(converted.says)


def test_no_spelling_stands_for_two_units():
    meanings: dict[str, set[str]] = {}
    for unit, others in _table().spellings.items():
        for text in (unit, *others):
            meanings.setdefault(_folded(text), set()).add(unit)
    assert {text: units for text, units in meanings.items() if len(units) > 1} == {}


def test_every_unit_of_a_kind_can_be_spelled():
    for kind in _table().kinds.values():
        assert {kind.unit, *filter(None, kind.from_)} <= set(_table().spellings)
        assert kind.unit in kind.from_


def test_agreement_with_the_collected_conversions(shared):
    collected = json.loads((shared / "value-sets" / "unit-ucum.json").read_bytes())["conversions"]
    factors = {entry["quantity"]: (entry["to"], entry["factor"]) for entry in collected if "factor" in entry}
    for name, kind, sample in [
        ("glucose", "glucose", 10),
        ("calcium (total)", "calcium", 3),
        ("albumin", "albumin", 40),
        ("pressure", "pressure", 10),
    ]:
        unit, factor = factors[name]
        assert value(kind, sample, unit) == pytest.approx(sample / factor, rel=0.003)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("8.2 %", ("", 8.2, "%")),
        ("8.0%", ("", 8.0, "%")),
        (" 7.9 % (H) ", ("", 7.9, "%")),
        ("13.1 mg/dL HIGH", ("", 13.1, "mg/dL")),
        ("66 mmol/mol *", ("", 66, "mmol/mol")),
        (">14.0 %", (">", 14, "%")),
        ("≤ 7.0 %", ("<=", 7, "%")),
        ("8.2", ("", 8.2, "")),
        ("8.2 (H)", ("", 8.2, "")),
        ("24 h", ("", 24, "h")),
    ],
)
def test_a_result_in_words_that_is_a_quantity(text, read):
    found = quantity_in_words(text)
    assert (found.comparator, found.value, found.unit) == read


@pytest.mark.parametrize(
    "text",
    [
        "",
        "see note",
        "HI",
        "7-8 %",
        "7.2 % on repeat",
        "8.2 furlongs",
        "A1c 8.2 %",
        "7,2 %",
        "1,250 mg",
        "-3 %",
    ],
)
def test_other_words_are_no_quantity(text):
    assert quantity_in_words(text) is None
