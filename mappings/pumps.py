"""Which infusion pump a code or a model name stands for (pumps.yaml).

Codes decide; names tell the model, and the class only where no code does. A name that is a
family whose members differ (Omnipod, MiniMed) leaves open what differs.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Literal

from msgspec import Struct

from mappings.codes import HCPCS, canonical_system, order_code, order_codes
from mappings.documents import At, read
from mappings.fhir import CodeableConcept
from mappings.tables import table
from mappings.words import folded, has_words

PumpClass = Literal[
    "implantable-programmable",
    "implantable-fixed",
    "implantable",
    "reservoir",
    "external-ambulatory",
    "external-stationary",
    "external-insulin",
    "disposable",
    "infusion-controller",
]
IMPLANTABLE = ("implantable-programmable", "implantable-fixed", "implantable")
"""The classes of implanted pumps; "implantable" where the code leaves open which."""

Kind = Literal[
    "pump", "placement", "component", "catheter", "port", "supply", "accessory", "procedure", "other"
]


class Item(Struct, frozen=True, forbid_unknown_fields=True, rename={"pump_class": "class"}):
    """What a code stands for; the fields are explained in pumps.yaml."""

    kind: Kind
    says: str
    pump_class: PumpClass | None = None
    insulin: bool = False
    cgm_linked: bool = False
    disposable: bool = False
    replacement: bool = False

    @property
    def is_pump(self) -> bool:
        """A pump, or what puts one into use."""
        return self.kind in ("pump", "placement")


class Model(Struct, frozen=True, forbid_unknown_fields=True, rename={"pump_class": "class"}):
    """A pump sold under a name. None: members of the family differ."""

    name: str
    maker: str
    aliases: tuple[str, ...]
    pump_class: PumpClass
    insulin: bool = False
    disposable: bool = False
    basal_only: bool = False
    wireless_to_cgm: bool | None = None
    automation: Literal["none", "low-glucose-suspend", "hybrid-closed-loop", "closed-loop"] | None = None

    @property
    def is_family(self) -> bool:
        """Whether the name leaves open which insulin pump it is."""
        return self.insulin and self.wireless_to_cgm is None

    @property
    def full_name(self) -> str:
        return self.name if has_words(self.name, self.maker.split()[0]) else f"{self.maker} {self.name}"


class _Words(Struct, frozen=True, forbid_unknown_fields=True, rename={"every": "all", "pump_class": "class"}):
    every: tuple[str, ...]
    pump_class: PumpClass
    none: tuple[str, ...] = ()


class _Document(Struct, frozen=True, forbid_unknown_fields=True):
    items: dict[str, dict[str, Item]]
    words: tuple[_Words, ...]
    models: tuple[Model, ...]
    named: dict[PumpClass, str] = {}
    no_pump: tuple[str, ...] = ()


_REMEMBERED = 4096


class Pumps:
    """The known codes and models, indexed. Built once, then only read."""

    def __init__(self, document: _Document) -> None:
        self._words = document.words
        self._code_of = document.named
        self._no_pump = document.no_pump
        self._items = {
            (canonical_system(system), code): item
            for system, items in document.items.items()
            for code, item in items.items()
        }
        aliases = [(folded(alias), model) for model in document.models for alias in model.aliases]
        self._aliases = sorted(aliases, key=lambda pair: len(pair[0]), reverse=True)
        self._beginnings = tuple(f"{alias} " for alias, _ in self._aliases)
        self._named = lru_cache(_REMEMBERED)(self._read_name)

    @classmethod
    def load(cls, path: Path = Path(__file__).parent / "pumps.yaml") -> Pumps:
        """Read a table of pumps. Raises mappings.documents.DocumentError."""
        return cls(read(path, _Document, _problems))

    def item(self, system: str, code: str) -> Item | None:
        """What a canonical (system, code) stands for; None for a code that is not listed."""
        return self._items.get((system, code))

    def items(self, codes: Iterable[tuple[str, str]]) -> list[Item]:
        """The listed items among canonical codes."""
        return [item for code in codes if (item := self._items.get(code)) is not None]

    def model(self, *texts: str) -> Model | None:
        """The model that texts name: the longest alias. None if none is named, or two that differ."""
        named = {model.name: model for text in texts if (model := self._named(text)) is not None}
        if len(named) > 1:
            # "Omnipod" beside "Omnipod 5" is the family beside its member.
            named = {
                name: model
                for name, model in named.items()
                if not any(other != name and has_words(other, name) for other in named)
            }
        return next(iter(named.values())) if len(named) == 1 else None

    def _read_name(self, text: str) -> Model | None:
        found: dict[str, Model] = {}
        rest = f" {folded(text)} "
        for alias, model in self._aliases:
            if f" {alias} " in rest:
                found[model.name] = model
                rest = rest.replace(f" {alias} ", " | ")
        return next(iter(found.values())) if len(found) == 1 else None

    def class_of_words(self, *texts: str) -> PumpClass | None:
        """The class of pump that an uncoded order describes in words; None when it is not clear."""
        text = " | ".join(texts)
        for words in self._words:
            if all(has_words(text, phrase) for phrase in words.every) and not any(
                has_words(text, phrase) for phrase in words.none
            ):
                return words.pump_class
        return None

    def class_of_name(self, *texts: str) -> PumpClass | None:
        """The class of the model that texts name, else of the pump that they describe."""
        model = self.model(*texts)
        return model.pump_class if model is not None else self.class_of_words(*texts)

    def codes_by_name(self, concept: CodeableConcept | None) -> tuple[tuple[str, str], ...]:
        """The HCPCS code of a pump of the kind that an item without a known code names; () for none."""
        if concept is None or order_code(concept) is not None or self.items(order_codes(concept)):
            return ()
        texts = texts_of(concept)
        if any(has_words(text, word) for text in texts for word in self._no_pump):
            return ()
        named = self.class_of_name(*texts)
        return ((HCPCS, self._code_of[named]),) if named in self._code_of else ()

    def begins_with_model(self, concept: CodeableConcept | None) -> bool:
        """Whether an item is called by the name of a model: a drug "for use in" one is not."""
        return any(f"{folded(text)} ".startswith(self._beginnings) for text in texts_of(concept))


def _problems(document: _Document) -> Iterable[tuple[At, str]]:
    for system, items in document.items.items():
        for code, item in items.items():
            if (item.pump_class is not None) != (item.kind in ("pump", "placement", "component")):
                yield ("items", system, code), "a pump, placement or component has a class, and nothing else"
    seen: dict[str, str] = {}
    for index, model in enumerate(document.models):
        for alias in model.aliases:
            other = seen.setdefault(folded(alias), model.name)
            if other != model.name:
                yield ("models", index, "aliases"), f"'{alias}' names {other} too"


@table
def pumps() -> Pumps:
    """The packaged table."""
    return Pumps.load()


def texts_of(concept: CodeableConcept | None) -> tuple[str, ...]:
    """The words of a concept: its text and the displays of its codings."""
    if concept is None:
        return ()
    return tuple(text for text in (concept.text, *(c.display for c in concept.coding)) if text)
