"""Which value sets hold a code: the question asked once for every distinct code of a chart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from mappings.codes import ICD_10_CM, canonical, canonical_system
from mappings.documents import DocumentError, nearest
from mappings.fhir import CodeableConcept, Coding
from mappings.value_set import ValueSet, read_value_set
from mappings.words import folded

_PACKAGED = Path(__file__).parent / "value_sets"
_NONE: frozenset[str] = frozenset()
# Charts repeat few codes; the bound only stops a sender of random codes from filling the memory.
_MEMO_LIMIT = 200_000


class UnknownValueSetError(KeyError):
    """No loaded value set has this id."""

    def __init__(self, set_id: str, known: Iterable[str]) -> None:
        super().__init__(set_id)
        self.message = f"unknown value set '{set_id}'{nearest(set_id, known)}"

    def __str__(self) -> str:
        return self.message


class ValueSets:
    """The loaded value sets, indexed by code. Built once at start, then only read.

    Membership is decided by canonical system and code, never by display. SNOMED CT has no
    hierarchy here: a set holds the concepts that it lists, not their descendants.
    """

    def __init__(self, value_sets: Iterable[ValueSet]) -> None:
        """Index `value_sets`, whose ids must differ."""
        self._titles: dict[str, str] = {}
        self._codes: dict[str, dict[str, list[str]]] = {}
        self._displays: dict[str, tuple[str, ...]] = {}
        self._folded: dict[str, frozenset[str]] = {}
        self._memo: dict[tuple[str, str], frozenset[str]] = {}
        exact: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        prefix: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
        for value_set in value_sets:
            self._titles[value_set.id] = value_set.title
            codes = self._codes[value_set.id] = {}
            for concept in value_set.concepts:
                member = canonical(concept.system, concept.code)
                exact[member].add(value_set.id)
                codes.setdefault(member[0], []).append(member[1])
            displays = [c.display for c in value_set.concepts] + [f.display for f in value_set.filters]
            self._displays[value_set.id] = tuple(filter(None, displays))
            for filter_ in value_set.filters:
                prefix[canonical(filter_.system, filter_.code_prefix)].add(value_set.id)
        self.ids = tuple(self._titles)
        """All set ids, in the order of loading."""
        self._exact = {member: frozenset(ids) for member, ids in exact.items()}
        self._prefix = dict(prefix)

    @classmethod
    def load(cls, *extra_folders: Path) -> ValueSets:
        """The packaged value sets and those of `extra_folders` (their .json, .yaml and .yml files).

        Raises DocumentError for a file that cannot be used or an id that exists already.
        """
        value_sets: list[ValueSet] = []
        paths: dict[str, Path] = {}
        for folder in (_PACKAGED, _PACKAGED / "narrowed", *extra_folders):
            for path in sorted(folder.iterdir()):
                if path.suffix in (".json", ".yaml", ".yml"):
                    value_set = read_value_set(path)
                    if other := paths.get(value_set.id):
                        raise DocumentError(path, f"'{value_set.id}' is the id of {other} too", at=("id",))
                    paths[value_set.id] = path
                    value_sets.append(value_set)
        return cls(value_sets)

    def recognises(self, system: str, code: str) -> bool:
        """Whether "not in this set" can be trusted of a code: sets hold ICD-10-CM by prefix, completely;
        a code of another system that is in no set may be a kind of one that is."""
        return bool(code) and (canonical_system(system) == ICD_10_CM or bool(self.memberships(system, code)))

    def title(self, set_id: str) -> str:
        """The title of a set, for people. Raises UnknownValueSetError."""
        return self._titles[self._known(set_id)]

    def codes(self, set_id: str, system: str) -> tuple[str, ...]:
        """The listed codes of a set in one system (key or URI), for search parameters.

        What a prefix filter adds cannot be listed. Raises UnknownValueSetError.
        """
        return tuple(self._codes[self._known(set_id)].get(canonical_system(system), ()))

    def memberships(self, system: str, code: str) -> frozenset[str]:
        """The ids of all sets that hold this code; a lookup, after the first time."""
        found = self._memo.get((system, code))
        if found is None:
            found = self._find(*canonical(system, code))
            if len(self._memo) >= _MEMO_LIMIT:
                self._memo.clear()
            self._memo[system, code] = found
        return found

    def contains(self, set_id: str, system: str, code: str) -> bool:
        """Whether the set holds the code. Raises UnknownValueSetError."""
        return self._known(set_id) in self.memberships(system, code)

    def match(self, set_id: str, concept: CodeableConcept | None) -> Coding | None:
        """The first coding of `concept` that is a member, or None. Raises UnknownValueSetError."""
        self._known(set_id)
        for coding in concept.coding if concept else ():
            if set_id in self.memberships(coding.system, coding.code):
                return coding
        return None

    def says(self, set_id: str, text: str) -> bool:
        """Whether a text is, word for word, the display of a member. Raises UnknownValueSetError.

        It makes no member: a display proves nothing, but tells a reader where to look.
        """
        displays = self._folded.get(self._known(set_id))
        if displays is None:
            displays = self._folded[set_id] = frozenset(map(folded, self._displays[set_id]))
        return folded(text) in displays

    def _known(self, set_id: str) -> str:
        if set_id not in self._titles:
            raise UnknownValueSetError(set_id, self._titles)
        return set_id

    def _find(self, system: str, code: str) -> frozenset[str]:
        found = self._exact.get((system, code), _NONE)
        for end in range(1, len(code) + 1):
            if ids := self._prefix.get((system, code[:end])):
                found = found | ids
        return found
