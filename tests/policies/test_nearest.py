"""The shortest way to met."""

from __future__ import annotations

from policies.determination import Node
from policies.nearest import Choice, lacking, plan, shown, shut


def leaf(name: str, state: str, gate: bool = False) -> Node:
    return Node(id=name, state=state, says=name, gate=gate)


def group(operator: str, state: str, *nodes: Node, says: str = "", count: int = 0) -> Node:
    return Node(
        id=operator, state=state, operator=operator, criteria=list(nodes), says=says, count_needed=count
    )


def names(node: Node) -> list[str]:
    return [found.id for found in lacking(node)]


def test_nothing_lacks_when_the_tree_is_met() -> None:
    assert names(group("all", "met", leaf("a", "met"))) == []


def test_all_lacks_every_criterion_that_is_not_met() -> None:
    assert names(group("all", "unmet", leaf("a", "met"), leaf("b", "unmet"), leaf("c", "unknown"))) == [
        "b",
        "c",
    ]


def test_the_alternative_that_lacks_least_counts() -> None:
    one = group("all", "unmet", leaf("a", "unmet"), leaf("b", "unmet"))
    two = group("all", "unmet", leaf("c", "met"), leaf("d", "unmet"))
    assert names(group("any", "unmet", one, two)) == ["d"]


def test_alternatives_that_tie_are_all_named_as_a_choice() -> None:
    tree = group("any", "unmet", leaf("a", "unmet"), leaf("b", "unmet"))
    assert names(tree) == ["a", "b"]
    assert isinstance(plan(tree)[0], Choice)


def test_a_failed_alternative_is_told_beside_an_open_one_that_lacks_as_much() -> None:
    assert names(group("any", "unknown", leaf("failed", "unmet"), leaf("open", "unknown"))) == [
        "failed",
        "open",
    ]


def test_a_failed_alternative_never_hides_an_open_one_that_lacks_more() -> None:
    open_way = group("all", "unknown", leaf("a", "unknown"), leaf("b", "unknown"))
    assert names(group("any", "unknown", leaf("failed", "unmet"), open_way)) == ["failed", "a", "b"]


def test_a_failed_alternative_that_lacks_more_than_the_open_one_is_left_out() -> None:
    failed = group("all", "unmet", leaf("a", "unmet"), leaf("b", "unknown"))
    assert names(group("any", "unknown", failed, leaf("open", "unknown"))) == ["open"]


def test_what_is_shown_leaves_out_other_users_and_shut_paths() -> None:
    mine = group("all", "unmet", leaf("a", "met"), leaf("b", "unmet"))
    other = group("all", "unmet", leaf("gate", "unmet", gate=True), leaf("c", "met"))
    tree = group("all", "unmet", leaf("d", "met"), group("any", "unmet", mine, other))
    assert [node.id for node in shown(tree)] == ["d", "a"]


def test_a_path_whose_gate_is_shut_is_no_alternative() -> None:
    other_drug = group("all", "unmet", leaf("drug", "unmet", gate=True))
    mine = group("all", "unmet", leaf("a", "unmet"), leaf("b", "unmet"))
    assert names(group("any", "unmet", other_drug, mine)) == ["a", "b"]


def test_when_every_path_is_shut_the_group_itself_says_what_lacks() -> None:
    paths = [group("all", "unmet", leaf(name, "unmet", gate=True)) for name in ("x", "y")]
    assert names(group("any", "unmet", *paths, says="The order is for none of the covered uses")) == ["any"]


def test_when_every_path_is_shut_and_no_words_stand_the_gates_are_named() -> None:
    paths = [group("all", "unmet", leaf(name, "unmet", gate=True)) for name in ("x", "y")]
    assert names(group("any", "unmet", *paths)) == ["x", "y"]


def test_at_least_names_the_cheapest_that_reach_the_number() -> None:
    dear = group("all", "unmet", leaf("a", "unmet"), leaf("b", "unmet"))
    tree = group("at_least", "unmet", leaf("m", "met"), leaf("c", "unmet"), dear, count=2)
    assert names(tree) == ["c"]


def test_a_group_is_shut_when_all_its_alternatives_are() -> None:
    assert shut(group("any", "unmet", leaf("x", "unmet", gate=True), leaf("y", "unmet", gate=True)))
    assert not shut(group("any", "unmet", leaf("x", "unmet", gate=True), leaf("y", "unmet")))


def test_a_group_that_only_its_gate_shuts_lacks_itself() -> None:
    tree = group("any", "unmet", leaf("a", "met"))
    tree.gate = True
    assert names(tree) == ["any"]


def test_a_path_that_lacks_nothing_but_its_gate_lacks_itself() -> None:
    tree = group("all", "unmet", leaf("a", "met"))
    tree.gate = True
    assert names(group("any", "unmet", tree)) == ["all"]
