"""What can go wrong with a request, each with a stable code, as an OperationOutcome.

    ServiceError
    |- BadRequestError       400
    |  |- not-json              the body is no JSON, or ends early
    |  |- too-deep              nested beyond what any resource needs
    |  |- invalid-request       a part of the hook request is missing or of the wrong type (422 in CRD 2.0)
    |  |- wrong-hook            another hook than that of the service (422 in CRD 2.0)
    |  `- payer-mismatch        no one payer that this service knows (strict mode)
    |- NotFoundError         404
    |  |- unknown-route, unknown-service, unknown-policy, unknown-questionnaire
    |- MethodError           405  wrong-method (with Allow)
    |- NoDataError           412  no-data
    |- TooLargeError         413  too-large
    |- MediaTypeError        415  media-type (with Accept or Accept-Encoding)
    |- UnusableError         422  unusable-context: the context says what it cannot mean (400 in CRD 2.2)
    `- InternalError         500  internal (with the id under which it was logged)

CRD draws the line between 400 and 422 by its version (`status_in`): 2.0.1 has 400 only for what is no
JSON, and 422 for JSON that breaks the rules of CDS Hooks or FHIR; 2.2 has 400 for both, and keeps 422
for what breaks the rules of CRD alone.

Errors are sent as application/fhir+json, the registered type of what they hold. Clients that look
for JSON accept every `+json` type (RFC 6839), and FHIR-aware ones need to see that it is FHIR.
The details carry the code under the system `urn:coverage-hooks:error`.
"""

from __future__ import annotations

from typing import Any

import msgspec

from cards.response_types import Version

CODE_SYSTEM = "urn:coverage-hooks:error"
MEDIA_TYPE = "application/fhir+json"


class ServiceError(Exception):
    """An error that the sender is told about.

    code: stable, for programs. what: one sentence that repeats no patient data. mend: how to set it
    right. where: the element in the body, as a path ("context.draftOrders"). headers: of the answer.
    """

    status = 500
    issue = "exception"

    def __init__(
        self, code: str, what: str, *, where: str = "", mend: str = "", headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(what)
        self.code, self.what, self.where, self.mend = code, what, where, mend
        self.headers = headers or {}

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.what}" + (f" {self.mend}" if self.mend else "")


class BadRequestError(ServiceError):
    status, issue = 400, "structure"


class PayerError(BadRequestError):
    issue = "business-rule"


class NotFoundError(ServiceError):
    status, issue = 404, "not-found"


class MethodError(ServiceError):
    status, issue = 405, "not-supported"


class NoDataError(ServiceError):
    status, issue = 412, "required"


class TooLargeError(ServiceError):
    status, issue = 413, "too-long"


class MediaTypeError(ServiceError):
    status, issue = 415, "not-supported"


class UnusableError(ServiceError):
    status, issue = 422, "invalid"


class InternalError(ServiceError):
    status, issue = 500, "exception"


# Of a hook request that is JSON and breaks the rules of CDS Hooks or FHIR.
_AGAINST_RULES = frozenset({"invalid-request", "wrong-hook", "unusable-context"})


def status_in(version: Version, error: ServiceError) -> int:
    """The status of an error about a hook request. Source: CRD 2.0.1 and 2.2.1, section Hooks."""
    if error.code in _AGAINST_RULES:
        return 422 if version == "2.0" else 400
    return error.status


def not_json(error: Exception, where: str = "") -> BadRequestError:
    """The error for text that is no JSON; it tells where the fault lies, never what stands there."""
    why = str(error) if isinstance(error, msgspec.DecodeError) else "it is not UTF-8"
    mend = "Send JSON in UTF-8 (RFC 8259)."
    return BadRequestError("not-json", f"This is no JSON: {why}.", where=where, mend=mend)


def too_deep(where: str = "") -> BadRequestError:
    """The error for JSON on which a reader runs out of stack."""
    mend = "No FHIR resource needs hundreds of levels."
    return BadRequestError("too-deep", "The JSON is nested too deeply.", where=where, mend=mend)


def outcome(error: ServiceError) -> dict[str, Any]:
    """The OperationOutcome of an error. Source: https://hl7.org/fhir/R4/operationoutcome.html"""
    issue: dict[str, Any] = {
        "severity": "error",
        "code": error.issue,
        "details": {"coding": [{"system": CODE_SYSTEM, "code": error.code}], "text": error.what},
    }
    if error.mend:
        issue["diagnostics"] = error.mend
    if error.where:
        issue["expression"] = [error.where]
    return {"resourceType": "OperationOutcome", "issue": [issue]}
