"""The chart: the resources of one patient, found by type, by reference and by code.

Resources that are entered in error, or that name another patient as their subject, never get in.
Where a whole kind of resource could not be had, the chart knows it, so that operators can tell
"nothing on file" from "not asked" and from "the query failed".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from functools import cache
from itertools import chain, groupby
from operator import attrgetter
from typing import Any, TypeVar

from msgspec import Struct

from mappings.codes import canonical
from mappings.components import parts_of
from mappings.evidence import Origin
from mappings.fhir import (
    AllergyIntolerance,
    CodeableConcept,
    Condition,
    Coverage,
    Device,
    DomainResource,
    Observation,
    Organization,
    Patient,
    Practitioner,
    PractitionerRole,
    Reference,
    Resource,
)
from mappings.parsing import Item
from mappings.terminology import ValueSets

R = TypeVar("R", bound=Resource)
T = TypeVar("T")


# Types that a logical reference (Reference.identifier) may lead to, by name.
IDENTIFIED: dict[str, type[Coverage | Device | Organization | Practitioner | PractitionerRole]] = {
    kind.__name__: kind for kind in (Coverage, Device, Organization, Practitioner, PractitionerRole)
}


_LONG_RUN = 16


class LeftOut(Struct, frozen=True):
    """A resource that does not count, and why."""

    resource: str
    why: str


class _About(Struct, frozen=True):
    """Where a type of resource says whom it is about, and whether it counts."""

    subjects: tuple[str, ...]
    has_status: bool
    is_verified: bool


@cache
def _about(kind: type[Resource]) -> _About:
    fields = kind.__struct_fields__
    subjects = tuple(name for name in ("subject", "patient", "beneficiary") if name in fields)
    return _About(subjects, "status" in fields, "verificationStatus" in fields)


class Chart:
    """The resources of one patient.

    patient_id: bare id; resources of any other patient are left out.
    answered: resource types about which the record was asked successfully, even if nothing came.
    failures: resource type -> what went wrong when it was asked for.
    counts: how many resources of a type came from where.
    """

    def __init__(self, patient_id: str, value_sets: ValueSets) -> None:
        self.patient_id = patient_id
        self.value_sets = value_sets
        self.patient: Patient | None = None
        self.answered: set[str] = set()
        self.failures: dict[str, str] = {}
        self.left_out: list[LeftOut] = []
        self.counts: Counter[tuple[str, Origin]] = Counter()
        self._by_type: dict[type[Resource], list[Resource]] = {}
        self._by_reference: dict[str, Resource] = {}
        self._origins: dict[str, Origin] = {}
        self._coded: dict[type[Resource], dict[tuple[str, str], list[Resource]]] = {}
        self._in_set: dict[type[Resource], dict[str, list[Resource]]] = {}
        self._once: dict[Hashable, Any] = {}
        self._mine: dict[str, bool] = {}

    def know(self, items: Iterable[Item]) -> None:
        """Let references resolve to resources that are no part of the record: the draft orders.

        A copy of one in the record (the same reference) then stays out, if it is added later.
        """
        for item in items:
            for name in (reference_of(item.resource) if item.resource.id else "", item.full_url):
                if name:
                    self._by_reference.setdefault(name, item.resource)

    def add(self, items: Iterable[Item], origin: Origin) -> None:
        """Take resources in; the first of two with one reference counts."""
        before = {kind: len(found) for kind, found in self._by_type.items()}
        # Bundles hold runs of one type: what follows from it is looked up once for each run.
        for type_, run in groupby(items, key=_type_of):
            found = list(run)
            if not (len(found) >= _LONG_RUN and self._add_at_once(type_, found, origin)):
                self._add_each(type_, found, origin)
        for kind, all_found in self._by_type.items():
            if new := len(all_found) - before.get(kind, 0):
                self.counts[kind.__name__, origin] += new
        self._coded.clear()
        self._in_set.clear()
        self._once.clear()

    def _add_each(self, type_: type[Resource], items: Iterable[Item], origin: Origin) -> None:
        kind, about, by_reference = type_.__name__, _about(type_), self._by_reference
        for item in items:
            resource = item.resource
            reference = f"{kind}/{resource.id}" if resource.id else item.full_url
            if reference and reference in by_reference:
                continue
            why = self._unusable(resource, about)
            if why:
                self.left_out.append(LeftOut(reference or kind, why))
                continue
            if reference:
                by_reference[reference] = resource
            # What ends with the reference is found by it.
            if item.full_url and not (reference and item.full_url.endswith(reference)):
                by_reference.setdefault(item.full_url, resource)
            if origin is not Origin.PREFETCH and reference:
                self._origins[reference] = origin
            self._of_type(type_).append(resource)
            if isinstance(resource, Patient) and resource.id == self.patient_id:
                self.patient = resource

    def _add_at_once(self, type_: type[Resource], items: list[Item], origin: Origin) -> bool:
        """Take a long run of one type in, where each has a new id and counts; False, and nothing done, else.

        The same as `_add_each`, in a third of the time: thousands of readings come like this.
        """
        kind, about = type_.__name__, _about(type_)
        resources = [item.resource for item in items]
        new = {f"{kind}/{resource.id}": resource for resource in resources if resource.id}
        if len(new) < len(items) or not new.keys().isdisjoint(self._by_reference):
            return False
        if not self._all_count(resources, about):
            return False
        named = {
            item.full_url: item.resource
            for item, reference in zip(items, new, strict=True)
            if item.full_url and not item.full_url.endswith(reference)
        }
        if not new.keys().isdisjoint(named):
            return False
        self._by_reference.update(new)
        for full_url, resource in named.items():
            self._by_reference.setdefault(full_url, resource)
        if origin is not Origin.PREFETCH:
            self._origins.update(dict.fromkeys(new, origin))
        self._of_type(type_).extend(resources)
        return True

    def _all_count(self, resources: list[Resource], about: _About) -> bool:
        """Whether all of these are surely about the patient, and none was entered in error."""
        if len(about.subjects) != 1 or about.is_verified:
            return False
        subjects = map(attrgetter(about.subjects[0]), resources)
        named = {subject.reference: subject for subject in subjects if subject is not None}
        if not all(names_patient(subject, self.patient_id) for subject in named.values()):
            return False
        return not about.has_status or "entered-in-error" not in set(map(attrgetter("status"), resources))

    def _of_type(self, type_: type[Resource]) -> list[Resource]:
        found = self._by_type.get(type_)
        if found is None:
            found = self._by_type[type_] = []
            self.answered.add(type_.__name__)
        return found

    def _unusable(self, resource: Resource, about: _About) -> str:
        if isinstance(resource, Patient):
            return "" if resource.id == self.patient_id else "it is another patient"
        for name in about.subjects:
            subject: Reference | None = getattr(resource, name)
            if subject is not None:
                mine = self._mine.get(subject.reference)
                if mine is None:
                    mine = self._mine[subject.reference] = names_patient(subject, self.patient_id)
                if not mine:
                    return "it is about another patient"
                break
        if about.has_status and resource.status == "entered-in-error":  # type: ignore[attr-defined]
            return "it was entered in error"
        if about.is_verified and has_code(resource.verificationStatus, "entered-in-error"):  # type: ignore[attr-defined]
            return "it was entered in error"
        return ""

    def of(self, kind: type[R]) -> list[R]:
        """All resources of a type, in the order they came."""
        return self._by_type.get(kind, [])  # type: ignore[return-value]

    def in_set(self, kind: type[R], value_set: str) -> list[R]:
        """The resources of a type whose `code` is in a value set, in the order they came.

        Of Observations also the components of panels (mappings.components), after all that stand alone.
        """
        index = self._in_set.get(kind)
        if index is None:
            index = self._in_set[kind] = self._by_set(kind)
        return index.get(value_set, [])  # type: ignore[return-value]

    def in_sets(self, kind: type[R], value_sets: Iterable[str]) -> list[R]:
        """The resources of a type whose `code` is in any of the value sets, each once."""
        lists = [found for value_set in value_sets if (found := self.in_set(kind, value_set))]
        return _once_each(lists) if lists else []

    def coded(self, kind: type[R], system: str, code: str) -> list[R]:
        """The resources of a type whose `code` is exactly this one."""
        return self._by_code(kind).get(canonical(system, code), [])  # type: ignore[return-value]

    def codes_of(self, kind: type[Resource], system: str) -> set[str]:
        """The codes of a system that the `code` of resources of a type holds."""
        wanted = canonical(system, "")[0]
        return {code for found, code in self._by_code(kind) if found == wanted}

    def once(self, at: Hashable, build: Callable[[], T]) -> T:
        """What `build` derives from this chart, worked out the first time that `at` is asked for.

        One chart answers several policies and orders; what costs a walk over thousands of
        Observations is kept here. `at` must name everything that `build` depends on.
        """
        if at not in self._once:
            self._once[at] = build()
        found: T = self._once[at]
        return found

    def _by_set(self, kind: type[Resource]) -> dict[str, list[Resource]]:
        lists: dict[str, list[list[Resource]]] = {}
        for code, coded in self._by_code(kind).items():
            for value_set in self.value_sets.memberships(*code):
                lists.setdefault(value_set, []).append(coded)
        return {value_set: _once_each(found) for value_set, found in lists.items()}

    def _by_code(self, kind: type[Resource]) -> dict[tuple[str, str], list[Resource]]:
        index = self._coded.get(kind)
        if index is None:
            index = self._coded[kind] = {}
            as_written: dict[tuple[str, str], list[Resource]] = {}
            system = code = None
            for resource in self._with_codes(kind):
                concept: CodeableConcept | None = resource.code  # type: ignore[attr-defined]
                if concept is None:
                    continue
                for coding in concept.coding:
                    # Thousands of readings in a row have one code.
                    if coding.code != code or coding.system != system:
                        system, code = written = coding.system, coding.code
                        if written not in as_written:
                            as_written[written] = index.setdefault(canonical(*written), [])
                        found = as_written[written]
                    found.append(resource)
        return index

    def _with_codes(self, kind: type[R]) -> Iterable[R]:
        """What of a type is found by code: resources, and the components of panels."""
        if "code" not in kind.__struct_fields__:
            return ()
        found = self.of(kind)
        if not issubclass(kind, Observation):
            return found
        # Of thousands of readings hardly one has components.
        panels = filter(attrgetter("component"), found)
        return chain(found, parts_of(panels, self.value_sets))  # type: ignore[arg-type]

    def resolve(self, reference: Reference | None, container: Resource | None = None) -> Resource | None:
        """The resource a reference points to.

        It is contained, or named by fullUrl, by relative or absolute URL, or only by an identifier.
        """
        if reference is None:
            return None
        if not reference.reference:
            return self._identified(reference)
        written = reference.reference
        if written.startswith("#"):
            if isinstance(container, DomainResource):
                return next((inner for inner in container.contained if inner.id == written[1:]), None)
            return None
        found = self._by_reference.get(written)
        if found is None and "/" in written:
            parts = written.split("/_history")[0].split("/")
            found = self._by_reference.get("/".join(parts[-2:]))
        return found

    def _identified(self, reference: Reference) -> Resource | None:
        """The one resource on file that has the identifier of a logical reference."""
        wanted = reference.identifier
        if wanted is None or not wanted.system or not wanted.value:
            return None
        found = [
            resource
            for name, kind in IDENTIFIED.items()
            if reference.type in (name, "")
            for resource in self.of(kind)
            if any((i.system, i.value) == (wanted.system, wanted.value) for i in resource.identifier)
        ]
        return found[0] if len(found) == 1 else None

    def origin(self, resource: Resource) -> Origin:
        return self._origins.get(reference_of(resource), Origin.PREFETCH)

    def has(self, kind: type[Resource]) -> bool:
        """Whether the chart holds any resource of the type."""
        return bool(self._by_type.get(kind))

    def failure(self, *kinds: type[Resource]) -> str:
        """What went wrong when one of the types was asked for; "" when nothing did."""
        return next((self.failures[k.__name__] for k in kinds if k.__name__ in self.failures), "")


def _once_each(lists: list[list[R]]) -> list[R]:
    if len(lists) == 1:
        return lists[0]
    return list({id(resource): resource for found in lists for resource in found}.values())


def names_patient(reference: Reference, patient_id: str) -> bool:
    """Whether a subject may be the patient: a reference that names nobody else's id."""
    written = reference.reference
    if not written or written.startswith(("urn:", "#")):
        return True
    parts = written.split("/")
    if len(parts) >= 2 and parts[-2] not in ("Patient", "_history"):
        return parts[-2] != "Group"
    if "_history" in parts:
        parts = parts[: parts.index("_history")]
    return parts[-1] == patient_id


def _type_of(item: Item) -> type[Resource]:
    return type(item.resource)


def reference_of(resource: Resource) -> str:
    """ "Type/id" as evidence names it."""
    kind = type(resource).__struct_config__.tag
    return f"{kind}/{resource.id}" if resource.id else f"{kind}"


def has_code(concept: CodeableConcept | None, *codes: str) -> bool:
    """Whether any coding carries one of the codes, whatever its system (status concepts)."""
    return concept is not None and any(coding.code in codes for coding in concept.coding)


def is_active(condition: Condition) -> bool:
    """Active and not refuted: a clinical status that is missing counts as active."""
    if has_code(condition.verificationStatus, "refuted", "entered-in-error"):
        return False
    if condition.clinicalStatus is None or not condition.clinicalStatus.coding:
        return not (condition.abatementDateTime or condition.abatementPeriod)
    return has_code(condition.clinicalStatus, "active", "recurrence", "relapse")


def is_confirmed(resource: Condition | AllergyIntolerance) -> bool:
    """Confirmed, or with no verification status at all (optional in R4)."""
    status = resource.verificationStatus
    return status is None or not status.coding or has_code(status, "confirmed")
