"""By which route a dosage delivers its drug (routes.yaml)."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec import Struct

from mappings.codes import SNOMED, canonical_system, key
from mappings.documents import read
from mappings.fhir import CodeableConcept, Dosage
from mappings.tables import table
from mappings.words import has_words

# IV is also a numeral.
_NO_NUMERAL = r"(?<!NYHA )(?<![Cc]lass )(?<![Ss]tage )(?<![Gg]rade )"
_NOT_PARENTERAL = frozenset({"oral", "enteral", "transdermal", "sublingual", "buccal", "nasal", "inhaled"})
_ARTERIAL, _HEPATIC = "intra-arterial", "intra-arterial-hepatic"
_SYSTEMS = {
    "route-v2": (
        "http://terminology.hl7.org/CodeSystem/v2-0162",
        "http://hl7.org/fhir/v2/0162",
        "urn:oid:2.16.840.1.113883.5.162",
    ),
    "route-v3": (
        "http://terminology.hl7.org/CodeSystem/v3-RouteOfAdministration",
        "http://hl7.org/fhir/v3/RouteOfAdministration",
        "urn:oid:2.16.840.1.113883.5.112",
    ),
}


class _HepaticArtery(Struct, frozen=True, forbid_unknown_fields=True):
    snomed: tuple[str, ...]
    words: tuple[str, ...]


class _Table(Struct, frozen=True, forbid_unknown_fields=True):
    codes: dict[str, dict[str, tuple[str, ...]]]
    words: dict[str, tuple[str, ...]]
    capitals: dict[str, tuple[str, ...]]
    hepatic_artery: _HepaticArtery


class RouteRead(Struct, frozen=True):
    """The routes that a dosage may mean: none, one, or several that it leaves open.

    worded: taken from words, because no code was known. text: what was read. unmapped: a route is
    coded, but with no code that is known here.
    """

    routes: tuple[str, ...] = ()
    worded: bool = False
    text: str = ""
    unmapped: bool = False


@table
def _table() -> _Table:
    return read(Path(__file__).parent / "routes.yaml", _Table)


@table
def route_names() -> frozenset[str]:
    """All routes that a code may mean."""
    return frozenset(name for codes in _table().codes.values() for names in codes.values() for name in names)


def is_parenteral(route: str) -> bool:
    """Whether a route goes past the gut, the skin and the mucous membranes."""
    return route not in _NOT_PARENTERAL


@table
def _codes() -> dict[tuple[str, str], tuple[str, ...]]:
    return {
        (canonical_system(uri), code): routes
        for system, codes in _table().codes.items()
        for uri in _SYSTEMS.get(system, (system,))
        for code, routes in codes.items()
    }


def route_of(dosage: Dosage) -> RouteRead:
    """The route of one dosage instruction: its code, else its words, else the instruction's words."""
    concept = dosage.route
    if concept is not None:
        for coding in concept.coding:
            routes = _codes().get(key(coding))
            if routes:
                return RouteRead(
                    _with_site(routes, dosage), text=concept.text or coding.display or coding.code
                )
        text = concept.text or next((c.display for c in concept.coding if c.display), "")
        worded = _of_words(text)
        if worded:
            return RouteRead(_with_site(worded, dosage), worded=True, text=text)
        if concept.coding or text:
            shown = text or concept.coding[0].code
            return RouteRead(text=shown, unmapped=True)
    return RouteRead(_with_site(_of_words(dosage.text), dosage), worded=True, text=dosage.text)


def _with_site(routes: tuple[str, ...], dosage: Dosage) -> tuple[str, ...]:
    """An intra-arterial route with the artery: the site tells whether it is the hepatic one."""
    if routes != (_ARTERIAL,):
        return routes
    if _is_hepatic(dosage.site) or has_words(dosage.text, "hepatic artery"):
        return (_HEPATIC,)
    return routes if dosage.site is not None else (_ARTERIAL, _HEPATIC)


def _is_hepatic(site: CodeableConcept | None) -> bool:
    if site is None:
        return False
    table = _table().hepatic_artery
    if any(key(coding) == (SNOMED, code) for coding in site.coding for code in table.snomed):
        return True
    texts = (site.text, *(coding.display for coding in site.coding))
    return any(has_words(text, phrase) for text in texts for phrase in table.words)


def _of_words(text: str) -> tuple[str, ...]:
    """The routes that a text names; () for none."""
    if not text:
        return ()
    found = {
        route: None
        for route, phrases in _table().words.items()
        if any(has_words(text, phrase) for phrase in phrases)
    }
    for route, capitals in _table().capitals.items():
        if any(re.search(rf"{_NO_NUMERAL}\b{word}\b", text) for word in capitals):
            found[route] = None
    if _HEPATIC in found:
        found.pop(_ARTERIAL, None)
    return tuple(found)
