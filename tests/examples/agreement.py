"""Hold a determination (as JSON) against the expected.json of an example."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]


def nodes(determination: Json) -> Iterator[Json]:
    """All nodes of a determination: criteria, exclusions, documentation, reservations."""

    def walk(node: Json) -> Iterator[Json]:
        yield node
        for inner in node.get("criteria", ()):
            yield from walk(inner)

    yield from walk(determination["criteria"])
    for key in ("exclusions", "documentation", "reservations"):
        for node in determination.get(key, ()):
            yield from walk(node)


def clause_states(determination: Json) -> dict[str, set[str]]:
    """Every state under which a clause stands in a determination."""
    states: dict[str, set[str]] = {}
    for node in nodes(determination):
        for clause in node.get("clauses", ()):
            states.setdefault(clause, set()).add(node["state"])
    return states


def disagreements(determination: Json, expected: Json) -> list[str]:
    """In which points a determination differs from what is expected; [] when it agrees."""
    found = []
    if determination["outcome"] != expected["outcome"]:
        found.append(f"outcome {determination['outcome']}, expected {expected['outcome']}")
    for key in ("order", "as_of"):
        if determination[key] != expected[key]:
            found.append(f"{key} {determination[key]}, expected {expected[key]}")
    states = clause_states(determination)
    for clause, state in {**expected["criteria"], **expected["exclusions"]}.items():
        if states.get(clause) != {state}:
            found.append(f"{clause} {sorted(states.get(clause, {'absent'}))}, expected {state}")
    for key, state in (("unmet", "unmet"), ("unknown", "unknown"), ("excluded_by", "met")):
        for clause in expected[key]:
            if state not in states.get(clause, set()):
                found.append(f"{clause} is not {state} as `{key}` wants")
    wanted = expected.get("prior_authorization")
    if wanted is not None and determination.get("prior_authorization", {}).get("answer") != wanted:
        found.append(f"prior authorization {determination.get('prior_authorization')}, expected {wanted}")
    return found


def unsaid(card: Json, determination: Json, expected: Json) -> list[str]:
    """Clauses whose words the card does not hold although it must."""
    says = {
        clause: node["says"]
        for node in nodes(determination)
        for clause in node.get("clauses", ())
        if "says" in node
    }
    return [
        clause for clause in expected["card"]["names"] if says[clause].lower() not in card["detail"].lower()
    ]
