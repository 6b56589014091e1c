"""The files of an export and their lines, read as streams.

A plain file is cut into tasks by byte range: a line belongs to the task in which it begins. A gzip
file is one task, because it can only be read from its start. Source: FHIR Bulk Data Access 2.0,
section "File Requests" (NDJSON, one resource a line, one type a file).
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from cds_service.population.errors import PopulationError
from mappings.fhir import RESOURCE_TYPES

_SUFFIXES = (".ndjson", ".ndjson.gz")
_WORD = re.compile(r"[A-Za-z]+")
_BOM = b"\xef\xbb\xbf"


class SourceFile(Struct, frozen=True):
    """A file of the run. size in bytes and changed in ns tell whether it is still the same."""

    path: str
    name: str
    size: int
    changed: int

    @property
    def packed(self) -> bool:
        return self.name.endswith(".gz")


class Task(Struct, frozen=True):
    """A stretch of one file: the lines that begin in [start, end)."""

    file: int
    start: int
    end: int


def source_file(path: Path, name: str) -> SourceFile:
    """Raises PopulationError for a file that cannot be read."""
    try:
        with path.open("rb"):
            state = path.stat()
    except OSError as error:
        raise PopulationError(f"{path}: {error.strerror or error}") from None
    return SourceFile(str(path.resolve()), name, state.st_size, state.st_mtime_ns)


def data_files(folder: Path) -> list[SourceFile]:
    """The NDJSON files below a folder, by name. Raises PopulationError when there is none."""
    if not folder.is_dir():
        raise PopulationError(f"{folder}: there is no such folder; --data takes the folder of the export")
    paths = sorted(path for path in folder.rglob("*") if path.name.endswith(_SUFFIXES) and path.is_file())
    if not paths:
        raise PopulationError(f"{folder}: no file ends in .ndjson or .ndjson.gz")
    return [source_file(path, path.relative_to(folder).as_posix()) for path in paths]


def kinds_named(files: list[SourceFile]) -> set[str]:
    """The resource types that file names tell: an empty Observation.ndjson says that there are none."""
    return {word for file in files for word in _WORD.findall(file.name) if word in RESOURCE_TYPES}


def tasks_of(files: list[SourceFile], size: int) -> list[Task]:
    """The tasks of all files in their order, each of about `size` bytes."""
    tasks = []
    for index, file in enumerate(files):
        step = file.size if file.packed else size
        tasks += [Task(index, at, min(at + step, file.size)) for at in range(0, file.size, max(step, 1))]
    return tasks


def lines(file: SourceFile, task: Task) -> Iterator[bytes]:
    """The lines of a task, empty ones too (they count), without their ends.

    Raises PopulationError for a file that cannot be read or unpacked to its end: what is lost there
    would silently be missing from charts.
    """
    try:
        for number, line in enumerate(_packed(file) if file.packed else _plain(file, task)):
            line = line.rstrip(b"\r\n")
            yield line.removeprefix(_BOM) if number == 0 and task.start == 0 else line
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise PopulationError(f"{file.path}: the file is damaged or cut off; export it again") from None
    except OSError as error:
        raise PopulationError(f"{file.path}: {error.strerror or error}") from None


def _packed(file: SourceFile) -> Iterator[bytes]:
    with gzip.open(file.path, "rb") as stream:
        yield from stream


def _plain(file: SourceFile, task: Task) -> Iterator[bytes]:
    with open(file.path, "rb") as stream:
        at = task.start
        if at:
            # The line in which the task starts belongs to the task before, unless it begins exactly here.
            stream.seek(at - 1)
            at += len(stream.readline()) - 1
        for line in stream:
            if at >= task.end:
                break
            at += len(line)
            yield line
