"""The services that discovery lists, by id.

An id is part of the URL that EHRs store, so it never changes. Several services may stand on one
hook (say, one for pumps and one for something else): the id tells them apart, never the hook.
Sources: CDS Hooks 2.0, section Discovery; Da Vinci CRD, section Configuration Options.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from cards.response_types import RESPONSE_TYPES, ResponseType
from cds_service.configuration import discovery_extension
from cds_service.contexts import Hook
from cds_service.errors import NotFoundError
from mappings.yaml_file import allowed_words


class Service(Struct, frozen=True):
    """One service: its hook, what people read about it, the response types that it may give."""

    id: str
    hook: Hook
    title: str
    description: str
    usage_requirements: str = ""
    offers: tuple[ResponseType, ...] = RESPONSE_TYPES


ORDER_SIGN = Service(
    id="infusion-pump-order-sign",
    hook="order-sign",
    title="Infusion pump coverage",
    description=(
        "Holds a signed order for an infusion pump against the payer's policy and says which criterion "
        "the chart does not yet show, with what was found, what would settle it and where the policy says so."
    ),
)
ORDER_SELECT = Service(
    id="infusion-pump-order-select",
    hook="order-select",
    title="Infusion pump coverage, while ordering",
    description=(
        "The same for orders that are selected but not yet signed, so that what lacks is known early. "
        "Only the selected orders are answered."
    ),
)
ORDER_DISPATCH = Service(
    id="infusion-pump-order-dispatch",
    hook="order-dispatch",
    title="Infusion pump coverage, when the order is sent out",
    description=(
        "The same for orders that are sent to whoever is to carry them out. Only the dispatched orders are "
        "answered; they are taken from prefetch or read from the FHIR server."
    ),
)
APPOINTMENT_BOOK = Service(
    id="infusion-pump-appointment-book",
    hook="appointment-book",
    title="Infusion pump coverage, for an appointment",
    description="The same for the orders that an appointment is based on, such as implanting a pump.",
)
ENCOUNTER_START = Service(
    id="infusion-pump-encounter-start",
    hook="encounter-start",
    title="Infusion pump coverage, at the start of a visit",
    description="The same for the open orders (draft or active) of the visit.",
)
ENCOUNTER_DISCHARGE = Service(
    id="infusion-pump-encounter-discharge",
    hook="encounter-discharge",
    title="Infusion pump coverage, at discharge",
    description="The same for the orders of the visit that are still open, before the patient goes home.",
)
SERVICES = (ORDER_SIGN, ORDER_SELECT, ORDER_DISPATCH, APPOINTMENT_BOOK, ENCOUNTER_START, ENCOUNTER_DISCHARGE)


class Registry:
    """Services by id, in the order of discovery. Raises ValueError for an id that is there twice."""

    def __init__(self, services: Iterable[Service] = SERVICES) -> None:
        self._by_id: dict[str, Service] = {}
        for service in services:
            if service.id in self._by_id:
                raise ValueError(f"there are two services {service.id}")
            self._by_id[service.id] = service

    def __iter__(self) -> Iterator[Service]:
        return iter(self._by_id.values())

    @property
    def hooks(self) -> tuple[str, ...]:
        """The hooks that some service answers."""
        return tuple(dict.fromkeys(service.hook for service in self))

    def get(self, service_id: str) -> Service:
        """The service of an id. Raises NotFoundError that names the known ones."""
        service = self._by_id.get(service_id)
        if service is None:
            mend = f"{allowed_words(service_id, self._by_id)}.".capitalize()
            raise NotFoundError("unknown-service", "There is no service of this id.", mend=mend)
        return service

    def discovery(self, prefetch: Callable[[Hook], Mapping[str, str]]) -> dict[str, Any]:
        """The answer of GET /cds-services. prefetch: the templates for a hook."""
        return {"services": [_entry(service, prefetch(service.hook)) for service in self]}


def _entry(service: Service, prefetch: Mapping[str, str]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "hook": service.hook,
        "title": service.title,
        "description": service.description,
        "id": service.id,
        "prefetch": dict(prefetch),
        "extension": discovery_extension(service.offers),
    }
    if service.usage_requirements:
        entry["usageRequirements"] = service.usage_requirements
    return entry
