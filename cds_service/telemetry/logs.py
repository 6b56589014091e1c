"""Log lines as JSON on standard error, one object each.

Lines of libraries take the same way. An exception's message may hold anything of a request, so of
an exception only its type and the places it went through are written; a fault of a request is
reported by `cds_service.faults`.
"""

from __future__ import annotations

import logging
import sys
from traceback import extract_tb
from typing import TextIO

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

_SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


def set_up_logs(level: str, stream: TextIO = sys.stderr) -> None:
    """Write everything from `level` ("info") on as JSON to `stream`."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.PositionalArgumentsFormatter(),
            *_SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_SHARED,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _exception_without_message,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for noisy in ("urllib3", "alembic", "sqlalchemy.engine"):
        # Their lines hold addresses with identifiers of patients, and values of statements.
        logging.getLogger(noisy).setLevel(logging.WARNING)


def _exception_without_message(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    found = event.pop("exc_info", None)
    if found is True:
        found = sys.exc_info()
    if isinstance(found, BaseException):
        found = (type(found), found, found.__traceback__)
    if found and found[0] is not None:
        event["exception"] = found[0].__name__
        event["places"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in extract_tb(found[2])]
    return event
