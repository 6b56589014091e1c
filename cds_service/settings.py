"""All settings, from environment variables COVERAGE_HOOKS_<NAME>.

Reading is strict: a value that does not fit and a name that does not exist stop the start, because
a misspelled limit that is silently ignored is found on the day it is needed. An empty value counts
as unset.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
from msgspec import Meta, Struct

from cards.response_types import Version
from cds_service.origins import BadUrlError, checked, listed

PREFIX = "COVERAGE_HOOKS_"


def _setting(meaning: str, **limits: Any) -> Meta:
    return Meta(description=meaning, **limits)


class Settings(Struct, frozen=True, kw_only=True):
    """One value for each setting; the names are the variables' without prefix, in lower case."""

    mode: Annotated[
        Literal["development", "production"],
        _setting(
            "development may call FHIR servers on this machine (loopback); "
            "production calls only those of FHIR_SERVERS, and asks for tokens (TRUST=jwt)"
        ),
    ] = "development"
    host: Annotated[str, _setting("address to listen on")] = "127.0.0.1"
    port: Annotated[int, _setting("port to listen on", ge=0, le=65535)] = 8080
    public_url: Annotated[
        str,
        _setting(
            "address by which clients reach the service, e.g. https://cds.example.org (the default is the "
            "address listened on); tokens and questionnaires name it"
        ),
    ] = ""
    workers: Annotated[int, _setting("processes that answer", ge=1, le=64)] = 2
    threads: Annotated[int, _setting("requests that one process answers at a time", ge=1, le=64)] = 8
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], _setting("how much is written to standard error")
    ] = "info"
    policy_dirs: Annotated[
        tuple[str, ...],
        _setting("further folders of policies (with their value_sets/ and facts/), separated by commas"),
    ] = ()
    policy_refresh: Annotated[
        float,
        _setting("seconds between looks at POLICY_DIRS for changes; 0 loads them at the start only", ge=0),
    ] = 5.0
    show_met: Annotated[bool, _setting("true: a card also for an order that meets everything")] = False
    cors_origins: Annotated[
        tuple[str, ...],
        _setting("web origins whose pages may call the service, separated by commas; * for any"),
    ] = ("*",)
    body_limit_mb: Annotated[
        int, _setting("largest request body in megabytes, also after decompression", ge=1, le=1024)
    ] = 64
    fhir_servers: Annotated[
        tuple[str, ...],
        _setting(
            "origins of the FHIR servers that may be called, e.g. https://ehr.example.org:9443, or patterns "
            "for public hosts below a domain, e.g. https://*.ehr.example.org"
        ),
    ] = ()
    fhir_deadline: Annotated[
        float, _setting("seconds after which an answer waits for no FHIR server any more", gt=0, le=60)
    ] = 4.0
    # A lost first packet is sent again after a second: less would take a busy server for a dead one.
    fhir_connect_timeout: Annotated[
        float, _setting("seconds to wait for a connection to a FHIR server", gt=0, le=60)
    ] = 2.0
    fhir_read_timeout: Annotated[
        float, _setting("seconds of silence after which a query to a FHIR server is given up", gt=0, le=60)
    ] = 3.0
    # All that the packaged policies ask for, at once: each further wave would wait for the one before.
    fhir_parallel: Annotated[int, _setting("queries of one request that run at a time", ge=1, le=64)] = 24
    fhir_page_limit: Annotated[int, _setting("pages read of one query", ge=1, le=10_000)] = 50
    fhir_byte_limit_mb: Annotated[
        int, _setting("megabytes read from a FHIR server for one request", ge=1, le=1024)
    ] = 64
    ca_file: Annotated[
        str,
        _setting(
            "certificates (PEM) of authorities that vouch for FHIR servers and key sets beside the public "
            "ones, e.g. that of the hospital"
        ),
    ] = ""
    # The store
    database_url: Annotated[
        str,
        _setting(
            "where feedback and decisions are kept, e.g. postgresql://user:password@host/name or "
            "sqlite:////srv/store.sqlite3; none keeps nothing (the default is a SQLite file in the state "
            "directory of the user)",
            extra={"secret": True},
        ),
    ] = ""
    decision_log: Annotated[
        Literal["on", "off"], _setting("whether decisions and issued cards are kept, without patient data")
    ] = "on"
    capture: Annotated[
        Literal["none", "full"],
        _setting(
            "full keeps whole requests (without tokens), answers and comments of clinicians too: patient data"
        ),
    ] = "none"
    hash_key: Annotated[
        str,
        _setting(
            "key of the hashes that stand for patients and orders, 32 characters or more (the default is a "
            "key made beside the SQLite file)",
            extra={"secret": True},
        ),
    ] = ""
    retention_days: Annotated[
        int, _setting("days that `coverage-hooks store retention` keeps what is stored", ge=1, le=36_500)
    ] = 365
    # Proposals.
    smart_app_url: Annotated[
        str,
        _setting(
            "launch URL of a SMART application on what an order lacks; cards offer it only when it is set"
        ),
    ] = ""
    smart_app_label: Annotated[str, _setting("what the link to the SMART application is called")] = (
        "Open the documentation application"
    )
    # Da Vinci CRD
    crd_version: Annotated[
        Version,
        _setting("version of Da Vinci CRD for requests that ask for none by davinci-crd.requestedVersion"),
    ] = "2.0"
    prefetch_style: Annotated[
        Version,
        _setting(
            "2.2 offers the prefetch expressions of CRD 2.2 in discovery, for clients that understand them; "
            "2.0 only what CDS Hooks 2.0 allows"
        ),
    ] = "2.0"
    payer_mismatch: Annotated[
        Literal["lenient", "strict"],
        _setting(
            "strict: requests of CRD 2.2 without exactly one active coverage of a known payer are refused "
            "(400), as CRD 2.2 has it; lenient answers them by every policy"
        ),
    ] = "lenient"
    # Who may call: docs/clients.md
    trust: Annotated[
        Literal["open", "jwt"],
        _setting("open asks no token and is for development; jwt asks for one of a client of CLIENTS_FILE"),
    ] = "open"
    allow_open: Annotated[
        bool,
        _setting("true: TRUST=open also in production and on an address that others reach"),
    ] = False
    clients_file: Annotated[str, _setting("the registered clients (YAML), for TRUST=jwt")] = ""
    token_leeway: Annotated[
        float, _setting("seconds by which the clock of a client may differ", ge=0, le=600)
    ] = 60.0
    discovery_open: Annotated[
        bool, _setting("true: discovery needs no token; one that is sent is checked all the same")
    ] = True
    redis_url: Annotated[
        str,
        _setting(
            "Redis in which several machines share replay protection and key sets, e.g. "
            "rediss://cache.example.org (the default is a file that the workers of one machine share)",
            extra={"secret": True},
        ),
    ] = ""

    # Limits of what comes in; see docs/outgoing-calls.md.
    order_limit: Annotated[int, _setting("orders in one request", ge=1, le=100_000)] = 250
    resource_limit: Annotated[int, _setting("FHIR resources in one request", ge=1, le=10_000_000)] = 250_000
    waiting: Annotated[
        int, _setting("requests of one process that may wait for their turn; more get 503", ge=0, le=1024)
    ] = 8
    wait_limit: Annotated[
        float, _setting("seconds that a request waits for its turn before it gets 503", gt=0, le=60)
    ] = 0.5
    senders: Annotated[
        int, _setting("requests of one process that may be arriving at a time", ge=1, le=1024)
    ] = 32
    request_timeout: Annotated[
        float, _setting("seconds within which a request must have arrived", gt=0, le=600)
    ] = 15.0
    # What operators see: docs/operations.md.
    log_format: Annotated[
        Literal["auto", "json", "text"],
        _setting("json: one object a line; text is for reading; auto: text on a terminal, else json"),
    ] = "auto"
    metrics: Annotated[
        Literal["on", "off"], _setting("whether GET /metrics tells metrics (Prometheus), without a token")
    ] = "on"
    otlp_endpoint: Annotated[
        str,
        _setting(
            "where traces are sent (OTLP over HTTP), e.g. http://collector:4318/v1/traces; without it there "
            "are none"
        ),
    ] = ""

    @property
    def base_url(self) -> str:
        """The address by which clients reach the service, without a slash at the end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.public_url.rstrip("/") or f"http://{host}:{self.port}"

    @property
    def development(self) -> bool:
        return self.mode == "development"

    @property
    def body_limit(self) -> int:
        """In bytes."""
        return self.body_limit_mb * 1_000_000

    @property
    def fhir_byte_limit(self) -> int:
        """In bytes."""
        return self.fhir_byte_limit_mb * 1_000_000


class SettingsError(ValueError):
    """Settings that cannot be used; the message names the variable and what it may be."""


class Row(Struct, frozen=True):
    """One setting for people: variable, default and meaning as text. secret: its value is not shown."""

    variable: str
    default: str
    meaning: str
    secret: bool = False


def from_environment(environment: Mapping[str, str]) -> Settings:
    """The settings that `environment` gives. Raises SettingsError for the first that does not fit."""
    fields = {PREFIX + field.name.upper(): field for field in msgspec.structs.fields(Settings)}
    given: dict[str, Any] = {}
    for variable, text in environment.items():
        if not variable.startswith(PREFIX):
            continue
        field = fields.get(variable)
        if field is None:
            names = [name.removeprefix(PREFIX) for name in fields]
            near = get_close_matches(variable.removeprefix(PREFIX), names, n=1)
            hint = f"; did you mean {PREFIX}{near[0]}?" if near else "; `coverage-hooks settings` lists them"
            raise SettingsError(f"there is no setting {variable}{hint}")
        if text.strip():
            given[field.name] = _value(variable, text.strip(), field.type)
    settings = Settings(**given)
    for server in settings.fhir_servers:
        try:
            listed(server)
        except BadUrlError as error:
            raise SettingsError(f"{PREFIX}FHIR_SERVERS: {server!r}: {error}") from None
    for name in ("smart_app_url", "otlp_endpoint"):
        try:
            if url := getattr(settings, name):
                checked(url)
        except BadUrlError as error:
            raise SettingsError(f"{PREFIX}{name.upper()}: {error}") from None
    return settings


def _value(variable: str, text: str, type_: Any) -> Any:
    kind = get_args(type_)[0]
    if get_origin(kind) is tuple:
        return tuple(part for item in text.split(",") if (part := item.strip()))
    try:
        return msgspec.convert(text, type_, strict=False)
    except msgspec.ValidationError as error:
        allowed = f"one of {', '.join(get_args(kind))}" if get_origin(kind) is Literal else _plain(str(error))
        raise SettingsError(f"{variable}={text!r} cannot be used: {allowed}") from None


def _plain(message: str) -> str:
    """msgspec's message without the path of a lone value."""
    return message.partition(" - at ")[0].replace("`", "")


def rows() -> Iterator[Row]:
    """The table of all settings, in the order of the struct."""
    for field in msgspec.structs.fields(Settings):
        meta = next(item for item in field.type.__metadata__ if isinstance(item, Meta))
        secret = bool((meta.extra or {}).get("secret"))
        yield Row(PREFIX + field.name.upper(), _text(field.default), meta.description or "", secret)


def _text(default: Any) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return ", ".join(default) or "(none)"
    return f"{default:g}" if isinstance(default, float) else str(default)
