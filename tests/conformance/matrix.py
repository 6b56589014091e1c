"""The matrix of docs/conformance.md: every rule for a server, and the tests that check it.

Run: python -m tests.conformance.matrix writes the document; a test fails while it is stale. The
tests are found by their marks (`@pytest.mark.req("A4.37")`) in the source, so that writing the
matrix runs nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

TESTS = Path(__file__).parent.parent
RULES = Path(__file__).parent / "rules.yaml"
DOCUMENT = TESTS.parent / "docs" / "conformance.md"

_INTRODUCTION = """\
# Conformance

What CDS Hooks 2.0.1 (CH2) and 3.0.0-ballot (CH3), the hook library (LIB) and Da Vinci CRD 2.0.1 (C20), 2.1.0 (C21) and
2.2.1 (C22) ask of a server, and the tests that check it. Level: S shall, S! shall not, D should, M may, (c) under a
condition. A rule without a test says why. Written by `python -m tests.conformance.matrix`; a test fails while it is stale.
"""


class Rule(NamedTuple):
    number: str
    level: str
    text: str
    source: str


def rules() -> tuple[dict[str, str], list[Rule], dict[str, str]]:
    """Title of each section, all rules, and why some have no test."""
    document = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    found = [Rule(name, row["level"], row["rule"], row["source"]) for name, row in document["rules"].items()]
    return document["sections"], found, document["untested"]


def marked() -> dict[str, list[str]]:
    """Number of a rule -> the tests that are marked with it, as file::function."""
    found: dict[str, list[str]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        if "mark.req" not in text:
            continue
        tree = ast.parse(text)
        whole = [number for node in tree.body if _is_pytestmark(node) for number in _numbers(node)]
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                name = f"{path.relative_to(TESTS).as_posix()}::{node.name}"
                for number in dict.fromkeys((*whole, *(n for d in node.decorator_list for n in _numbers(d)))):
                    found.setdefault(number, []).append(name)
    return found


def document() -> str:
    """The text of docs/conformance.md."""
    sections, all_rules, untested = rules()
    tests = marked()
    lines = [_INTRODUCTION]
    checked = sum(rule.number in tests for rule in all_rules)
    lines.append(
        f"{len(all_rules)} rules: {checked} with a test, {len(all_rules) - checked} with a reason.\n"
    )
    for section, title in sections.items():
        lines += [
            f"## {section} {title}",
            "",
            "| # | level | rule | source | tests |",
            "|---|---|---|---|---|",
        ]
        for rule in all_rules:
            if rule.number.partition(".")[0] == section:
                shown = "<br>".join(f"`{name}`" for name in tests.get(rule.number, ()))
                cells = (rule.number, rule.level, rule.text, rule.source, shown or untested[rule.number])
                lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        lines.append("")
    return "\n".join(lines)


def _is_pytestmark(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id == "pytestmark" for target in node.targets
    )


def _numbers(node: ast.AST) -> Iterator[str]:
    """The numbers in `pytest.mark.req(...)` calls within a node, those of pytest.param marks included."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.req":
            yield from (str(argument.value) for argument in call.args if isinstance(argument, ast.Constant))


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
