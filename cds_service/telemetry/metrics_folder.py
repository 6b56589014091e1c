"""The folder in which the workers of one `serve` count together."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import mkdtemp

from cds_service.settings import PREFIX, SettingsError

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""How prometheus_client is told; it looks when it is imported."""


@contextmanager
def metrics_folder() -> Iterator[None]:
    """A private folder that is forgotten at the end. Raises SettingsError where there is no place for it."""
    try:
        folder, maker = mkdtemp(prefix="coverage-hooks-metrics-"), os.getpid()
    except OSError as error:
        what = f"there is no place for temporary files ({error}): set TMPDIR or {PREFIX}METRICS=off"
        raise SettingsError(what) from None
    os.environ[VARIABLE] = folder
    try:
        yield
    finally:
        if os.getpid() == maker:  # a worker leaves this block too, when it ends
            shutil.rmtree(folder, ignore_errors=True)


def worker_ended(pid: int) -> None:
    """What a process that has ended was answering no longer counts as running."""
    if VARIABLE in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(pid)  # type: ignore[no-untyped-call]
