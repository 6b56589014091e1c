"""Unexpected errors: logged under an id, without what the request held.

The message of an exception may hold anything (a KeyError holds the key), so only its type and the
places it passed through are written.
"""

from __future__ import annotations

import logging
from traceback import extract_tb
from uuid import uuid4

from cds_service.telemetry.observed import observed

log = logging.getLogger(__name__)


def report_fault(error: Exception, doing: str) -> str:
    """Log an unexpected error; the id that finds it again. doing: what was asked, without data."""
    fault_id = observed().fault = uuid4().hex[:12]
    places = "\n".join(
        f"    {frame.filename}:{frame.lineno} in {frame.name}" for frame in extract_tb(error.__traceback__)
    )
    log.error("fault %s: %s while answering %s\n%s", fault_id, type(error).__name__, doing, places)
    return fault_id
