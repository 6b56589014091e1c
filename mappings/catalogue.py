"""The fact catalogue: what each fact means, its type, and which operators can compute it.

Facts are data (`mappings/facts/*.yaml`, and folders given by the caller). The names are fixed:
they are the linkIds under which a clinician may state a fact and the codes of order parameters.
A fact is computed by the operators of its `from` list, the first that can tell counts, and may
also be stated unless it says `stated: false`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

from mappings.operators import OPERATORS
from mappings.operators.base import Operator
from mappings.yaml_file import Fields, load_mapping

FOLDER = Path(__file__).parent / "facts"
TYPES = ("boolean", "integer", "decimal", "date", "string", "code", "enum", "list")


class Given(Struct, frozen=True):
    """A place in an operator's arguments that the policy fills (`with:` of a criterion)."""

    name: str


class Derivation(Struct, frozen=True):
    """One way to compute a fact: an operator and its arguments."""

    operator: Operator
    arguments: Mapping[str, Any]


class FactDefinition(Struct, frozen=True):
    """One fact of the catalogue.

    type: one of TYPES; a list holds strings. unit: UCUM-like text for display. label: a noun phrase
    for clinicians. ask: the question that would settle it. options: the answers of an enum.
    absent_means_false: silence of the record is a "no" (only where the policy's text makes it so).
    given: names that a criterion must fill in `with`. opposite: a yes-or-no fact that means the
    contrary; a statement of it answers this one too.
    """

    name: str
    type: str
    label: str
    ask: str
    unit: str = ""
    options: tuple[str, ...] = ()
    stated: bool = True
    absent_means_false: bool = False
    derivations: tuple[Derivation, ...] = ()
    given: frozenset[str] = frozenset()
    opposite: str = ""


class Catalogue(Struct, frozen=True):
    """All facts by name."""

    facts: Mapping[str, FactDefinition]

    @classmethod
    def load(cls, *extra_folders: Path) -> Catalogue:
        """Read the packaged facts and those of further folders.

        Raises mappings.yaml_file.DataError naming file, line, path and the nearest spelling.
        """
        facts: dict[str, FactDefinition] = {}
        for folder in (FOLDER, *extra_folders):
            for path in sorted(folder.glob("*.yaml")):
                document = load_mapping(path)
                for name in document:
                    if name in facts:
                        raise document.error(f"the fact {name} is defined twice", name)
                    facts[name] = _fact(name, document.child(name))
        return cls(facts)

    def reads(self, names: Iterable[str]) -> dict[str, set[str] | None]:
        """Resource types that the facts read -> value sets of their codes (None: all codes)."""
        reads: dict[str, set[str] | None] = {}
        for name in names:
            fact = self.facts[name]
            for derivation in fact.derivations:
                operator = derivation.operator
                for kind in operator.reads:
                    sets = operator.code_sets(derivation.arguments) if kind in operator.filtered else None
                    known = reads.get(kind, set())
                    reads[kind] = None if sets is None or known is None else known | sets
        return reads


def _fact(name: str, fields: Fields) -> FactDefinition:
    derivations = tuple(_derivation(item) for item in fields.children("from"))
    fact = FactDefinition(
        name=name,
        type=fields.choice("type", TYPES),
        label=fields.text("label"),
        ask=fields.text("ask", ""),
        unit=fields.text("unit", ""),
        options=fields.texts("options"),
        stated=fields.flag("stated", True),
        absent_means_false=fields.flag("absent_means_false", False),
        derivations=derivations,
        opposite=fields.text("opposite", ""),
        given=frozenset(
            value.name
            for derivation in derivations
            for value in derivation.arguments.values()
            if isinstance(value, Given)
        ),
    )
    if fact.opposite and fact.type != "boolean":
        raise fields.error(f"only a boolean has an opposite, and this fact is {fact.type}", "opposite")
    if fact.type == "enum" and not fact.options:
        raise fields.error("an enum needs its options", "options")
    fields.done()
    return fact


def _derivation(fields: Fields) -> Derivation:
    name = fields.only_key(OPERATORS)
    operator = OPERATORS[name]
    inner = fields.child(name)
    arguments: dict[str, Any] = {}
    for argument in inner:
        value = inner.take(argument)
        if isinstance(value, dict) and set(value) == {"given"}:
            value = Given(str(value["given"]))
        elif isinstance(value, list):
            value = tuple(value)
        arguments[argument] = value
    problem = operator.misfit(arguments)
    if problem:
        raise inner.error(problem, "")
    return Derivation(operator, arguments)
