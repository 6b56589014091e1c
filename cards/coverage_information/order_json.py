"""A draft order as the JSON it came in: read what concerns coverage-information, change nothing else."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from cards.as_sent import elements, encoded, items, url, value
from cards.coverage_information.extension import URL, Extension
from mappings.codes import CPT, HCPCS, canonical_system


class OrderJson:
    """A draft order. Raises msgspec.DecodeError for what is no JSON object."""

    def __init__(self, raw: bytes | Raw) -> None:
        self._elements = elements(raw)
        self._extensions = _list(self._elements.get("extension"))

    @property
    def id(self) -> str:
        """The id, "" when the sender gave none: then nothing can be sent back."""
        found = _decoded(self._elements.get("id"))
        return found if isinstance(found, str) else ""

    @property
    def asserted(self) -> list[Extension]:
        """The coverage-information that the order carries, whoever asserted it."""
        return [value for raw in self._extensions if (value := _coverage_information(raw))]

    @property
    def billing_codes(self) -> tuple[dict[str, str], ...]:
        """The HCPCS and CPT codings of what is ordered, as they were sent."""
        found = []
        for name in ("codeCodeableConcept", "code", "medicationCodeableConcept"):
            concept = _decoded(self._elements.get(name))
            codings = concept.get("coding") if isinstance(concept, dict) else None
            found += [c for c in codings or () if isinstance(c, dict) and _is_billing_code(c)]
        return tuple(
            {k: c[k] for k in ("system", "code", "display") if isinstance(c.get(k), str)} for c in found
        )

    def holds(self, kind: str, id_: str) -> bool:
        """Whether a resource stands inside the order, so that nothing outside can refer to it."""
        contained = [_decoded(raw) for raw in _list(self._elements.get("contained"))]
        return any(
            isinstance(r, dict) and r.get("resourceType") == kind and str(r.get("id", "")).lstrip("#") == id_
            for r in contained
        )

    def with_extensions(self, added: list[Extension], removed: list[Extension]) -> Raw:
        """The order with coverage-information added, and what is outdated taken out."""
        kept = [raw for raw in self._extensions if _coverage_information(raw) not in removed]
        extensions = [*kept, *(Raw(encoded(extension)) for extension in added)]
        return Raw(encoded({**self._elements, "extension": extensions}))


def part(extension: Extension, name: str) -> Any:
    """The value of a part of an extension, None when it has none."""
    for inner in extension.get("extension") or ():
        if isinstance(inner, dict) and inner.get("url") == name:
            return next((value for key, value in inner.items() if key.startswith("value")), None)
    return None


def says_the_same(one: Extension, other: Extension) -> bool:
    """Whether two extensions assert the same, whatever the order of parts and the day of the assertion."""
    mine, theirs = (
        [p for p in extension.get("extension") or () if not isinstance(p, dict) or p.get("url") != "date"]
        for extension in (one, other)
    )
    for item in mine:
        if item not in theirs:
            return False
        theirs.remove(item)
    return not theirs


def _list(raw: Raw | None) -> list[Raw]:
    """The elements of a list; a lone value where a list belongs is its only element."""
    if raw is None or bytes(raw) == b"null":
        return []
    return items(raw) if bytes(raw).startswith(b"[") else [raw]


def _coverage_information(raw: Raw) -> Extension | None:
    try:
        if url(raw) != URL:
            return None
    except msgspec.ValidationError:
        return None
    found: Extension = value(raw)
    return found


def _decoded(raw: Raw | None) -> Any:
    return value(raw) if raw is not None else None


def _is_billing_code(coding: dict[str, Any]) -> bool:
    system = coding.get("system")
    return isinstance(system, str) and bool(coding.get("code")) and canonical_system(system) in (HCPCS, CPT)
