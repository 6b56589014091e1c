"""Orderables are read strictly."""

from __future__ import annotations

from pathlib import Path

import pytest

from mappings.orderables import Orderables
from mappings.yaml_file import DataError
from tests.mappings.orders import catalogue, value_sets

VALID = """\
ketones:
  says: ketones in blood
  facts: [dawn_phenomenon]
  record: Observation
  same: [lab-glucose-smbg]
  choices:
    - says: Ketones
      items:
        - codes: [{system: loinc, code: "1234-5", display: Ketones}]
          performer: {system: nucc, code: "2084N0400X", display: Neurology}
"""


def load(folder: Path, text: str) -> Orderables:
    path = folder / "orderables.yaml"
    path.write_text(text, encoding="utf-8")
    return Orderables.load(catalogue(), value_sets(), path)


def test_an_orderable_is_found_by_its_fact(tmp_path: Path) -> None:
    found = load(tmp_path, VALID).by_fact["dawn_phenomenon"]
    assert (found.name, found.record, found.also_unmet) == ("ketones", "Observation", False)
    (item,) = found.choices[0].items
    assert item.codes[0].system == "http://loinc.org"
    assert item.performer is not None


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[dawn_phenomenon]", "[dawn_phenomenom]", "did you mean dawn_phenomenon"),
        ("[dawn_phenomenon]", "[psych_eval_done]", "is settled by psychological_evaluation already"),
        ("[lab-glucose-smbg]", "[lab-glucose-smb]", "did you mean lab-glucose-smbg"),
        ("record: Observation", "record: Observations", "did you mean Observation"),
        ("system: loinc", "system: loin", "did you mean loinc"),
        ('"1234-5"', "12345", "must be text"),
        ("says: ketones in blood\n", "say: ketones in blood\n", "the key 'says' is missing"),
        (", display: Ketones}", "}", "the key 'display' is missing"),
        ('[{system: loinc, code: "1234-5", display: Ketones}]', "[]", "a service needs its code"),
        ("  same:", "  sames:", "unknown key 'sames'"),
    ],
)
def test_a_mistake_is_refused_with_the_place_and_the_mend(
    old: str, new: str, words: str, tmp_path: Path
) -> None:
    assert old in VALID
    with pytest.raises(DataError, match=words) as caught:
        load(tmp_path, VALID.replace(old, new, 1))
    assert "orderables.yaml:" in str(caught.value)


def test_a_way_to_order_needs_something_to_order(tmp_path: Path) -> None:
    head = VALID.partition("  choices:")[0]
    with pytest.raises(DataError, match="at least one way"):
        load(tmp_path, head)
    with pytest.raises(DataError, match="at least one service"):
        load(tmp_path, head + "  choices:\n    - {says: Ketones, items: []}\n")
