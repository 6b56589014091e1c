"""Strict reading of our YAML data files.

Every error names the file, the line, the path inside it, what is allowed and the nearest
spelling. YAML's own traps are closed: duplicate keys are refused, and a date, a number or a
boolean where text belongs is an error, so an unquoted 0012 or `no` cannot slip in.
"""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Collection, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


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
        node = yaml.MappingNode("tag:yaml.org,2002:map", [])
    if not isinstance(node, yaml.MappingNode):
        raise DataError(path, node.start_mark.line + 1, "", "the file must be a mapping")
    return Fields(path, node, "")


class Fields:
    """A YAML mapping that is taken apart field by field; `done` refuses what is left over."""

    def __init__(self, file: Path, node: yaml.MappingNode, path: str) -> None:
        self.file, self.path, self.node = file, path, node
        self.line = node.start_mark.line + 1 if node.start_mark else 1
        self._nodes: dict[str, yaml.Node] = {}
        self._asked: set[str] = set()
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else ""
            if key in self._nodes:
                raise DataError(file, key_node.start_mark.line + 1, path, f"the key {key!r} stands twice")
            self._nodes[key] = value_node

    def __contains__(self, key: str) -> bool:
        return key in self._nodes

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def error(self, what: str, key: str = "") -> DataError:
        node = self._nodes.get(key)
        line = node.start_mark.line + 1 if node is not None else self.line
        return DataError(self.file, line, self._at(key), what)

    def line_of(self, key: str) -> int:
        node = self._nodes.get(key)
        return node.start_mark.line + 1 if node is not None else self.line

    def _at(self, key: str) -> str:
        return f"{self.path}.{key}".strip(".") if key else self.path

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
        if key not in self._nodes:
            if default is ...:
                raise self._missing(key)
            return default
        return self._plain(self._nodes[key], self._at(key))

    def text(self, key: str, default: str | None = None) -> str:
        """A non-empty text; codes must be quoted, so a bare number is refused."""
        self._asked.add(key)
        if key not in self._nodes:
            if default is None:
                raise self._missing(key)
            return default
        value = self.take(key)
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
        if isinstance(node, yaml.ScalarNode) and node.value in ("", "{}"):
            node = yaml.MappingNode("tag:yaml.org,2002:map", [], node.start_mark, node.end_mark)
        if not isinstance(node, yaml.MappingNode):
            raise self.error(f"{key} must be a mapping", key)
        return Fields(self.file, node, self._at(key))

    def children(self, key: str) -> list[Fields]:
        """The mappings of a list; [] when absent."""
        self._asked.add(key)
        node = self._nodes.get(key)
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            raise self.error(f"{key} must be a list", key)
        found = []
        for index, item in enumerate(node.value):
            at = f"{self._at(key)}[{index}]"
            if not isinstance(item, yaml.MappingNode):
                raise DataError(self.file, item.start_mark.line + 1, at, "must be a mapping")
            found.append(Fields(self.file, item, at))
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
        for key in self._nodes:
            if key not in self._asked:
                raise self.error(f"unknown key {key!r}; {allowed_words(key, self._asked)}", key)

    def _plain(self, node: yaml.Node, path: str) -> Any:
        if isinstance(node, yaml.MappingNode):
            fields = Fields(self.file, node, path)
            return {key: fields._plain(value, f"{path}.{key}") for key, value in fields._nodes.items()}
        if isinstance(node, yaml.SequenceNode):
            return [self._plain(item, f"{path}[{index}]") for index, item in enumerate(node.value)]
        return self._scalar(node, path)

    def _scalar(self, node: yaml.Node, path: str) -> Any:
        text: str = node.value
        tag = node.tag.rpartition(":")[2]
        if tag == "str":
            return text
        if tag == "bool":
            if text not in ("true", "false"):
                raise DataError(self.file, node.start_mark.line + 1, path, f"write true or false, not {text}")
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
        raise DataError(self.file, node.start_mark.line + 1, path, f"quote {text!r} if it is a text")


def allowed_words(given: str, allowed: Collection[str]) -> str:
    """ "allowed: ...; did you mean ...?" for an error message."""
    near = difflib.get_close_matches(given, list(allowed), n=1)
    listed = ", ".join(sorted(allowed)) if len(allowed) <= 40 else f"one of {len(allowed)} names"
    return f"allowed: {listed}" + (f"; did you mean {near[0]}?" if near else "")
