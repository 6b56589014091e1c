"""Strict reading of our YAML data files.

Every error names the file, the line, the path inside it, what is allowed and the nearest
spelling. YAML's own traps are closed: duplicate keys are refused, and a date, a number or a
boolean where text belongs is an error, so an unquoted 0012 or `no` cannot slip in.
"""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Collection, Iterable, Iterator
from decimal import Decimal
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, TypeAlias

import yaml
from yaml import MappingNode, ScalarNode, SequenceNode

_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MAPPING = "tag:yaml.org,2002:map"
_TEXT = "tag:yaml.org,2002:str"
_OPEN = ""

_Place: TypeAlias = tuple["_Place", str | int] | None
"""The way to a node from the top: the place above it, and its key or index there."""

_AMBIGUOUS = frozenset(yaml.resolver.Resolver.yaml_implicit_resolvers)
"""First characters of unquoted words that may be something else than a text."""

# What such a word is: a number, a date, a text after all. The same few come again and again.
_tag_of = lru_cache(maxsize=4096)(
    partial(yaml.resolver.Resolver().resolve, ScalarNode, implicit=(True, True))
)


class _Loader(_SafeLoader):  # type: ignore[misc]  # its class is only known when it runs
    """Leaves open what an unquoted word is until its value is asked for: of keys it never is.

    The tag of what is surely a text is the very object _TEXT, that of nothing else is.
    """

    def descend_resolver(self, parent: yaml.Node | None, index: Any) -> None:
        """Nothing: no tag of ours depends on the place, and this is called for each node."""

    def ascend_resolver(self) -> None:
        """Nothing, likewise."""

    def resolve(self, kind: type[yaml.Node], value: str, implicit: Any) -> str:
        if kind is not ScalarNode or (implicit[0] and value[:1] in _AMBIGUOUS):
            return _OPEN
        return _TEXT


class DataError(ValueError):
    """A data file that cannot be used: where, what, and how to mend it."""

    def __init__(self, file: Path, line: int, path: str, what: str) -> None:
        self.file, self.line, self.path, self.what = file, line, path, what
        super().__init__(f"{file}:{line}: {path or '(top)'}: {what}")


def load_mapping(path: Path) -> Fields:
    """Read a YAML file whose top is a mapping. Raises DataError."""
    text = path.read_text(encoding="utf-8")
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise DataError(path, mark.line + 1 if mark else 1, "", f"this is no YAML: {error}") from None
    if node is None:
        node = MappingNode(_MAPPING, [])
    if not isinstance(node, MappingNode):
        raise DataError(path, node.start_mark.line + 1, "", "the file must be a mapping")
    return Fields(path, node)


class Fields:
    """A YAML mapping that is taken apart field by field; `done` refuses what is left over."""

    __slots__ = ("_asked", "_mark", "_nodes", "_place", "file")

    def __init__(self, file: Path, node: MappingNode, place: _Place = None) -> None:
        # Made for each mapping of thousands of policies: what only errors tell is worked out for them.
        self.file, self._place, self._mark = file, place, node.start_mark
        self._asked: set[str] = set()
        nodes: dict[str, yaml.Node] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, ScalarNode) else ""
            if key in nodes:
                raise self._problem(key_node, place, f"the key {key!r} stands twice")
            nodes[key] = value_node
        self._nodes = nodes

    def __contains__(self, key: str) -> bool:
        return key in self._nodes

    def which(self, keys: Iterable[str]) -> list[str]:
        """Those of the keys that are there."""
        return [key for key in keys if key in self._nodes]

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    @property
    def line(self) -> int:
        return self._mark.line + 1 if self._mark else 1

    def error(self, what: str, key: str = "") -> DataError:
        return DataError(self.file, self.line_of(key), _written(self._at(key)), what)

    def _problem(self, node: yaml.Node, place: _Place, what: str) -> DataError:
        return DataError(self.file, node.start_mark.line + 1, _written(place), what)

    def line_of(self, key: str) -> int:
        node = self._nodes.get(key)
        return node.start_mark.line + 1 if node is not None else self.line

    def _at(self, key: str) -> _Place:
        return (self._place, key) if key else self._place

    def _missing(self, key: str) -> DataError:
        near = difflib.get_close_matches(key, self._nodes.keys() - self._asked, n=1)
        hint = f"; is it meant by {near[0]!r}?" if near else ""
        return self.error(f"the key {key!r} is missing{hint}", near[0] if near else "")

    def _required(self, key: str) -> yaml.Node:
        self._asked.add(key)
        node = self._nodes.get(key)
        if node is None:
            raise self._missing(key)
        return node

    def take(self, key: str, default: Any = ...) -> Any:
        """The plain value of a field: dict, list, str, int, Decimal, bool or date."""
        self._asked.add(key)
        node = self._nodes.get(key)
        if node is None:
            if default is ...:
                raise self._missing(key)
            return default
        return node.value if node.tag is _TEXT else self._plain(node, self._at(key))

    def text(self, key: str, default: str | None = None) -> str:
        """A non-empty text; codes must be quoted, so a bare number is refused."""
        self._asked.add(key)
        node = self._nodes.get(key)
        if node is None:
            if default is None:
                raise self._missing(key)
            return default
        value = node.value if node.tag is _TEXT else self._plain(node, self._at(key))
        if not isinstance(value, str) or not value.strip():
            raise self.error(f"{key} must be text (quote it), not {value!r}", key)
        return " ".join(value.split()) if "\n" in value else value

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; () when absent. A lone text counts as a list of one."""
        value = self.take(key, ())
        values = [value] if isinstance(value, str) else value
        for item in values:
            if not isinstance(item, str):
                raise self.error(f"{key} must hold texts (quote codes), not {item!r}", key)
        return tuple(values)

    def flag(self, key: str, default: bool) -> bool:
        value = self.take(key, default)
        if not isinstance(value, bool):
            raise self.error(f"{key} must be true or false, not {value!r}", key)
        return value

    def day(self, key: str, default: datetime.date | None = None) -> datetime.date | None:
        value = self.take(key, default)
        if value is not None and not isinstance(value, datetime.date):
            raise self.error(f"{key} must be a date like 2026-01-01, not {value!r}", key)
        return value

    def choice(self, key: str, allowed: Collection[str], default: str | None = None) -> str:
        value = self.text(key, default)
        if value not in allowed:
            raise self.error(f"{key} is {value!r}; {allowed_words(value, allowed)}", key)
        return value

    def child(self, key: str) -> Fields:
        node = self._required(key)
        if isinstance(node, ScalarNode) and node.value in ("", "{}"):
            node = MappingNode(_MAPPING, [], node.start_mark, node.end_mark)
        if not isinstance(node, MappingNode):
            raise self.error(f"{key} must be a mapping", key)
        return Fields(self.file, node, self._at(key))

    def children(self, key: str) -> list[Fields]:
        """The mappings of a list; [] when absent."""
        self._asked.add(key)
        node = self._nodes.get(key)
        if node is None:
            return []
        if not isinstance(node, SequenceNode):
            raise self.error(f"{key} must be a list", key)
        found = []
        place = self._at(key)
        for index, item in enumerate(node.value):
            if not isinstance(item, MappingNode):
                raise self._problem(item, (place, index), "must be a mapping")
            found.append(Fields(self.file, item, (place, index)))
        return found

    def only_key(self, allowed: Collection[str]) -> str:
        """The single key of a mapping like {operator: {...}}."""
        keys = list(self._nodes)
        if len(keys) != 1:
            raise self.error(f"one key is expected here, not {len(keys)}")
        if keys[0] not in allowed:
            raise self.error(f"unknown {keys[0]!r}; {allowed_words(keys[0], allowed)}", keys[0])
        self._asked.add(keys[0])
        return keys[0]

    def done(self) -> None:
        """Refuse keys that nobody asked for."""
        if self._nodes.keys() <= self._asked:
            return
        for key in self._nodes:
            if key not in self._asked:
                raise self.error(f"unknown key {key!r}; {allowed_words(key, self._asked)}", key)

    def _plain(self, node: yaml.Node, place: _Place) -> Any:
        if node.tag is _TEXT:
            return node.value
        if isinstance(node, ScalarNode):
            return self._scalar(node, place)
        if isinstance(node, MappingNode):
            nodes = Fields(self.file, node, place)._nodes
            return {key: self._plain(value, (place, key)) for key, value in nodes.items()}
        return [self._plain(item, (place, index)) for index, item in enumerate(node.value)]

    def _scalar(self, node: ScalarNode, place: _Place) -> Any:
        text: str = node.value
        tag = (node.tag or _tag_of(value=text)).rpartition(":")[2]
        if tag == "str":
            return text
        if tag == "bool":
            if text not in ("true", "false"):
                raise self._problem(node, place, f"write true or false, not {text}")
            return text == "true"
        try:
            if tag == "int":
                if text.lstrip("-") != "0" and text.lstrip("-").startswith("0"):
                    raise ValueError
                return int(text)
            if tag == "float":
                return Decimal(text)
            if tag == "timestamp":
                return datetime.date.fromisoformat(text)
        except (ValueError, ArithmeticError):
            pass
        raise self._problem(node, place, f"quote {text!r} if it is a text")


def _written(place: _Place) -> str:
    """A place as an error names it: services[0].criteria."""
    steps: list[str] = []
    while place is not None:
        place, step = place
        steps.append(f"[{step}]" if isinstance(step, int) else f".{step}")
    return "".join(reversed(steps)).removeprefix(".")


def allowed_words(given: str, allowed: Collection[str]) -> str:
    """ "allowed: ...; did you mean ...?" for an error message."""
    near = difflib.get_close_matches(given, list(allowed), n=1)
    listed = ", ".join(sorted(allowed)) if len(allowed) <= 40 else f"one of {len(allowed)} names"
    return f"allowed: {listed}" + (f"; did you mean {near[0]}?" if near else "")
