"""What can go wrong with a request, each with a stable code, as an OperationOutcome.

    ServiceError
    |- BadRequestError       400
    |  |- not-json              the body is no JSON, or ends early
    |  |- invalid-request       a part of the hook request is missing or of the wrong type
    |  `- wrong-hook            another hook than that of the service
    |- NotFoundError         404
    |  |- unknown-route, unknown-service, unknown-policy
    |- MethodError           405  wrong-method (with Allow)
    |- NoDataError           412  no-data
    |- SlowError             408  too-slow
    |- TooLargeError         413
    |  |- too-large, too-many-resources
    |- MediaTypeError        415  media-type (with Accept or Accept-Encoding)
    |- UnusableError         422  unusable-context: a hook request whose context says what it cannot mean
    |- CostlyError           422
    |  |- too-deep              nested beyond what any resource needs
    |  `- too-many-orders
    |- BusyError             503  busy (with Retry-After)
    `- InternalError         500  internal (with the id under which it was logged)

400 is for what breaks the form of a hook request and 422 for what has the form and contradicts
itself. CRD 2.0.1 and 2.2 draw this line differently (2.0.1: 400 only for what is no JSON; 2.2: 400
for every breach of the CDS Hooks rules); either client learns the same from the OperationOutcome.

Errors are sent as application/fhir+json, the registered type of what they hold. Clients that look
for JSON accept every `+json` type (RFC 6839), and FHIR-aware ones need to see that it is FHIR.
The details carry the code under the system `urn:coverage-hooks:error`.
"""

from __future__ import annotations

from typing import Any

import msgspec

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


class NotFoundError(ServiceError):
    status, issue = 404, "not-found"


class MethodError(ServiceError):
    status, issue = 405, "not-supported"


class NoDataError(ServiceError):
    status, issue = 412, "required"


class SlowError(ServiceError):
    status, issue = 408, "timeout"


class TooLargeError(ServiceError):
    status, issue = 413, "too-long"


class MediaTypeError(ServiceError):
    status, issue = 415, "not-supported"


class UnusableError(ServiceError):
    status, issue = 422, "invalid"


class CostlyError(ServiceError):
    status, issue = 422, "too-costly"


class BusyError(ServiceError):
    status, issue = 503, "throttled"


class InternalError(ServiceError):
    status, issue = 500, "exception"


def not_json(error: Exception, where: str = "") -> BadRequestError:
    """The error for text that is no JSON; it tells where the fault lies, never what stands there."""
    why = str(error) if isinstance(error, msgspec.DecodeError) else "it is not UTF-8"
    mend = "Send JSON in UTF-8 (RFC 8259)."
    return BadRequestError("not-json", f"This is no JSON: {why}.", where=where, mend=mend)


def too_deep(where: str = "") -> CostlyError:
    """The error for JSON that is nested deeper than is read."""
    mend = "No FHIR resource needs hundreds of levels."
    return CostlyError("too-deep", "The JSON is nested too deeply.", where=where, mend=mend)


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
