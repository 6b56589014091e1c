"""The kinds of response that Da Vinci CRD knows, and the codes by which clients switch them.

Source: CRD 2.0.1 and 2.2.1, sections Card Profiles and Configuration Options; value set cardType.
The value set is extensible: where it has no code for a kind, the code is ours.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

Version = Literal["2.0", "2.2"]

TOPIC_SYSTEMS: dict[Version, str] = {
    "2.0": "http://hl7.org/fhir/us/davinci-crd/CodeSystem/temp",
    "2.2": "http://terminology.hl7.org/CodeSystem/cdshooks-card-type",
}


class ResponseType(Struct, frozen=True):
    """code: the configuration option that switches it. topic: code of Card.source.topic.

    on: whether it is given when a client configures nothing.
    """

    code: str
    topic: str
    name: str
    description: str
    on: bool = True


COVERAGE_INFORMATION = ResponseType(
    "coverage-info",
    "coverage-info",
    "Coverage information",
    "Writes what the payer's policy says into the order, as a coverage-information extension.",
)
EXTERNAL_REFERENCE = ResponseType(
    "guideline",
    "guideline",
    "Criteria not shown, with the policy",
    "A card for each order and policy that names the criteria not shown, with a link to the policy.",
)
INSTRUCTIONS = ResponseType(
    "instructions",
    "guideline",
    "Instructions",
    "Cards of text alone: what could not be checked, which payer would cover, what comes next.",
)
ALTERNATE_REQUEST = ResponseType(
    "therapy-alternatives-req",
    "therapy-alternatives-req",
    "Alternate request",
    "Proposes a change of the order where the policy covers another code.",
)
ADDITIONAL_ORDERS = ResponseType(
    "clinical-reminder",
    "clinical-reminder",
    "Additional orders",
    "Proposes orders (a test, education, an evaluation) that would settle a criterion that is not shown.",
)
FORM_COMPLETION = ResponseType(
    "form-completion",
    "claim",
    "Request for a form",
    "Proposes a task to fill in the questionnaire on what only documentation can settle.",
)
LAUNCH_SMART = ResponseType(
    "launch-smart",
    "claim",
    "SMART application",
    "A link that opens an application on the criteria that are not shown.",
)
COVERAGE_RECORDS = ResponseType(
    "insurance",
    "insurance",
    "Coverage records",
    "Proposes a correction of the coverage on file.",
)

RESPONSE_TYPES = (
    COVERAGE_INFORMATION,
    EXTERNAL_REFERENCE,
    INSTRUCTIONS,
    ALTERNATE_REQUEST,
    ADDITIONAL_ORDERS,
    FORM_COMPLETION,
    LAUNCH_SMART,
    COVERAGE_RECORDS,
)


def topic(response_type: ResponseType, version: Version) -> dict[str, str]:
    """The Coding of Card.source.topic."""
    return {"system": TOPIC_SYSTEMS[version], "code": response_type.topic}
