"""A JSON Schema of policy.yaml for editors: completion and early warnings while typing.

The loader decides; the schema only repeats its keys, with the names of facts, value sets and
parameters' places filled in from what is loaded.
"""

from __future__ import annotations

from typing import Any

from mappings.catalogue import Catalogue
from mappings.terminology import ValueSets
from policies.loader import SCHEMA
from policies.model import OUTCOMES, STATES
from policies.repeated import CONTACT_SYSTEMS

_TEXT = {"type": "string"}
_TEXTS = {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}]}
_DATE = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}


def json_schema(catalogue: Catalogue, value_sets: ValueSets) -> dict[str, Any]:
    """The schema (draft 2020-12) as a JSON-ready dict."""
    definitions = {
        "demand": _demand(value_sets),
        "test": _object(
            {
                "fact": {"enum": sorted(catalogue.facts)},
                "with": {"type": "object"},
                "is": _ref("demand"),
                "ask": _TEXT,
                "if_silent": {"enum": ["unmet"]},
                "cannot_be": _ref("cannot_be"),
            },
            ["fact", "is"],
        ),
        "condition": {
            "oneOf": [
                _ref("test"),
                *(
                    _object({name: {"type": "array", "items": _ref("condition")}}, [name])
                    for name in ("all", "any")
                ),
                _object({"not": _ref("condition")}, ["not"]),
            ]
        },
        "cannot_be": _object(dict.fromkeys(STATES, _TEXT), []),
        "cite": {"anyOf": [_TEXT, _object({"source": _TEXT, "quote": _TEXT}, ["quote"])]},
        "criterion": _criterion(catalogue),
        "group": _group(),
        "node": {"anyOf": [_ref("group"), _ref("criterion")]},
        "service": _service(),
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Coverage policy",
        **_top(),
        "$defs": definitions,
    }


def _ref(name: str) -> dict[str, str]:
    return {"$ref": f"#/$defs/{name}"}


def _object(properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _listed(name: str) -> dict[str, Any]:
    return {"type": "array", "items": _ref(name)}


def _demand(value_sets: ValueSets) -> dict[str, Any]:
    number = {"anyOf": [{"type": "number"}, _object({"parameter": _TEXT}, ["parameter"])]}
    span = {"anyOf": [_TEXT, _object({"parameter": _TEXT}, ["parameter"])]}
    texts = {"type": "array", "items": _TEXT}
    sets = {"type": "array", "items": {"enum": sorted(value_sets.ids)}}
    return {
        "anyOf": [
            {"type": "boolean"},
            {
                "type": "object",
                "additionalProperties": False,
                "minProperties": 1,
                "properties": {
                    **dict.fromkeys(
                        ("at_least", "above", "at_most", "below", "unknown_from", "count_at_least"), number
                    ),
                    **dict.fromkeys(("one_of", "none_of", "unsure", "includes", "only", "excludes"), texts),
                    **dict.fromkeys(("in", "not_in", "unsure_in"), sets),
                    "within": span,
                    "at_least_ago": span,
                    "on_or_after": _DATE,
                    "before": _DATE,
                    "same_as": _TEXT,
                    "known": {"type": "boolean"},
                },
            },
        ]
    }


def _criterion(catalogue: Catalogue) -> dict[str, Any]:
    return _object(
        {
            "id": _TEXT,
            "clauses": _TEXTS,
            "says": _TEXT,
            "fact": {"enum": sorted(catalogue.facts)},
            "with": {"type": "object"},
            "is": _ref("demand"),
            "if_silent": {"enum": ["unmet"]},
            "shown_by": _ref("condition"),
            "cite": _ref("cite"),
            "ask": _TEXT,
            "interpretation": _TEXT,
            "gate": {"type": "boolean"},
            "applies_when": _ref("condition"),
            "phase": {"enum": ["order", "order-doc", "continuing", "delivery", "claim", "info"]},
            "required": {"type": "boolean"},
            "danger": {"type": "boolean"},
            "instead": _object({"system": _TEXT, "code": _TEXT, "says": _TEXT}, ["system", "code", "says"]),
            "limit": _TEXT,
            "cannot_be": _ref("cannot_be"),
            "covers": _TEXTS,
        },
        ["id", "clauses", "says", "cite"],
    )


def _group() -> dict[str, Any]:
    common = {
        "id": _TEXT,
        "title": _TEXT,
        "says": _TEXT,
        "clauses": _TEXTS,
        "applies_when": _ref("condition"),
        "gate": _ref("condition"),
    }
    kinds: list[tuple[dict[str, Any], list[str]]] = [
        ({"all": _listed("node")}, ["all"]),
        ({"any": _listed("node")}, ["any"]),
        ({"at_least": {"type": "integer", "minimum": 1}, "of": _listed("node")}, ["at_least", "of"]),
    ]
    return {"oneOf": [_object({**common, **keys}, ["id", *required]) for keys, required in kinds]}


def _service() -> dict[str, Any]:
    inline = _object(
        {
            "id": _TEXT,
            "title": _TEXT,
            "when": _ref("condition"),
            "criteria": _ref("group"),
            "reservations": _listed("criterion"),
        },
        ["id", "title", "criteria"],
    )
    return {"anyOf": [_object({"file": _TEXT}, ["file"]), inline]}


def _top() -> dict[str, Any]:
    rule = {
        "id": _TEXT,
        "clauses": _TEXTS,
        "says": _TEXT,
        "cite": _ref("cite"),
        "applies_when": _ref("condition"),
    }
    limiting = {**rule, "limit": _TEXT}
    contact = _object(
        {"name": _TEXT, "system": {"enum": list(CONTACT_SYSTEMS)}, "value": _TEXT},
        ["name", "system", "value"],
    )
    dated = _object({"unit": _TEXT, "values": {"type": "object"}, "clause": _TEXT}, ["values", "clause"])
    source = _object(
        {"title": _TEXT, "url": _TEXT, "retrieved": _DATE, "sha256": _TEXT, "text": _TEXT}, ["title"]
    )
    listed = _object(
        {"system": _TEXT, "codes": _TEXTS, "clauses": _TEXTS, "clause_prefix": _TEXT}, ["system", "codes"]
    )
    effective = _object(
        {
            "from": _DATE,
            "to": _DATE,
            "clauses": _TEXTS,
            "says": _TEXT,
            "cite": _ref("cite"),
            "interpretation": _TEXT,
        },
        ["from", "clauses", "says", "cite"],
    )
    answers = {"enum": ["required", "not-required", "unknown"]}
    return _object(
        {
            "schema": {"const": SCHEMA},
            **dict.fromkeys(("id", "version", "title", "payer", "ledger"), _TEXT),
            "status": {"enum": ["active", "draft", "retired"]},
            "attestation": {"enum": ["sufficient", "insufficient"]},
            "effective": effective,
            "reviewed_on": _DATE,
            "sources": {"type": "object", "additionalProperties": source, "minProperties": 1},
            "orders": _object({"value_sets": _TEXTS, "listed": {"type": "array", "items": listed}}, []),
            "parameters": {"type": "object", "additionalProperties": dated},
            "referrals": _listed("criterion"),
            "scope": _listed("criterion"),
            "services": {**_listed("service"), "minItems": 1},
            "exclusions": _listed("criterion"),
            "contraindications": _listed("criterion"),
            "documentation": _listed("criterion"),
            "duties": {
                "type": "array",
                "items": _object(
                    {**rule, "phase": {"enum": ["delivery", "claim", "continuing"]}},
                    ["id", "clauses", "says", "phase"],
                ),
            },
            "prior_authorization": {
                "type": "array",
                "items": _object({**limiting, "answer": answers}, ["id", "clauses", "says", "answer"]),
            },
            "caveats": {
                "type": "array",
                "items": _object(
                    {**limiting, "outcomes": {"type": "array", "items": {"enum": list(OUTCOMES)}}},
                    ["id", "clauses", "says"],
                ),
            },
            "information": _TEXTS,
            "derived": _TEXTS,
            "contact": contact,
        },
        [
            "schema",
            "id",
            "version",
            "title",
            "payer",
            "ledger",
            "status",
            "attestation",
            "effective",
            "reviewed_on",
            "sources",
            "orders",
            "services",
        ],
    )
