"""The system actions of a hook response: coverage information, written into the orders."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cards.coverage_information.actions import Questionnaire, coverage_actions
from cards.response_types import COVERAGE_INFORMATION
from cds_service.appointments import orders_behind
from cds_service.hook_request import HookRequest
from cds_service.judging import Judgement

# Hooks on which clients look for coverage information (CRD 2.0.1, section Hook Categories).
PRIMARY_HOOKS = frozenset({"order-sign", "order-dispatch", "appointment-book"})


def system_actions(
    request: HookRequest, judgement: Judgement | None, questionnaire: Questionnaire = lambda _: None
) -> dict[str, Any]:
    """{"systemActions": [...]} of a response; {} where there is none and nobody looks for it.

    On primary hooks the key is always there, if need be with an empty list. judgement: None when the
    service failed, then nothing is asserted. questionnaire: canonical of the form for what is not
    documented, None for none. The resources of the actions are msgspec.Raw.
    """
    actions = []
    if judgement is not None and request.configuration.wants(COVERAGE_INFORMATION):
        actions = coverage_actions(
            {draft.reference: draft.raw for draft in request.drafts},
            judgement.report.determinations,
            version=request.configuration.version,
            hook=request.hook,
            today=judgement.today,
            assertion_id=_assertion_ids(request),
            questionnaire=questionnaire,
            lapsed=judgement.report.lapsed,
            carried=orders_behind(request) if _on_appointments(request) else {},
        )
    return {"systemActions": actions} if actions or request.hook in PRIMARY_HOOKS else {}


def _on_appointments(request: HookRequest) -> bool:
    """Whether an appointment carries what is said about its orders.

    Where it is based on orders, CRD 2.2 leaves it to them; CRD 2.0 makes no difference, and looks for
    it on the appointment.
    """
    return request.hook == "appointment-book" and request.configuration.version == "2.0"


def _assertion_ids(request: HookRequest) -> Callable[[str], str]:
    """Trace ids that follow from what is asserted about, so that a repeated call gives the same.

    Ids of orders and coverages are unique on one server only, hence the server and the patient.
    """
    return partial(_assertion_id, f"{request.fhir_server} {request.patient_id}")


def _assertion_id(place: str, name: str) -> str:
    return str(uuid5(NAMESPACE_URL, f"urn:coverage-hooks:assertion:{place} {name}"))
