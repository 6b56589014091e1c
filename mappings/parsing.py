"""From bytes to lean resources, leniently.

A resource that fits the structs is decoded in one pass. One that does not (real clients send
`category` as an object, a number as text) is mended element by element: a lone object where a
list belongs is wrapped, numerals in quotes are read, what cannot be read is left out and named.
Nothing is mended silently: every change is a `Problem`.
"""

from __future__ import annotations

import re
from math import isfinite
from typing import Any

import msgspec
from msgspec import Raw, Struct, field

from mappings.fhir import RESOURCE_TYPES, AnyResource, BundleLink, Resource

_MAX_MENDS = 60
_PATH = re.compile(r"^(?P<why>.*?) - at `\$(?P<path>[^`]*)`$", re.S)
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")

# What can be large, and says so at once, is not looked through for its type first.
_BUNDLE = re.compile(rb'\s*\{\s*"resourceType"\s*:\s*"Bundle"\s*[,}]')


class Problem(Struct, frozen=True):
    """Something in a resource that could not be read as it stands: where, and what was done."""

    where: str
    what: str


class Item(Struct, frozen=True, gc=False):
    """A resource and the fullUrl of its Bundle entry."""

    resource: Resource
    full_url: str = field(default="", name="fullUrl")


class Received(Struct, frozen=True):
    """What one JSON value held.

    kind: "resource", "bundle", "nothing" (null or empty), "outcome" (an OperationOutcome) or
    "unreadable". items: the resources. next_url: where the next page is; self_url: the search that a
    Bundle answers. outcome: the text of an OperationOutcome.
    """

    kind: str
    items: tuple[Item, ...] = ()
    next_url: str = ""
    self_url: str = ""
    outcome: str = ""
    problems: tuple[Problem, ...] = ()


class _Head(Struct, gc=False):
    resourceType: str = ""


class _Entry(Item, frozen=True, gc=False, kw_only=True):
    """An entry of a Bundle is read as an item at once."""

    resource: AnyResource


class _FastBundle(Struct, gc=False):
    entry: tuple[_Entry, ...] = ()
    link: tuple[BundleLink, ...] = ()


class _RawEntry(Struct, gc=False):
    resource: Raw = Raw(b"null")
    fullUrl: Any = ""


class _RawBundle(Struct, gc=False):
    entry: tuple[_RawEntry, ...] = ()
    link: Any = ()


_head = msgspec.json.Decoder(_Head)
_resource = msgspec.json.Decoder(AnyResource)
_fast_bundle = msgspec.json.Decoder(_FastBundle)
_raw_bundle = msgspec.json.Decoder(_RawBundle)


def _finite(numeral: str) -> float | str:
    """A number as JSON has it; one beyond every float stays text, which then fits nowhere."""
    number = float(numeral)
    return number if isfinite(number) else numeral


untyped = msgspec.json.Decoder(float_hook=_finite)


def read(raw: bytes | Raw, where: str = "") -> Received:
    """Read one JSON value: a resource, a Bundle of them, an OperationOutcome or null.

    `where` names the value in problems (a prefetch key, a URL).
    Raises msgspec.DecodeError for text that is no JSON, RecursionError for absurd nesting.
    """
    if _BUNDLE.match(memoryview(raw)):
        return _bundle(raw, where)
    try:
        kind = _head.decode(raw).resourceType
    except msgspec.ValidationError:
        value = untyped.decode(raw)
        if value is None or value == {} or value == []:
            return Received("nothing")
        return Received("unreadable", problems=(Problem(where, "this is no FHIR resource"),))
    if kind == "Bundle":
        return _bundle(raw, where)
    if kind == "OperationOutcome":
        return Received("outcome", outcome=_outcome_text(untyped.decode(raw)))
    if not kind:
        # Clients send a Bundle without resourceType; entries tell.
        value = untyped.decode(raw)
        if isinstance(value, dict) and isinstance(value.get("entry"), list):
            return _bundle(raw, where)
        if value == {}:
            return Received("nothing")
        return Received("unreadable", problems=(Problem(where, "no resourceType"),))
    item, problems = _one(raw, kind, where)
    if item is None:
        return Received("resource", problems=problems)
    return Received("resource", (Item(item),), problems=problems)


def _bundle(raw: bytes | Raw, where: str) -> Received:
    try:
        fast = _fast_bundle.decode(raw)
    except msgspec.ValidationError:
        return _mended_bundle(raw, where)
    return Received("bundle", fast.entry, _link(fast.link, "next"), _link(fast.link, "self"))


def _mended_bundle(raw: bytes | Raw, where: str) -> Received:
    problems: list[Problem] = []
    try:
        bundle = _raw_bundle.decode(raw)
    except msgspec.ValidationError:
        return Received("unreadable", problems=(Problem(where, "the entries of this Bundle are no list"),))
    items: list[Item] = []
    outcome = ""
    for index, entry in enumerate(bundle.entry):
        if bytes(entry.resource) == b"null":
            continue
        at = f"{where}.entry[{index}].resource"
        try:
            kind = _head.decode(entry.resource).resourceType
        except msgspec.ValidationError:
            problems.append(Problem(at, "this is no FHIR resource"))
            continue
        if kind == "OperationOutcome":
            # Searches also report what went well, or hints (Bundle.entry.search.mode "outcome").
            value = untyped.decode(entry.resource)
            outcome = outcome or (_outcome_text(value) if _is_error(value) else "")
            continue
        resource, found = _one(entry.resource, kind, at)
        problems.extend(found)
        if resource is not None:
            items.append(Item(resource, entry.fullUrl if isinstance(entry.fullUrl, str) else ""))
    try:
        links = msgspec.convert(bundle.link, tuple[BundleLink, ...])
    except msgspec.ValidationError:
        links = ()
    return Received(
        "bundle", tuple(items), _link(links, "next"), _link(links, "self"), outcome, tuple(problems)
    )


def _one(raw: bytes | Raw, kind: str, where: str) -> tuple[Resource | None, tuple[Problem, ...]]:
    """One resource, mended where it must be; None for a type that no fact reads."""
    model = RESOURCE_TYPES.get(kind)
    if model is None:
        return None, ()
    try:
        return _resource.decode(raw), ()
    except msgspec.ValidationError:
        return mend(untyped.decode(raw), model, where)


def mend(value: Any, model: type[Resource], where: str) -> tuple[Resource | None, tuple[Problem, ...]]:
    """Read `value` as `model`, removing or wrapping what does not fit; at most 60 changes."""
    problems: list[Problem] = []
    for _ in range(_MAX_MENDS):
        try:
            return msgspec.convert(value, model, strict=False), tuple(problems)
        except msgspec.ValidationError as error:
            match = _PATH.match(str(error))
            why, path = (match["why"], match["path"]) if match else (str(error), "")
            done = _mend_at(value, path, why)
            if not done:
                break
            problems.append(Problem(where + path, f"{why}: {done}"))
    problems.append(Problem(where, "left out: it does not have the shape of the resource"))
    return None, tuple(problems)


def _mend_at(value: Any, path: str, why: str) -> str:
    """Change the element at `path` in place; says what was done, "" when nothing could be."""
    steps = [m.group(1) if m.group(1) is not None else m.group(2) for m in _STEP.finditer(path)]
    if steps and steps[-1] == "resourceType":
        # A contained resource of a type that no fact reads: leave out the resource, not its type.
        steps.pop()
    if not steps:
        return ""
    parents: list[tuple[Any, str | int]] = []
    node: Any = value
    for step in steps:
        key: str | int = step
        if isinstance(node, list):
            if not step.isdigit() or int(step) >= len(node):
                break
            key = int(step)
        elif not isinstance(node, dict) or step not in node:
            break
        parents.append((node, key))
        node = node[key]
    if not parents:
        return ""
    parent, key = parents[-1]
    if "Expected `array" in why and isinstance(parent[key], dict | str):
        parent[key] = [parent[key]]
        return "read as a list of one"
    if "Expected `str`" in why and isinstance(parent[key], int) and not isinstance(parent[key], bool):
        parent[key] = str(parent[key])
        return "the number was read as text"
    del parent[key]
    return "this entry was left out" if isinstance(parent, list) else "this element was left out"


def _link(links: tuple[BundleLink, ...], relation: str) -> str:
    return next((link.url for link in links if link.relation == relation), "")


def _is_error(outcome: Any) -> bool:
    issues = outcome.get("issue") if isinstance(outcome, dict) else None
    return not isinstance(issues, list) or any(
        not isinstance(issue, dict) or issue.get("severity") in ("error", "fatal") for issue in issues
    )


def _outcome_text(value: Any) -> str:
    """The first readable text of an OperationOutcome."""
    issues = value.get("issue") if isinstance(value, dict) else None
    for issue in issues if isinstance(issues, list) else ():
        if isinstance(issue, dict):
            details = issue.get("details")
            text = issue.get("diagnostics") or (details.get("text") if isinstance(details, dict) else None)
            if isinstance(text, str) and text:
                return text[:200]
            if isinstance(issue.get("code"), str):
                return str(issue["code"])[:200]
    return "OperationOutcome"
