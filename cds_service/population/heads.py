"""What a line is and whose it is, read without building the resource."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import Struct, field

_PATIENT_ID = re.compile(r"[A-Za-z0-9\-._:]{1,256}")
_SOMEBODY = re.compile(rb'"reference"\s*:\s*"(?:[^"\s]*/)?Patient/([A-Za-z0-9\-._:]{1,256})[/"]')
_SOME_KIND = re.compile(rb'"resourceType"\s*:\s*"([A-Za-z]{1,64})"')


class BadLineError(Exception):
    """A line that cannot be used; the message never holds anything of the line."""


class Head(Struct, frozen=True):
    """kind: resourceType. patient: bare id, "" when the resource names none."""

    kind: str
    id: str
    patient: str


class _Head(Struct, gc=False):
    resourceType: Any = ""
    id: Any = ""
    subject: Any = None
    patient: Any = None
    beneficiary: Any = None
    for_: Any = field(name="for", default=None)


class _Appointment(Struct, gc=False):
    participant: Any = ()


_head = msgspec.json.Decoder(_Head)
_appointment = msgspec.json.Decoder(_Appointment)


def head(line: bytes) -> Head:
    """Raises BadLineError for what is no resource."""
    try:
        found = _head.decode(line)
        kind = found.resourceType
        if not isinstance(kind, str) or not kind:
            raise BadLineError("the line has no resourceType")
        own = str(found.id) if isinstance(found.id, str | int) else ""
        if kind == "Patient":
            return Head(kind, own, own if _PATIENT_ID.fullmatch(own) else "")
        subject = found.subject or found.patient or found.beneficiary or found.for_
        if kind == "Appointment":
            subject = _actors(_appointment.decode(line).participant)
    except msgspec.ValidationError:
        raise BadLineError("the line is no FHIR resource") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BadLineError("the line is no JSON") from None
    except RecursionError:
        raise BadLineError("the line is nested too deeply") from None
    return Head(kind, own, patient_of(subject))


def guess(line: bytes) -> tuple[str, str]:
    """The type and the patient that a broken line seems to be about; "" for what it does not tell."""
    kind, somebody = _SOME_KIND.search(line), _SOMEBODY.search(line)
    return kind[1].decode() if kind else "", somebody[1].decode() if somebody else ""


def patient_of(subject: Any) -> str:
    """The bare id of the patient that a Reference (or a list of them) names; "" for any other subject."""
    for reference in subject if isinstance(subject, list) else (subject,):
        written = reference.get("reference") if isinstance(reference, dict) else None
        if not isinstance(written, str) or written.startswith(("urn:", "#")):
            continue
        parts = written.partition("/_history")[0].split("/")
        if (len(parts) == 1 or parts[-2] == "Patient") and _PATIENT_ID.fullmatch(parts[-1]):
            return parts[-1]
    return ""


def _actors(participants: Any) -> list[Any]:
    found = participants if isinstance(participants, list) else ()
    return [participant.get("actor") for participant in found if isinstance(participant, dict)]
