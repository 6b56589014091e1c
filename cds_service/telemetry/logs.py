"""What is written to standard error: lines of JSON, or text for reading.

Our own lines hold nothing of a request. Those of libraries may: gunicorn, urllib3 and others repeat
addresses and headers that they cannot read. So of their lines only the fixed text is written and the
numbers in it, and only from warnings on. An exception's message may hold anything too: its type and
the places that it went through are written, not the message.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import warnings
from collections.abc import Mapping
from traceback import extract_tb
from types import TracebackType
from typing import TextIO

import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from cds_service.settings import Settings
from cds_service.telemetry.access import FIELDS
from cds_service.telemetry.observed import observed

OWN = "cds_service"
_WITHHELD = "..."
# Where gunicorn's lines take this way, its first process has loaded this module.
_STARTER = os.getpid()

log = logging.getLogger(__name__)


def set_up_logs(settings: Settings, stream: TextIO | None = None) -> None:
    """Write all log lines of this process to a stream (standard error by default)."""
    stream = stream or sys.stderr
    as_text = settings.log_format == "text" or (settings.log_format == "auto" and stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.addFilter(_Withheld())
    handler.setFormatter(_formatter(_for_reading(stream) if as_text else structlog.processors.JSONRenderer()))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger(OWN).setLevel(settings.log_level.upper())
    threading.excepthook = _thread_failed
    warnings.showwarning = _warned


def _formatter(renderer: Processor) -> logging.Formatter:
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            _add_request,
            structlog.stdlib.ExtraAdder(FIELDS),
        ],
        processors=[
            _exception_without_message,
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            renderer,
        ],
    )


def _for_reading(stream: TextIO) -> Processor:
    return structlog.dev.ConsoleRenderer(colors=stream.isatty(), sort_keys=False)


class _Withheld(logging.Filter):
    """Takes what may come of a request out of a library's line."""

    def filter(self, record: logging.LogRecord) -> bool:
        library = record.name.partition(".")[0]
        # gunicorn's first process looks after the workers and sees no request.
        harmless = library == OWN or (library == "gunicorn" and os.getpid() == _STARTER)
        if record.args and not harmless:
            if isinstance(record.args, Mapping):
                record.args = {name: _number(value) for name, value in record.args.items()}
            else:
                record.args = tuple(_number(value) for value in record.args)
            try:
                record.msg, record.args = record.getMessage(), ()
            except (TypeError, ValueError):  # a number was wanted where there was something else
                record.msg, record.args = str(record.msg), ()
        return True


def _number(value: object) -> object:
    return value if isinstance(value, int | float) else _WITHHELD


def _add_request(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    if found := observed().request_id:
        event["request_id"] = found
    return event


def _exception_without_message(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    found = event.pop("exc_info", None)
    if isinstance(found, tuple) and found[0] is not None:
        event["exception"] = found[0].__name__
        event["places"] = _places(found[2])
    return event


def _places(trace: TracebackType | None) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} in {frame.name}" for frame in extract_tb(trace)]


def _thread_failed(failure: threading.ExceptHookArgs) -> None:
    error = (failure.exc_type, failure.exc_value or failure.exc_type(), failure.exc_traceback)
    log.error("a thread ended by a fault", exc_info=error)


def _warned(
    message: Warning | str,  # noqa: ARG001
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001
    line: str | None = None,  # noqa: ARG001
) -> None:
    log.warning("Python warns: %s at %s:%d", category.__name__, filename, lineno)
