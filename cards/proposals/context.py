"""What proposals are made from beside the determinations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

from msgspec import Raw, Struct

from cards.response_types import Version
from mappings.chart import Chart, reference_of
from mappings.fhir import Request, Resource
from mappings.orderables import Orderables
from policies.determination import Determination


class SmartApp(Struct, frozen=True):
    """An application that a card can launch. url: its launch URL."""

    url: str
    label: str


class Context(Struct, frozen=True, kw_only=True):
    """One request.

    hook: its name. user_id, encounter_id: as the hook's context names them. today: the day of the
    call, which new resources bear. chart: of the patient, without the drafts. drafts: the draft
    orders. written: reference of a draft -> the whole order as JSON. coverage: reference of a Coverage
    -> the whole resource as JSON, None where only parts of it are at hand. questionnaire: the canonical
    of the form for what lacks, None where there is none.
    """

    hook: str
    patient_id: str
    user_id: str
    today: date
    chart: Chart
    orderables: Orderables
    drafts: tuple[Resource, ...]
    written: Mapping[str, Raw]
    coverage: Callable[[str], Raw | None]
    questionnaire: Callable[[Determination], str | None]
    encounter_id: str = ""
    smart_app: SmartApp | None = None
    version: Version = "2.0"

    def order(self, determination: Determination) -> Request | None:
        """The draft that a determination is about."""
        drafts = (draft for draft in self.drafts if isinstance(draft, Request))
        return next((draft for draft in drafts if reference_of(draft) == determination.order), None)
