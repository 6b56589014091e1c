"""Value sets: the packaged data, the questions asked of it, and what a broken file is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mappings.codes import CPT, HCPCS, ICD_10_CM, RXNORM, SNOMED, canonical, canonical_system
from mappings.documents import DocumentError, read
from mappings.fhir import CodeableConcept, Coding
from mappings.terminology import UnknownValueSetError, ValueSets
from mappings.value_set import Concept, read_value_set

PACKAGED = Path(__file__).parent.parent.parent / "mappings" / "value_sets"
NARROWED = {path.stem for path in (PACKAGED / "narrowed").glob("*.json")}
"""Ids of the sets that were cut from the verified ones to what a fact may rest on."""
LOOKED_UP = {
    "cond-colorectal-cancer-history",
    "cond-implant-perhaps-programmable",
    "cond-implant-adjusted",
    "cond-infection",
    "cond-infection-carrier",
    "cond-infection-perhaps",
    "cond-reason-not-told",
    "cond-ph-group-open",
    "cond-spinal-pump-breakdown",
    "cond-vascular-implant-breakdown",
    "cpt-implanted-port",
    "lab-delivery-date-estimated",
    "lab-gestational-age",
    "obs-body-weight",
    "obs-cancer-stage",
    "outcome-favorable",
    "outcome-unfavorable",
    "proc-programmable-implant",
    "reason-no-response",
    "reason-not-tolerated",
}
"""Those of them whose codes were looked up for them, in the sources that they name."""


@pytest.fixture(scope="module")
def value_sets() -> ValueSets:
    return ValueSets.load()


# Packaged data


def test_file_names_are_ids(value_sets):
    assert {path.stem for path in PACKAGED.rglob("*.json")} == set(value_sets.ids)


def test_each_set_holds_the_verified_codes(value_sets, shared):
    """What became of shared/value-sets: the same codes, none added, none lost."""
    elsewhere = {"unit-ucum", "timing-codes"}  # units.yaml and timing_codes.yaml
    index = json.loads((shared / "value-sets" / "INDEX.json").read_bytes())["valuesets"]
    verified_ids = set(value_sets.ids) - NARROWED
    assert {entry["id"] for entry in index} - elsewhere == verified_ids
    for set_id in verified_ids:
        verified = json.loads((shared / "value-sets" / f"{set_id}.json").read_bytes())
        ours = read_value_set(PACKAGED / f"{set_id}.json")
        assert {canonical(c.system, c.code) for c in ours.concepts} == {
            canonical(c["system"], c["code"]) for c in verified["concepts"]
        }, set_id
        assert {(canonical_system(f.system), f.code_prefix) for f in ours.filters} == {
            (f["system"], f["value"]) for f in verified.get("filters", ())
        }, set_id
        unverified = {canonical(u["system"], u["code"]) for u in verified.get("unverified", ())}
        assert not any(value_sets.contains(set_id, *code) for code in unverified), set_id


def test_cpt_is_in_our_own_words(shared):
    """AMA descriptors are copyrighted, so no wording is carried over from anywhere."""
    for path in PACKAGED.glob("*.json"):
        theirs = {
            c["code"]: c["display"].lower()
            for c in json.loads((shared / "value-sets" / path.name).read_bytes())["concepts"]
        }
        for ours in read_value_set(path).concepts:
            if ours.system == "cpt":
                assert ours.display.lower() != theirs[ours.code]


def test_every_concept_names_a_source():
    for path in PACKAGED.rglob("*.json"):
        value_set = read_value_set(path)
        named = {source for concept in value_set.concepts for source in concept.source.split()}
        assert all(concept.source for concept in value_set.concepts), path.name
        assert named == set(value_set.sources), path.name


def test_a_narrowed_set_adds_no_code_of_its_own(value_sets):
    """Its concepts are members of a verified set, unless it was looked up."""
    for set_id in NARROWED - LOOKED_UP:
        for concept in read_value_set(PACKAGED / "narrowed" / f"{set_id}.json").concepts:
            assert value_sets.memberships(concept.system, concept.code) - NARROWED, (set_id, concept.code)


@pytest.mark.parametrize("code", ["E10", "E10.65", "E1065", "e10.65", "E10.A99"])
def test_icd_prefix(value_sets, code):
    assert value_sets.contains("cond-diabetes-type1", ICD_10_CM, code)


@pytest.mark.parametrize("code", ["E1", "E11.9", "F10", "XE10"])
def test_icd_prefix_is_not_more_than_it_says(value_sets, code):
    assert not value_sets.contains("cond-diabetes-type1", ICD_10_CM, code)


def test_old_and_new_codes_of_multiple_sclerosis(value_sets):
    for code in ("G35", "G35.A", "G35B0"):
        assert value_sets.contains("cond-spasticity-cause", ICD_10_CM, code)


def test_membership_needs_the_system(value_sets):
    assert value_sets.contains("hcpcs-insulin-pump", CPT, "e0784")
    assert not value_sets.contains("hcpcs-insulin-pump", SNOMED, "E0784")
    assert not value_sets.contains("hcpcs-insulin-pump", "", "E0784")
    assert value_sets.memberships("", "E10") == frozenset()


def test_snomed_has_no_hierarchy(value_sets):
    assert value_sets.contains("cond-diabetes-type1", SNOMED, "46635009")
    assert not value_sets.contains("cond-diabetes-type1", SNOMED, "466350091")


def test_memberships_are_all_sets_that_hold_the_code(value_sets):
    for system, code in [(RXNORM, "1292"), (HCPCS, "J0476"), (ICD_10_CM, "G89.3"), (SNOMED, "44054006")]:
        expected = {i for i in value_sets.ids if value_sets.contains(i, system, code)}
        assert value_sets.memberships(system, code) == expected
        assert expected
    assert value_sets.memberships(HCPCS, "J0476") >= {"hcpcs-drugs", "cpt-intrathecal-trial"}


def test_match_is_the_first_member_coding(value_sets):
    local = Coding(system="http://example.org", code="pump")
    member = Coding(system="https://bluebutton.cms.gov/resources/codesystem/hcpcs", code="E0784")
    other = Coding(system=HCPCS, code="E0787")
    concept = CodeableConcept(coding=(local, member, other))
    assert value_sets.match("hcpcs-insulin-pump", concept) is member
    assert value_sets.match("hcpcs-cgm", concept) is None
    assert value_sets.match("hcpcs-cgm", None) is None


def test_match_never_reads_the_display(value_sets):
    shown = Coding(system=SNOMED, code="44054006", display="Type 1 diabetes mellitus")
    assert value_sets.match("cond-diabetes-type1", CodeableConcept(coding=(shown,))) is None


def test_codes_for_a_search(value_sets):
    assert value_sets.codes("lab-hba1c-ifcc", "loinc") == ("59261-8",)
    assert value_sets.codes("lab-hba1c-ifcc", "http://loinc.org/") == ("59261-8",)
    assert value_sets.codes("lab-hba1c-ifcc", SNOMED) == ()


@pytest.mark.parametrize(
    "ask",
    [
        lambda v: v.contains("hcpcs-insulin-pumps", HCPCS, "E0784"),
        lambda v: v.match("hcpcs-insulin-pumps", None),
        lambda v: v.title("hcpcs-insulin-pumps"),
        lambda v: v.codes("hcpcs-insulin-pumps", HCPCS),
    ],
)
def test_unknown_set(value_sets, ask):
    with pytest.raises(UnknownValueSetError) as error:
        ask(value_sets)
    assert isinstance(error.value, KeyError)
    assert str(error.value) == (
        "unknown value set 'hcpcs-insulin-pumps' (did you mean 'hcpcs-insulin-pump'?)"
    )


def test_the_memo_does_not_grow_without_bound(value_sets, monkeypatch):
    monkeypatch.setattr("mappings.terminology._MEMO_LIMIT", 10)
    for number in range(100):
        value_sets.memberships(RXNORM, f"9{number}")
    assert len(value_sets._memo) <= 10
    assert value_sets.contains("drug-baclofen-ingredient", RXNORM, "1292")


# Files of a policy analyst

GOOD = """\
id: pump-own
title: Pumps of our own
sources: {a: "payer manual 2026"}
concepts:
  - {system: hcpcs, code: "E0784", display: insulin pump, source: a}
  - {system: "urn:example:pumps", code: "x1", display: a local code, note: seen once}
filters:
  - {system: icd-10-cm, code_prefix: "E10", display: type 1 diabetes}
"""


@pytest.mark.parametrize("suffix", [".yaml", ".yml"])
def test_a_yaml_set_beside_a_policy(tmp_path, suffix):
    (tmp_path / f"pump-own{suffix}").write_text(GOOD)
    (tmp_path / "README.md").write_text("not a value set")
    loaded = ValueSets.load(tmp_path)
    assert loaded.title("pump-own") == "Pumps of our own"
    assert loaded.contains("pump-own", "urn:oid:2.16.840.1.113883.6.285", "E0784")
    assert loaded.contains("pump-own", "urn:example:pumps", "x1")
    assert loaded.contains("pump-own", ICD_10_CM, "E1065")
    assert "hcpcs-insulin-pump" in loaded.ids


BROKEN_YAML = [
    ("title:", "titel:", ":2: titel: unknown key 'titel' (did you mean 'title'?); allowed: id, title, "),
    ("system: hcpcs, code", "sytem: hcpcs, code", ":5: concepts[0].sytem: unknown key 'sytem'"),
    ("code_prefix", "prefix", ":8: filters[0].prefix: unknown key 'prefix' (did you mean 'code_prefix'?)"),
    ('code: "E0784"', "code: 62362", ":5: concepts[0].code: Expected `str`, got `int`: quote it"),
    ("display: insulin pump, ", "", ":5: concepts[0]: Object missing required field `display`"),
    ("id: pump-own\n", "", ":1: Object missing required field `id`"),
    ("id: pump-own", "id: ''", ":1: id: is empty"),
    ("title: Pumps", "id: x\ntitle: Pumps", ":2: duplicate key 'id'"),
    ("source: a}", "source: b}", ":5: concepts[0].source: source 'b' is not among the sources"),
    ('"urn:example:pumps"', "hcpc", ":6: concepts[1].system: unknown system 'hcpc' (did you mean 'hcpcs'?)"),
    ('"urn:example:pumps", code: "x1"', 'cpt, code: "e0784"', ":6: concepts[1].code: duplicate concept cpt"),
    ('code: "x1"', 'code: " "', ":6: concepts[1].code: is empty"),
    ("system: icd-10-cm", "system: snomed", ":8: filters[0].code_prefix: a prefix needs"),
    ('code_prefix: "E10"', 'code_prefix: ""', ":8: filters[0].code_prefix: a prefix needs"),
    ("title: Pumps", "title: [Pumps", ":3: not YAML: did not find expected ',' or ']'"),
    ("concepts:\n", "2026: x\nconcepts:\n", ":4: key 2026 is not text: quote it"),
]


@pytest.mark.parametrize(("good", "bad", "told"), BROKEN_YAML)
def test_a_broken_yaml_file_is_told_where(tmp_path, good, bad, told):
    path = tmp_path / "own.yaml"
    assert good in GOOD
    path.write_text(GOOD.replace(good, bad, 1))
    with pytest.raises(DocumentError) as error:
        ValueSets.load(tmp_path)
    assert str(error.value).startswith(f"{path}{told}")


def test_aliases_are_refused(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(GOOD.replace("{a: ", "&s {a: ") + "notes: *s\n")
    with pytest.raises(DocumentError, match=r"own.yaml:3: notes: aliases are refused"):
        ValueSets.load(tmp_path)


GOOD_JSON = {
    "id": "own",
    "title": "Own",
    "concepts": [{"system": "hcpcs", "code": "E0784", "display": "pump"}],
}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            json.dumps(GOOD_JSON).replace("title", "titel"),
            ": titel: unknown key 'titel' (did you mean 'title'?)",
        ),
        (json.dumps(GOOD_JSON).replace('"E0784"', "784"), ": concepts[0].code: Expected `str`, got `int`"),
        (json.dumps(GOOD_JSON).replace('"id": "own"', '"id": "own", "id": "other"'), ": duplicate key 'id'"),
        (json.dumps(GOOD_JSON)[:-1], ":1: not JSON: "),
        ("[]", ": Expected `object`, got `array`"),
        (json.dumps(GOOD_JSON).replace("hcpcs", "hcpsc"), ": concepts[0].system: unknown system 'hcpsc'"),
    ],
)
def test_a_broken_json_file_is_told_where(tmp_path, text, told):
    path = tmp_path / "own.json"
    path.write_text(text)
    with pytest.raises(DocumentError) as error:
        read_value_set(path)
    assert str(error.value).startswith(f"{path}{told}")


def test_an_id_may_be_used_once(tmp_path):
    (tmp_path / "own.yaml").write_text(GOOD.replace("pump-own", "hcpcs-insulin-pump"))
    with pytest.raises(DocumentError, match=r"own.yaml: id: 'hcpcs-insulin-pump' is the id of .*\.json too"):
        ValueSets.load(tmp_path)


def test_a_file_that_is_not_text(tmp_path):
    (tmp_path / "own.yaml").write_bytes(b"id: \xff")
    with pytest.raises(DocumentError, match="not UTF-8 text"):
        ValueSets.load(tmp_path)


def test_an_empty_file(tmp_path):
    (tmp_path / "own.yaml").write_text("")
    with pytest.raises(DocumentError, match="Expected `object`, got `null`"):
        ValueSets.load(tmp_path)


def test_the_path_leads_through_mappings(tmp_path):
    """A misspelled key below a mapping is named, although msgspec does not say under which key."""
    path = tmp_path / "table.yaml"
    path.write_text("E0784: {code: 'E0784', dislpay: x}\n")
    with pytest.raises(DocumentError) as error:
        read(path, dict[str, Concept])
    assert str(error.value) == (
        f"{path}: dislpay: unknown key 'dislpay' (did you mean 'display'?); "
        "allowed: system, code, display, source, note"
    )
