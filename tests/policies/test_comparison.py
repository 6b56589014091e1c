"""The table of situations: read strictly, and printed with what is otherwise than it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.cli import main
from mappings.catalogue import Catalogue
from mappings.yaml_file import DataError
from policies.comparison import load_comparison

TABLE = """\
schema: policy-comparison/1
as_of: 2026-02-16
policies:
  Anthem: {id: anthem.cg-surg-79, given: {member_lob: commercial}}
given: {order_is_replacement: true}
situations:
  - name: a pump that fails
    given: {pump_class: implantable-programmable, pump_functioning: false}
    answers: {Anthem: met}
  - name: a pump that works, for an upgrade
    like: a pump that fails
    given: {pump_functioning: true, replacement_reason: upgrade, pump_eri_alarm: false}
    answers: {Anthem: excluded}
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "table.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_table_of_ones_own_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "compare", "--table", str(written(tmp_path, TABLE))]) == 0
    printed = capsys.readouterr().out
    assert "2 answers that the documents decide, 0 of them otherwise" in printed


def test_only_the_situations_asked_for_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["policy", "compare", "--only", "UPGRADE", "--table", str(written(tmp_path, TABLE))]) == 0
    printed = capsys.readouterr().out
    assert "1 answers" in printed
    assert "that fails" not in printed


def test_an_answer_that_is_otherwise_fails_the_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = TABLE.replace("answers: {Anthem: met}", "answers: {Anthem: not-met}")
    assert main(["policy", "compare", "--table", str(written(tmp_path, wrong))]) == 1
    assert "1 of them otherwise" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "instead", "said"),
    [
        ("Anthem: met}", "Anthem: maybe}", "allowed"),
        ("Anthem: met}", "Antem: met}", "Antem"),
        ("like: a pump that fails", "like: a pump that failed", "a pump that fails"),
        ("name: a pump that works, for an upgrade", "name: a pump that fails", "two situations"),
        ("pump_functioning: false", "pump_functions: false", "unknown fact"),
        ("as_of: 2026-02-16\n", "", "as_of"),
    ],
)
def test_a_table_with_a_mistake_is_refused(
    text: str, instead: str, said: str, tmp_path: Path, catalogue: Catalogue
) -> None:
    assert text in TABLE
    with pytest.raises(DataError, match=said):
        load_comparison(written(tmp_path, TABLE.replace(text, instead)), catalogue)
