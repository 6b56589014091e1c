"""What a run found and what changed between two, as tables for the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cds_service.population.diff import Difference
from cds_service.population.finish import Summary
from cds_service.population.tally import Counts

OUTCOMES = {
    "met": "met",
    "needs-documentation": "needs doc.",
    "not-met": "not met",
    "excluded": "excluded",
    "not-applicable": "n/a",
}
_MOST = 12


def show_summary(summary: Summary, console: Console) -> None:
    """The numbers that matter first; summary.json has them all."""
    found = summary.found
    console.print(
        f"{summary.orders} orders of {found.patients} patients: {found.answered} answered with "
        f"{found.determinations} determinations, {sum(found.not_evaluated.values())} not evaluated; "
        f"{found.problems} problems in lines",
        highlight=False,
    )
    outcomes = _table("by policy", "policy", *OUTCOMES.values())
    for name, policy in found.policies.items():
        _add(outcomes, name, policy.outcomes)
    console.print(outcomes)
    payers = _table("by payer", "payer of the coverage", *OUTCOMES.values())
    for name, counts in found.payers.items():
        _add(payers, name, counts)
    console.print(payers)
    for name, policy in found.policies.items():
        criteria = _table(f"what lacks most, {name}", "criterion", "lacking", "met", "unmet", "unknown")
        lacking = sorted(policy.criteria.items(), key=lambda item: (-item[1].lacking, item[0]))
        for criterion, tally in lacking[:_MOST]:
            if tally.lacking:
                states = (tally.states.get(state, 0) for state in ("met", "unmet", "unknown"))
                words = f"{escape(tally.says)} [dim]({criterion})[/]"
                criteria.add_row(words, *map(str, (tally.lacking, *states)))
        if criteria.row_count:
            console.print(criteria)
    for why, count in found.not_evaluated.items():
        console.print(f"{count} orders not evaluated: {escape(why)}", highlight=False)


def _table(title: str, first: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold")
    table.add_column(first)
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _add(table: Table, name: str, counts: Counts) -> None:
    table.add_row(escape(name), *(str(counts.get(outcome, 0)) for outcome in OUTCOMES))


def show_difference(difference: Difference, console: Console) -> None:
    """How many answers change, by policy and criterion."""
    console.print(
        f"{difference.compared} determinations compared: {difference.outcome_changed} with another outcome, "
        f"{difference.only_criteria} with the same outcome by other criteria",
        highlight=False,
    )
    table = _table("what changes", "policy, criterion", "before -> after", "orders")
    for policy, changes in difference.policies.items():
        for change, count in changes.outcomes.items():
            table.add_row(f"[bold]{escape(policy)}[/]", change, str(count))
        for criterion, states in changes.criteria.items():
            for change, count in states.items():
                table.add_row(f"  {escape(criterion)}", change, str(count))
    if table.row_count:
        console.print(table)
