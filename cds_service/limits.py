"""How much one body may hold: nesting and resources, counted in its bytes before anything is built."""

from __future__ import annotations

import re
from itertools import accumulate

from cds_service.errors import TooLargeError, too_deep

_OTHERS = bytes(set(range(256)) - set(b'[]{}"'))
_STRING = re.compile(rb'"[^"]*"')
# Nearly all bodies are used up after as many rounds: FHIR in a hook request nests a dozen levels.
_ROUNDS = 16
# Brackets that may be left then; more of them, nested that deep, are no record of a patient.
_REST = 100_000
_ONE_KIND = bytes.maketrans(b"{}", b"[]")
_STEP = {ord("["): 1, ord("]"): -1, ord('"'): 0}


def check_contents(body: bytes, *, depth: int, resources: int) -> None:
    """Refuse JSON that is nested deeper than `depth` levels or holds more than `resources`.

    A resource is counted by its `resourceType`, contained ones and Bundles too. What is no JSON
    passes: its reader says better what is wrong. Raises CostlyError, TooLargeError.
    """
    if body.count(b'"resourceType"') > resources:
        what = f"The body holds more than {resources} resources."
        mend = "Send less prefetch data; the service queries fhirServer for what is missing."
        raise TooLargeError("too-many-resources", what, mend=mend)
    if _is_deeper(body, depth):
        raise too_deep()


def _is_deeper(body: bytes, limit: int) -> bool:
    """Whether brackets outside of strings are nested deeper than `limit`. Linear in the body."""
    if b"\\" in body:
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    left = _STRING.sub(b"", body.translate(_ONE_KIND, _OTHERS).replace(b'""', b""))
    level, before = 0, -1
    while level < _ROUNDS and len(left) != before:
        before = len(left)
        left = left.replace(b"[]", b"")  # one level: replace() does not look at what it made
        level += len(left) != before
    if len(left) > _REST:
        return True
    return level + max(accumulate(_STEP[letter] for letter in left), default=0) > limit
