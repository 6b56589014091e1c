"""Request form completion: a task to fill in the questionnaire on what only documentation can settle.

Only where something is open that an answer can settle, and where there is a questionnaire for it, and
only to clients that switch coverage information off: else the questionnaire travels there. No card is
to repeat what a system action says, and CRD 2.2 forbids the task where DTR takes its place.
Source: CRD, Cards (systemAction), Request Form Completion; profile-taskquestionnaire.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from cards.deck import Card
from cards.markdown import escape
from cards.override_reasons import PAPERWORK
from cards.proposals.card import CardId, Maker, action
from cards.proposals.context import Context
from cards.proposals.service_request import subject
from cards.response_types import FORM_COMPLETION
from mappings.chart import reference_of
from mappings.fhir import Coverage, Organization
from policies.determination import Determination, lacking_nodes
from policies.logic import Truth

_CRD = "http://hl7.org/fhir/us/davinci-crd/CodeSystem/temp"
_SDC = "http://hl7.org/fhir/uv/sdc/CodeSystem/temp"


def form_cards(context: Context, determinations: Iterable[Determination], card_id: CardId) -> Iterator[Card]:
    """A card for each determination with something open and a form for it."""
    maker = Maker(FORM_COMPLETION, context.version, card_id)
    for determination in determinations:
        open_ = [n for n in lacking_nodes(determination) if n.state == Truth.UNKNOWN.value]
        if not open_ or determination.outcome not in ("not-met", "needs-documentation"):
            continue
        form = context.questionnaire(determination)
        if form is not None:
            yield _card(maker, context, determination, form, len(open_))


def _card(maker: Maker, context: Context, determination: Determination, form: str, count: int) -> Card:
    what = determination.order_label or determination.order
    policy = determination.policy
    name = f"{policy.payer} {policy.title}"
    points = "one point" if count == 1 else f"{count} points"
    say = f"Complete the form on {name} for {what}"
    suggestion = maker.suggestion(
        f"{determination.order} {policy.id}@{policy.version}",
        "Add the form to the task list",
        [action("create", say, _task(context, determination, form, say))],
        recommended=True,
    )
    return maker.card_of(
        determination,
        "form",
        f"{name}: {points} to document; a form asks for them",
        [f"**{escape(what)}**: {points} of the policy are open. The form asks only for these: {form}"],
        PAPERWORK,
        suggestions=[suggestion],
        selectionBehavior="any",
    )


def _task(context: Context, determination: Determination, form: str, say: str) -> dict[str, Any]:
    order = context.order(determination)
    answer = determination.prior_authorization.answer if determination.prior_authorization else ""
    authorized = answer == "required"
    reason: dict[str, Any] = {"text": f"Documentation for {determination.policy.payer}"}
    if authorized and context.version == "2.0":
        reason["coding"] = [{"system": _CRD, "code": "reason-prior-auth"}]
    inputs: list[dict[str, Any]] = [
        {
            "type": {"coding": [{"system": _SDC, "code": "questionnaire"}], "text": "questionnaire"},
            "valueCanonical": form,
        }
    ]
    if context.version == "2.0":
        inputs.append(_afterwards("prior-auth-include" if authorized else "initial-claim-include"))
    task: dict[str, Any] = {
        "resourceType": "Task",
        "basedOn": [{"reference": determination.order}],
        "status": "ready",
        "intent": "order",
        "code": {"coding": [{"system": _SDC, "code": "complete-questionnaire"}]},
        "description": say,
        "for": subject(context, order),
        "authoredOn": context.today.isoformat(),
        "requester": _payer(context, determination),
        "reasonCode": reason,
        "input": inputs,
    }
    if context.encounter_id:
        task["encounter"] = {"reference": f"Encounter/{context.encounter_id}"}
    return task


def _afterwards(code: str) -> dict[str, Any]:
    """What becomes of the answers; the profile of CRD 2.0 asks for it."""
    return {
        "type": {"coding": [{"system": _CRD, "code": "after-completion-action"}], "text": "after completion"},
        "valueCodeableConcept": {"coding": [{"system": _CRD, "code": code}]},
    }


def _payer(context: Context, determination: Determination) -> dict[str, str]:
    """The insurer: its Organization where the coverage refers to one on file, else its name."""
    found = {"type": "Organization", "display": determination.policy.payer}
    wanted = determination.coverage.reference if determination.coverage is not None else ""
    for coverage in context.chart.of(Coverage):
        if reference_of(coverage) == wanted:
            for payor in coverage.payor:
                is_organization = isinstance(context.chart.resolve(payor, coverage), Organization)
                if is_organization and not payor.reference.startswith("#"):
                    return found | {"reference": payor.reference}
    return found
