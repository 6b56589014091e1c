"""Calls to the FHIR server of a request: bounded in time, pages and bytes, and never a failure.

The bearer token of the request goes to the server's own origin and nowhere else: next pages of
another origin are refused and redirects are not followed. What goes wrong becomes a short reason
that holds no URL, no token and no words of the server, because all of these may name the patient.

Sources: FHIR R4, RESTful API, search and paging; CDS Hooks 2.0, section FHIR Resource Access.
"""

from __future__ import annotations

import threading
import time
from urllib.parse import urljoin

import msgspec
from msgspec import Struct
from urllib3 import BaseHTTPResponse, PoolManager, exceptions

from cds_service.origins import Allowed, BadUrlError, Url, base_url, checked
from cds_service.outgoing import (
    AddressRefusedError,
    CertificateRefusedError,
    checked_pools,
    get,
    tls_context,
)
from cds_service.settings import Settings
from mappings.parsing import Item, Problem, Received, read

_CHUNK = 256 * 1024
PAGE_SIZE = 1_000

_REASONS = {
    400: "the FHIR server did not understand the query (400)",
    401: "the FHIR server did not accept the access token (401)",
    403: "the FHIR server refused access (403)",
    404: "the FHIR server does not have it (404)",
    410: "it was deleted (410)",
    429: "the FHIR server had too many requests (429)",
}
TOO_LATE = "the FHIR server did not answer in time"
UNTRUSTED = "the certificate of the FHIR server cannot be verified"
_BROKE = "the connection to the FHIR server broke"
ADDRESS_REFUSED = "the name of the FHIR server leads to an address that this service may not call"


class Fetched(Struct, frozen=True):
    """What a query gave. failure: why it is not complete; `items` are then what came before."""

    items: tuple[Item, ...] = ()
    failure: str = ""
    problems: tuple[Problem, ...] = ()


class _FailedError(Exception):
    """A call that gave nothing; the message is the reason."""


class FhirAccess:
    """The service's way out: one pool of connections, and the rule about who may be called.

    Raises SettingsError for certificates that cannot be read.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._allowed = Allowed.of(settings.fhir_servers, loopback=settings.development)
        connections = settings.threads * settings.fhir_parallel
        self._pools = checked_pools(connections, tls_context(settings.ca_file), self._allowed)

    def server(self, base: str, token: str) -> FhirServer | str:
        """The server at a base URL for one request, or why it is not called. The deadline starts now."""
        try:
            url = base_url(base)
        except BadUrlError as error:
            return f"fhirServer cannot be used: {error}"
        return self._allowed.refusal(url) or FhirServer(self._pools, url, token, self._settings)


class FhirServer:
    """One FHIR server during one request. Safe to use from several threads."""

    def __init__(self, pools: PoolManager, base: Url, token: str, settings: Settings) -> None:
        self._pools = pools
        self._base = base
        self._settings = settings
        self._ends = time.monotonic() + settings.fhir_deadline
        self._headers = {"Accept": "application/fhir+json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._lock = threading.Lock()
        self._bytes = 0
        self._reached = False
        self._refused = False
        self._unreachable = ""

    @property
    def token_use(self) -> str:
        """What became of the access token: used, not-used or rejected. Source: CRD 2.2, CRDMetricData."""
        if not self._reached or "Authorization" not in self._headers:
            return "not-used"
        return "rejected" if self._refused else "used"

    @property
    def parallel(self) -> int:
        """How many queries of one request may run at a time."""
        return self._settings.fhir_parallel

    @property
    def seconds_left(self) -> float:
        """Until the deadline; 0 when it has passed."""
        return max(0.0, self._ends - time.monotonic())

    def search(self, path: str) -> Fetched:
        """All pages of a search like "Condition?patient=1"."""
        return self.follow(f"{self._base}/{path}&_count={PAGE_SIZE}")

    def read(self, path: str) -> Fetched:
        """One resource, like "Patient/1"."""
        try:
            received = self._get(checked(f"{self._base}/{path}"))
        except (_FailedError, BadUrlError) as error:
            return Fetched(failure=str(error))
        if received.kind != "resource":
            return Fetched(failure=_misfit(received))
        return Fetched(received.items, problems=received.problems)

    def text(self, path: str) -> tuple[bytes, str]:
        """One resource like "DeviceRequest/1" as it is stored, and why there is none."""
        try:
            return self._body(checked(f"{self._base}/{path}")), ""
        except (_FailedError, BadUrlError) as error:
            return b"", str(error)

    def texts(self, path: str) -> tuple[list[bytes], str]:
        """The pages of a search as they were sent, and why they are not all."""
        pages: list[bytes] = []
        return pages, self.follow(f"{self._base}/{path}&_count={PAGE_SIZE}", pages).failure

    def path_of(self, reference: str) -> str:
        """The path of a reference on this server ("Patient/1"), "" for one that leads elsewhere."""
        if "://" not in reference:
            return reference
        try:
            url = checked(reference)
        except BadUrlError:
            return ""
        inside = url.origin == self._base.origin and url.path.startswith(f"{self._base.path}/")
        return url.path[len(self._base.path) + 1 :] if inside else ""

    def follow(self, url: str, texts: list[bytes] | None = None) -> Fetched:
        """A page and all that come after it. texts: takes each page as it was sent."""
        items: list[Item] = []
        problems: list[Problem] = []
        seen: set[str] = set()
        page = self._base._replace(path=f"{self._base.path}/")
        try:
            while url:
                if len(seen) >= self._settings.fhir_page_limit:
                    raise _FailedError(f"only the first {len(seen)} pages were read")
                page = self._page_url(url, page)
                if str(page) in seen:
                    raise _FailedError("the pages of the FHIR server lead in a circle")
                seen.add(str(page))
                received = self._get(page, texts)
                if received.kind != "bundle" or (received.outcome and not received.items):
                    raise _FailedError(_misfit(received))
                items += received.items
                problems += received.problems
                url = received.next_url
        except _FailedError as error:
            return Fetched(tuple(items), str(error), tuple(problems))
        return Fetched(tuple(items), problems=tuple(problems))

    def _page_url(self, url: str, before: Url) -> Url:
        """A page that the one before it names: only on the origin of the server, where the token may go."""
        try:
            page = checked(urljoin(str(before), url))
        except ValueError:
            raise _FailedError("the next page is no usable URL") from None
        if page.origin != self._base.origin:
            raise _FailedError("the next page lies on another server")
        return page

    def _get(self, url: Url, texts: list[bytes] | None = None) -> Received:
        """The JSON at a URL. Raises _FailedError."""
        body = self._body(url)
        if texts is not None:
            texts.append(body)
        try:
            received = read(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise _FailedError("the FHIR server sent no usable JSON") from None
        return received

    def _body(self, url: Url) -> bytes:
        try:
            with self._asked(url) as response:
                self._reached = True
                self._refused |= response.status in (401, 403)
                if response.status != 200:
                    raise _FailedError(_status_reason(response.status))
                return self._content(response)
        except exceptions.TimeoutError:
            raise _FailedError(TOO_LATE) from None
        except (exceptions.HTTPError, ValueError):
            raise _FailedError("the query to the FHIR server failed") from None

    def _asked(self, url: Url, *, again: bool = True) -> BaseHTTPResponse:
        if self._unreachable:
            raise _FailedError(self._unreachable)
        left = self.seconds_left
        if not left:
            raise _FailedError(TOO_LATE)
        connect = min(left, self._settings.fhir_connect_timeout)
        silence = min(left, self._settings.fhir_read_timeout)
        try:
            return get(self._pools, url, self._headers, connect, silence)
        except AddressRefusedError:
            raise self._not_reached(ADDRESS_REFUSED) from None
        except CertificateRefusedError:
            raise self._not_reached(UNTRUSTED) from None
        except exceptions.ConnectTimeoutError:  # a NewConnectionError is one
            raise self._not_reached() from None
        except exceptions.ProtocolError:
            if again:
                # A pooled connection that the server had closed meanwhile: a new one may do.
                return self._asked(url, again=False)
            raise _FailedError(_BROKE) from None
        except exceptions.SSLError:
            raise _FailedError(_BROKE) from None

    def _not_reached(self, reason: str = "the FHIR server cannot be reached") -> _FailedError:
        """No connection. A server that never answered in this request is not tried again in it."""
        if not self._reached:
            self._unreachable = reason
        return _FailedError(reason)

    def _content(self, response: BaseHTTPResponse) -> bytes:
        """The body as it comes in, within the limits of the request."""
        parts = []
        while part := response.read1(_CHUNK, decode_content=True):
            parts.append(part)
            with self._lock:
                self._bytes += len(part)
            if self._bytes > self._settings.fhir_byte_limit:
                raise _FailedError("the FHIR server sent more data than is read")
            if not self.seconds_left:
                raise _FailedError(TOO_LATE)
        return b"".join(parts)


def _status_reason(status: int) -> str:
    if status in _REASONS:
        return _REASONS[status]
    if 300 <= status < 400:
        return f"the FHIR server redirects ({status}), which is not followed"
    return f"the FHIR server had an error ({status})"


def _misfit(received: Received) -> str:
    if received.outcome:
        return "the FHIR server reported an error"
    return "the FHIR server sent something else than was asked for"
