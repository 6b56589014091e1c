"""The body of a request as bytes: media type, gzip, chunks, and a limit that holds while reading.

The bytes are read from the server's stream in one piece where their length is known; nothing is
copied, because every later step only looks at parts of them.
"""

from __future__ import annotations

import zlib
from typing import IO

from flask import Request

from cds_service.errors import BadRequestError, MediaTypeError, ServiceError, SlowError, TooLargeError
from cds_service.slow_clients import arrived, is_cut_off

_CHUNK = 256 * 1024
_ACCEPTED = "application/json, application/fhir+json"
_BOM = b"\xef\xbb\xbf"
_READ = "coverage_hooks.body"


def read_body(request: Request, limit: int) -> bytes:
    """The JSON text of a request, decompressed. It can be asked for again.

    limit: in bytes, for what is sent and for what it unpacks to. A body without a Content-Type is
    taken for JSON. Raises MediaTypeError, TooLargeError, SlowError for a body that took too long, and
    BadRequestError for one that breaks off.
    """
    if (before := request.environ.get(_READ)) is not None:
        read: bytes = before
        return read
    _check_type(request)
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        what = "The body has a Content-Encoding that is not read."
        mend = "Send it plain or with gzip."
        raise MediaTypeError("media-type", what, mend=mend, headers={"Accept-Encoding": "gzip"})
    body = _read(request, limit)
    arrived(request.environ)
    if encoding != "identity":
        body = _unzipped(body, limit)
    body = body[len(_BOM) :] if body.startswith(_BOM) else body
    request.environ[_READ] = body
    return body


def size_of_body(request: Request) -> int:
    """How many bytes a request brought, as they were sent where that was told."""
    return request.content_length or len(request.environ.get(_READ, b""))


def discard_body(request: Request, limit: int) -> None:
    """Read the body of a refused request away, so that the sender gets to see the answer."""
    if request.content_length is not None and _READ not in request.environ:
        _discard(request, request.content_length, limit)


def _check_type(request: Request) -> None:
    kind = request.mimetype
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    json = kind in ("", "application/json") or (kind.startswith("application/") and kind.endswith("+json"))
    if json and charset in ("utf-8", "utf8", "us-ascii"):
        return
    what = "The body is sent in another charset." if json else "The body is sent as another type."
    mend = "Send JSON in UTF-8 with Content-Type: application/json."
    raise MediaTypeError("media-type", what, mend=mend, headers={"Accept": _ACCEPTED})


def _read(request: Request, limit: int) -> bytes:
    length = request.content_length
    chunked = "HTTP_TRANSFER_ENCODING" in request.environ
    if length is None and not (chunked and request.environ.get("wsgi.input_terminated")):
        return b""
    if length is not None and not chunked:
        if length > limit:
            _discard(request, length, limit)
            raise _too_large(limit)
        body = _pull(request, length)
        while len(body) < length:
            more = _pull(request, length - len(body))
            if not more:
                raise _broken_off(request, f"The body ends after {len(body)} of {length} bytes.")
            body += more
        return body
    parts, total = [], 0
    while part := _pull(request, _CHUNK):
        parts.append(part)
        total += len(part)
        if total > limit:
            raise _too_large(limit)
    return b"".join(parts)


def _pull(request: Request, size: int) -> bytes:
    stream: IO[bytes] = request.environ["wsgi.input"]
    try:
        return stream.read(size)
    except Exception as error:  # each WSGI server has its own for a connection that breaks off
        raise _broken_off(request, "The body broke off or is not rightly chunked.") from error


def _broken_off(request: Request, what: str) -> ServiceError:
    if is_cut_off(request.environ):
        mend = "Send less, or over a faster connection; nothing was checked."
        return SlowError("too-slow", "The body took too long to arrive.", mend=mend)
    return BadRequestError("not-json", what, mend="Send it again.")


def _discard(request: Request, length: int, limit: int) -> None:
    """Read a refused body away, so that the sender gets to see the answer.

    A server that closes a connection with unread bytes resets it. Far larger ones are not worth it.
    """
    left = length if length <= 2 * limit else 0
    while left > 0 and (part := _pull(request, min(left, _CHUNK))):
        left -= len(part)


def _unzipped(body: bytes, limit: int) -> bytes:
    """The contents of a gzip body, of one or several members."""
    parts: list[bytes] = []
    total = 0
    view = memoryview(body)
    member = zlib.decompressobj(wbits=31)
    for start in range(0, len(view), _CHUNK):
        piece: bytes | memoryview = view[start : start + _CHUNK]
        while piece:
            if member.eof:
                member = zlib.decompressobj(wbits=31)
            try:
                part = member.decompress(piece, limit - total + 1)
            except zlib.error:
                raise BadRequestError("not-json", "The body is no gzip.", mend="Compress it again.") from None
            parts.append(part)
            total += len(part)
            if total > limit:
                raise _too_large(limit)
            piece = member.unused_data
    if not member.eof:
        raise BadRequestError("not-json", "The gzip body ends early.", mend="Send it again.")
    return b"".join(parts)


def _too_large(limit: int) -> TooLargeError:
    what = f"The body is larger than {limit // 1_000_000} MB."
    mend = "Send less prefetch data; the service queries fhirServer for what is missing."
    return TooLargeError("too-large", what, mend=mend)
