"""The services that discovery lists, by id.

An id is part of the URL that EHRs store, so it never changes. Several services may stand on one
hook (say, one for pumps and one for something else): the id tells them apart, never the hook.
Source: CDS Hooks 2.0, section Discovery.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from cds_service.errors import NotFoundError
from mappings.yaml_file import allowed_words


class Service(Struct, frozen=True):
    """One service: its hook, and what people read about it."""

    id: str
    hook: str
    title: str
    description: str
    usage_requirements: str = ""


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


class Registry:
    """Services by id, in the order of discovery. Raises ValueError for an id that is there twice."""

    def __init__(self, services: Iterable[Service] = (ORDER_SIGN, ORDER_SELECT)) -> None:
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

    def discovery(self, prefetch: Mapping[str, str]) -> dict[str, Any]:
        """The answer of GET /cds-services; every service needs the same data."""
        return {"services": [_entry(service, prefetch) for service in self]}


def _entry(service: Service, prefetch: Mapping[str, str]) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "hook": service.hook,
        "title": service.title,
        "description": service.description,
        "id": service.id,
        "prefetch": dict(prefetch),
    }
    if service.usage_requirements:
        entry["usageRequirements"] = service.usage_requirements
    return entry
