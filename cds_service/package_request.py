"""What is asked of the operation $questionnaire-package: forms by canonical address, by order, or both.

`changedsince` is not read: the answer is always whole.
Source: Da Vinci DTR 2.0.1 and 2.1, profile dtr-qpackage-input-parameters.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Raw, Struct

from cds_service.errors import BadRequestError, UnusableError
from cds_service.guide import Guide

_NULL = Raw(b"null")


class PackageRequest(Struct, frozen=True):
    """What is asked. orders, coverages: FHIR resources as JSON text. context: an id given by CRD."""

    canonicals: tuple[str, ...] = ()
    orders: tuple[Raw, ...] = ()
    coverages: tuple[Raw, ...] = ()
    context: str = ""


class _Parameter(Struct):
    name: str = ""
    resource: Raw = _NULL
    valueCanonical: str = ""
    valueUri: str = ""
    valueString: str = ""

    @property
    def text(self) -> str:
        return self.valueCanonical or self.valueUri or self.valueString


class _Parameters(Struct):
    resourceType: str = ""
    parameter: tuple[_Parameter, ...] = ()


_parameters = msgspec.json.Decoder(_Parameters)
_guide = Guide(
    {},
    else_="Send FHIR Parameters with questionnaire, or with order and coverage.",
    contradiction="unusable-context",
)


def read_parameters(body: bytes) -> PackageRequest:
    """The Parameters of a request.

    Raises BadRequestError for what is no such resource or asks for nothing, UnusableError for a
    context alone.
    """
    found = _guide.decode(_parameters, body)
    if found.resourceType != "Parameters":
        raise _guide.invalid("resourceType", "is not Parameters")
    return checked(
        PackageRequest(
            canonicals=tuple(p.text for p in found.parameter if p.name == "questionnaire"),
            orders=tuple(_resources(found, "order")),
            coverages=tuple(_resources(found, "coverage")),
            context=next((p.text for p in found.parameter if p.name == "context"), ""),
        )
    )


def _resources(parameters: _Parameters, name: str) -> Iterator[Raw]:
    for index, parameter in enumerate(parameters.parameter):
        if parameter.name == name:
            if not bytes(parameter.resource).startswith(b"{"):
                what = f"The parameter {name} holds no resource."
                where = f"Parameters.parameter[{index}].resource"
                mend = "Send the resource itself, not a reference to it."
                raise BadRequestError("invalid-request", what, where=where, mend=mend)
            yield parameter.resource


def checked(asked: PackageRequest) -> PackageRequest:
    """The request, when it asks for something. Raises BadRequestError, UnusableError."""
    if asked.canonicals or asked.orders:
        return asked
    if asked.context:
        what = "This service keeps no context of earlier answers."
        mend = "Send the questionnaire that coverage-information names, or the order and its coverage."
        raise UnusableError("unusable-context", what, where="context", mend=mend)
    what = "Nothing is asked for: questionnaire, order and context are all missing."
    mend = "Send questionnaire, or order and coverage (invariant dtr-1)."
    raise BadRequestError("invalid-request", what, where="Parameters.parameter", mend=mend)
