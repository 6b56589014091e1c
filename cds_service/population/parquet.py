"""Determinations as Parquet: one row each, columns for analysis. The evidence is in the NDJSON only."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from cds_service.population.errors import PopulationError
from cds_service.population.tally import leaves
from policies.determination import Determination

# Rows of a group: enough to compress, few enough to hold.
_GROUP = 2_000


class Row(Determination, kw_only=True):
    """A line of determinations.ndjson."""

    patient: str
    payer_note: str = ""
    service: str | UnsetType = UNSET


def rows_of(path: Path) -> Iterator[Row]:
    """The determinations of a run, one at a time."""
    decode = msgspec.json.Decoder(Row).decode
    with path.open("rb") as stream:
        for line in stream:
            yield decode(line)


def require_parquet() -> None:
    """Raises PopulationError where pyarrow is not installed, before any work is done."""
    try:
        import pyarrow.parquet  # type: ignore[import-untyped] # noqa: F401
    except ImportError:
        raise PopulationError("Parquet needs pyarrow: install coverage-hooks[population]") from None


def write_parquet(source: Path, target: Path) -> None:
    """Row groups have a fixed number of rows, so the bytes follow from the rows alone."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    criterion = pa.struct([(name, pa.string()) for name in ("part", "id", "state", "reason")])
    schema = pa.schema(
        [(name, pa.string()) for name in _TEXTS]
        + [("as_of", pa.date32()), ("lacking", pa.list_(pa.string())), ("criteria", pa.list_(criterion))]
    )
    unfinished = target.with_name(target.name + ".unfinished")
    rows = rows_of(source)
    with pq.ParquetWriter(unfinished, schema, compression="zstd") as writer:
        while group := [_flat(row) for row in islice(rows, _GROUP)]:
            table = pa.Table.from_pylist(group, schema.set(len(_TEXTS), pa.field("as_of", pa.string())))
            writer.write_table(table.cast(schema))
    unfinished.replace(target)


_TEXTS = (
    "patient",
    "order",
    "order_label",
    "policy",
    "version",
    "policy_payer",
    "service",
    "outcome",
    "coverage",
    "payer",
    "line_of_business",
    "plan",
)


def _flat(row: Row) -> dict[str, Any]:
    coverage = row.coverage
    return {
        "patient": row.patient,
        "order": row.order,
        "order_label": row.order_label,
        "policy": row.policy.id,
        "version": row.policy.version,
        "policy_payer": row.policy.payer,
        "service": row.service or None,
        "outcome": row.outcome,
        "coverage": coverage.reference if coverage else None,
        "payer": coverage.payer if coverage else None,
        "line_of_business": (coverage.line_of_business or None) if coverage else None,
        "plan": (coverage.plan or None) if coverage else None,
        "as_of": row.as_of,
        "lacking": row.lacking,
        "criteria": [
            {"part": part, "id": node.id, "state": node.state, "reason": node.reason or None}
            for part, node in leaves(row)
        ],
    }
