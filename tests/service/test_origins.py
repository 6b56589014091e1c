"""Only servers that are meant to be called are called, however their address is written."""

from __future__ import annotations

import pytest

from cds_service.origins import Allowed, BadUrlError, base_url, checked

LISTED = Allowed(frozenset({base_url("https://ehr.example.org:9443").origin}), loopback=False)
LOOPBACK = Allowed(frozenset(), loopback=True)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ehr.example.org/fhir",
        "//ehr.example.org/fhir",
        "ftp://ehr.example.org",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "http://",
        "http:///fhir",
        "https://user@ehr.example.org",
        "https://user:word@ehr.example.org",
        "https://ehr.example.org@other.example.org",
        "https://ehr.example.org\\@other.example.org",
        "https://ehr.example.org /fhir",
        "https://ehr.example.org\r\nHost: x",
        "https://ehr.example.org\x00",
        "https://ehr.example.org:99999",
        "https://ehr.example.org:port",
        "https://ehr.example.org:0",
        "https://[::1",
        "https://ehr_example/fhir",
        "https://é.example.org",
    ],
)
def test_what_is_no_plain_web_address_is_refused(url: str) -> None:
    with pytest.raises(BadUrlError):
        base_url(url)


@pytest.mark.parametrize("url", ["https://ehr.example.org/fhir?x=1", "https://ehr.example.org/fhir#part"])
def test_a_base_has_no_query(url: str) -> None:
    with pytest.raises(BadUrlError):
        base_url(url)


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("https://EHR.example.org/fhir/", "https://ehr.example.org/fhir"),
        ("https://ehr.example.org:443/fhir", "https://ehr.example.org/fhir"),
        ("http://ehr.example.org:443", "http://ehr.example.org:443"),
        ("http://[::1]:8080/fhir", "http://[::1]:8080/fhir"),
        (" https://ehr.example.org/r4 ", "https://ehr.example.org/r4"),
    ],
)
def test_a_base_is_put_together_from_its_parts(url: str, text: str) -> None:
    assert str(base_url(url)) == text


def test_a_query_stays_as_it_was_written() -> None:
    url = "https://ehr.example.org/fhir/?_getpages=a%20b&_offset=20"
    assert str(checked(url)) == url


def test_a_listed_origin_is_allowed() -> None:
    assert LISTED.refusal(base_url("https://ehr.example.org:9443/r4")) == ""


@pytest.mark.req("A8.84")
@pytest.mark.parametrize(
    "url",
    [
        "http://ehr.example.org:9443",
        "https://ehr.example.org",
        "https://ehr.example.org:9444",
        "https://ehr.example.org.evil.example:9443",
        "https://sub.ehr.example.org:9443",
        "https://example.org:9443",
        "http://127.0.0.1",
        "http://localhost",
    ],
)
def test_another_scheme_port_or_host_is_not_allowed(url: str) -> None:
    assert LISTED.refusal(base_url(url))


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "http://127.8.9.1", "http://[::1]", "http://LOCALHOST"]
)
def test_this_machine_is_allowed_in_development(url: str) -> None:
    assert LOOPBACK.refusal(base_url(url)) == ""


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1",
        "http://192.168.1.1",
        "http://169.254.169.254",
        "http://0.0.0.0",
        "http://2130706433",
        "http://0177.0.0.1",
        "http://127.1",
        "http://0x7f.0.0.1",
        "http://[::ffff:10.0.0.1]",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
    ],
)
def test_nothing_else_is_allowed_in_development_however_it_is_written(url: str) -> None:
    assert LOOPBACK.refusal(base_url(url))


@pytest.mark.req("A8.84")
def test_production_does_not_allow_this_machine() -> None:
    assert Allowed(frozenset(), loopback=False).refusal(base_url("http://127.0.0.1"))
