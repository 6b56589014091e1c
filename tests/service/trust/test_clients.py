"""The list of clients is read strictly, and each error leads to its place."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.app import create_app
from cds_service.settings import Settings, SettingsError
from cds_service.trust.clients import Client, read_clients
from cds_service.trust.reasons import Reason
from mappings.documents import DocumentError
from tests.service.fake_engine import FakeEngine
from tests.service.trust.tokens import EC_KEY, P256_KEY, RSA_KEY, jwk
from tests.service.trust.world import settings, write_clients

DOCS = Path(__file__).parent.parent.parent.parent / "docs" / "clients.md"
GOOD = {"name": "a", "issuer": "https://a.example.org", "jku": "https://a.example.org/jwks.json"}
KEY = jwk(EC_KEY, "ec-1")
SMALL_RSA = {"kty": "RSA", "kid": "r", "n": "1qGKPv0bJsQ", "e": "AQAB"}


def pinned(*keys: Any) -> dict[str, Any]:
    return {"name": "a", "issuer": "https://a.example.org", "jwks": {"keys": list(keys)}}


def test_a_list_is_read(tmp_path: Path) -> None:
    other = pinned(KEY, jwk(RSA_KEY, "rsa", alg="PS256")) | {"name": "b", "tenant": "t", "issuer": "b"}
    clients = read_clients(write_clients(tmp_path, GOOD, other), loopback=False)
    first, second = clients
    assert first == Client(name="a", issuer="https://a.example.org", jku="https://a.example.org/jwks.json")
    assert first.algorithms == ("ES384", "RS384")
    assert clients.find("b", "t") == second
    assert clients.find("b", None) is None
    assert clients.find("https://a.example.org", {"any": 1}) == first


def test_keys_are_read_from_a_file_beside_the_list(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"keys": [KEY]}), encoding="utf-8")
    client = {"name": "a", "issuer": "a", "jwks_file": "a.json"}
    (found,) = read_clients(write_clients(tmp_path, client), loopback=False)
    assert found.jwks.keys == (KEY,)


@pytest.mark.parametrize(
    ("clients", "where", "says"),
    [
        ([], "clients", "no client"),
        ([{"name": "a", "jku": "https://a.example.org/k"}], "clients[0]", "issuer"),
        ([GOOD | {"issuers": "x"}], "clients[0].issuers", "did you mean 'issuer'?"),
        ([GOOD | {"issuer": 7}], "clients[0].issuer", "quote it"),
        ([GOOD | {"issuer": ""}], "clients[0].issuer", "length"),
        ([GOOD | {"name": "a b"}], "clients[0].name", "matching regex"),
        ([GOOD | {"algorithms": ["HS256"]}], "clients[0].algorithms[0]", "HS256"),
        ([GOOD | {"algorithms": ["none"]}], "clients[0].algorithms[0]", "none"),
        ([GOOD | {"algorithms": []}], "clients[0].algorithms", "length"),
        ([GOOD | {"services": []}], "clients[0].services", "length"),
        ([GOOD | {"jku": "http://a.example.org/k"}], "clients[0].jku", "over https"),
        ([GOOD | {"jku": "http://127.0.0.1/k"}], "clients[0].jku", "over https"),
        ([GOOD | {"jku": "a.example.org"}], "clients[0].jku", "https://"),
        ([GOOD | {"jku": "https://u:p@a.example.org"}], "clients[0].jku", "user name"),
        ([GOOD | {"jku": "file:///etc/passwd"}], "clients[0].jku", "https://"),
        ([{"name": "a", "issuer": "a"}], "clients[0]", "it has no keys"),
        ([pinned(KEY) | {"jwks_file": "a.json"}], "clients[0].jwks_file", "either here"),
        ([pinned()], "clients[0]", "it has no keys"),
        ([pinned(KEY, {"kty": "EC"})], "clients[0].jwks.keys[1]", "no kid"),
        ([pinned(jwk(EC_KEY, "p", private=True))], "clients[0].jwks.keys[0]", "private part"),
        ([pinned({"kty": "oct", "kid": "s", "k": "AAAA"})], "clients[0].jwks.keys[0]", "private part"),
        ([pinned(jwk(EC_KEY, "x", y="AAAA"))], "clients[0].jwks.keys[0]", "must fit"),
        ([pinned(SMALL_RSA)], "clients[0].jwks.keys[0]", "2048 bits"),
        ([pinned(KEY, KEY)], "clients[0].jwks.keys[0]", "several keys"),
        ([GOOD, GOOD | {"issuer": "b"}], "clients[0].name", "two clients"),
        ([GOOD, GOOD | {"name": "b"}], "clients[0].issuer", "tell them apart"),
        ([GOOD, GOOD | {"name": "b", "tenant": "t"}], "clients[1].tenant", "takes all"),
        ([GOOD | {"fhir_servers": ["https://f.example.org/r4"]}], "clients[0].fhir_servers[0]", "origin"),
        ([GOOD | {"fhir_servers": ["f.example.org"]}], "clients[0].fhir_servers[0]", "https://"),
        ([{"name": "a", "issuer": "a", "jwks_file": "gone.json"}], "clients[0].jwks_file", "No such file"),
    ],
)
def test_an_error_leads_to_its_place(tmp_path: Path, clients: list[Any], where: str, says: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_clients(write_clients(tmp_path, *clients), loopback=False)
    assert f": {where}: " in str(caught.value)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [("[]", "no JWK set"), ('{"keys": []}', "no key"), ('{"keys": [{"kty": "EC"}]}', "key 0: the key has no kid")],
)  # fmt: skip
def test_a_file_of_keys_is_held_to_the_same(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "a.json").write_text(text, encoding="utf-8")
    with pytest.raises(DocumentError, match=says):
        read_clients(
            write_clients(tmp_path, {"name": "a", "issuer": "a", "jwks_file": "a.json"}), loopback=False
        )


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "[::1]:1"])
def test_keys_on_this_machine_may_be_read_without_tls_in_development(tmp_path: Path, host: str) -> None:
    file = write_clients(tmp_path, GOOD | {"jku": f"http://{host}/k"})
    assert len(list(read_clients(file, loopback=True))) == 1


def test_p_256_is_pinned_for_es256(tmp_path: Path) -> None:
    client = pinned(jwk(P256_KEY, "p")) | {"algorithms": ["ES256"]}
    assert len(list(read_clients(write_clients(tmp_path, client), loopback=False))) == 1


def test_a_right_that_does_not_exist_stops_the_start(tmp_path: Path, fake_engine: FakeEngine) -> None:
    file = write_clients(tmp_path, GOOD | {"services": ["determinations", "infusion-pump-ordersign"]})
    with pytest.raises(SettingsError, match=r"client a: .*'infusion-pump-ordersign'.*did you mean infusion-pump-order-sign\?"):  # fmt: skip
        create_app(settings(file), fake_engine)  # type: ignore[arg-type]


# Settings


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"host": "0.0.0.0"}, "refused on 0.0.0.0, which others can reach"),
        ({"host": "::"}, "refused on ::"),
        ({"host": "192.0.2.7"}, "refused on 192.0.2.7"),
        ({"host": "cds.example.org"}, "refused on cds.example.org"),
        ({"host": ""}, "refused on "),
        ({"mode": "production"}, "refused in production"),
        ({"trust": "jwt"}, "CLIENTS_FILE"),
        ({"trust": "jwt", "allow_open": True}, "CLIENTS_FILE"),
        ({"trust": "jwt", "clients_file": "gone.yaml"}, "CLIENTS_FILE=gone.yaml cannot be read"),
        ({"trust": "jwt", "clients_file": "gone.yaml", "host": "0.0.0.0"}, "PUBLIC_URL"),
        ({"trust": "jwt", "clients_file": "gone.yaml", "public_url": "cds.example.org"}, "PUBLIC_URL='cds"),
        ({"trust": "jwt", "clients_file": "gone.yaml", "public_url": "https://a/?b=c"}, "PUBLIC_URL="),
    ],
)
def test_settings_that_leave_the_service_open_or_shut_by_mistake_stop_the_start(
    given: dict[str, Any], says: str, fake_engine: FakeEngine
) -> None:
    with pytest.raises(SettingsError) as caught:
        create_app(Settings(**given), fake_engine)  # type: ignore[arg-type]
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"host": "::1"},
        {"host": "localhost"},
        {"host": "127.8.0.1"},
        {"host": "0.0.0.0", "allow_open": True},
        {"mode": "production", "allow_open": True},
    ],
)
def test_open_is_for_this_machine_or_forced_and_is_logged(
    given: dict[str, Any], fake_engine: FakeEngine, caplog: pytest.LogCaptureFixture
) -> None:
    create_app(Settings(**given), fake_engine)  # type: ignore[arg-type]
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "no token is asked" in record.getMessage()


@pytest.mark.parametrize("url", ["http://:secret@cache", "cache:6379", "redis://:secret@cache:port"])
def test_an_address_of_redis_that_is_none_is_not_repeated(
    tmp_path: Path, url: str, fake_engine: FakeEngine
) -> None:
    with pytest.raises(SettingsError) as caught:
        create_app(settings(write_clients(tmp_path, GOOD), redis_url=url), fake_engine)  # type: ignore[arg-type]
    assert "REDIS_URL must begin with" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_no_place_for_temporary_files_is_told(
    tmp_path: Path, fake_engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    with pytest.raises(SettingsError, match=r"no place for temporary files.*TMPDIR"):
        create_app(settings(write_clients(tmp_path, GOOD)), fake_engine)  # type: ignore[arg-type]


def test_redis_without_its_library_is_told(
    tmp_path: Path, fake_engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "redis", None)
    with pytest.raises(SettingsError, match=r"coverage-hooks\[cluster\]"):
        create_app(settings(write_clients(tmp_path, GOOD), redis_url="redis://cache"), fake_engine)  # type: ignore[arg-type]


# Documentation


def test_the_example_of_the_documentation_is_a_list(tmp_path: Path) -> None:
    text = DOCS.read_text(encoding="utf-8")
    example = text.partition("```yaml\n")[2].partition("```")[0]
    (tmp_path / "c.yaml").write_text(example.replace("valley.jwks.json", "k.json"), encoding="utf-8")
    (tmp_path / "k.json").write_text(json.dumps({"keys": [KEY]}), encoding="utf-8")
    assert len(list(read_clients(tmp_path / "c.yaml", loopback=False))) == len(
        yaml.safe_load(example)["clients"]
    )


def test_every_reason_is_documented() -> None:
    text = DOCS.read_text(encoding="utf-8").partition("## Refusals")[2]
    for reason in Reason:
        assert f"| `{reason.code}` | {reason.what} {reason.mend} |" in text
