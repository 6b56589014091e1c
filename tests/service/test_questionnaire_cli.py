"""`coverage-hooks policy questionnaire`: what a policy author sees of a form."""

from __future__ import annotations

import json

import pytest

from cds_service.cli import main
from cds_service.settings import PREFIX


def test_it_prints_the_form_as_it_is_served(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{PREFIX}PUBLIC_URL", "https://cds.example.org")
    assert main(["policy", "questionnaire", "anthem.cg-surg-79", "replacement"]) == 0
    form = json.loads(capsys.readouterr().out)
    assert form["url"] == "https://cds.example.org/fhir/Questionnaire/anthem.cg-surg-79.replacement"
    assert [item["linkId"] for item in form["item"]] == [
        "introduction",
        "group.failed_or_failing",
        "pump_eri_alarm",
        "group.policy.exclusions",
    ]


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["anthem.cg-surg-79", "replacment"], "did you mean replacement?"),
        (["anthem.cg-surg-97", "replacement"], "did you mean anthem.cg-surg-79?"),
    ],
)
def test_a_wrong_name_is_told_with_the_right_ones(names: list[str], said: str) -> None:
    with pytest.raises(SystemExit, match=said.replace("?", r"\?")):
        main(["policy", "questionnaire", *names])
