"""Keyed hashes in place of identifiers.

A plain hash of a patient id is no protection: ids are few enough to hash them all. With a key that
lies outside the database, only its holder can tell which rows belong to an id, and that is what
erasure needs. Source: RFC 2104 (HMAC), with SHA-256.
"""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path
from uuid import UUID

from cds_service.settings import PREFIX
from cds_service.store.place import Place, StoreError

_SHORTEST = 32
_VARIABLE = f"{PREFIX}HASH_KEY"


class KeyedHash:
    """Hashes under one key. Kinds are kept apart: a patient and an order of one id differ."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __repr__(self) -> str:
        return "KeyedHash(...)"

    def of(self, kind: str, *values: str | bytes) -> str:
        """64 hexadecimal digits."""
        return self._digest(kind, values).hex()

    def uuid(self, kind: str, *values: str | bytes) -> str:
        """The same as a UUID. Source: RFC 9562, version 8 (made as the vendor sees fit)."""
        digest = bytearray(self._digest(kind, values)[:16])
        digest[6] = digest[6] & 0x0F | 0x80
        digest[8] = digest[8] & 0x3F | 0x80
        return str(UUID(bytes=bytes(digest)))

    def _digest(self, kind: str, values: tuple[str | bytes, ...]) -> bytes:
        parts = [v if isinstance(v, bytes) else v.encode("utf-8", "surrogatepass") for v in (kind, *values)]
        # With its length before each part, no two lists of parts make one text.
        return hmac.digest(self._key, b"".join(b"%d:%b" % (len(part), part) for part in parts), "sha256")


def keyed_hash(setting: str, place: Place) -> KeyedHash:
    """The hash of a store: the key that is set, else one kept beside the SQLite file.

    Raises StoreError for a key that is too short, and for a shared database without one.
    """
    if setting:
        if len(setting) < _SHORTEST:
            raise StoreError(f"{_VARIABLE} is too short: it needs {_SHORTEST} characters at least")
        return KeyedHash(setting.encode())
    if place.file is None:
        raise StoreError(
            f"{_VARIABLE} is needed with a shared database, since all servers must hash alike: "
            f"set {_SHORTEST} random characters or more, and keep them apart from the database"
        )
    return KeyedHash(_kept(place.file.with_name(f"{place.file.name}.key")))


def _kept(file: Path) -> bytes:
    """The key in a file that only its owner can read; made when it is not there."""
    try:
        if not file.exists():
            _make(file)
        key = file.read_bytes()
    except OSError as error:
        raise StoreError(f"the key {file} cannot be read or made: {error.strerror or error}") from None
    if len(key) < _SHORTEST:
        raise StoreError(f"the key {file} is too short: it needs {_SHORTEST} bytes at least")
    return key


def _make(file: Path) -> None:
    """Of several that make a key at once, one wins, and no other ever sees half of it."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = file.with_name(f"{file.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as new:
        new.write(secrets.token_hex(_SHORTEST))
        new.flush()
        os.fsync(new.fileno())
    try:
        os.link(draft, file)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
