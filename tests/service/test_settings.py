"""Settings are read strictly, and all of them are documented."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from cds_service.settings import PREFIX, Settings, SettingsError, from_environment, rows
from cds_service.settings_cli import markdown

DOCS = Path(__file__).parent.parent.parent / "docs" / "settings.md"


def read(**values: str) -> Settings:
    return from_environment({PREFIX + name.upper(): value for name, value in values.items()})


def test_an_empty_environment_gives_the_defaults() -> None:
    assert from_environment({"PATH": "/bin", "HOOKS": "x"}) == Settings()


def test_each_kind_of_value_is_read() -> None:
    settings = read(
        port="9000",
        fhir_deadline="2.5",
        show_met="true",
        mode="production",
        fhir_servers="https://a.example.org, http://b.example.org:8080 ,",
        cors_origins="https://ehr.example.org",
    )
    assert (settings.port, settings.fhir_deadline, settings.show_met) == (9000, 2.5, True)
    assert settings.fhir_servers == ("https://a.example.org", "http://b.example.org:8080")
    assert settings.cors_origins == ("https://ehr.example.org",)
    assert not settings.development


def test_an_empty_value_counts_as_unset() -> None:
    assert read(port="", fhir_servers=" ", mode="") == Settings()


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("port", "http", "int"),
        ("port", "-1", ">= 0"),
        ("port", "65536", "<= 65535"),
        ("port", "80.5", "int"),
        ("workers", "0", ">= 1"),
        ("fhir_deadline", "soon", "float"),
        ("fhir_deadline", "0", "> 0"),
        ("fhir_deadline", "nan", "> 0"),
        ("fhir_deadline", "inf", "<= 60"),
        ("show_met", "yes", "bool"),
        ("mode", "prod", "one of development, production"),
        ("body_limit_mb", "0", ">= 1"),
        ("fhir_servers", "ehr.example.org", "https://"),
        ("fhir_servers", "https://ehr.example.org/fhir", "only the origin"),
        ("fhir_servers", "https://user@ehr.example.org", "user name"),
        ("smart_app_url", "app.example.org/launch", "https://"),
        ("smart_app_url", "https://user@app.example.org", "user name"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_what_it_may_be(name: str, value: str, says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(**{name: value})
    assert PREFIX + name.upper() in str(caught.value)
    assert says in str(caught.value)


@pytest.mark.parametrize("port", ["0", "65535"])
def test_the_bounds_themselves_are_allowed(port: str) -> None:
    assert read(port=port).port == int(port)


def test_a_misspelled_name_stops_the_start_and_the_nearest_is_named() -> None:
    with pytest.raises(SettingsError, match=r"COVERAGE_HOOKS_FHIR_SERVER;.*COVERAGE_HOOKS_FHIR_SERVERS"):
        read(fhir_server="https://a.example.org")


def test_a_name_that_is_near_to_nothing_leads_to_the_list() -> None:
    with pytest.raises(SettingsError, match="`coverage-hooks settings` lists them"):
        read(zzz="1")


def test_every_setting_has_a_meaning() -> None:
    assert all(row.meaning for row in rows())
    assert len(list(rows())) == len(msgspec.structs.fields(Settings))


def test_the_documentation_lists_every_setting_as_it_is() -> None:
    assert markdown() in DOCS.read_text(encoding="utf-8")


def test_megabytes_are_counted_in_bytes() -> None:
    settings = read(body_limit_mb="2", fhir_byte_limit_mb="3")
    assert (settings.body_limit, settings.fhir_byte_limit) == (2_000_000, 3_000_000)
