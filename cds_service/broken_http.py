"""What gunicorn cannot read as HTTP: told by its kind alone.

gunicorn repeats such bytes in its log and in its answer, and they may hold anything: an address with
a name in it, a token in a header of the wrong form.
"""

from __future__ import annotations

import socket

from gunicorn import util
from gunicorn.http import errors

from cds_service.errors import BadRequestError, InternalError, ServiceError
from cds_service.raw_answer import raw_answer

_STATUS: dict[type[Exception], int] = {
    errors.LimitRequestLine: 414,
    errors.ExpectationFailed: 417,
    errors.LimitRequestHeaders: 431,
    errors.UnsupportedTransferCoding: 501,
}
_OURS = (errors.InvalidResponseHeader, errors.InvalidResponseHeaderName)


def answer_broken(connection: socket.socket, error: Exception) -> None:
    """Answer what cannot be read. Raises OSError when the connection takes no answer."""
    if isinstance(error, errors.ParseException) and not isinstance(error, _OURS):
        what = f"The request is no HTTP that is read here: {type(error).__name__}."
        mend = "Send HTTP/1.1 as RFC 9112 has it."
        refusal: ServiceError = BadRequestError("invalid-request", what, mend=mend)
    else:
        refusal = InternalError("internal", "The service had a fault.")
    util.write_nonblock(connection, raw_answer(refusal, _STATUS.get(type(error), refusal.status)))
