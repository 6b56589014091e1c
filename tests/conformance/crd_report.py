"""What the checks of a response share: the facts of CRD, and how a violation is reported."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import yaml

Json = dict[str, Any]

FACTS: Json = yaml.safe_load((Path(__file__).parent / "crd_facts.yaml").read_text(encoding="utf-8"))


class Violation(NamedTuple):
    """rule: number of the requirement ("A4.37"), invariant ("q2") or "FHIR". where: path in the response."""

    rule: str
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.rule} {self.where}: {self.what}"


Found = Iterator[Violation]


def objects(value: Any) -> list[tuple[int, Json]]:
    """The objects of a list with their places; none of anything else."""
    return [(i, v) for i, v in enumerate(value) if isinstance(v, dict)] if isinstance(value, list) else []


def is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def is_web_address(value: Any) -> bool:
    if not isinstance(value, str):
        return False
    parts = urlsplit(value)
    return parts.scheme in ("https", "http") and bool(parts.netloc)


def is_coding(value: Any) -> bool:
    """Whether a value is a Coding of CDS Hooks: code, system and perhaps display, no CodeableConcept."""
    return (
        isinstance(value, dict)
        and value.keys() <= {"code", "system", "display"}
        and is_text(value.get("code"))
        and is_text(value.get("system"))
    )
