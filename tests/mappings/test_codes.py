"""Code systems and codes in one spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.codes import (
    CPT,
    HCPCS,
    ICD_10_CM,
    LOINC,
    RXNORM,
    SNOMED,
    canonical,
    canonical_system,
    key,
    order_code,
    systems,
)
from mappings.fhir import CodeableConcept, Coding

HCPCS_SPELLINGS = [
    "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
    "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
    "hhttps://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets",
    "https://bluebutton.cms.gov/resources/codesystem/hcpcs",
    "http://www.nlm.nih.gov/research/umls/hcpcs",
    "https://www.cms.gov/Medicare/Coding/MedHCPCSGenInfo/index.html",
    "urn:oid:2.16.840.1.113883.6.285",
    "http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets/Alpha-Numeric-HCPCS.html",
    "https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets/Alpha-Numeric-HCPCS.html",
    "http://terminology.hl7.org/CodeSystem/HCPCS-all-codes",
    "http://www.ama-assn.org/go/cpt",
]


def concept(*codings: tuple[str, str]) -> CodeableConcept:
    return CodeableConcept(coding=tuple(Coding(system=system, code=code) for system, code in codings))


@pytest.mark.parametrize("uri", HCPCS_SPELLINGS)
@pytest.mark.parametrize("variant", [str, lambda u: u + "/", lambda u: f" {u} ", lambda u: u + "|2026-04"])
def test_every_spelling_of_hcpcs_is_hcpcs(uri, variant):
    assert key(Coding(system=variant(uri), code="E0784")) == (HCPCS, "E0784")


@pytest.mark.parametrize(
    ("spelling", "system"),
    [
        ("urn:oid:2.16.840.1.113883.6.1", LOINC),
        ("https://loinc.org/", LOINC),
        ("urn:oid:2.16.840.1.113883.6.96", SNOMED),
        ("http://snomed.info/sct/731000124108", SNOMED),
        ("http://snomed.info/sct/731000124108/version/20250301", SNOMED),
        ("urn:oid:2.16.840.1.113883.6.88", RXNORM),
        ("urn:oid:2.16.840.1.113883.6.90", ICD_10_CM),
        ("http://hl7.org/fhir/sid/icd-10", ICD_10_CM),
        ("urn:oid:2.16.840.1.113883.6.12", CPT),
        ("urn:oid:2.16.840.1.113883.6.103", "http://hl7.org/fhir/sid/icd-9-cm"),
        ("urn:oid:2.16.840.1.113883.6.101", "http://nucc.org/provider-taxonomy"),
        ("urn:oid:2.16.840.1.113883.6.69", "http://hl7.org/fhir/sid/ndc"),
        ("urn:oid:2.16.840.1.113883.6.59", "http://hl7.org/fhir/sid/cvx"),
        ("http://hl7.org/fhir/v3/TimingEvent", "http://terminology.hl7.org/CodeSystem/v3-TimingEvent"),
        ("hcpcs", HCPCS),
    ],
)
def test_other_spellings(spelling, system):
    assert canonical_system(spelling) == system


@pytest.mark.parametrize("uri", ["urn:coverage-hooks:fact", "http://example.org/Codes/", ""])
def test_unknown_systems_stay_as_they_are(uri):
    assert canonical_system(uri) == uri


def test_no_spelling_stands_for_two_systems():
    spellings = [s for system in systems().values() for s in (system.uri, *system.spellings)]
    assert len({*map(str.lower, spellings)}) == len(spellings)


@pytest.mark.parametrize(
    ("system", "code", "expected"),
    [
        (CPT, "E0784", (HCPCS, "E0784")),
        (HCPCS, "62362", (CPT, "62362")),
        (CPT, "62362", (CPT, "62362")),
        (HCPCS, "0042T", (CPT, "0042T")),
        (CPT, "3044F", (CPT, "3044F")),
        (HCPCS, "e0784", (HCPCS, "E0784")),
        (HCPCS, " E0784 ", (HCPCS, "E0784")),
        (HCPCS, "NU", (HCPCS, "NU")),
        (ICD_10_CM, "E1065", (ICD_10_CM, "E10.65")),
        (ICD_10_CM, "e10.65", (ICD_10_CM, "E10.65")),
        (ICD_10_CM, "G35", (ICD_10_CM, "G35")),
        ("", "E0784", ("", "E0784")),
        (SNOMED, "69805005", (SNOMED, "69805005")),
        (RXNORM, "62362", (RXNORM, "62362")),
    ],
)
def test_canonical_code(system, code, expected):
    assert canonical(system, code) == expected


@given(st.sampled_from([*HCPCS_SPELLINGS, ICD_10_CM, SNOMED, ""]), st.text(max_size=8))
def test_canonical_is_stable(system, code):
    once = canonical(system, code)
    assert canonical(*once) == once


def test_order_code_prefers_hcpcs_wherever_it_stands():
    assert order_code(concept((SNOMED, "69805005"), (CPT, "62362"), (CPT, "E0783"))) == (HCPCS, "E0783")
    assert order_code(concept((SNOMED, "69805005"), (CPT, "62362"))) == (CPT, "62362")


def test_order_code_accepts_a_code_without_system():
    assert order_code(concept(("", "e0784"))) == (HCPCS, "E0784")
    assert order_code(concept(("", "62362"))) == (CPT, "62362")


@pytest.mark.parametrize(
    "ordered",
    [
        None,
        CodeableConcept(text="E0784"),
        concept((SNOMED, "69805005")),
        concept((RXNORM, "62362")),
        concept(("", "pump")),
        concept((HCPCS, "E784")),
    ],
)
def test_order_code_guesses_nothing_else(ordered):
    assert order_code(ordered) is None
