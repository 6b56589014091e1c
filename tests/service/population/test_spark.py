"""The same run on Spark, in local mode: the same bytes, and what is done on one engine stays done."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from cds_service.population import job, spark
from cds_service.population.errors import PopulationError
from tests.benchmarks.synthetic_export import write_export
from tests.service.population.exports import answer, contents, plan

if TYPE_CHECKING:
    from pyspark import SparkContext

pytest.importorskip("pyspark")
pytestmark = [
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java, which is not here"),
    # pyspark leaves its sockets to the collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def context() -> Iterator[SparkContext]:
    """One Spark for all tests: to start it takes longer than they do."""
    with spark._context("local[2]") as started:
        yield started


@pytest.fixture
def started(context: SparkContext, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs find Spark started already."""
    monkeypatch.setattr(spark, "_context", lambda _: nullcontext(context))


@pytest.mark.usefixtures("started")
def test_spark_gives_the_same_bytes_whatever_was_done_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "BUCKET_SIZE", 20_000)
    orders, data = write_export(tmp_path / "a", patients=9, observations=8)
    for path in sorted(data.iterdir()):
        if path.name not in ("Patient.ndjson", "Coverage.ndjson", "Organization.ndjson"):
            with (data / "rest.ndjson").open("ab") as out:
                out.write(path.read_bytes())
            path.unlink()
    with (data / "rest.ndjson").open("a") as out:
        out.write("broken\n" + '{"resourceType": "Observation", "subject": {"reference": "Patient/')
    answer(tmp_path, orders, data, "here")
    quiet = Console(quiet=True)
    held = plan(tmp_path, orders, data, "spark")
    assert held.plan.buckets > 1
    spark.run_on_spark(held, "local[2]", quiet)
    assert contents(tmp_path / "spark") == contents(tmp_path / "here")
    monkeypatch.undo()
    spark.run_on_spark(held, "no engine is asked for what is done", quiet)


@pytest.mark.usefixtures("started")
def test_a_file_that_spark_cannot_read_is_named(tmp_path: Path) -> None:
    orders, data = write_export(tmp_path / "a", patients=2, observations=4)
    (data / "Observation.ndjson").rename(data / "Observation.ndjson.gz")
    for path in data.iterdir():
        if path.name != "Observation.ndjson.gz":
            path.unlink()
    held = plan(tmp_path, orders, data)
    with pytest.raises(PopulationError, match=r"Observation\.ndjson\.gz: the file is damaged"):
        spark.run_on_spark(held, "local[1]", Console(quiet=True))


@pytest.mark.usefixtures("started")
def test_either_engine_goes_on_where_the_other_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "BUCKET_SIZE", 20_000)
    orders, data = write_export(tmp_path / "a", patients=9, observations=8)
    answer(tmp_path, orders, data, "here")
    held = plan(tmp_path, orders, data, "mixed")

    def stop(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("cds_service.population.run.finish", stop)
        with pytest.raises(KeyboardInterrupt):
            answer(tmp_path, orders, data, "mixed")
    shutil.rmtree(held.part(1))
    kept = held.part(0).stat().st_mtime_ns
    with monkeypatch.context() as patch:
        patch.setattr(spark, "finish", stop)
        with pytest.raises(KeyboardInterrupt):
            spark.run_on_spark(held, "local[1]", Console(quiet=True))
    assert held.part(0).stat().st_mtime_ns == kept
    answer(tmp_path, orders, data, "mixed")
    assert contents(tmp_path / "mixed") == contents(tmp_path / "here")
