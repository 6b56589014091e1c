"""The form of drugs.yaml, and reading it strictly."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from mappings.documents import At, nearest, read


class Variant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a code or a name fixes beyond the ingredient."""

    product: str = ""
    formulation: str = ""
    classes: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    rxnorm: tuple[str, ...] = ()
    hcpcs: tuple[str, ...] = ()
    value_sets: tuple[str, ...] = ()


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A drug by its ingredient, a combination (`ingredients`) or a group of drugs (`members`)."""

    name: str
    classes: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()
    rxnorm: tuple[str, ...] = ()
    hcpcs: tuple[str, ...] = ()
    value_sets: tuple[str, ...] = ()
    ingredients: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    variants: tuple[Variant, ...] = ()

    @property
    def identities(self) -> tuple[Variant, ...]:
        """All ways in which the drug is recognised: the plain one first, then brands, then variants."""
        ingredient = Variant(
            aliases=(self.name, *self.aliases),
            rxnorm=self.rxnorm,
            hcpcs=self.hcpcs,
            value_sets=self.value_sets,
        )
        brands = (Variant(product=brand, aliases=(brand,)) for brand in self.brands)
        return (ingredient, *brands, *self.variants)


class Compounded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a compounded drug is recognised."""

    hcpcs: tuple[str, ...]
    words: tuple[str, ...]


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """drugs.yaml; the meaning of the keys is explained there."""

    classes: dict[str, str]
    formulations: dict[str, tuple[str, ...]]
    compounded: Compounded
    drugs: tuple[Entry, ...]


def read_catalogue(path: Path) -> Catalogue:
    """The catalogue in `path`, checked: raises documents.DocumentError with file, line and path."""
    return read(path, Catalogue, _problems)


def plain(text: str) -> str:
    """Lower case, single spaces, plain dashes, no trade marks: the form in which names are searched."""
    return re.sub(r"[\s®™]+", " ", text.lower().replace("–", "-").replace("‑", "-"))


def bare(name: str) -> str:
    """A name without its punctuation: "levodopa-carbidopa" and "levodopa / carbidopa" are the same."""
    return re.sub(r"[\s,/-]+", "", plain(name))


def _problems(catalogue: Catalogue) -> Iterator[tuple[At, str]]:
    names = [entry.name for entry in catalogue.drugs]
    owners: dict[str, tuple[str, int]] = {}
    for i, entry in enumerate(catalogue.drugs):
        at: At = ("drugs", i)
        if names.index(entry.name) != i:
            yield (*at, "name"), f"drug '{entry.name}' is listed twice"
        yield from _unknown(entry.classes, catalogue.classes, "class", (*at, "classes"))
        yield from _unknown(entry.ingredients, names, "drug", (*at, "ingredients"))
        yield from _unknown(entry.members, names, "drug", (*at, "members"))
        for j, variant in enumerate(entry.variants):
            where: At = (*at, "variants", j)
            yield from _unknown(variant.classes, catalogue.classes, "class", (*where, "classes"))
            fixed = (variant.formulation,) if variant.formulation else ()
            yield from _unknown(fixed, catalogue.formulations, "formulation", (*where, "formulation"))
            if not (variant.product or variant.formulation or variant.classes):
                yield where, "a variant fixes a product, a formulation or classes"
        # One code or spelling must lead to one drug, and to one variant of it.
        for j, identity in enumerate(entry.identities):
            for sign in {*identity.rxnorm, *identity.hcpcs, *map(bare, identity.aliases)}:
                owner = owners.setdefault(sign, (entry.name, j))
                if owner != (entry.name, j):
                    yield at, f"'{sign}' of '{entry.name}' already stands for '{owner[0]}'"


def _unknown(words: Iterable[str], known: Iterable[str], kind: str, at: At) -> Iterator[tuple[At, str]]:
    for word in words:
        if word not in known:
            yield at, f"unknown {kind} '{word}'{nearest(word, known)}"
