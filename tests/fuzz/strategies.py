"""FHIR resources as senders might misunderstand them: right elements, and values that fit or do not.

The shapes come from the structs that the service reads, so a new element is fuzzed without a word
here; values are drawn from what policies ask for, so that evaluation is reached and not only reading.
"""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import strategies as st

from mappings.fhir import RESOURCE_TYPES
from tests.service.bodies import HCPCS

Json = Any

CODES = [
    {"system": HCPCS, "code": "E0784"},
    {"system": HCPCS, "code": "E0781"},
    {"system": "http://loinc.org", "code": "4548-4"},
    {"system": "http://loinc.org", "code": "99504-3"},
    {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "E10.65"},
    {"system": "http://snomed.info/sct", "code": "44054006"},
    {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "5856"},
    {"code": "E0784"},
    {"system": None, "code": 784},
]
WORDS = [
    "", " ", "active", "final", "draft", "completed", "entered-in-error", "Patient/p1", "p1", "Patient/other",
    "#x", "http://", "urn:uuid:1", "2026-01-10", "2026", "2026-02-30", "9999-12-31", "0001-01-01",
    "2026-01-10T24:00:00Z", "2026-01-10T10:00:00+14:00", "mg/dL", "%", "mmol/mol", "h", "d", "Aetna", "x" * 3_000,
    "\x00", "é\u202e", "<script>", "-1", "1e400", "NaN",
]  # fmt: skip
LEAVES = st.sampled_from([*WORDS, None, True, False, 0, -1, 7.4, 1e308, -1e-300, 2**70, 10**30])
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["code", "value", "reference", "resourceType", "start", "coding"]),
            inner,
            max_size=2,
        )
    ),
    max_leaves=3,
)
_DEPTH = 4


def _value(kind: msgspec.inspect.Type, depth: int) -> st.SearchStrategy[Json]:
    """A value that fits, mostly; every eighth is anything at all."""
    return st.integers(0, 7).flatmap(
        lambda n: ANYTHING if n == 0 or depth > _DEPTH else _fitting(kind, depth)
    )


def _fitting(kind: msgspec.inspect.Type, depth: int) -> st.SearchStrategy[Json]:
    inspect = msgspec.inspect
    if isinstance(kind, inspect.UnionType):
        return st.sampled_from(kind.types).flatmap(lambda one: _fitting(one, depth))
    if isinstance(kind, inspect.StructType):
        return _struct(kind, depth)
    if isinstance(kind, inspect.VarTupleType | inspect.ListType):
        return st.lists(_value(kind.item_type, depth + 1), max_size=2)
    if isinstance(kind, inspect.StrType):
        return st.sampled_from(WORDS)
    if isinstance(kind, inspect.FloatType | inspect.IntType):
        return st.sampled_from([0, 1, 6.9, 7.4, 180, -3, 1e12])
    if isinstance(kind, inspect.BoolType):
        return st.booleans()
    return ANYTHING


def _struct(kind: msgspec.inspect.StructType, depth: int) -> st.SearchStrategy[Json]:
    if {field.encode_name for field in kind.fields} == {"coding", "text"}:
        return st.fixed_dictionaries({"coding": st.lists(st.sampled_from(CODES), min_size=1, max_size=2)})
    fields = st.lists(st.sampled_from(kind.fields), max_size=5, unique_by=lambda field: field.name)
    return fields.flatmap(
        lambda chosen: st.fixed_dictionaries({f.encode_name: _value(f.type, depth + 1) for f in chosen})
    )


_SHAPES = {name: msgspec.inspect.type_info(model) for name, model in RESOURCE_TYPES.items()}


@st.composite
def resources(draw: st.DrawFn, kinds: tuple[str, ...] = tuple(_SHAPES)) -> Json:
    """A resource of one of `kinds`; most are about the patient of the request."""
    kind = draw(st.sampled_from(kinds))
    shape = _SHAPES[kind]
    assert isinstance(shape, msgspec.inspect.StructType)
    found: dict[str, Json] = {"resourceType": kind, "id": draw(st.sampled_from(["1", "2", "x.y", "é", ""]))}
    found |= draw(_struct(shape, 0))
    if draw(st.integers(0, 3)):
        found["subject"] = {"reference": "Patient/p1"}
    return found


@st.composite
def orders(draw: st.DrawFn) -> Json:
    """A draft order, mostly for something that a policy lists."""
    kind = draw(st.sampled_from(["DeviceRequest", "ServiceRequest", "MedicationRequest"]))
    found = draw(resources((kind,)))
    element = {"DeviceRequest": "codeCodeableConcept", "ServiceRequest": "code"}.get(
        kind, "medicationCodeableConcept"
    )
    if draw(st.integers(0, 3)):
        found[element] = {"coding": [draw(st.sampled_from(CODES[:2]))]}
    return found
