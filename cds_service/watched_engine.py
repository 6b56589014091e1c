"""The engine in service, renewed when a policy folder changes.

Folders given in the settings are looked at every few seconds, on the occasion of a request. A
changed folder is loaded beside the requests that go on; a broken one is refused, its error logged
and shown by the readiness check, and the old policies keep serving.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from mappings.yaml_file import DataError
from policies.engine import Engine

log = logging.getLogger(__name__)

_DATA = (".yaml", ".yml", ".json")

Fingerprint = tuple[tuple[str, int, int], ...]


class WatchedEngine:
    """Holds the engine that answers; `engine()` is cheap and waits for no file.

    interval: seconds between looks at the folders; 0 never looks.
    Raises DataError (or another error of the data files) at construction only.
    """

    def __init__(
        self,
        folders: Sequence[Path],
        interval: float,
        load: Callable[..., Engine] = Engine.load,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folders = tuple(folders)
        self._interval = interval
        self._load = load
        self._clock = clock
        self._lock = threading.Lock()
        self._loading: threading.Thread | None = None
        self._seen = self._fingerprint()
        self._next_look = clock() + interval
        self._engine = load(*self._folders)
        self.problem = ""
        """Why the last change of a folder was refused; "" when the folders are in service."""

    def engine(self) -> Engine:
        """The engine in service; looks at the folders in the background when it is time."""
        if self._interval and self._folders and self._clock() >= self._next_look:
            self._look()
        return self._engine

    def _look(self) -> None:
        with self._lock:
            self._next_look = self._clock() + self._interval
            if self._loading is not None and self._loading.is_alive():
                return
            self._loading = threading.Thread(target=self._renew, name="policy-reload", daemon=True)
            self._loading.start()

    def _renew(self) -> None:
        found = self._fingerprint()
        if found == self._seen:
            return
        self._seen = found
        try:
            self._engine = self._load(*self._folders)
        except (DataError, ValueError, OSError) as error:
            self.problem = str(error)
            log.error("changed policies refused, the old ones keep serving: %s", error)
        else:
            self.problem = ""
            log.info("changed policies in service")

    def wait(self) -> None:
        """Wait for a reload under way."""
        loading = self._loading
        if loading is not None:
            loading.join()

    def _fingerprint(self) -> Fingerprint:
        """Name, size and time of change of every data file in the folders."""
        found = []
        for folder in self._folders:
            # Path.rglob takes twice as long over a thousand policies.
            for place, _, names in os.walk(folder):
                for path in (os.path.join(place, name) for name in names if name.endswith(_DATA)):
                    # A file may go away between the listing and the look at it.
                    with suppress(FileNotFoundError):
                        status = os.stat(path)
                        found.append((path, status.st_size, status.st_mtime_ns))
        return tuple(sorted(found))
