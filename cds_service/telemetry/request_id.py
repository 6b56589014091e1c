"""The id of a request: taken from X-Request-ID where a proxy sent a usable one, and sent back.

It stands in log lines and traces, so it is taken only in forms that leave no room for a name or a
number of a patient: a UUID, or 32 hexadecimal digits (nginx, Envoy and others send one of them).
"""

from __future__ import annotations

import re
from uuid import uuid4

HEADER = "X-Request-ID"
_USABLE = re.compile(r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def request_id(sent: str) -> str:
    """The id that was sent, or a new one in place of any that is not usable."""
    return sent if _USABLE.fullmatch(sent) else uuid4().hex
