"""Decisions on their way into a SQLite store: files beside it that outlive their processes.

To write a row commits a transaction, which every process must do in turn; to append to a file of one's
own takes a fraction of that. So an answer waits for its journal alone, and one thread brings what is
in it into the store, many entries at a time. A process that is killed leaves its journal behind; the
next one that opens the store, or writes to it, takes it over. A lock on each file tells whose
process is alive.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

import msgspec

from cds_service.store.decisions import Entry

_LENGTH = 4
_ENTRY = msgspec.msgpack.Decoder(Entry)


class Journal:
    """The journal of this process. Its file is made at the first entry, so after a server forks."""

    def __init__(self, store: Path) -> None:
        """store: the file of the store."""
        self._store = store
        self._path: Path | None = None
        self._file = -1
        self.size = 0

    def append(self, entry: Entry) -> None:
        """Add an entry; the end of the process no longer loses it. Raises OSError."""
        if self._path is None:
            self._open()
        encoded = msgspec.msgpack.encode(entry)
        unwritten = memoryview(len(encoded).to_bytes(_LENGTH, "big") + encoded)
        end = self.size + len(unwritten)
        try:
            while unwritten:
                unwritten = unwritten[os.write(self._file, unwritten) :]
        except OSError:
            # A part of an entry would hide all that come after it.
            os.ftruncate(self._file, self.size)
            raise
        self.size = end

    def clear(self) -> None:
        """Forget all entries, because the store has them. What they held is overwritten."""
        if self._path is not None and self.size:
            os.pwrite(self._file, bytes(self.size), 0)
            os.ftruncate(self._file, 0)
            self.size = 0

    def close(self) -> None:
        """Let the file go: it is deleted when it is empty, else left for the next process."""
        if self._path is None:
            return
        if not self.size:
            self._path.unlink(missing_ok=True)
        os.close(self._file)
        self._path = None

    def waits(self) -> bool:
        """Whether any journal of the store, of whatever process, holds entries."""
        return any(_size(path) for path in self._all())

    def left_behind(self) -> Iterator[list[Entry]]:
        """The entries of each journal whose process has ended; its file is deleted after its turn.

        Where a turn ends with an exception the file stays.
        """
        for path in sorted(self._all()):
            with _taken_over(path) as file:
                if file is not None:
                    yield _entries(path.read_bytes())
                    os.pwrite(file, bytes(os.fstat(file).st_size), 0)
                    path.unlink()

    def _all(self) -> Iterator[Path]:
        return self._store.parent.glob(f"{self._store.name}.decisions-*")

    def _open(self) -> None:
        while self._path is None:
            path = self._store.with_name(f"{self._store.name}.decisions-{os.getpid()}-{token_hex(4)}")
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                mine = _locked(file)
            except OSError:
                os.close(file)
                path.unlink(missing_ok=True)
                raise
            if mine:
                self._path, self._file, self.size = path, file, 0
            else:  # taken over before it was locked
                os.close(file)


@contextmanager
def _taken_over(path: Path) -> Iterator[int | None]:
    """A journal of a process that has ended, locked; None when it is not there, or is in use."""
    file = -1
    with suppress(FileNotFoundError):
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        yield file if file >= 0 and _locked(file) else None
    finally:
        if file >= 0:
            os.close(file)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _locked(file: int) -> bool:
    """Lock a file that still has its name; False when another process has it, or had it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return os.fstat(file).st_nlink > 0


def _entries(journal: bytes) -> list[Entry]:
    """The entries of a journal; one that was being written when its process ended is none."""
    found = []
    at = 0
    while len(length := journal[at : at + _LENGTH]) == _LENGTH:
        end = at + _LENGTH + int.from_bytes(length, "big")
        if end > len(journal):
            break
        with suppress(msgspec.DecodeError):
            found.append(_ENTRY.decode(journal[at + _LENGTH : end]))
        at = end
    return found
