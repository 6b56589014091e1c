"""The shortest way from a determination to `met`: which criteria lack, and where a choice is left.

Where alternatives exist, the one that lacks least counts; those that tie are all named. A path
whose gate is shut (the order is for another drug, route, device or use) is no alternative, unless
every path is shut: then the group's own words say so.
"""

from __future__ import annotations

from msgspec import Struct, structs

from policies.determination import Node
from policies.logic import Truth

_MET, _UNMET, _UNKNOWN = Truth.MET.value, Truth.UNMET.value, Truth.UNKNOWN.value


class Choice(Struct, frozen=True):
    """Alternatives that lack equally much; `needed` of the `ways` suffice."""

    group: Node
    ways: tuple[tuple[Step, ...], ...]
    needed: int = 1


Step = Node | Choice


def plan(node: Node) -> tuple[Step, ...]:
    """What lacks below a node, in file order; () when it is met."""
    if node.state == _MET:
        return ()
    if not node.criteria or node.reason:
        # A group has a reason of its own when only its scope is open.
        return (node,)
    if node.operator == "all":
        # Where nothing lacks below, only its gate stands in the way.
        return tuple(step for inner in node.criteria for step in plan(inner)) or (node,)
    candidates = [inner for inner in node.criteria if inner.state != _MET]
    if not candidates:
        return (node,)  # only its gate, or too few members that apply, stand in the way
    open_ones = [inner for inner in candidates if not shut(inner)]
    if not open_ones and node.says:
        return (node,)
    ways = [plan(inner) for inner in open_ones or candidates]
    needed = 1
    if node.operator == "at_least":
        needed = max(1, node.count_needed - sum(inner.state == _MET for inner in node.criteria))
    # While the group is open, the nearest way is one that can still be met; a failed way that lacks
    # no more than it is worth telling beside it, a shorter one alone is not.
    hopeful = [way for way in ways if node.state != _UNKNOWN or not _failed(way)]
    costs = sorted(len(flat(way)) for way in hopeful or ways)
    limit = costs[min(needed, len(costs)) - 1]
    nearest = [way for way in ways if len(flat(way)) <= limit]
    if len(nearest) <= needed:
        return tuple(step for way in nearest for step in way)
    return (Choice(node, tuple(nearest), needed),)


def _failed(way: tuple[Step, ...]) -> bool:
    """Whether a way holds something that is unmet, so that no document can make it met."""
    return any(state_of(step) == _UNMET for step in way)


def state_of(step: Step) -> str:
    """The state of a criterion, or of the group that leaves a choice."""
    return (step.group if isinstance(step, Choice) else step).state


def apart(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """A plan in which no choice holds what each of its ways asks for in the same words."""
    return tuple(found for step in steps for found in (_apart(step) if isinstance(step, Choice) else (step,)))


def _apart(choice: Choice) -> tuple[Step, ...]:
    ways = [apart(way) for way in choice.ways]
    common = [step for step in ways[0] if all(any(_alike(step, s) for s in way) for way in ways)]
    rest = tuple(tuple(s for s in way if not any(_alike(s, step) for step in common)) for way in ways)
    if not common or not all(rest):
        return (structs.replace(choice, ways=tuple(ways)),)
    return (*common, structs.replace(choice, ways=rest))


def _alike(one: Step, other: Step) -> bool:
    """Whether two criteria lack the same."""
    if isinstance(one, Choice) or isinstance(other, Choice) or not one.says:
        return False
    return (one.says, one.state) == (other.says, other.state)


def flat(steps: tuple[Step, ...]) -> list[Node]:
    """All criteria of a plan, those of tied alternatives included."""
    found: list[Node] = []
    for step in steps:
        if isinstance(step, Choice):
            for way in step.ways:
                found.extend(flat(way))
        else:
            found.append(step)
    return found


def lacking(node: Node) -> list[Node]:
    """The criteria (or shut groups) that keep `node` from being met on the nearest alternatives."""
    return flat(plan(node))


def shown(node: Node) -> list[Node]:
    """The met criteria on the way that `plan` goes: not those of other paths or other users."""
    if not node.criteria:
        return [node] if node.state == _MET else []
    if node.operator == "all":
        return [found for inner in node.criteria for found in shown(inner)]
    met = [inner for inner in node.criteria if inner.state == _MET]
    if node.state == _MET:
        return [found for inner in met for found in shown(inner)]
    wanted = {id(step) for step in lacking(node)}
    ways = [inner for inner in node.criteria if any(id(step) in wanted for step in flat(plan(inner)))]
    return [found for inner in (*met, *ways) for found in shown(inner)]


def shut(node: Node) -> bool:
    """Whether an unmet gate closes this alternative: the order is not for this use."""
    if not node.criteria or node.gate:
        return node.gate and node.state == _UNMET
    if node.says:
        # Its own words tell what lacks: it is something to state, and the path around it stays open.
        return False
    if node.operator == "all":
        return any(shut(inner) for inner in node.criteria)
    return all(shut(inner) for inner in node.criteria)
