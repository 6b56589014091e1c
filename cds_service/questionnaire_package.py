"""The packages that answer the operation $questionnaire-package.

Each questionnaire comes once, in a Bundle with a draft of its response. What cannot be had is said in
the parameter Outcome; when it is all that was asked, the answer is an error.
Source: Da Vinci DTR 2.0.1 and 2.1, OperationDefinition questionnaire-package.
"""

from __future__ import annotations

from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

import msgspec
from msgspec import Raw, Struct

from cds_service.drafts import Draft, read_drafts
from cds_service.errors import NotFoundError, UnusableError, not_json
from cds_service.hook_request import HookRequest
from cds_service.judging import Judge
from cds_service.package_request import PackageRequest
from cds_service.questionnaire_shelf import Json, Shelf
from mappings.chart import reference_of
from mappings.fhir import Coverage, Reference
from mappings.parsing import read
from policies.determination import Report
from policies.questionnaires.response import draft


class _Package(Struct):
    """A questionnaire, and references of the orders and coverages that it is to be filled in for."""

    questionnaire: Json
    context: dict[str, None] = {}


class Packer:
    """Answers one request. now: the time at which drafts begin."""

    def __init__(self, shelf: Shelf, judge: Judge, now: datetime) -> None:
        self._shelf = shelf
        self._judge = judge
        self._now = now
        self._packages: dict[str, _Package] = {}
        self._issues: list[Json] = []

    def answer(self, asked: PackageRequest) -> Json:
        """The Parameters to send back.

        Raises NotFoundError when only questionnaires are asked for that are not here, UnusableError
        for orders and coverages of different patients, BadRequestError for what is no JSON.
        """
        drafts, coverages = _drafts(asked), _coverages(asked)
        patient = _patient(drafts, coverages)
        context = [d.reference for d in drafts] + [reference_of(c) for c in coverages if c.id]
        for number, canonical in enumerate(asked.canonicals):
            self._named(canonical, number, context)
        if not self._packages and not drafts:
            what = "None of the questionnaires asked for is here."
            mend = "GET /fhir/Questionnaire lists them; a version must be one that is loaded."
            raise NotFoundError("unknown-questionnaire", what, where="questionnaire", mend=mend)
        if drafts:
            self._judged(self._judge.judge(_hook_request(drafts, asked.coverages, patient)).report)
        if asked.context:
            self._say("information", "informational", "No context is kept here; the orders were judged anew.")
        parameters = [
            {"name": "PackageBundle", "resource": self._bundle(package, patient)}
            for package in self._packages.values()
        ]
        if self._issues:
            outcome = {"resourceType": "OperationOutcome", "issue": self._issues}
            parameters.append({"name": "Outcome", "resource": outcome})
        return {"resourceType": "Parameters", "parameter": parameters}

    def _named(self, canonical: str, number: int, context: list[str]) -> None:
        found = self._shelf.by_canonical(canonical)
        if found is None:
            self._say("warning", "not-found", f"Questionnaire {number + 1} of those asked for is not here.")
        else:
            self._add(found, context)

    def _judged(self, report: Report) -> None:
        for determination in report.determinations:
            found = self._shelf.by_determination(determination)
            if found is None:
                why = f"{determination.policy.title} asks for no document beyond the record"
                if not determination.service:
                    why = f"{determination.policy.title} does not apply"
                self._say("information", "informational", f"{determination.order}: {why}.")
                continue
            covered = determination.coverage.reference if determination.coverage else ""
            self._add(found, [name for name in (determination.order, covered) if "/" in name])
        for missed in report.not_evaluated:
            self._say("warning", "not-supported", f"{missed.order}: {missed.why}.")

    def _add(self, questionnaire: Json, context: list[str]) -> None:
        name = f"{questionnaire['url']}|{questionnaire['version']}"
        package = self._packages.setdefault(name, _Package(questionnaire))
        package.context |= dict.fromkeys(name for name in context if "/" in name)

    def _say(self, severity: str, code: str, text: str) -> None:
        self._issues.append({"severity": severity, "code": code, "details": {"text": text}})

    def _bundle(self, package: _Package, patient: str) -> Json:
        form = package.questionnaire
        entries = [{"fullUrl": form["url"], "resource": form}]
        if patient:
            authored = self._now.isoformat(timespec="seconds")
            response = draft(form, f"Patient/{patient}", package.context, authored)
            name = " ".join((response["questionnaire"], patient, *package.context))
            entries.append({"fullUrl": uuid5(NAMESPACE_URL, name).urn, "resource": response})
        return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _drafts(asked: PackageRequest) -> tuple[Draft, ...]:
    return read_drafts(Raw(_bundle_of(asked.orders)), "order") if asked.orders else ()


def _bundle_of(resources: tuple[Raw, ...]) -> bytes:
    entries = [{"resource": resource} for resource in resources]
    return msgspec.json.encode({"resourceType": "Bundle", "type": "collection", "entry": entries})


def _coverages(asked: PackageRequest) -> list[Coverage]:
    try:
        found = [item.resource for raw in asked.coverages for item in read(raw, "coverage").items]
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise not_json(error, "coverage") from None
    return [resource for resource in found if isinstance(resource, Coverage)]


def _patient(drafts: tuple[Draft, ...], coverages: list[Coverage]) -> str:
    """The one patient of whom orders and coverages speak; "" when only a questionnaire is asked for."""
    subjects = [getattr(d.resource, "subject", None) for d in drafts]
    spoken = [*subjects, *(coverage.beneficiary for coverage in coverages)]
    names = [r.reference for r in spoken if isinstance(r, Reference) and r.reference]
    ids = {name.partition("/_history/")[0].rpartition("/")[2] for name in names}
    if len(ids) > 1 or (drafts and not ids):
        what = "The orders and coverages are not of one patient."
        mend = "Send orders and coverages whose subject and beneficiary is the same patient."
        raise UnusableError("unusable-context", what, where="order", mend=mend)
    return ids.pop() if ids else ""


def _hook_request(drafts: tuple[Draft, ...], coverages: tuple[Raw, ...], patient: str) -> HookRequest:
    """The orders as a hook would send them, with no record but the coverages."""
    return HookRequest(
        hook="order-sign",
        hook_instance="",
        patient_id=patient,
        user_id="",
        drafts=drafts,
        prefetch={"coverage": Raw(_bundle_of(coverages))},
    )
