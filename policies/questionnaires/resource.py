"""The questions of a service as a FHIR R4 Questionnaire.

Made for the profiles dtr-std-questionnaire (Da Vinci DTR 2.0.1 and 2.1) and sdc-questionnaire. The
linkId of a question is the name of its fact, which is how an answer finds its way back
(mappings.statements). Nothing is required: what stays open is unknown, which is no "no".
Sources: https://hl7.org/fhir/R4/questionnaire.html, https://hl7.org/fhir/us/davinci-dtr/
"""

from __future__ import annotations

import re
from html import escape
from typing import Any

from mappings.catalogue import Catalogue, FactDefinition
from policies.model import Policy, Service
from policies.questionnaires.naming import canonical, questionnaire_id
from policies.questionnaires.needless import Clause, flat
from policies.questionnaires.questions import Ground, Question, Section, questions

Json = dict[str, Any]

PROFILES = (
    "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire",
    "http://hl7.org/fhir/us/davinci-dtr/StructureDefinition/dtr-std-questionnaire",
)
PUBLISHER = "coverage-hooks"
OPTIONS = "urn:coverage-hooks:fact:"
"""System of the answers of an enum, followed by the fact's name."""

_CORE = "http://hl7.org/fhir/StructureDefinition/"
_UCUM = "http://unitsofmeasure.org"
_ITEM_TYPES = {
    "boolean": "boolean",
    "integer": "integer",
    "decimal": "decimal",
    "date": "date",
    "enum": "choice",
}
_INTRODUCTION = (
    "Answer what applies to this order and what the record bears out; leave the rest open. What is left open "
    "counts as not known, never as a no. Refer to this response from the document that supports it "
    "(DocumentReference.context.related)."
)


def questionnaire(
    policy: Policy, service: Service, catalogue: Catalogue, base: str, payer: str
) -> Json | None:
    """The Questionnaire of a service; None when no fact of it needs a statement.

    base: address of the service that serves it, without a slash at the end. payer: its name.
    """
    root = questions(policy, service, catalogue)
    if not root.members:
        return None
    title = f"{payer}, {policy.title}: {service.title}"
    period = {"start": policy.effective_from.isoformat()}
    if policy.effective_to is not None:
        period["end"] = policy.effective_to.isoformat()
    introduction = {"linkId": "introduction", "text": _INTRODUCTION, "type": "display"}
    return {
        "resourceType": "Questionnaire",
        "id": questionnaire_id(policy.id, service.id),
        "meta": {"profile": list(PROFILES)},
        "text": _narrative(title, root),
        "extension": [_derived_from(policy, name) for name in policy.sources],
        "url": canonical(base, policy.id, service.id),
        "version": policy.version,
        "name": _name(f"{policy.id} {service.id}"),
        "title": title,
        "status": policy.status,
        "subjectType": ["Patient"],
        "date": policy.reviewed_on.isoformat(),
        "publisher": PUBLISHER,
        "description": f"What only documentation can settle about an order under {policy.title} of {payer}.",
        "lastReviewDate": policy.reviewed_on.isoformat(),
        "effectivePeriod": period,
        "item": [introduction, *(_member(member, policy) for member in root.members)],
    }


def _name(text: str) -> str:
    """A name for programs: letters and digits, a capital first (invariant que-0)."""
    words = re.findall(r"[A-Za-z0-9]+", text)
    return "Questionnaire" + "".join(word[:1].upper() + word[1:] for word in words)


def _derived_from(policy: Policy, name: str) -> Json:
    """The document behind the policy. Questionnaire.derivedFrom may name other questionnaires only."""
    source = policy.sources[name]
    related: Json = {"type": "derived-from", "label": name, "display": source.title}
    if source.url:
        related["url"] = source.url
    return {"url": f"{_CORE}artifact-relatedArtifact", "valueRelatedArtifact": related}


def _narrative(title: str, root: Section) -> Json:
    said = "".join(f"<li>{escape(question.text)}</li>" for question in walk(root))
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{escape(title)}</p><ol>{said}</ol></div>'
    return {"status": "generated", "div": div}


def walk(section: Section) -> list[Question]:
    """All questions of a section, in the order of reading."""
    found = []
    for member in section.members:
        found.extend(walk(member) if isinstance(member, Section) else [member])
    return found


def _member(member: Question | Section, policy: Policy) -> Json:
    if isinstance(member, Question):
        return _question(member, policy)
    inner = [_member(item, policy) for item in member.members]
    enabled = _enabled(member.clauses)
    return {"linkId": f"group.{member.id}", "text": member.title, "type": "group", **enabled, "item": inner}


def _question(question: Question, policy: Policy) -> Json:
    fact = question.fact
    item: Json = {"linkId": fact.name, "text": question.text, **_answers(fact)}
    extensions = [*_unit(fact, item["type"]), *_link(question, policy)]
    if extensions:
        item = {"extension": extensions, **item}
    item |= _enabled(question.clauses)
    item["item"] = [
        _ground(ground, f"{fact.name}.policy-{number}", policy)
        for number, ground in enumerate(question.grounds, 1)
    ]
    return item


def _answers(fact: FactDefinition) -> Json:
    """The type of an item, and what may be answered."""
    if fact.type == "enum":
        options = [{"valueCoding": _coding(fact.name, option)} for option in fact.options]
        return {"type": "choice", "answerOption": options}
    if fact.type == "decimal" and fact.unit:
        return {"type": "quantity"}
    if fact.type == "list":
        return {"type": "string", "repeats": True}
    return {"type": _ITEM_TYPES.get(fact.type, "string")}


def _coding(fact: str, option: str) -> Json:
    return {"system": f"{OPTIONS}{fact}", "code": option, "display": re.sub("[-_]", " ", option)}


def _unit(fact: FactDefinition, item_type: str) -> list[Json]:
    if not fact.unit or item_type not in ("quantity", "integer"):
        return []
    coding = {"system": _UCUM, "code": fact.unit, "display": fact.unit}
    kind = "questionnaire-unitOption" if item_type == "quantity" else "questionnaire-unit"
    return [{"url": f"{_CORE}{kind}", "valueCoding": coding}]


def _link(question: Question, policy: Policy) -> list[Json]:
    """The document that asks, for those who look it up."""
    sources = [policy.sources[g.citation.source].url for g in question.grounds if g.citation is not None]
    url = next(filter(None, sources), "")
    return [{"url": f"{_CORE}questionnaire-supportLink", "valueUri": url}] if url else []


def _ground(ground: Ground, link_id: str, policy: Policy) -> Json:
    """What the policy says, as help beside the question."""
    said = f"{ground.says.rstrip('.')}."
    if ground.citation is not None:
        clauses = f", {', '.join(ground.clauses)}" if ground.clauses else ""
        title = policy.sources[ground.citation.source].title
        said += f' Policy: "{ground.citation.quote}" ({title}{clauses}).'
    if ground.interpretation:
        said += f" Read as: {ground.interpretation}"
    control = {"system": "http://hl7.org/fhir/questionnaire-item-control", "code": "help"}
    extension = {
        "url": f"{_CORE}questionnaire-itemControl",
        "valueCodeableConcept": {"coding": [control]},
    }
    return {"extension": [extension], "linkId": link_id, "text": said, "type": "display"}


def _enabled(clauses: tuple[Clause, ...]) -> Json:
    behavior, atoms = flat(clauses)
    if not atoms:
        return {}
    conditions = [
        {"question": atom.fact, "operator": "!="}
        | (
            {"answerBoolean": atom.value}
            if isinstance(atom.value, bool)
            else {"answerCoding": {"system": f"{OPTIONS}{atom.fact}", "code": atom.value}}
        )
        for atom in atoms
    ]
    return {"enableWhen": conditions} | ({"enableBehavior": behavior} if len(conditions) > 1 else {})
