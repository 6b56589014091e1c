"""The facts by which responses are checked are those of the published packages of CRD."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cards.response_types import Version
from tests.conformance.crd_report import FACTS, Json

PACKAGES: dict[Version, str] = {"2.0": "davinci-crd-2.0.1.tgz", "2.2": "davinci_crd_2.2.0-preview.tgz"}
VALUE_SETS = {
    "covered": "coverageInfo",
    "pa-needed": "coveragePaDetail",
    "doc-needed": "AdditionalDocumentation",
    "doc-purpose": "DocReason",
    "info-needed": "informationNeeded",
    "category": "coverageDetailCategories",
}


@pytest.fixture(scope="module", params=PACKAGES)
def published(request: pytest.FixtureRequest, shared: Path) -> tuple[Version, dict[str, Json]]:
    """A version, and its resources by "Type-id"."""
    with tarfile.open(shared / "conformance" / "packages" / PACKAGES[request.param]) as package:
        return request.param, dict(_resources(package))


def _resources(package: tarfile.TarFile) -> Iterator[tuple[str, Json]]:
    for member in package.getmembers():
        name = Path(member.name).stem
        wanted = member.name.endswith(".json") and name.startswith(("StructureDefinition-", "ValueSet-"))
        if wanted and (file := package.extractfile(member)):
            yield name, json.load(file)


def parts(structure: Json, below: str) -> dict[str, list[Any]]:
    """The parts of a complex extension: name -> least, most, kinds of value."""
    elements = {e["id"]: e for e in structure["differential"]["element"]}
    found: dict[str, list[Any]] = {}
    for id_, element in elements.items():
        name = id_.removeprefix(f"{below}.extension:")
        if id_.startswith(f"{below}.extension:") and not set(".:") & set(name):
            value = elements.get(f"{id_}.value[x]", {})
            kinds = [t["code"][:1].upper() + t["code"][1:] for t in value.get("type", ())]
            most = element["max"]
            found[name] = [element["min"], 0 if most == "*" else int(most), sorted(kinds)]
    return found


def stated(facts: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {name: [least, most, sorted(kinds)] for name, (least, most, kinds) in facts.items()}


def test_the_parts_of_the_extension(published: tuple[Version, dict[str, Json]]) -> None:
    version, resources = published
    structure = resources["StructureDefinition-ext-coverage-information"]
    assert structure["url"] == FACTS["extension_url"]
    assert parts(structure, "Extension") == stated(FACTS["sub_extensions"][version])
    assert parts(structure, "Extension.extension:detail") == stated(FACTS["detail_parts"][version])
    profiled = {
        resource["type"]
        for name, resource in resources.items()
        if name.startswith("StructureDefinition-profile-")
        and FACTS["extension_url"] in str(resource["differential"])
    }
    carriers = {context["expression"] for context in structure["context"]} | profiled
    assert carriers == set(FACTS["carriers"][version])


def test_the_codes_of_the_required_bindings(published: tuple[Version, dict[str, Json]]) -> None:
    version, resources = published
    for name, codes in FACTS["codes"][version].items():
        includes = resources[f"ValueSet-{VALUE_SETS[name]}"]["compose"]["include"]
        assert {c["code"] for include in includes for c in include["concept"]} == set(codes), name


def test_what_the_profiles_demand(published: tuple[Version, dict[str, Json]]) -> None:
    version, resources = published
    for kind, profile in FACTS["profiles"][version].items():
        name = "taskquestionnaire" if kind == "Task" else kind.lower()
        elements = resources[f"StructureDefinition-profile-{name}"]["snapshot"]["element"]
        top = [e for e in elements if e["id"].count(".") == 1 and ":" not in e["id"]]
        needs = {names.partition("|")[0].replace("CodeableConcept", "[x]") for names in profile["needs"]}
        assert {e["id"].partition(".")[2] for e in top if e["min"]} == needs, kind
        banned = {e["id"].partition(".")[2] for e in top if e["max"] == "0" and e["base"]["max"] != "0"}
        assert banned == set(profile.get("forbids", ())), kind
        for element in top:
            fixed = element.get("fixedCode") or element.get("patternCode")
            if fixed:
                assert profile["codes"][element["id"].partition(".")[2]] == [fixed], kind
