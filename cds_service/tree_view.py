"""A determination as a tree for the terminal: states in colour, evidence, citations, what would settle it."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from cards.findings import value_words
from cds_service.determinations import Answer
from mappings.evidence import Evidence
from policies.determination import Cited, Determination, Node, Part, Stated

_OUTCOMES = {
    "met": "bold green",
    "not-met": "bold red",
    "needs-documentation": "bold yellow",
    "excluded": "bold red",
    "not-applicable": "bold blue",
}
_MARKS = {"met": "[green]✔[/]", "unmet": "[red]✘[/]", "unknown": "[yellow]?[/]"}
_APPLIES = {"met": "[red]applies[/]", "unmet": "[green]does not apply[/]", "unknown": "[yellow]unknown[/]"}
_MOST_EVIDENCE = 8


def show(answer: Answer, console: Console) -> None:
    """Print all determinations, then what got none and why."""
    for determination in answer.determinations:
        console.print(_tree(determination))
        console.print()
    for entry in answer.not_evaluated:
        console.print(f"[blue]{escape(entry.order)}[/]: not evaluated, {escape(entry.why)}")
    if answer.payer_note:
        console.print(f"[blue]Payer:[/] {escape(answer.payer_note)}")
    for line in answer.could_not:
        console.print(f"[yellow]Could not be had:[/] {escape(line)}")
    for problem in answer.problems:
        console.print(f"[dim]Read leniently: {escape(problem.where)}: {escape(problem.what)}[/]")
    for left_out in answer.left_out:
        console.print(f"[dim]Left out: {escape(left_out.resource)}: {escape(left_out.why)}[/]")
    if not answer.determinations and not answer.not_evaluated:
        console.print("The request holds no order.")


def _tree(d: Determination) -> Tree:
    policy = d.policy
    style = _OUTCOMES.get(d.outcome, "bold")
    head = f"[{style}]{d.outcome}[/]  [bold]{escape(d.order_label or d.order)}[/] [dim]{escape(d.order)}[/]"
    judged = f"{policy.payer} {policy.title}, version {policy.version}, as of {d.as_of}"
    tree = Tree(f"{head}\n{escape(judged)}")
    if d.coverage is not None:
        coverage = f"coverage {d.coverage.reference}: {d.coverage.payer}, {d.coverage.how}"
        tree.add(f"[dim]{escape(coverage)}[/]")
    _add(tree.add("[bold]criteria[/]"), d.criteria, _MARKS)
    _branch(tree, "exclusions", d.exclusions, _APPLIES)
    _branch(tree, "documentation", d.documentation, _MARKS)
    _branch(tree, "the policy reserves the decision", d.reservations, _APPLIES)
    _texts(tree, "would settle it", d.asks)
    if d.prior_authorization is not None:
        _texts(tree, "prior authorization", [_stated(d.prior_authorization)])
    _texts(tree, "later", [_stated(duty) for duty in d.later])
    _texts(tree, "note", [_stated(caveat) for caveat in d.caveats])
    return tree


def _branch(tree: Tree, title: str, nodes: Iterable[Node], marks: dict[str, str]) -> None:
    nodes = list(nodes)
    if nodes:
        branch = tree.add(f"[bold]{title}[/]")
        for node in nodes:
            _add(branch, node, marks)


def _texts(tree: Tree, title: str, texts: Iterable[str]) -> None:
    texts = list(texts)
    if texts:
        branch = tree.add(f"[bold]{title}[/]")
        for text in texts:
            branch.add(escape(text))


def _add(tree: Tree, node: Node, marks: dict[str, str]) -> None:
    mark = marks.get(node.state, node.state)
    if node.criteria:
        operator = f"at least {node.count_needed} of" if node.operator == "at_least" else node.operator
        branch = tree.add(f"{mark} [magenta]{operator}[/] {escape(node.title or node.says)}".rstrip())
        for inner in node.criteria:
            _add(branch, inner, marks)
        return
    clauses = f" [dim]({escape(', '.join(node.clauses))})[/]" if node.clauses else ""
    reason = f" [yellow]{escape(node.reason)}[/]" if node.reason else ""
    silent = "" if node.evidenced else " [dim](the record is silent)[/]"
    branch = tree.add(f"{mark} {escape(node.says or node.title or node.id)}{clauses}{reason}{silent}")
    _found(branch, node)
    for part in node.parts:
        _part(branch, part, marks)
    if node.state != "met":
        for ask in node.asks:
            branch.add(f"[yellow]→ {escape(ask)}[/]")
    _citation(branch, node.citation)
    if node.interpretation:
        branch.add(f"[italic dim]read as: {escape(node.interpretation)}[/]")


def _part(tree: Tree, part: Part, marks: dict[str, str]) -> None:
    reason = f" [yellow]{escape(part.reason)}[/]" if part.reason else ""
    name = escape(part.label or part.fact or part.operator)
    branch = tree.add(f"{marks.get(part.state, part.state)} {name}{reason}")
    _found(branch, part)
    for inner in part.parts:
        _part(branch, inner, marks)


def _found(tree: Tree, node: Node | Part) -> None:
    for note in node.notes:
        tree.add(f"[cyan]{escape(note)}[/]")
    for evidence in node.evidence[:_MOST_EVIDENCE]:
        tree.add(f"[cyan]{escape(_evidence(evidence))}[/]")
    if len(node.evidence) > _MOST_EVIDENCE:
        tree.add(f"[dim]and {len(node.evidence) - _MOST_EVIDENCE} more[/]")


def _evidence(evidence: Evidence) -> str:
    value = "" if evidence.value is None else f"{value_words(evidence.value)} {evidence.unit}".rstrip()
    shown = ", ".join(part for part in (value, evidence.says, evidence.date) if part)
    origin = f" [{evidence.origin}]" if evidence.origin else ""
    return f"{shown}  {evidence.resource}{origin}".strip()


def _citation(tree: Tree, citation: Cited | None) -> None:
    if citation is not None:
        clause = f" ({citation.clause})" if citation.clause else ""
        tree.add(f'[dim]{escape(citation.source)}{escape(clause)}: "{escape(citation.quote)}"[/]')


def _stated(stated: Stated) -> str:
    answer = f"{stated.answer}: " if stated.answer else ""
    return f"{answer}{stated.says} ({', '.join(stated.clauses)})"
