"""Which drug a CodeableConcept names: ingredient, classes, formulation and product.

Codes go before words, because displays and texts are often another drug's or only a class. Words
decide where codes are missing, unknown or leave the drug open, and add what codes do not say (a
brand, "liposomal", a second drug in the reservoir).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path

import msgspec

from mappings.codes import HCPCS, RXNORM, canonical, key
from mappings.drug_catalogue import Catalogue, Variant, bare, plain, read_catalogue
from mappings.fhir import CodeableConcept, Coding
from mappings.terminology import ValueSets

_PACKAGED = Path(__file__).parent / "drugs.yaml"
_Found = Mapping[str, list[Variant]]
# The text of a concept, and system, code and display of each of its codings.
_Written = tuple[str, tuple[tuple[str, str, str], ...]]
_REMEMBERED = 4096


class Drug(msgspec.Struct, frozen=True):
    """An identified drug.

    `name` is the ingredient in lower case ("a/b" for a combination); for a product whose ingredient
    stays open, the name of its group ("opioid"). `formulation` (conventional, liposomal,
    lipid-complex) and `product` (the brand) are empty unless a code or a name fixes them, and when
    two of them disagree.
    """

    name: str
    classes: tuple[str, ...]
    formulation: str = ""
    product: str = ""


class Drugs:
    """The drug catalogue, indexed by code, value set and spelling. Built once, then only read."""

    def __init__(self, catalogue: Catalogue, value_sets: ValueSets) -> None:
        """Index `catalogue`; raises UnknownValueSetError when it names a set that is not loaded."""
        self._value_sets = value_sets
        self._entries = {entry.name: entry for entry in catalogue.drugs}
        combinations = (entry for entry in catalogue.drugs if entry.ingredients)
        self._combinations = sorted(combinations, key=lambda entry: -len(entry.ingredients))
        self._formulations = {form: _pattern(words) for form, words in catalogue.formulations.items()}
        self._compounding = {canonical(HCPCS, code) for code in catalogue.compounded.hcpcs}
        self._compounding_words = _pattern(catalogue.compounded.words)
        self._codes: dict[tuple[str, str], list[tuple[str, Variant]]] = {}
        self._sets: dict[str, list[tuple[str, Variant]]] = {}
        self._spellings: dict[str, tuple[str, Variant]] = {}
        aliases: list[str] = []
        for entry in catalogue.drugs:
            for identity in entry.identities:
                codes = [canonical(RXNORM, code) for code in identity.rxnorm]
                for code in (*codes, *(canonical(HCPCS, code) for code in identity.hcpcs)):
                    self._codes.setdefault(code, []).append((entry.name, identity))
                for set_id in identity.value_sets:
                    value_sets.title(set_id)
                    self._sets.setdefault(set_id, []).append((entry.name, identity))
                for alias in identity.aliases:
                    self._spellings.setdefault(bare(alias), (entry.name, identity))
                aliases += identity.aliases
        self._words = _pattern(aliases)
        # The same names come with every request; none of these remembers more than a few thousand.
        self._in_concepts = lru_cache(_REMEMBERED)(self._read_concepts)
        self._in_text = lru_cache(_REMEMBERED)(self._read_text)
        self._formulation_words = lru_cache(_REMEMBERED)(self._read_formulation)

    @classmethod
    def load(cls, value_sets: ValueSets | None = None) -> Drugs:
        """The packaged catalogue over `value_sets` (the packaged ones by default).

        Raises documents.DocumentError or UnknownValueSetError when the catalogue is broken.
        """
        return cls(read_catalogue(_PACKAGED), value_sets or ValueSets.load())

    def identify(self, concept: CodeableConcept | None) -> Drug | None:
        """The drug that `concept` names; None when it names none, or more than one."""
        found = self.identify_all(concept)
        return found[0] if len(found) == 1 else None

    def identify_all(self, *concepts: CodeableConcept | None) -> tuple[Drug, ...]:
        """All drugs that `concepts` name together: those of a mixture ("morphine + bupivacaine"), or of
        the code and the ingredients of one Medication."""
        return self._in_concepts(tuple(_written(concept) for concept in concepts if concept is not None))

    def members(self, name: str) -> tuple[str, ...]:
        """The drugs that a group ("insulin") may stand for; () for a single drug."""
        entry = self._entries.get(name)
        return entry.members if entry is not None else ()

    def is_compounded(self, concept: CodeableConcept | None) -> bool:
        """Whether `concept` says that a pharmacy mixes the drug (J7999, or the word)."""
        if concept is None:
            return False
        if any(key(coding) in self._compounding for coding in concept.coding):
            return True
        return bool(self._compounding_words.search(plain(concept.text)))

    def _read_concepts(self, concepts: tuple[_Written, ...]) -> tuple[Drug, ...]:
        found: dict[str, list[Variant]] = {}
        for text, codings in concepts:
            coding = tuple(Coding(system=s, code=code, display=display) for s, code, display in codings)
            for name, identities in self._in_concept(CodeableConcept(text=text, coding=coding)).items():
                found.setdefault(name, []).extend(identities)
        return tuple(self._drug(name, identities) for name, identities in self._settled(found).items())

    def _in_concept(self, concept: CodeableConcept) -> _Found:
        displays = " ; ".join(coding.display for coding in concept.coding)
        stated, shown = self._in_text(concept.text), self._in_text(displays)
        found = self._in_codes(concept, {**shown, **stated}) or stated or shown
        # A text that names the coded drug and another one describes a mixture; a text that names
        # only another drug is wrong.
        if set(stated) > set(found):
            found = {**stated, **found}
        words = self._formulation_words(f"{concept.text} ; {displays}")
        return {
            name: [
                *found[name],
                *stated.get(name, ()),
                *shown.get(name, ()),
                *(words if self._forms(name) else ()),
            ]
            for name in found
        }

    def _in_codes(self, concept: CodeableConcept, worded: _Found) -> _Found:
        """Drugs by code; `worded` tells which member of a group a product is."""
        found: dict[str, list[Variant]] = {}
        for coding in concept.coding:
            hits = self._codes.get(key(coding), [])
            if not hits:
                ids = sorted(self._value_sets.memberships(coding.system, coding.code))
                hits = [hit for set_id in ids for hit in self._sets.get(set_id, ())]
                groups = [hit for hit in hits if self._entries[hit[0]].members]
                hits = [hit for hit in hits if hit not in groups] or self._members(groups, worded)
            for name, identity in hits:
                found.setdefault(name, []).append(identity)
        return self._settled(found)

    def _members(self, groups: list[tuple[str, Variant]], worded: _Found) -> list[tuple[str, Variant]]:
        """The members that the words name, of the narrowest group; the group itself if they name none."""
        if not groups:
            return []
        group, identity = min(groups, key=lambda hit: len(self._entries[hit[0]].members))
        named = [name for name in worded if name in self._entries[group].members]
        return [(name, identity) for name in named] or [(group, identity)]

    def _read_text(self, text: str) -> _Found:
        found: dict[str, list[Variant]] = {}
        for match in self._words.finditer(plain(text)):
            name, identity = self._spellings[bare(match[0])]
            found.setdefault(name, []).append(identity)
        return self._settled(found)

    def _settled(self, found: _Found) -> _Found:
        """Ingredients of a combination become the combination; a group gives way to its members."""
        settled = dict(found)
        for entry in self._combinations:
            if settled.keys() >= set(entry.ingredients):
                parts = {name: settled.pop(name) for name in entry.ingredients}
                settled[entry.name] = [*settled.get(entry.name, ()), *parts.get(entry.name, ())]
        for name in list(settled):
            if settled.keys() & set(self._entries[name].members):
                del settled[name]
        return settled

    def _forms(self, name: str) -> bool:
        return any(variant.formulation for variant in self._entries[name].variants)

    def _read_formulation(self, texts: str) -> list[Variant]:
        text = plain(texts)
        for formulation, words in self._formulations.items():
            if words.search(text):
                return [Variant(formulation=formulation)]
        return []

    def _drug(self, name: str, identities: list[Variant]) -> Drug:
        formulations = {identity.formulation for identity in identities} - {""}
        products = {identity.product for identity in identities} - {""}
        extra = (kind for identity in identities for kind in identity.classes)
        return Drug(
            name=name,
            classes=tuple(dict.fromkeys((*self._entries[name].classes, *extra))),
            formulation=formulations.pop() if len(formulations) == 1 else "",
            product=products.pop() if len(products) == 1 else "",
        )


def _written(concept: CodeableConcept) -> _Written:
    return concept.text, tuple((coding.system, coding.code, coding.display) for coding in concept.coding)


def _pattern(words: Iterable[str]) -> re.Pattern[str]:
    """Any of `words`, the longest first, with any punctuation between the parts of a word."""
    parts = sorted({plain(word) for word in words}, key=len, reverse=True)
    spelled = (r"[\s,/-]*".join(map(re.escape, re.findall(r"[^\s,/-]+", part))) for part in parts)
    return re.compile(rf"(?<![a-z0-9])(?:{'|'.join(spelled)})(?![a-z0-9])")
