"""Which order would settle which fact (orderables.yaml, and files beside further policies)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from mappings.catalogue import Catalogue
from mappings.codes import systems
from mappings.fhir import RESOURCE_TYPES, Coding
from mappings.terminology import ValueSets
from mappings.yaml_file import Fields, allowed_words, load_mapping

FILE = "orderables.yaml"
_PACKAGED = Path(__file__).parent / FILE


class Item(Struct, frozen=True):
    """One service to order. codes: what it is, in one or more code systems. performer: who is to do it."""

    codes: tuple[Coding, ...]
    performer: Coding | None = None


class Choice(Struct, frozen=True):
    """One way to order it; its items go together."""

    says: str
    items: tuple[Item, ...]


class Orderable(Struct, frozen=True):
    """What can be ordered for a fact.

    says: a noun phrase for clinicians. record: resource type of the result. same: value sets whose
    codes count as the same order. also_unmet: the order mends a "no" too, not only an unknown.
    """

    name: str
    says: str
    record: str
    choices: tuple[Choice, ...]
    same: tuple[str, ...] = ()
    also_unmet: bool = False


class Orderables(Struct, frozen=True):
    """The orderables by the facts that they settle."""

    by_fact: Mapping[str, Orderable] = {}

    @classmethod
    def load(cls, catalogue: Catalogue, value_sets: ValueSets, *extra_files: Path) -> Orderables:
        """Read the packaged file and further ones.

        Raises mappings.yaml_file.DataError naming file, line, path and the nearest spelling.
        """
        found: dict[str, Orderable] = {}
        for path in (_PACKAGED, *extra_files):
            document = load_mapping(path)
            for name in document:
                fields = document.child(name)
                facts = fields.texts("facts")
                for fact in facts:
                    _known(fields, "facts", fact, catalogue.facts)
                    if fact in found:
                        raise fields.error(f"{fact} is settled by {found[fact].name} already", "facts")
                orderable = _orderable(name, fields, value_sets)
                found |= dict.fromkeys(facts, orderable)
        return cls(found)


def _orderable(name: str, fields: Fields, value_sets: ValueSets) -> Orderable:
    same = fields.texts("same")
    for value_set in same:
        _known(fields, "same", value_set, value_sets.ids)
    orderable = Orderable(
        name=name,
        says=fields.text("says"),
        record=fields.choice("record", RESOURCE_TYPES),
        choices=tuple(_choice(choice) for choice in fields.children("choices")),
        same=same,
        also_unmet=fields.flag("also_unmet", False),
    )
    if not orderable.choices:
        raise fields.error("name at least one way to order it", "choices")
    fields.done()
    return orderable


def _choice(fields: Fields) -> Choice:
    choice = Choice(fields.text("says"), tuple(_item(item) for item in fields.children("items")))
    if not choice.items:
        raise fields.error("name at least one service to order", "items")
    fields.done()
    return choice


def _item(fields: Fields) -> Item:
    codes = tuple(_coding(code) for code in fields.children("codes"))
    if not codes:
        raise fields.error("a service needs its code", "codes")
    item = Item(codes, _coding(fields.child("performer")) if "performer" in fields else None)
    fields.done()
    return item


def _coding(fields: Fields) -> Coding:
    known = systems()
    system = known[fields.choice("system", known)].uri
    coding = Coding(system=system, code=fields.text("code"), display=fields.text("display"))
    fields.done()
    return coding


def _known(fields: Fields, key: str, name: str, allowed: Mapping[str, object] | tuple[str, ...]) -> None:
    if name not in allowed:
        raise fields.error(f"unknown {name!r}; {allowed_words(name, allowed)}", key)
