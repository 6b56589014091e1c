"""Check the coverage-information extensions of a resource: shape, codes and invariants q1 to q9, by version."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from cards.response_types import Version
from tests.conformance.crd_report import FACTS, Found, Json, Violation, is_text, objects

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_COVERAGE = re.compile(r"(https?://\S+/)?Coverage/[A-Za-z0-9\-.]{1,64}")
_STATES = ("covered", "pa-needed", "doc-needed")


def is_ours(extension: Json) -> bool:
    """Whether an extension is coverage-information."""
    return extension.get("url") == FACTS["extension_url"]


def coverage_information(
    resource: Json, where: str, version: Version, hook: str = "", kept: Sequence[Json] = ()
) -> Found:
    """The coverage-information of a resource.

    hook: secondary hooks must not ask for documentation. kept: extensions that the sender had put
    there; they may be another payer's, so they are not checked.
    """
    found = [
        (f"{where}.extension[{i}]", e)
        for i, e in objects(resource.get("extension"))
        if is_ours(e) and e not in kept
    ]
    for here, extension in found:
        yield from _parts(extension, here, FACTS["sub_extensions"][version], version)
        parts = _values(extension)
        yield from _details(extension, here, version)
        yield from _contents(parts, here, version)
        yield from _invariants(parts, here, version)
        if hook in FACTS["secondary_hooks"] and {"clinical", "admin", "both"} & set(
            parts.get("doc-needed", ())
        ):
            yield Violation("B1.99", here, f"{hook} must not ask for documentation")
    yield from _identities([_values(extension) for _, extension in found], where)


def _parts(extension: Json, where: str, known: dict[str, Any], version: Version) -> Found:
    """Names, numbers and kinds of value of the parts of a complex extension."""
    parts = [part for _, part in objects(extension.get("extension"))]
    if any(key.startswith("value") for key in extension):
        yield Violation("B3", where, "a complex extension has no value of its own")
    for part in parts:
        name = part.get("url")
        if name not in known:
            yield Violation("B3", f"{where}.{name}", f"is no part of it in CRD {version}")
            continue
        kinds = known[name][2]
        values = [key for key in part if key.startswith("value")]
        if kinds and (
            len(values) != 1 or values[0].removeprefix("value") not in kinds or "extension" in part
        ):
            yield Violation("B3", f"{where}.{name}", f"must have one value of type {' or '.join(kinds)}")
    for name, (least, most, _) in known.items():
        count = sum(part.get("url") == name for part in parts)
        if count < least or (most and count > most):
            yield Violation("B3", f"{where}.{name}", f"occurs {count} times")


def _values(extension: Json) -> dict[str, list[Any]]:
    """Name of a part -> its values."""
    found: dict[str, list[Any]] = {}
    for _, part in objects(extension.get("extension")):
        values = [value for key, value in part.items() if key.startswith("value")]
        found.setdefault(str(part.get("url")), []).extend(values)
    return found


def _details(extension: Json, where: str, version: Version) -> Found:
    for _, detail in objects(extension.get("extension")):
        if detail.get("url") != "detail":
            continue
        here = f"{where}.detail"
        yield from _parts(detail, here, FACTS["detail_parts"][version], version)
        parts = [part for _, part in objects(detail.get("extension"))]
        yield from _codes(_values(detail), here, version)
        kinds = [
            key.removeprefix("value") for p in parts if p.get("url") == "value" for key in p if key != "url"
        ]
        for concept in _values(detail).get("code", ()):
            yield from _extensible(concept, FACTS["details"][version], here)
            for code in _codes_of(concept):
                if code in FACTS["detail_values"] and kinds != [FACTS["detail_values"][code]]:
                    yield Violation("B3", f"{here}.value", f"{code} is a {FACTS['detail_values'][code]}")


def _contents(parts: dict[str, list[Any]], where: str, version: Version) -> Found:
    yield from _codes(parts, where, version)
    for name in ("date", "expiry-date"):
        if any(not isinstance(d, str) or not _DATE.fullmatch(d) for d in parts.get(name, ())):
            yield Violation("B3", f"{where}.{name}", "is no date")
    for reference in parts.get("coverage", ()):
        if not isinstance(reference, dict) or not _COVERAGE.fullmatch(str(reference.get("reference"))):
            yield Violation("B3.139", f"{where}.coverage", "must refer to a Coverage of the client")
    for coding in parts.get("billingCode", ()):
        if not isinstance(coding, dict) or not (
            is_text(coding.get("system")) and is_text(coding.get("code"))
        ):
            yield Violation("B3.132", f"{where}.billingCode", "needs system and code")
    for concept in parts.get("reason", ()):
        yield from _extensible(concept, FACTS["reasons"][version], f"{where}.reason")


def _codes(parts: dict[str, list[Any]], where: str, version: Version) -> Found:
    for name, allowed in FACTS["codes"][version].items():
        for code in parts.get(name, ()):
            if code not in allowed:
                yield Violation("B3", f"{where}.{name}", f"{code!r} is no code of CRD {version}")


def _extensible(concept: Any, binding: Json, where: str) -> Found:
    """A concept has a code of the binding, or says in words what it means (q7)."""
    if not isinstance(concept, dict):
        return
    for _, coding in objects(concept.get("coding")):
        if coding.get("code") in binding["codes"] and coding.get("system") != binding["system"]:
            yield Violation("B3", where, f"{coding.get('code')} belongs to {binding['system']}")
    known = any(
        c.get("code") in binding["codes"] and c.get("system") == binding["system"]
        for _, c in objects(concept.get("coding"))
    )
    if not known and not is_text(concept.get("text")):
        yield Violation("q7", where, "a concept outside of the value set needs a text")


def _codes_of(concept: Any) -> list[str]:
    codings = concept.get("coding") if isinstance(concept, dict) else None
    return [str(c.get("code")) for _, c in objects(codings)]


def _invariants(parts: dict[str, list[Any]], where: str, version: Version) -> Found:
    """crd-ci-q1 to q6, q8, q9, each as the version states it."""
    covered, pa, docs = (set(parts.get(name, ())) for name in _STATES)
    purposes, newer = set(parts.get("doc-purpose", ())), version != "2.0"
    conditional = any("conditional" in states for states in (covered, pa, docs))
    if (parts.get("questionnaire") or parts.get("response")) and not docs:
        yield Violation("q1", where, "a questionnaire without doc-needed")
    if "not-covered" in covered and pa:
        yield Violation("q2", where, "not-covered with pa-needed")
    if not newer and covered - {"not-covered"} and not pa:
        yield Violation("q2", where, "CRD 2.0 wants pa-needed unless it is not-covered")
    if parts.get("info-needed") and not conditional:
        yield Violation("q3", where, "info-needed though nothing is conditional")
    if newer and conditional and not parts.get("info-needed"):
        yield Violation("q3", where, "conditional without info-needed")
    if pa & ({"satisfied", "no-auth"} if newer else {"satisfied"}) and "withpa" in purposes:
        yield Violation("q4", where, "documents for a prior authorization that is not needed")
    if ("satisfied" in pa) != bool(parts.get("satisfied-pa-id")):
        yield Violation("q5", where, "satisfied-pa-id and pa-needed=satisfied go together")
    if newer and "OTH" in parts.get("info-needed", ()) and "detail" not in parts:
        yield Violation("B3", where, "info-needed OTH wants a detail that explains it")
    if newer and not parts.get("reason"):
        if "OTH" in parts.get("info-needed", ()):
            yield Violation("q6", where, "info-needed OTH without reason")
        if purposes:
            yield Violation("q8", where, "doc-purpose without reason")
        if any("indeterminate" in states for states in (covered, pa, docs)):
            yield Violation("q9", where, "indeterminate without reason")


def _identities(repetitions: list[dict[str, list[Any]]], where: str) -> Found:
    """Rules 129 and 130: one id for each coverage, and the same for its repetitions."""
    ids: dict[str, set[str]] = {}
    for parts in repetitions:
        coverage = str(next(iter(parts.get("coverage", ())), ""))
        ids.setdefault(coverage, set()).update(str(i) for i in parts.get("coverage-assertion-id", ()))
    if any(len(found) > 1 for found in ids.values()):
        yield Violation("B3.130", where, "repetitions for one coverage have different assertion ids")
    every = [assertion for found in ids.values() for assertion in found]
    if len(set(every)) < len(every):
        yield Violation("B3.129", where, "different coverages share an assertion id")
