"""The shortest way from a determination to `met`: which criteria lack, and what to ask.

Where alternatives exist, the one that lacks least counts; those that tie are all named. A path
whose gate is shut (the order is for another drug, route, device or use) is no alternative, unless
every path is shut: then the group's own words say so.
"""

from __future__ import annotations

from policies.determination import Node
from policies.logic import Truth

_MET, _UNKNOWN = Truth.MET.value, Truth.UNKNOWN.value


def lacking(node: Node) -> list[Node]:
    """The criteria (or shut groups) below `node` that keep it from being met, in file order."""
    if node.state == _MET:
        return []
    if not node.criteria:
        return [node]
    if node.operator == "all":
        return [found for inner in node.criteria for found in lacking(inner)]
    candidates = [inner for inner in node.criteria if inner.state != _MET]
    if node.state == _UNKNOWN and node.operator == "any":
        candidates = [inner for inner in candidates if inner.state == _UNKNOWN]
    open_ones = [inner for inner in candidates if not shut(inner)]
    if not open_ones and node.says:
        return [node]
    ways = [lacking(inner) for inner in open_ones or candidates]
    needed = 1
    if node.operator == "at_least":
        met = sum(inner.state == _MET for inner in node.criteria)
        needed = max(1, node.count_needed - met)
    lengths = sorted(len(way) for way in ways)
    limit = lengths[min(needed, len(lengths)) - 1]
    return [found for way in ways if len(way) <= limit for found in way]


def shut(node: Node) -> bool:
    """Whether an unmet gate closes this alternative: the order is not for this use."""
    if not node.criteria:
        return node.gate and node.state == Truth.UNMET.value
    if node.operator == "all":
        return any(shut(inner) for inner in node.criteria)
    return all(shut(inner) for inner in node.criteria)
