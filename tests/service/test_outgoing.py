"""A name leads where it is allowed to lead, whatever DNS answers; the connection goes to what was checked."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from urllib3 import BaseHTTPResponse

from cds_service.addresses import AddressError, Reach, resolve, within
from cds_service.fhir_client import ADDRESS_REFUSED, FhirAccess, FhirServer
from cds_service.origins import Allowed, checked
from cds_service.outgoing import CertificateRefusedError, checked_pools, get
from cds_service.settings import Settings
from tests.certificate import self_signed
from tests.fhir_stub import FhirStub
from tests.service.bodies import PATIENT

PUBLIC = ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8"]
PRIVATE = ["10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "fd12:3456::1", "::ffff:10.0.0.1"]
LOOPBACK = ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"]
NEVER = [
    "169.254.169.254",
    "fe80::1",
    "::ffff:169.254.169.254",
    "0.0.0.0",
    "::",
    "224.0.0.1",
    "ff02::1",
    "240.0.0.1",
    "255.255.255.255",
    "64:ff9b::7f00:1",  # NAT64 of 127.0.0.1
    "64:ff9b::a9fe:a9fe",  # NAT64 of 169.254.169.254
    "2002:7f00:1::1",  # 6to4 of 127.0.0.1
    "2002:a9fe:a9fe::1",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",  # Teredo of 127.0.0.1
    "100.100.100.200",  # where clouds keep secrets, outside of the link-local block
    "168.63.129.16",
    "fd00:ec2::254",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_within_every_reach_but_this_machine(address: str) -> None:
    assert [within(ip_address(address), reach) for reach in Reach] == [False, True, True]


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_needs_an_origin_that_is_listed_exactly(address: str) -> None:
    assert [within(ip_address(address), reach) for reach in Reach] == [False, True, False]


@pytest.mark.parametrize("address", LOOPBACK)
def test_this_machine_needs_to_be_written_as_such(address: str) -> None:
    assert [within(ip_address(address), reach) for reach in Reach] == [True, False, False]


@pytest.mark.parametrize("address", NEVER)
def test_some_addresses_are_never_called(address: str) -> None:
    assert not any(within(ip_address(address), reach) for reach in Reach)


class Dns:
    """Answers of a name server, one list for each time it is asked; the last one stays."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: list[list[str]] = []
        self.asked: list[str] = []
        self._real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", self)

    def __call__(self, host: Any, port: Any, *args: Any, **options: Any) -> Any:
        try:
            ip_address(host)
        except ValueError:
            self.asked.append(host)
            addresses = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        else:
            addresses = [host]
        found = []
        for address in addresses:
            found += self._real(address, port, *args, **options)
        return found


@pytest.fixture
def dns(monkeypatch: pytest.MonkeyPatch) -> Dns:
    return Dns(monkeypatch)


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every address that a connection was tried to; none succeeds."""
    tried: list[Any] = []

    def connect(_: socket.socket, address: Any) -> None:
        tried.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    return tried


def server(base: str, token: str = "secret", **settings: Any) -> FhirServer:
    found = FhirAccess(Settings(**settings)).server(base, token)
    assert isinstance(found, FhirServer)
    return found


@pytest.mark.parametrize("address", [*LOOPBACK, *NEVER])
def test_a_listed_name_that_leads_where_nothing_may_lead_is_not_called(
    address: str, dns: Dns, connected: list[Any]
) -> None:
    dns.answers = [[address]]
    asked = server("https://ehr.example.org/r4", fhir_servers=("https://ehr.example.org",))
    assert asked.read("Patient/p1").failure == ADDRESS_REFUSED
    assert connected == []


@pytest.mark.parametrize("address", [*PRIVATE, *LOOPBACK, *NEVER])
def test_a_pattern_leads_to_no_private_address(address: str, dns: Dns, connected: list[Any]) -> None:
    dns.answers = [[address]]
    asked = server("https://a.example.org/r4", fhir_servers=("https://*.example.org",))
    assert asked.read("Patient/p1").failure == ADDRESS_REFUSED
    assert connected == []


def test_one_bad_address_among_good_ones_refuses_the_name(dns: Dns, connected: list[Any]) -> None:
    dns.answers = [["8.8.8.8", "127.0.0.1"]]
    asked = server("https://ehr.example.org/r4", fhir_servers=("https://ehr.example.org",))
    assert asked.read("Patient/p1").failure == ADDRESS_REFUSED
    assert connected == []


def test_localhost_that_leads_elsewhere_is_not_called(dns: Dns, connected: list[Any]) -> None:
    dns.answers = [["10.0.0.1"]]
    assert server("http://localhost:9/r4").read("Patient/p1").failure == ADDRESS_REFUSED
    assert connected == []


@pytest.mark.parametrize(
    ("servers", "base", "addresses"),
    [
        ("https://ehr.example.org", "https://ehr.example.org/r4", ["10.0.0.1"]),
        ("https://ehr.example.org", "https://ehr.example.org/r4", ["8.8.8.8", "8.8.4.4"]),
        ("https://*.example.org", "https://a.example.org/r4", ["8.8.8.8"]),
        ("https://10.1.2.3:9443", "https://10.1.2.3:9443/r4", ["10.1.2.3"]),
    ],
)
def test_what_is_allowed_is_called_at_each_of_its_addresses(
    servers: str, base: str, addresses: list[str], dns: Dns, connected: list[Any]
) -> None:
    dns.answers = [addresses]
    asked = server(base, fhir_servers=(servers,), mode="production")
    assert asked.read("Patient/p1").failure == "the FHIR server cannot be reached"
    assert [address for address, _ in connected] == addresses


def test_a_name_is_resolved_once_for_a_connection_which_goes_to_what_was_checked(dns: Dns) -> None:
    """Rebinding: the second answer of the name server leads to the metadata of the cloud."""
    dns.answers = [["127.0.0.1"], ["169.254.169.254"]]
    with FhirStub([PATIENT]) as stub:
        base = stub.base.replace("127.0.0.1", "localhost")
        asked = server(base)
        assert asked.read("Patient/p1").failure == ""
        assert asked.read("Patient/p1").failure == ""  # the same connection: nothing is resolved
        assert dns.asked == ["localhost"]
        assert stub.seen[0].headers["Host"].startswith("localhost:")
        assert server(base).read("Patient/p1").failure == ADDRESS_REFUSED  # a new one: checked anew
    assert len(stub.seen) == 2


def test_a_name_that_does_not_resolve_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    asked = server("https://ehr.example.org/r4", fhir_servers=("https://ehr.example.org",))
    assert asked.read("Patient/p1").failure == "the FHIR server cannot be reached"


def test_an_address_is_checked_however_the_resolver_spells_it(dns: Dns) -> None:
    dns.answers = [["127.0.0.1"]]
    with pytest.raises(AddressError) as caught:
        resolve("2130706433.example.org", 443, Reach.NETWORK)
    assert "2130706433" not in str(caught.value)


@pytest.mark.parametrize(
    "base",
    [
        "http://2130706433/r4",
        "http://0177.0.0.1/r4",
        "http://0x7f.1/r4",
        "http://[::ffff:10.0.0.1]/r4",
        "http://[::ffff:169.254.169.254]/latest",
        "http://user:word@127.0.0.1/r4",
        "http://127.0.0.1@10.0.0.1/r4",
        "http://127.0.0.1\\@10.0.0.1/r4",
        "http://127.0.0.1#@10.0.0.1/r4",
        "http://127.0.0.1:0/r4",
        "http://127.0.0.1:99999/r4",
        "gopher://127.0.0.1:70/r4",
        "ftp://127.0.0.1/r4",
        "file:///etc/passwd",
        "http://127.0.0.1.nip.example/r4",
        "http://localhost.example.org/r4",
        "http://\u2460\u2461\u2466.0.0.1/r4",
        "http://\u3002127.0.0.1/r4",
        "//127.0.0.1/r4",
    ],
)
def test_an_address_in_disguise_is_not_called(base: str, connected: list[Any]) -> None:
    assert isinstance(FhirAccess(Settings()).server(base, "secret"), str)
    assert connected == []


class Tls:
    """A TLS server on this machine with a certificate for localhost; it keeps the names it was called by."""

    def __init__(self, folder: Path) -> None:
        self.names: list[str | None] = []
        certificate, key = self_signed(x509.DNSName("localhost"))
        self.certificate = folder / "localhost.pem"
        self.certificate.write_bytes(key + certificate)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        context.sni_callback = lambda _, name, __: self.names.append(name)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._answer, args=(context,), daemon=True).start()

    def _answer(self, context: ssl.SSLContext) -> None:
        connection, _ = self._listener.accept()
        with suppress(OSError), context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(65536)
            secured.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")

    def close(self) -> None:
        self._listener.close()


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[Tls]:
    running = Tls(tmp_path)
    yield running
    running.close()


def get_by_tls(tls: Tls, host: str) -> BaseHTTPResponse:
    context = ssl.create_default_context(cafile=tls.certificate)
    connections = checked_pools(1, context, Allowed(frozenset(), loopback=True))
    return get(connections, checked(f"https://{host}:{tls.port}/"), {}, 5, 5)


def test_tls_keeps_the_name_and_checks_the_certificate_against_it(tls: Tls, dns: Dns) -> None:
    dns.answers = [["127.0.0.1"]]
    with get_by_tls(tls, "localhost") as response:
        assert response.status == 204
    assert tls.names == ["localhost"]


def test_a_certificate_for_another_name_is_refused(tls: Tls) -> None:
    with pytest.raises(CertificateRefusedError):
        get_by_tls(tls, "127.0.0.1")


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(variable, "http://127.0.0.1:9")
    with FhirStub([PATIENT]) as stub:
        assert server(stub.base).read("Patient/p1").failure == ""
