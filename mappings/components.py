"""Components of a panel, each read as a result of its own.

A laboratory may send HbA1c as a component of one Observation for the whole panel. What the panel says
of its components together (status, day, performer, the other components) holds for each.
Source: https://hl7.org/fhir/R4/observation.html#obsgrouping
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import structs

from mappings.codes import FACT_SYSTEM, key
from mappings.fhir import CodeableConcept, Observation, Resource
from mappings.terminology import ValueSets


class Part(Observation, kw_only=True, tag="Observation"):
    """A component as an Observation: its own code and value, all else of the panel, whose id it has."""

    panel: Observation


def parts_of(observations: Iterable[Observation], value_sets: ValueSets) -> Iterator[Part]:
    """The components that may answer a fact: coded in a value set, or with the name of a fact."""
    for panel in observations:
        for component in panel.component:
            if _is_read(component.code, value_sets):
                yield Part(**(structs.asdict(panel) | structs.asdict(component)), panel=panel)


def _is_read(code: CodeableConcept | None, value_sets: ValueSets) -> bool:
    return code is not None and any(
        coding.system == FACT_SYSTEM or value_sets.memberships(*key(coding)) for coding in code.coding
    )


def naming_part(resource: Resource, says: str) -> str:
    """What evidence says, with the name of the component where the resource is one."""
    if not isinstance(resource, Part) or resource.code is None:
        return says
    names = (resource.code.text, *(text for c in resource.code.coding for text in (c.display, c.code)))
    place = f"in the component {next(name for name in names if name)}"
    return f"{says}, {place}" if says else place
