"""A PostgreSQL server of its own for tests, from the binaries of the machine."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from tests.service.test_served import free_port

_USER = "postgres"


class AbsentError(Exception):
    """The machine cannot run a server; the message says why."""


def _binary(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    where = str(found[-1]) if found else shutil.which(name)
    if where is None:
        raise AbsentError(f"{name} of PostgreSQL is absent")
    return where


def _unprivileged() -> list[str]:
    """What runs a command as a user that PostgreSQL accepts: never as root."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    try:
        user = pwd.getpwnam(_USER)
    except KeyError:
        raise AbsentError(f"there is no user {_USER}") from None
    if setpriv is None:
        raise AbsentError("setpriv is absent")
    return [setpriv, f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]


class Cluster:
    """A running server. It may be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self._as, self._data, self._port = _unprivileged(), folder / "data", free_port()
        self._control = [*self._as, _binary("pg_ctl"), "-D", str(self._data), "-s", "-w"]
        self._databases = 0
        if self._as:
            shutil.chown(folder, _USER)
        self._run(
            [*self._as, _binary("initdb"), "-D", str(self._data), "-U", _USER, "-A", "trust", "--no-sync"]
        )
        self._options = f"-p {self._port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"

    def start(self) -> None:
        self._run([*self._control, "-o", self._options, "-l", str(self._data / "log"), "start"])

    def stop(self) -> None:
        self._run([*self._control, "-m", "immediate", "stop"])

    def url(self, database: str) -> str:
        return f"postgresql://{_USER}@127.0.0.1:{self._port}/{database}"

    def new_database(self) -> str:
        """The URL of an empty database."""
        self._databases += 1
        name = f"store_{self._databases}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
        return self.url(name)

    @staticmethod
    def _run(command: list[str]) -> None:
        done = subprocess.run(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd="/", timeout=60
        )
        assert done.returncode == 0, done.stderr


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A server in a folder of its own. Raises AbsentError."""
    with tempfile.TemporaryDirectory(prefix="store-", ignore_cleanup_errors=True) as folder:
        found = Cluster(Path(folder))
        found.start()
        try:
            yield found
        finally:
            found.stop()
