"""Reading hand-written JSON and YAML strictly, with errors that lead to the line.

Value sets, drugs and tables of units are edited by people who do not read tracebacks. A misspelled
key that is silently ignored changes a coverage answer, so a document must fit its struct exactly:
unknown, missing and duplicate keys, values of the wrong type, YAML aliases and unquoted codes
(62322 is a number, 2026-01-25 a date) are refused, and the error names the file, the line (YAML),
the path inside the document, the allowed keys and the nearest spelling.
"""

from __future__ import annotations

import json
import re
import typing
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import yaml

T = TypeVar("T")
At = tuple[str | int, ...]
Check = Callable[[T], Iterable[tuple[At, str]]]

_SafeLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MESSAGE = re.compile(r"(?P<what>.*?)(?: - at `\$(?P<where>[^`]*)`)?", re.DOTALL)
_UNKNOWN = re.compile(r"unknown field `(.*)`")


class DocumentError(ValueError):
    """A document that cannot be used; the message stands on its own."""

    def __init__(self, path: Path, what: str, *, at: At = (), line: int | None = None) -> None:
        place = f"{path}:{line}" if line else str(path)
        where = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in at).lstrip(".")
        super().__init__(f"{place}: {where}: {what}" if where else f"{place}: {what}")


def read(path: Path, type_: type[T], check: Check[T] | None = None) -> T:
    """The document in `path` (.json, .yaml or .yml) as `type_`, a struct that forbids unknown fields.

    `check` holds the rules that types cannot say: it yields (path inside the document, problem).
    Raises DocumentError when the document does not fit, OSError when it cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise DocumentError(path, "not UTF-8 text") from None
    if path.suffix == ".json":
        data, lines = _json(path, text), {}
    else:
        reader = _Yaml(path, text)
        data, lines = reader.data, reader.lines
    try:
        document = msgspec.convert(data, type=type_)
    except msgspec.ValidationError as error:
        raise _explained(path, lines, type_, str(error)) from None
    for at, what in check(document) if check else ():
        raise DocumentError(path, what, at=at, line=lines.get(at))
    return document


def nearest(word: str, known: Iterable[str]) -> str:
    """' (did you mean ...?)' for a misspelled word, or nothing when no known word is near."""
    match = get_close_matches(word, list(known), n=1)
    return f" (did you mean '{match[0]}'?)" if match else ""


def _json(path: Path, text: str) -> object:
    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        mapping = dict(pairs)
        if len(mapping) < len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise DocumentError(path, f"duplicate key '{twice}'")
        return mapping

    try:
        return json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise DocumentError(path, f"not JSON: {error.msg}", line=error.lineno) from None


class _Yaml:
    """The data of a YAML text, and the line on which each of its paths begins."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.lines: dict[At, int] = {}
        self._seen: set[int] = set()
        self._loader = _SafeLoader(text)
        try:
            self.data = self._built(self._loader.get_single_node(), ())
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else None
            raise DocumentError(path, f"not YAML: {error.problem or error.context}", line=line) from None
        finally:
            self._loader.dispose()

    def _built(self, node: Any, at: At) -> object:
        if node is None:
            return None
        line = node.start_mark.line + 1
        self.lines.setdefault(at, line)
        if id(node) in self._seen:
            raise DocumentError(self.path, "aliases are refused: write the value out", at=at, line=line)
        self._seen.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            return [self._built(item, (*at, i)) for i, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, at)
        return self._loader.construct_object(node)

    def _mapping(self, node: yaml.MappingNode, at: At) -> dict[str, object]:
        mapping: dict[str, object] = {}
        for key_node, value_node in node.value:
            key, line = self._loader.construct_object(key_node), key_node.start_mark.line + 1
            if not isinstance(key, str):
                raise DocumentError(
                    self.path, f"key {key_node.value} is not text: quote it", at=at, line=line
                )
            if key in mapping:
                raise DocumentError(self.path, f"duplicate key '{key}'", at=at, line=line)
            self.lines[(*at, key)] = line
            mapping[key] = self._built(value_node, (*at, key))
        return mapping


def _explained(path: Path, lines: dict[At, int], type_: Any, message: str) -> DocumentError:
    """msgspec's message with the line, the allowed keys and the nearest spelling added."""
    found = _MESSAGE.fullmatch(message)
    what, where = (found["what"], found["where"] or "") if found else (message, "")
    at: At = ()
    known = True  # msgspec writes [...] for the key of a mapping: the path ends before it
    for name, index in re.findall(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]", where):
        known = known and index != "..."
        if known:
            at = (*at, int(index) if index else name)
        type_ = _field_type(type_, name) if name else typing.get_args(type_)[-1 if index == "..." else 0]
    if unknown := _UNKNOWN.search(what):
        allowed = [field.encode_name for field in msgspec.structs.fields(type_)]
        what = f"unknown key '{unknown[1]}'{nearest(unknown[1], allowed)}; allowed: {', '.join(allowed)}"
        at = (*at, unknown[1])
    elif "Expected `str`, got" in what:
        what += ": quote it"
    return DocumentError(path, what, at=at, line=lines.get(at))


def _field_type(struct: Any, name: str) -> Any:
    return next(field.type for field in msgspec.structs.fields(struct) if field.encode_name == name)
