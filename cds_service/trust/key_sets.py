"""The key sets that clients publish: fetched, kept for a while, fetched again when a key is new.

Only addresses of the allow list are asked, never one that a token names. A set is good for ten
minutes; while its address does not answer, for an hour more. A key that the set does not have makes
it be fetched again, once: what then still lacks is not looked for during a pause, so that tokens
with invented keys cannot make this service call a client over and over. The same pause follows a
fetch that failed. Workers share what they fetched, each keeps its own pause.

Source: CDS Hooks 2.0, section Trusting CDS Clients; RFC 7517.
"""

from __future__ import annotations

import hashlib
import logging
import ssl
import threading
import time
from collections import defaultdict

import msgspec
from msgspec import Struct
from urllib3 import BaseHTTPResponse, exceptions

from cds_service.origins import checked
from cds_service.outgoing import CertificateRefusedError, get, pools
from cds_service.trust.keys import Jwk, KeySetError, read_key_set
from cds_service.trust.reasons import Reason, RefusedError
from cds_service.trust.replay import Memory, MemoryLostError

log = logging.getLogger(__name__)

GOOD_SECONDS = 600.0
GRACE_SECONDS = 3600.0
PAUSE_SECONDS = 15.0
CONNECT_SECONDS = 2.0
DEADLINE_SECONDS = 3.0
BYTE_LIMIT = 512_000
_CONNECTIONS = 4
_CHUNK = 64 * 1024


class _Kept(Struct):
    """A set and when it was fetched, in seconds since 1970."""

    fetched: float
    keys: tuple[Jwk, ...]

    def has(self, key_id: str) -> bool:
        return any(key.get("kid") == key_id for key in self.keys)


class KeySets:
    """The sets of all clients, by address. Safe to use from several threads.

    context: how their servers must show who they are.
    """

    def __init__(self, memory: Memory, context: ssl.SSLContext) -> None:
        self._memory = memory
        self._sets: dict[str, _Kept] = {}
        self._not_before: dict[str, float] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._pools = pools(_CONNECTIONS, context)

    def keys(self, jku: str, key_id: str, now: float) -> tuple[Jwk, ...]:
        """The set at an address, as new as a key of this kid needs it.

        Raises RefusedError: KEYS_UNAVAILABLE when no set is there that is not too old.
        """
        found = self._sets.get(jku)
        if found is None or not (found.has(key_id) and now - found.fetched < GOOD_SECONDS):
            with self._locks[jku]:
                found = self._renewed(jku, key_id, now)
        if found is None or now - found.fetched >= GOOD_SECONDS + GRACE_SECONDS:
            raise RefusedError(Reason.KEYS_UNAVAILABLE)
        return found.keys

    def _renewed(self, jku: str, key_id: str, now: float) -> _Kept | None:
        """The newest set that can be had, by the rules of this module."""
        found = max(
            (kept for kept in (self._sets.get(jku), self._shared(jku, now)) if kept is not None),
            key=lambda kept: kept.fetched,
            default=None,
        )
        good = found is not None and now - found.fetched < GOOD_SECONDS
        if not (good and found is not None and found.has(key_id)) and now >= self._not_before.get(jku, 0.0):
            try:
                found = _Kept(now, read_key_set(self._fetch(jku)))
            except KeySetError as error:
                self._not_before[jku] = now + PAUSE_SECONDS
                log.warning("the key set at %s cannot be read: %s", jku, error)
            else:
                if not found.has(key_id):
                    self._not_before[jku] = now + PAUSE_SECONDS
                self._share(jku, found, now)
        if found is not None:
            self._sets[jku] = found
        return found

    def _shared(self, jku: str, now: float) -> _Kept | None:
        try:
            text = self._memory.kept(_name(jku), now)
            return None if text is None else msgspec.json.decode(text, type=_Kept)
        except (MemoryLostError, msgspec.DecodeError):
            return None  # every worker can fetch by itself

    def _share(self, jku: str, kept: _Kept, now: float) -> None:
        try:
            until = now + GOOD_SECONDS + GRACE_SECONDS
            self._memory.keep(_name(jku), msgspec.json.encode(kept), now, until)
        except MemoryLostError as error:
            log.warning("a key set is not shared: %s", error)

    def _fetch(self, jku: str) -> bytes:
        """The body at an address. Raises KeySetError for whatever is not an answer in time."""
        ends = time.monotonic() + DEADLINE_SECONDS
        headers = {"Accept": "application/jwk-set+json, application/json"}
        try:
            with get(self._pools, checked(jku), headers, CONNECT_SECONDS, DEADLINE_SECONDS) as response:
                if response.status != 200:
                    raise KeySetError(f"it answers with status {response.status}")
                return _content(response, ends)
        except CertificateRefusedError:
            raise KeySetError("its certificate cannot be verified") from None
        except exceptions.NewConnectionError:  # a TimeoutError to urllib3
            raise KeySetError("it cannot be reached") from None
        except exceptions.TimeoutError:
            raise KeySetError("it does not answer in time") from None
        except exceptions.HTTPError:
            raise KeySetError("it cannot be reached") from None


def _content(response: BaseHTTPResponse, ends: float) -> bytes:
    parts, size = [], 0
    while part := response.read1(_CHUNK, decode_content=True):
        parts.append(part)
        size += len(part)
        if size > BYTE_LIMIT:
            raise KeySetError("it is larger than any key set")
        if time.monotonic() > ends:
            raise KeySetError("it does not answer in time")
    return b"".join(parts)


def _name(jku: str) -> str:
    return f"key-set:{hashlib.sha256(jku.encode()).hexdigest()}"
