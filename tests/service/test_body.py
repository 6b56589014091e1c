"""Bodies are read whatever way they are sent, and no larger than allowed."""

from __future__ import annotations

import gzip
import io
import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.service.bodies import SIGN, code, encoded, issue, sign
from tests.service.conftest import client_of
from tests.service.fake_engine import FakeEngine

BODY = encoded(sign(prefetch={"patient": None}))


def post(client: FlaskClient, data: bytes, **headers: str) -> Any:
    return client.post(SIGN, data=data, headers={"Content-Type": "application/json"} | headers)


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/json; charset=utf-8",
        "application/json;charset=UTF-8",
        "application/fhir+json",
        "application/json+fhir+json",
        "APPLICATION/JSON",
    ],
)
def test_json_is_taken_under_its_names(client: FlaskClient, kind: str) -> None:
    assert client.post(SIGN, data=BODY, headers={"Content-Type": kind}).status_code == 200


def test_a_body_without_a_type_is_taken_for_json(client: FlaskClient) -> None:
    assert client.post(SIGN, data=BODY).status_code == 200


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/xml",
        "application/fhir+xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=utf-16",
        "application/json; charset=latin-1",
        "json",
    ],
)
def test_other_types_are_refused_with_what_is_accepted(client: FlaskClient, kind: str) -> None:
    response = client.post(SIGN, data=BODY, headers={"Content-Type": kind})
    assert response.status_code == 415
    assert code(response.json) == "media-type"
    assert "application/json" in response.headers["Accept"]


@pytest.mark.parametrize("name", ["gzip", "x-gzip", "GZIP"])
def test_gzip_is_unpacked(client: FlaskClient, name: str) -> None:
    assert post(client, gzip.compress(BODY), **{"Content-Encoding": name}).status_code == 200


def test_gzip_in_several_members_is_unpacked(client: FlaskClient) -> None:
    parts = gzip.compress(BODY[:50]) + gzip.compress(BODY[50:])
    assert post(client, parts, **{"Content-Encoding": "gzip"}).status_code == 200


@pytest.mark.parametrize("name", ["br", "deflate", "gzip, gzip"])
def test_other_encodings_are_refused_with_what_is_accepted(client: FlaskClient, name: str) -> None:
    response = post(client, BODY, **{"Content-Encoding": name})
    assert response.status_code == 415
    assert response.headers["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize(
    "data",
    [BODY, gzip.compress(BODY)[:-9], b"", gzip.compress(BODY) + b"tail"],
    ids=["not packed", "cut", "empty", "with a tail"],
)
def test_broken_gzip_is_a_bad_request(client: FlaskClient, data: bytes) -> None:
    response = post(client, data, **{"Content-Encoding": "gzip"})
    assert response.status_code == 400
    assert code(response.json) == "not-json"


def test_a_body_of_exactly_the_limit_is_read_and_one_byte_more_is_not(fake_engine: FakeEngine) -> None:
    client = client_of(fake_engine, body_limit_mb=1)
    at_limit = BODY + b" " * (1_000_000 - len(BODY))
    assert post(client, at_limit).status_code == 200
    response = post(client, at_limit + b" ")
    assert response.status_code == 413
    assert code(response.json) == "too-large"
    assert "1 MB" in issue(response.json)["details"]["text"]


def test_the_limit_holds_for_what_gzip_unpacks_to(fake_engine: FakeEngine) -> None:
    client = client_of(fake_engine, body_limit_mb=1)
    at_limit = BODY + b" " * (1_000_000 - len(BODY))
    assert post(client, gzip.compress(at_limit), **{"Content-Encoding": "gzip"}).status_code == 200
    bomb = gzip.compress(BODY + b" " * 500_000_000, compresslevel=1)
    assert len(bomb) < 5_000_000
    assert post(client_of(fake_engine), bomb, **{"Content-Encoding": "gzip"}).status_code == 413


def chunked(client: FlaskClient, data: bytes) -> Any:
    """As a server hands over a body of unknown length."""
    environ = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    return client.post(
        SIGN, input_stream=io.BytesIO(data), content_type="application/json", environ_overrides=environ
    )


def test_a_chunked_body_is_read(client: FlaskClient) -> None:
    assert chunked(client, BODY).status_code == 200


def test_the_limit_holds_for_a_chunked_body(fake_engine: FakeEngine) -> None:
    client = client_of(fake_engine, body_limit_mb=1)
    at_limit = BODY + b" " * (1_000_000 - len(BODY))
    assert chunked(client, at_limit).status_code == 200
    assert chunked(client, at_limit + b" ").status_code == 413


def test_a_body_that_ends_early_is_a_bad_request(client: FlaskClient) -> None:
    environ = {"CONTENT_LENGTH": str(len(BODY) + 10)}
    response = client.post(
        SIGN, input_stream=io.BytesIO(BODY), content_type="application/json", environ_overrides=environ
    )
    assert response.status_code == 400
    assert "ends after" in issue(response.json)["details"]["text"]


class Broken(io.BytesIO):
    """A connection that breaks off, as a server reports it."""

    def read(self, *_: Any) -> bytes:
        raise ConnectionResetError


def test_a_connection_that_breaks_off_is_a_bad_request(client: FlaskClient) -> None:
    response = client.post(
        SIGN,
        input_stream=Broken(),
        content_type="application/json",
        environ_overrides={"CONTENT_LENGTH": "9"},
    )
    assert response.status_code == 400


def test_a_byte_order_mark_is_no_error(client: FlaskClient) -> None:
    assert post(client, b"\xef\xbb\xbf" + BODY).status_code == 200


def test_fifty_megabytes_are_answered(client: FlaskClient) -> None:
    request = sign(
        prefetch={"patient": None, "unheard": {"resourceType": "Binary", "data": "x" * 50_000_000}}
    )
    response = post(client, json.dumps(request).encode())
    assert response.status_code == 200
