"""`coverage-hooks policy ...`: what a policy analyst needs to write, check and compare policies."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from cds_service.compare_cli import compare
from cds_service.questionnaire_cli import print_questionnaire
from mappings.yaml_file import DataError
from policies.cases import load_cases, misses, run
from policies.clauses import MISSING, clause_rows
from policies.comparison import COMPARISON
from policies.coverage import coverage
from policies.diff import diff
from policies.engine import Engine
from policies.lint import lint
from policies.loader import load_policy
from policies.model import Compound, Condition, Criterion, Group, Node, Policy
from policies.scaffold import scaffold
from policies.schema import json_schema

Command = Callable[[argparse.Namespace, Console], int]


def add_commands(subcommands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `policy` with its subcommands to the command line."""
    parser = subcommands.add_parser("policy", help="write, check and compare policies")
    inner = parser.add_subparsers(dest="policy_command", required=True, metavar="COMMAND")

    def add(name: str, help_: str, command: Command) -> argparse.ArgumentParser:
        sub = inner.add_parser(name, help=help_)
        sub.add_argument(
            "--policy-dir", action="append", type=Path, default=[], help="a further folder of policies"
        )
        sub.set_defaults(run=command)
        return sub

    new = add("new", "start a policy folder with loadable files", _new)
    new.add_argument("payer")
    new.add_argument("topic")
    new.add_argument("--in", dest="folder", type=Path, default=Path(), help="where (default: here)")
    check = add("lint", "what to mend before a policy goes into force", _lint)
    check.add_argument("--sources", type=Path, help="folder of the source texts, to check quotes against")
    for name, help_, command in (
        ("test", "run the cases", _test),
        ("coverage", "criteria that no case shows met, unmet or unknown", _coverage),
        ("clauses", "how every clause of the document is accounted for", _clauses),
        ("show", "the policy as a tree", _show),
    ):
        sub = add(name, help_, command)
        sub.add_argument("id", nargs="?", help="policy id or id@version (default: all)")
        if name == "clauses":
            sub.add_argument("--summary", action="store_true", help="counts only")
    changes = add("diff", "what changes between two versions", _diff)
    changes.add_argument("old", type=Path, help="policy.yaml of the old version")
    changes.add_argument("new", type=Path, help="policy.yaml of the new version")
    form = add("questionnaire", "the questionnaire of a service, as FHIR", print_questionnaire)
    form.add_argument("id", help="policy id or id@version")
    form.add_argument("service", help="service of the policy, as `policy show` names it")
    matrix = add("compare", "how the policies answer the same situations", compare)
    matrix.add_argument("--table", type=Path, default=COMPARISON, help="a table of situations of your own")
    matrix.add_argument("--only", default="", metavar="TEXT", help="situations whose name holds this text")
    add("schema", "a JSON Schema of policy.yaml for editors", _schema)


def _engine(arguments: argparse.Namespace) -> Engine:
    return Engine.load(*arguments.policy_dir)


def _chosen(engine: Engine, name: str | None) -> Sequence[Policy]:
    if name is None:
        return engine.registry.policies
    policy = engine.registry.find(name)
    if policy is None:
        known = ", ".join(p.id for p in engine.registry.policies)
        raise SystemExit(f"there is no policy {name}; loaded: {known}")
    return [policy]


def _new(arguments: argparse.Namespace, console: Console) -> int:
    try:
        written = scaffold(arguments.folder, arguments.payer, arguments.topic, date.today())
    except (ValueError, FileExistsError) as error:
        console.print(f"[red]{escape(str(error))}[/]")
        return 2
    for path in written:
        console.print(f"wrote {path}")
    console.print(
        "Next: add the payer to a payers.yaml, write the criteria, then `policy lint` and `policy test`."
    )
    return 0


def _lint(arguments: argparse.Namespace, console: Console) -> int:
    engine = _engine(arguments)
    findings = lint(engine.registry.policies, engine.catalogue, date.today(), arguments.sources)
    for finding in findings:
        colour, word = ("red", "error") if finding.error else ("yellow", "warning")
        console.print(f"[{colour}]{word}[/] {finding.policy}:{finding.line}: {escape(finding.what)}")
    errors = sum(finding.error for finding in findings)
    console.print(
        f"{len(engine.registry.policies)} policies, {errors} errors, {len(findings) - errors} warnings"
    )
    return 1 if errors else 0


def _test(arguments: argparse.Namespace, console: Console) -> int:
    engine = _engine(arguments)
    passed = failed = 0
    for policy in _chosen(engine, arguments.id):
        for case in load_cases(policy, engine.catalogue):
            found = misses(case, run(case, policy, engine.catalogue, engine.value_sets))
            passed, failed = passed + (not found), failed + bool(found)
            if found:
                console.print(f"[red]failed[/] {policy.id}: {escape(case.name)} ({case.file}:{case.line})")
                for miss in found:
                    console.print(f"    {escape(miss)}")
    console.print(f"{passed} cases passed, {failed} failed")
    return 1 if failed else 0


def _coverage(arguments: argparse.Namespace, console: Console) -> int:
    engine = _engine(arguments)
    mistakes = 0
    for policy in _chosen(engine, arguments.id):
        rows = coverage(policy, engine.catalogue, engine.value_sets)
        covered = [row for row in rows if not row.missing and not row.contradicted]
        mistakes += len(rows) - len(covered)
        share = 100.0 * len(covered) / len(rows) if rows else 100.0
        console.print(f"{policy.reference}: {len(covered)} of {len(rows)} covered, {share:.1f} %")
        for row in rows:
            if row.missing:
                said = f"no case shows it {', '.join(row.missing)}"
                console.print(f"    line {row.line} {escape(row.name)}: {said}")
            if row.contradicted:
                said = f"cannot be {', '.join(row.contradicted)}, yet a case shows it"
                console.print(f"    line {row.line} {escape(row.name)}: {said}")
    return 1 if mistakes else 0


def _clauses(arguments: argparse.Namespace, console: Console) -> int:
    engine = _engine(arguments)
    missing = 0
    for policy in _chosen(engine, arguments.id):
        rows = clause_rows(policy)
        counts = Counter(row.how for row in rows)
        missing += counts[MISSING]
        said = ", ".join(f"{count} {how}" for how, count in sorted(counts.items()))
        console.print(f"[bold]{policy.reference}[/]: {len(rows)} clauses: {said}")
        for row in () if arguments.summary else rows:
            places = "; ".join(f"{place.by} (line {place.line})" for place in row.places)
            colour = "red" if row.how == MISSING else "default"
            console.print(f"  [{colour}]{row.clause:34} {row.how:14}[/] {escape(places)}", highlight=False)
    return 1 if missing else 0


def _show(arguments: argparse.Namespace, console: Console) -> int:
    engine = _engine(arguments)
    for policy in _chosen(engine, arguments.id):
        tree = Tree(f"[bold]{policy.title}[/] ({policy.reference}, {policy.payer})")
        tree.add(
            f"in force from {policy.effective_from}"
            + (f" to {policy.effective_to}" if policy.effective_to else "")
        )
        for title, criteria in (("referrals", policy.referrals), ("scope", policy.scope)):
            _branch(tree, title, criteria)
        for service in policy.services:
            _add_node(tree.add(f"[bold cyan]{escape(service.title)}[/] ({service.id})"), service.criteria)
        _branch(tree, "exclusions", policy.exclusions)
        _branch(tree, "documentation", policy.documentation)
        console.print(tree)
    return 0


def _branch(tree: Tree, title: str, criteria: Sequence[Criterion]) -> None:
    if criteria:
        branch = tree.add(f"[bold]{title}[/]")
        for criterion in criteria:
            _add_node(branch, criterion)


def _add_node(tree: Tree, node: Node) -> None:
    if isinstance(node, Group):
        operator = f"at least {node.count} of" if node.operator == "at_least" else node.operator
        branch = tree.add(f"[magenta]{operator}[/] {escape(node.title)}")
        for inner in node.nodes:
            _add_node(branch, inner)
        return
    branch = tree.add(f"{escape(node.says)} [dim]({', '.join(node.clauses)})[/]")
    if node.condition is not None:
        branch.add(f"[green]{escape(' '.join(_condition_words(node.condition)))}[/]")
    branch.add(f'[dim]"{escape(node.citation.quote)}"[/]')
    if node.interpretation:
        branch.add(f"[yellow]{escape(node.interpretation)}[/]")


def _condition_words(condition: Condition) -> Iterator[str]:
    if not isinstance(condition, Compound):
        yield f"{condition.fact} is {condition.predicate.demand}"
        return
    yield f"{condition.operator} ("
    for index, part in enumerate(condition.parts):
        if index:
            yield ","
        yield from _condition_words(part)
    yield ")"


def _diff(arguments: argparse.Namespace, console: Console) -> int:
    engine = _engine(arguments)
    try:
        old, new = (
            load_policy(p, engine.catalogue, engine.value_sets) for p in (arguments.old, arguments.new)
        )
    except DataError as error:
        console.print(f"[red]{escape(str(error))}[/]")
        return 2
    changes = diff(old, new, engine.catalogue, engine.value_sets)
    for change in changes:
        console.print(f"[bold]{change.kind}[/] {escape(change.name)}")
        console.print(f"    [red]- {escape(change.before)}[/]")
        console.print(f"    [green]+ {escape(change.after)}[/]")
    console.print(f"{len(changes)} differences")
    return 0


def _schema(arguments: argparse.Namespace, console: Console) -> int:
    engine = _engine(arguments)
    console.print_json(json.dumps(json_schema(engine.catalogue, engine.value_sets)))
    return 0
