"""Why a clinician may set a card aside, as Codings for Card.overrideReasons.

Source: code system non-adherence-reason-codes of CDS Hooks 3.0.0-ballot; the displays are verbatim.
"""

from __future__ import annotations

_SYSTEM = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
_DISPLAYS = {
    "action-completed": "Recommended action was already completed",
    "patient-ineligible": "Patient does not meet eligibility for recommended action",
    "cds-not-applicable": "PC CDS does not apply to patient",
    "indication-order-exists": "Patient has indication/order for intended action",
    "need-more-info": (
        "Could not address recommended action due to need for more information/pending results/"
        "pending consult"
    ),
    "inappropriate-recipient": "PC CDS delivered to inappropriate recipient/role",
    "limited-time": "Could not address recommended action due to limited time",
    "patient-contraindication": "Patient has contraindication to recommended action",
    "likely-negative-health-outcomes": "Recommended action likely to have negative health outcomes",
    "prefers-alternative": "Patient prefers an alternative approach or treatment",
    "service-not-available": "Treatment or service is not practically available",
}

Coding = dict[str, str]


def reasons(*codes: str) -> list[Coding]:
    """The Codings of these codes. Raises KeyError for one that the code system does not hold."""
    return [{"system": _SYSTEM, "code": code, "display": _DISPLAYS[code]} for code in codes]


CRITERIA = reasons("action-completed", "patient-ineligible", "cds-not-applicable")
ALTERNATE = reasons(
    "patient-contraindication",
    "likely-negative-health-outcomes",
    "prefers-alternative",
    "service-not-available",
    "cds-not-applicable",
)
ADDITIONAL = reasons(
    "action-completed",
    "indication-order-exists",
    "patient-contraindication",
    "prefers-alternative",
    "service-not-available",
    "cds-not-applicable",
)
PAPERWORK = reasons("action-completed", "need-more-info", "limited-time", "inappropriate-recipient")
