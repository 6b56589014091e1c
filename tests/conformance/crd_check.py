"""Hold a hook response against CDS Hooks 2.0 and Da Vinci CRD 2.0 or 2.2, without network or validator.

    from tests.conformance.crd_check import violations
    assert violations(response, "2.0", hook="order-sign", sent=draft_orders) == []

The checks of cards are here; those of FHIR resources are in crd_resources.py, those of the
coverage-information extension in crd_extension.py, the facts in crd_facts.yaml.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from cards.response_types import Version
from tests.conformance.crd_report import (
    FACTS,
    Found,
    Json,
    Violation,
    is_coding,
    is_text,
    is_web_address,
    objects,
)
from tests.conformance.crd_resources import action_resource

_RESPONSE_KEYS = {"cards", "systemActions", "extension"}
_CARD_KEYS = {
    *("uuid", "summary", "detail", "indicator", "source", "suggestions", "selectionBehavior"),
    *("overrideReasons", "links", "extension"),
}
_LINK_KEYS = {"label", "url", "type", "appContext", "autolaunchable"}
_REFERENCE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ASSOCIATED = "davinci-crd.associated-resource"


def sent_with(request: Json) -> list[Json]:
    """The resources that a hook request holds, those of its context and those of prefetch."""
    values = [*request.get("context", {}).values(), *(request.get("prefetch") or {}).values()]
    found = []
    for value in values:
        if isinstance(value, dict) and value.get("resourceType") == "Bundle":
            found += [entry.get("resource") for _, entry in objects(value.get("entry"))]
        else:
            found.append(value)
    return [resource for _, resource in objects(found) if "resourceType" in resource]


def violations(
    response: Any, version: Version, *, hook: str = "", sent: Sequence[Json] = ()
) -> list[Violation]:
    """What a hook response (decoded JSON) breaks; [] for a good one.

    hook: of the request, for rules that depend on it. sent: the resources of the request's context;
    with them it is checked that an update changes nothing else, and what their senders left out is
    not held against the response.
    """
    if not isinstance(response, dict):
        return [Violation("A3.25", "response", "is no JSON object")]
    return [
        *_envelope(response, hook),
        *_blanks(response, "response"),
        *(v for i, card in objects(response.get("cards")) for v in _card(card, f"cards[{i}]", version, sent)),
        *_system_actions(response, version, hook, sent),
    ]


def _envelope(response: Json, hook: str) -> Found:
    cards = response.get("cards")
    if not isinstance(cards, list) or len(objects(cards)) != len(cards):
        yield Violation("A4.35", "cards", "is no list of cards")
    for key in response.keys() - _RESPONSE_KEYS:
        yield Violation("A4.35", key, "is no element of a response")
    if "extension" in response and not isinstance(response["extension"], dict):
        yield Violation("A10.96", "extension", "is no object")
    if hook in FACTS["primary_hooks"] and not isinstance(response.get("systemActions"), list):
        yield Violation("A5.61", "systemActions", f"is missing on {hook}")
    uuids = [
        u
        for _, card in objects(cards)
        for u in (card.get("uuid"), *(s.get("uuid") for _, s in objects(card.get("suggestions"))))
        if u is not None
    ]
    for twice in sorted({str(u) for u in uuids if uuids.count(u) > 1}):
        yield Violation("A4.42", "cards", f"the uuid {twice} is used twice")


def _blanks(value: Any, where: str) -> Found:
    """Rule 36. A FHIR list may hold null beside an extension of its element."""
    if isinstance(value, dict):
        for key, inner in value.items():
            here = f"{where}.{key}"
            if where == "response" and key in ("cards", "systemActions") and inner == []:
                continue
            yield from _blanks(inner, here)
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            if inner is not None or ".resource." not in where:
                yield from _blanks(inner, f"{where}[{index}]")
    if value is None or value in ("", [], {}):
        yield Violation("A4.36", where, f"is {value!r}; leave it out")


def _card(card: Json, where: str, version: Version, sent: Sequence[Json]) -> Found:
    for key in card.keys() - _CARD_KEYS:
        yield Violation("A4.35", f"{where}.{key}", "is no attribute of a card")
    summary = card.get("summary")
    if not is_text(summary) or len(summary) >= 140:
        yield Violation("A4.37", f"{where}.summary", "must have 1 to 139 characters")
    if card.get("indicator") not in ("info", "warning", "critical"):
        yield Violation("A4.38", f"{where}.indicator", "must be info, warning or critical")
    yield from _source(card.get("source"), f"{where}.source", version)
    yield from _uuid(card.get("uuid"), "A4.42", f"{where}.uuid")
    if "detail" in card and not is_text(card["detail"]):
        yield Violation("A4.43", f"{where}.detail", "is no text")
    yield from _links(card, where)
    yield from _suggestions(card, where, version, sent)
    for index, reason in enumerate(card.get("overrideReasons", ())):
        if not is_coding(reason) or not is_text(reason.get("display")):
            yield Violation("A4.56", f"{where}.overrideReasons[{index}]", "needs code, system and display")
    yield from _card_extension(card, where)


def _source(source: Any, where: str, version: Version) -> Found:
    if not isinstance(source, dict) or not is_text(source.get("label")):
        yield Violation("A4.39", where, "needs a label")
        return
    for key in ("url", "icon"):
        if key in source and not is_web_address(source[key]):
            yield Violation("A4.41", f"{where}.{key}", "is no absolute address")
    topic, types = source.get("topic"), FACTS["card_types"][version]
    if not is_coding(topic):
        yield Violation("A4.40", f"{where}.topic", "needs code and system")
    elif topic["code"] in types["codes"] and topic["system"] != types["system"]:
        yield Violation("B2.117", f"{where}.topic.system", f"is not that of CRD {version}")


def _uuid(value: Any, rule: str, where: str) -> Found:
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        yield Violation(rule, where, "must be a bare uuid")


def _links(card: Json, where: str) -> Found:
    if "links" in card and not objects(card["links"]):
        yield Violation("A4.53", f"{where}.links", "is no list of links")
    for index, link in objects(card.get("links")):
        here = f"{where}.links[{index}]"
        for key in link.keys() - _LINK_KEYS:
            yield Violation("A4.53", f"{here}.{key}", "is no attribute of a link")
        if not is_text(link.get("label")) or not is_web_address(link.get("url")):
            yield Violation("A4.53", here, "needs a label and an absolute url")
        if link.get("type") not in ("absolute", "smart"):
            yield Violation("A4.53", f"{here}.type", "must be absolute or smart")
        if "appContext" in link and (link.get("type") != "smart" or not is_text(link["appContext"])):
            yield Violation("A4.54", f"{here}.appContext", "is a text, and for smart links only")
        if "autolaunchable" in link and not isinstance(link["autolaunchable"], bool):
            yield Violation("A4.55", f"{here}.autolaunchable", "is no boolean")
    if card.get("links") and card.get("suggestions"):
        yield Violation("B2", where, "no response type of CRD has links and suggestions")


def _suggestions(card: Json, where: str, version: Version, sent: Sequence[Json]) -> Found:
    suggestions = objects(card.get("suggestions"))
    behaviour = card.get("selectionBehavior")
    if ("suggestions" in card and not suggestions) or (
        suggestions and behaviour not in ("at-most-one", "any")
    ):
        yield Violation("A4.44", where, "suggestions need selectionBehavior at-most-one or any")
    if behaviour == "at-most-one" and sum(s.get("isRecommended") is True for _, s in suggestions) > 1:
        yield Violation("A4.45", where, "at most one suggestion can be the recommended one")
    for index, suggestion in suggestions:
        here = f"{where}.suggestions[{index}]"
        if not is_text(suggestion.get("label")):
            yield Violation("A4.46", f"{here}.label", "is missing")
        if not isinstance(suggestion.get("isRecommended", False), bool):
            yield Violation("A4.46", f"{here}.isRecommended", "is no boolean")
        yield from _uuid(suggestion.get("uuid"), "A4.47", f"{here}.uuid")
        if "actionSelectionBehavior" in suggestion:
            yield Violation("A4.49", here, "actionSelectionBehavior is not known to every client")
        if "actions" in suggestion and not objects(suggestion["actions"]):
            yield Violation("A4.48", f"{here}.actions", "is no list of actions")
        actions = objects(suggestion.get("actions"))
        for number, action in actions:
            yield from _action(action, f"{here}.actions[{number}]", version, sent, "A4.50")
        yield from _together([action for _, action in actions], here, version)


def _together(actions: list[Json], where: str, version: Version) -> Found:
    """What replaces an order: a delete with a create of its type; in CRD 2.2 nothing beside (crd-respar-1)."""
    kinds = sorted(str(action.get("type")) for action in actions)
    if "delete" in kinds:
        created = {a["resource"].get("resourceType") for a in actions if isinstance(a.get("resource"), dict)}
        deleted = {str(a.get("resourceId")).partition("/")[0] for a in actions if a.get("type") == "delete"}
        if not deleted <= created or (version == "2.2" and kinds != ["create", "delete"]):
            yield Violation("B2.124", where, "a delete goes with a create of the same type")


def _system_actions(response: Json, version: Version, hook: str, sent: Sequence[Json]) -> Found:
    for index, action in objects(response.get("systemActions")):
        where = f"systemActions[{index}]"
        yield from _action(action, where, version, sent, "A5.60", hook, system=True)


def _action(
    action: Json,
    where: str,
    version: Version,
    sent: Sequence[Json],
    rule: str,
    hook: str = "",
    *,
    system: bool = False,
) -> Found:
    kind = action.get("type")
    if kind not in ("create", "update", "delete"):
        yield Violation("A4.50", f"{where}.type", "must be create, update or delete")
    if not is_text(action.get("description")):
        yield Violation(rule, f"{where}.description", "is missing")
    if "extension" in action and not isinstance(action["extension"], dict):
        yield Violation("A10.96", f"{where}.extension", "is no object")
    if kind == "delete":
        target = action.get("resourceId")
        if "resource" in action or not isinstance(target, str) or not _REFERENCE.fullmatch(target):
            yield Violation("A4.52", where, "a delete names Type/id in resourceId and has no resource")
    elif not isinstance(action.get("resource"), dict):
        yield Violation("A4.51", f"{where}.resource", "is missing")
    else:
        if "resourceId" in action:
            yield Violation("B3.125", f"{where}.resourceId", "is for delete only")
        yield from action_resource(action, f"{where}.resource", version, hook, sent, system=system)


def _card_extension(card: Json, where: str) -> Found:
    extension = card.get("extension", {})
    if not isinstance(extension, dict):
        yield Violation("A10.96", f"{where}.extension", "is no object")
        return
    associated = extension.get(_ASSOCIATED)
    if associated is not None and (
        not objects(associated)
        or not all(_REFERENCE.fullmatch(str(a.get("reference"))) for _, a in objects(associated))
    ):
        yield Violation("B2.120", f"{where}.extension", f"{_ASSOCIATED} is a list of references")
