"""Small exports for tests: written as a bulk export is, run in this process, read back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from rich.console import Console

from cds_service.population.finish import Summary
from cds_service.population.job import Job, prepare
from cds_service.population.judges import load_engine
from cds_service.population.run import run
from policies.engine import Engine

Json = dict[str, Any]
TODAY = date(2026, 3, 16)
RESULTS = (
    "determinations.ndjson",
    "determinations.parquet",
    "not-evaluated.ndjson",
    "problems.ndjson",
    "summary.json",
)


@cache
def packaged() -> Engine:
    return load_engine([])


def write_lines(path: Path, resources: Iterable[Json | str]) -> Path:
    """One resource a line; text goes in as it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (line if isinstance(line, str) else json.dumps(line) for line in resources)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def write_by_type(folder: Path, resources: Iterable[Json]) -> Path:
    """A file for each resource type."""
    by_type: dict[str, list[Json]] = {}
    for resource in resources:
        by_type.setdefault(resource["resourceType"], []).append(resource)
    for kind, found in by_type.items():
        write_lines(folder / f"{kind}.ndjson", found)
    return folder


def plan(tmp_path: Path, orders: Path, data: Path, name: str = "run", **options: Any) -> Job:
    given: dict[str, Any] = {"policy_dirs": [], "as_of": None, "today": TODAY, "engine": packaged()} | options
    return prepare(tmp_path / name, orders, data, **given)


def answer(tmp_path: Path, orders: Path, data: Path, name: str = "run", **options: Any) -> Summary:
    """Run it all in this process."""
    return run(plan(tmp_path, orders, data, name, **options), 1, Console(quiet=True))


def answer_resources(tmp_path: Path, orders: Iterable[Json | str], *resources: Json) -> Summary:
    """Write an export of these resources and run it."""
    data = write_by_type(tmp_path / "export", resources or [{"resourceType": "Patient", "id": "nobody"}])
    return answer(tmp_path, write_lines(tmp_path / "orders.ndjson", orders), data)


def rows(path: Path) -> list[Json]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in RESULTS}


def of_request(request: Json) -> tuple[list[Json], list[Json]]:
    """The orders and the record of a hook request with prefetch."""
    orders = [entry["resource"] for entry in request["context"]["draftOrders"]["entry"]]
    record = []
    for value in request["prefetch"].values():
        record += [entry["resource"] for entry in value["entry"]] if value.get("entry") else []
        record += [value] if value["resourceType"] != "Bundle" else []
    return orders, record
