"""A FHIR server and a key set whose certificates only the hospital's own authority vouches for."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from cds_service.app import create_app
from cds_service.fhir_client import UNTRUSTED
from cds_service.settings import PREFIX, Settings, SettingsError
from policies.engine import Engine
from tests.certificate import Authority
from tests.fhir_stub import FhirStub
from tests.service.fake_engine import FakeEngine
from tests.service.test_fault_table import RESOURCES, body_for, leaves
from tests.service.trust.world import world

LOCALHOST = x509.DNSName("localhost")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def stub(authority: Authority) -> Iterator[FhirStub]:
    with FhirStub(RESOURCES, tls=authority.server(LOCALHOST)) as running:
        yield running


def answer(engine: Engine, stub: FhirStub, **settings: Any) -> dict[str, Any]:
    service = create_app(Settings(fhir_deadline=30, database_url="none", **settings), engine).test_client()
    response = service.post("/determinations", json=body_for(stub))
    assert response.status_code == 200
    found: dict[str, Any] = response.json
    return found


def is_refused(found: dict[str, Any]) -> bool:
    """Whether nothing was had, which is said, and nothing is claimed about the patient."""
    states = {leaf["state"] for each in found["determinations"] for leaf in leaves(each["criteria"])}
    reasons = {leaf.get("reason") for each in found["determinations"] for leaf in leaves(each["criteria"])}
    outcomes = {each["outcome"] for each in found["determinations"]}
    told = all(line.endswith(f"{UNTRUSTED}.") for line in found["could_not"])
    return (
        told and "fetch_failed" in reasons and "unknown" in states and outcomes.isdisjoint({"met", "not-met"})
    )


def test_a_server_is_refused_whose_authority_nobody_knows(engine: Engine, stub: FhirStub) -> None:
    assert is_refused(answer(engine, stub))
    assert stub.seen == []


def test_a_server_is_called_whose_authority_is_in_the_settings(
    engine: Engine, stub: FhirStub, authority: Authority
) -> None:
    found = answer(engine, stub, ca_file=str(authority.file))
    assert [each["outcome"] for each in found["determinations"]] == ["met"]
    assert "could_not" not in found


@pytest.mark.parametrize("name", [x509.DNSName("fhir.example.org"), x509.IPAddress(ip_address("127.0.0.1"))])
def test_a_certificate_of_a_known_authority_must_be_for_the_name_that_is_called(
    engine: Engine, authority: Authority, name: x509.GeneralName
) -> None:
    with FhirStub(RESOURCES, tls=authority.server(name)) as stub:
        assert is_refused(answer(engine, stub, ca_file=str(authority.file)))
        assert stub.seen == []


def test_the_key_set_of_a_client_is_read_by_the_same_authorities(
    tmp_path: Path, fake_engine: FakeEngine, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    tls = authority.server(LOCALHOST)
    with world(tmp_path, fake_engine, tls=tls, ca_file=str(authority.file)) as known:
        assert known.post(known.token()).status_code == 200
    with caplog.at_level(logging.WARNING), world(tmp_path, fake_engine, tls=tls) as unknown:
        assert unknown.post(unknown.token()).status_code == 401
        assert unknown.keys.asked == []
    assert "its certificate cannot be verified" in caplog.text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "No such file"),
        ("", "holds no certificate"),
        ("-----BEGIN CERTIFICATE-----\n", "no certificate"),
    ],
)
def test_a_file_without_certificates_stops_the_start(
    tmp_path: Path, fake_engine: FakeEngine, text: str | None, says: str
) -> None:
    file = tmp_path / "authorities.pem"
    if text is not None:
        file.write_text(text)
    with pytest.raises(SettingsError, match=says) as caught:
        create_app(Settings(ca_file=str(file), database_url="none"), fake_engine)  # type: ignore[arg-type]
    assert str(caught.value).startswith(f"{PREFIX}CA_FILE={file}")
