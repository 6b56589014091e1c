"""Check the FHIR resources of a response: FHIR R4 itself, the CRD profiles, and what an update may change.

FHIR validity is that of the typed models (R4B, which agrees with R4 on the resources of orders); they
do not check required code lists, so status and intent come from crd_facts.yaml.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from cards.response_types import Version
from tests.conformance.crd_extension import coverage_information, is_ours
from tests.conformance.crd_report import FACTS, Found, Json, Violation, objects


def action_resource(
    action: Json, where: str, version: Version, hook: str, sent: Sequence[Json], *, system: bool
) -> Found:
    """The resource of a create or update. sent: the resources of the request."""
    resource = action["resource"]
    kind = resource.get("resourceType")
    before = _original(resource, sent) if action.get("type") == "update" else None
    yield from _not_new(_fhir(resource), _fhir(before), where)
    yield from _not_new(_profile(resource, version), _profile(before, version), where)
    kept = before.get("extension", []) if before is not None else []
    yield from coverage_information(resource, where, version, hook, kept)
    asserted = any(is_ours(extension) for _, extension in objects(resource.get("extension")))
    if action.get("type") == "update" and not resource.get("id"):
        yield Violation("B3.125", f"{where}.id", "an update names the resource by its id")
    if asserted:
        if not system or action.get("type") != "update":
            yield Violation("B3.125", where, "coverage-information is an update among systemActions")
        if kind not in FACTS["carriers"][version]:
            yield Violation("B3.125", where, f"a {kind} carries no coverage-information in CRD {version}")
        if sent and before is None:
            yield Violation("B3.127", where, "the request holds no such order")
        if before is not None and _bare(before) != _bare(resource):
            yield Violation("B3.126", where, "something else than coverage-information is changed")
        if before is not None and before == resource:
            yield Violation("B3.128", where, "nothing is new")


def _original(resource: Json, sent: Sequence[Json]) -> Json | None:
    name = (resource.get("resourceType"), resource.get("id"))
    return next((r for r in sent if (r.get("resourceType"), r.get("id")) == name), None)


def _bare(resource: Json) -> Json:
    """A resource without its coverage-information."""
    others = [e for e in resource.get("extension", ()) if not is_ours(e)]
    rest = {key: value for key, value in resource.items() if key != "extension"}
    return rest | ({"extension": others} if others else {})


def _not_new(
    faults: Iterator[tuple[str, str, str]], old: Iterator[tuple[str, str, str]], where: str
) -> Found:
    known = set(old)
    for rule, path, what in faults:
        if (rule, path, what) not in known:
            yield Violation(rule, ".".join(filter(None, (where, path))), what)


def _fhir(resource: Json | None) -> Iterator[tuple[str, str, str]]:
    if resource is None:
        return
    kind = resource.get("resourceType")
    try:
        get_fhir_model_class(str(kind)).model_validate(resource)
    except ValidationError as error:
        for fault in error.errors():
            yield "FHIR", ".".join(str(step) for step in fault["loc"]), fault["msg"]
    except ValueError:
        yield "FHIR", "resourceType", f"{kind!r} is no resource of FHIR R4"


def _profile(resource: Json | None, version: Version) -> Iterator[tuple[str, str, str]]:
    """Faults against the CRD profile of a resource, as far as this service builds it."""
    kind = (resource or {}).get("resourceType")
    profile = FACTS["profiles"][version].get(kind)
    if resource is None or profile is None:
        return
    rule = "B2.123" if kind == "Task" else "B2.121"
    for names in profile["needs"]:
        if not any(name in resource for name in names.split("|")):
            yield rule, names, f"is missing; the profile of {kind} in CRD {version} needs it"
    for name in profile.get("forbids", ()):
        if name in resource:
            yield rule, name, f"is not allowed by the profile of {kind} in CRD {version}"
    codes = {"intent": FACTS["intents"].get(kind, ())} | profile.get("codes", {})
    for name, allowed in codes.items():
        if allowed and name in resource and resource[name] not in allowed:
            yield rule, name, f"must be one of {', '.join(allowed)}"
    if kind == "Task":
        yield from _task(resource, version)


def _task(task: Json, version: Version) -> Iterator[tuple[str, str, str]]:
    """The task that asks to fill in a form."""
    facts = FACTS["task"]
    if not _says(task.get("code"), facts["code"]):
        yield "B2.123", "code", "must be complete-questionnaire"
    for wanted in facts["inputs"][version]:
        found = [i for _, i in objects(task.get("input")) if _says(i.get("type"), wanted)]
        if len(found) < wanted["least"] or (wanted["most"] and len(found) > wanted["most"]):
            yield "B2.123", "input", f"has {len(found)} of type {wanted['code']}"
        for value in (wanted["value"],) if "value" in wanted else ():
            if any(value not in i for i in found):
                yield "B2.123", "input", f"of type {wanted['code']} has no {value}"


def _says(concept: Any, coding: Json) -> bool:
    """Whether a CodeableConcept holds a code."""
    codings = concept.get("coding", ()) if isinstance(concept, dict) else ()
    return any(
        c.get("system") == coding["system"] and c.get("code") == coding["code"]
        for _, c in objects(list(codings))
    )
