"""What lacks, in one line of plain words: steps of a plan with the choices that they leave."""

from __future__ import annotations

from collections.abc import Iterable

from policies.nearest import Choice, Step


def step_words(step: Step) -> str:
    """A criterion, or a choice: "either A or (B and C)", "one of (A; or B; or C)"."""
    if not isinstance(step, Choice):
        return step.says or step.title
    ways = [_way(way) for way in ways_of(step)]
    if step.needed == 1 and len(ways) == 2:
        return f"either {ways[0]} or {ways[1]}"
    return f"{'one' if step.needed == 1 else step.needed} of ({'; or '.join(ways)})"


def ways_of(choice: Choice) -> list[tuple[Step, ...]]:
    """The ways of a choice; of a way that is nothing but a choice of one, that one's ways."""
    ways: list[tuple[Step, ...]] = []
    for way in choice.ways:
        match way:
            case (Choice(needed=1) as inner,) if choice.needed == 1:
                ways += ways_of(inner)
            case _:
                ways.append(way)
    return ways


def _way(way: Iterable[Step]) -> str:
    said = [lower(step_words(step)) for step in way]
    return f"({' and '.join(said)})" if len(said) > 1 else said[0]


def lower(text: str) -> str:
    """`text` as it goes on within a sentence: "The member" is lowered, "HbA1c" is not."""
    first = text.partition(" ")[0]
    return text[:1].lower() + text[1:] if len(first) == 1 or first[1:].islower() else text


def capital(text: str) -> str:
    """`text` as it begins a sentence."""
    return text[:1].upper() + text[1:]
