"""The form of a value-set file, and reading one.

A file holds one set: codes one to a line, so that a review shows what was added. A policy analyst
may write the same keys in YAML:

    id: device-cgm
    title: Continuous glucose monitors
    sources: {a: "CMS HCPCS 2026-04"}
    concepts:
      - {system: hcpcs, code: "E2103", display: non-adjunctive receiver, source: a}
    filters:
      - {system: icd-10-cm, code_prefix: "E10", display: type 1 diabetes}
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from mappings.codes import ICD_10_CM, canonical, canonical_system, systems
from mappings.documents import At, nearest, read


class Concept(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """A member: `system` is a short key of systems.json or a URI, `source` keys of `sources`."""

    system: str
    code: str
    display: str
    source: str = ""
    note: str = ""


class Filter(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """Members by the beginning of their code: E10 holds E10, E10.65 and what later releases add."""

    system: str
    code_prefix: str
    display: str = ""


class ValueSet(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A named set of codes. `notes` warn about what membership does not prove."""

    id: str
    title: str
    concepts: tuple[Concept, ...]
    description: str = ""
    notes: tuple[str, ...] = ()
    sources: dict[str, str] = {}
    filters: tuple[Filter, ...] = ()


def read_value_set(path: Path) -> ValueSet:
    """The value set in `path`, checked in full.

    Raises documents.DocumentError, which names the file, the line (YAML) and the path.
    """
    return read(path, ValueSet, _problems)


def _problems(value_set: ValueSet) -> Iterator[tuple[At, str]]:
    if not value_set.id.strip():
        yield ("id",), "is empty"
    members: set[tuple[str, str]] = set()
    known: set[str] = set()
    for i, concept in enumerate(value_set.concepts):
        at: At = ("concepts", i)
        if concept.system not in known:
            yield from _system_problems(concept.system, at)
            known.add(concept.system)
        if not concept.code.strip():
            yield (*at, "code"), "is empty"
        member = canonical(concept.system, concept.code)
        if member in members:
            yield (*at, "code"), f"duplicate concept {concept.system} {concept.code}"
        members.add(member)
        for source in concept.source.split():
            if source not in value_set.sources:
                hint = nearest(source, value_set.sources)
                yield (*at, "source"), f"source '{source}' is not among the sources{hint}"
    for i, filter_ in enumerate(value_set.filters):
        at = ("filters", i)
        yield from _system_problems(filter_.system, at)
        # Only in ICD-10-CM does the beginning of a code carry its meaning.
        if canonical_system(filter_.system) != ICD_10_CM or not filter_.code_prefix.strip():
            yield (*at, "code_prefix"), "a prefix needs at least one character and system icd-10-cm"


def _system_problems(system: str, at: At) -> Iterator[tuple[At, str]]:
    if system not in systems() and ":" not in system:
        known = f"known: {', '.join(systems())}, or a URI"
        yield (*at, "system"), f"unknown system '{system}'{nearest(system, systems())}; {known}"
