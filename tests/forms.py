"""A small reader of FHIR questionnaires, for tests: which items are there, which are enabled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Json = dict[str, Any]


def items(form: Json) -> Iterator[Json]:
    """All items of a Questionnaire or group, groups and displays included."""
    for item in form.get("item", ()):
        yield item
        yield from items(item)


def asked(form: Json) -> dict[str, Json]:
    """The questions by linkId."""
    return {item["linkId"]: item for item in items(form) if item["type"] not in ("group", "display")}


def enabled(form: Json, answers: Mapping[str, Any]) -> set[str]:
    """linkIds of the questions that a form filler shows.

    An item below a disabled one is disabled, and what a disabled question holds is no answer.
    Source: https://hl7.org/fhir/R4/questionnaire-definitions.html#Questionnaire.item.enableWhen
    """
    parents: dict[str, str] = {}
    by_id: dict[str, Json] = {}

    def learn(parent: Json) -> None:
        for item in parent.get("item", ()):
            by_id[item["linkId"]] = item
            parents[item["linkId"]] = parent.get("linkId", "")
            learn(item)

    learn(form)

    def shown(name: str) -> bool:
        parent = parents[name]
        if parent and not shown(parent):
            return False
        conditions = [holds(condition) for condition in by_id[name].get("enableWhen", ())]
        if not conditions:
            return True
        return any(conditions) if by_id[name].get("enableBehavior") == "any" else all(conditions)

    def holds(condition: Json) -> bool:
        assert condition["operator"] == "!="
        question = condition["question"]
        given = answers.get(question) if shown(question) else None
        wanted = condition.get("answerBoolean", condition.get("answerCoding", {}).get("code"))
        return bool(given != wanted)

    return {name for name in asked(form) if shown(name)}
