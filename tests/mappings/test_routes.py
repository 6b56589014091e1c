"""By which route a dosage delivers its drug."""

from __future__ import annotations

import json

import msgspec
import pytest

from mappings.fhir import Dosage
from mappings.routes import is_parenteral, route_of
from tests.mappings.orders import SNOMED, Json, concept

V2 = "http://terminology.hl7.org/CodeSystem/v2-0162"


def dosage(route: Json | None = None, site: Json | None = None, text: str = "") -> Dosage:
    written = {"route": route, "site": site, "text": text}
    return msgspec.json.decode(json.dumps({k: v for k, v in written.items() if v}), type=Dosage)


@pytest.mark.parametrize(
    ("system", "code", "routes"),
    [
        (SNOMED, "72607000", ("intrathecal",)),
        (SNOMED, "404820008", ("epidural",)),
        (SNOMED, "47625008", ("intravenous",)),
        (SNOMED, "34206005", ("subcutaneous",)),
        (SNOMED, "38239002", ("intraperitoneal",)),
        (SNOMED, "127491008", ("enteral",)),
        (SNOMED, "420719007", ("intraventricular",)),
        (SNOMED, "418418000", ("intrathecal", "epidural")),
        ("http://snomed.info/sct/731000124108", "72607000", ("intrathecal",)),
        (SNOMED, "447694001", ("inhaled",)),
        (V2, "SC", ("subcutaneous",)),
        (V2, "IH", ("inhaled",)),
        (V2, "IHA", ("intra-arterial-hepatic",)),
        ("http://terminology.hl7.org/CodeSystem/v3-RouteOfAdministration", "SQINFUS", ("subcutaneous",)),
    ],
)
def test_a_code_tells_its_routes(system: str, code: str, routes: tuple[str, ...]) -> None:
    assert route_of(dosage(concept((system, code)))).routes == routes


@pytest.mark.parametrize(
    ("site", "text", "routes"),
    [
        (concept((SNOMED, "76015000")), "", ("intra-arterial-hepatic",)),
        (concept((SNOMED, "1"), text="hepatic artery"), "", ("intra-arterial-hepatic",)),
        (None, "floxuridine into the hepatic artery", ("intra-arterial-hepatic",)),
        (concept(text="femoral artery"), "", ("intra-arterial",)),
        (None, "", ("intra-arterial", "intra-arterial-hepatic")),
    ],
)
def test_an_intra_arterial_route_is_hepatic_by_its_site(
    site: Json | None, text: str, routes: tuple[str, ...]
) -> None:
    assert route_of(dosage(concept((SNOMED, "58100008")), site, text)).routes == routes


@pytest.mark.parametrize(
    ("text", "routes"),
    [
        ("intrathecally", ("intrathecal",)),
        ("5-FU 46 h via port, IV", ("intravenous",)),
        ("give it iv", ()),
        ("for NYHA IV", ()),
        ("stage IV, given IV", ("intravenous",)),
        ("Intra-arterial, hepatic artery", ("intra-arterial-hepatic",)),
        ("SC or IV", ("subcutaneous", "intravenous")),
        ("18 breaths by inhalation four times daily", ("inhaled",)),
        ("over 8 h", ()),
    ],
)
def test_words_count_where_no_route_is_coded(text: str, routes: tuple[str, ...]) -> None:
    read = route_of(dosage(text=text))
    assert set(read.routes) == set(routes)
    assert read.worded


def test_the_words_of_a_route_count_where_its_code_is_unknown() -> None:
    read = route_of(dosage(concept(("http://local", "17"), text="Intravenous")))
    assert (read.routes, read.worded) == (("intravenous",), True)


def test_a_code_goes_before_its_words() -> None:
    assert route_of(dosage(concept((SNOMED, "47625008"), text="subcutaneous"))).routes == ("intravenous",)


def test_an_unknown_route_is_no_route() -> None:
    read = route_of(dosage(concept(("http://local", "17"), text="by drip"), text="IV"))
    assert (read.routes, read.unmapped) == ((), True)


def test_what_is_inhaled_is_not_parenteral() -> None:
    assert route_of(dosage(concept((SNOMED, "447694001")))).routes == ("inhaled",)
    assert not is_parenteral("inhaled")
