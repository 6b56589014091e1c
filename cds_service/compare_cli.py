"""`coverage-hooks policy compare`: how the policies answer the same situations."""

from __future__ import annotations

import argparse

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from policies.comparison import NOT_ADDRESSED, Comparison, Situation, answer, load_comparison
from policies.engine import Engine

_COLOURS = {"met": "green", "not-met": "red", "excluded": "red", "needs-documentation": "yellow"}


def compare(arguments: argparse.Namespace, console: Console) -> int:
    """Print the table; 1 when some policy answers otherwise than its document. Raises DataError."""
    engine = Engine.load(*arguments.policy_dir)
    comparison = load_comparison(arguments.table, engine.catalogue)
    wanted = arguments.only.casefold()
    situations = [s for s in comparison.situations if wanted in s.name.casefold()]
    names = [policy.name for policy in comparison.policies]
    table = Table(Column("situation", ratio=2), *names, title=f"orders of {comparison.as_of}")
    table.caption = "–: not addressed; in brackets: the document leaves it open"
    decided = wrong = 0
    for situation in situations:
        cells = _answers(comparison, situation, engine)
        decided += len(situation.answers)
        wrong += sum(cells[name] != said for name, said in situation.answers.items())
        table.add_row(escape(situation.name), *(_cell(cells[name], situation, name) for name in names))
    console.print(table)
    console.print(f"{decided} answers that the documents decide, {wrong} of them otherwise")
    return 1 if wrong else 0


def _answers(comparison: Comparison, situation: Situation, engine: Engine) -> dict[str, str]:
    return {policy.name: answer(comparison, policy, situation, engine) for policy in comparison.policies}


def _cell(found: str, situation: Situation, name: str) -> str:
    """The answer; in brackets where the document leaves it open, with what it should be where it is wrong."""
    said = situation.answers.get(name)
    words = "–" if found == NOT_ADDRESSED else found
    if said is None:
        return f"({words})"
    text = f"[{_COLOURS.get(found, 'dim')}]{words}[/]"
    return text if found == said else f"{text} [bold red]expected {said}[/]"
