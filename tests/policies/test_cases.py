"""Cases beside a policy: what is given, what is taken over from an earlier case, what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from mappings.catalogue import Catalogue
from mappings.evidence import Basis, Reason
from mappings.terminology import ValueSets
from mappings.yaml_file import DataError
from policies.cases import Case, load_cases
from policies.loader import load_policy
from tests.policies.small_policy import VALID

FIRST = """\
cases:
  - name: first
    as_of: 2025-07-01
    given: {dx_diabetes: true, insulin_injections_per_day: 4}
    expect: {outcome: not-met}
"""

Load = Callable[[str], list[Case]]


@pytest.fixture
def load(tmp_path: Path, catalogue: Catalogue, value_sets: ValueSets) -> Load:
    """The cases of a text beside the small policy."""

    def read(text: str) -> list[Case]:
        (tmp_path / "policy.yaml").write_text(VALID, encoding="utf-8")
        (tmp_path / "cases.yaml").write_text(text, encoding="utf-8")
        return load_cases(load_policy(tmp_path / "policy.yaml", catalogue, value_sets), catalogue)

    return read


def more(text: str) -> str:
    return FIRST + "  - name: second\n" + "".join(f"    {line}\n" for line in text.splitlines())


def test_a_case_like_an_earlier_one_has_its_day_and_facts(load: Load) -> None:
    first, second = load(more("like: first\nexpect: {outcome: not-met}"))
    assert (second.as_of, second.given) == (first.as_of, first.given) == (date(2025, 7, 1), first.given)


def test_its_own_facts_go_before_those_of_the_earlier_one(load: Load) -> None:
    text = (
        "like: first\nas_of: 2025-08-01\ngiven: {insulin_injections_per_day: 2}\nexpect: {outcome: not-met}"
    )
    first, second = load(more(text))
    assert second.as_of == date(2025, 8, 1)
    assert {name: reading.value for name, reading in second.given.items()} == {
        "dx_diabetes": True,
        "insulin_injections_per_day": 2.0,
    }
    assert first.given["insulin_injections_per_day"].value == 4.0


def test_it_may_be_without_facts_of_the_earlier_one(load: Load) -> None:
    _, second = load(more("like: first\nwithout: [dx_diabetes]\nexpect: {outcome: not-met}"))
    assert set(second.given) == {"insulin_injections_per_day"}


def test_a_fact_that_it_takes_over_may_be_attested_only(load: Load) -> None:
    first, second = load(more("like: first\nattested: [dx_diabetes]\nexpect: {outcome: not-met}"))
    assert second.given["dx_diabetes"].basis is Basis.ATTESTED
    assert first.given["dx_diabetes"].basis is Basis.DOCUMENTED


def test_an_unknown_fact_keeps_its_reason(load: Load) -> None:
    _, second = load(
        more("like: first\ngiven: {dx_diabetes: {unknown: conflicting}}\nexpect: {outcome: not-met}")
    )
    assert second.given["dx_diabetes"].reason is Reason.CONFLICTING


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("like: frist\nexpect: {outcome: met}", "did you mean first"),
        ("like: second\nexpect: {outcome: met}", "allowed: first"),
        ("like: first\nwithout: [pregnant]\nexpect: {outcome: met}", "pregnant is not given before"),
        ("like: first\nattested: [pregnant]\nexpect: {outcome: met}", "attested but not given"),
        ("given: {dx_diabetes: true}\nexpect: {outcome: met}", "as_of is missing"),
    ],
)
def test_a_slip_in_a_case_is_refused_with_its_mend(load: Load, text: str, words: str) -> None:
    with pytest.raises(DataError, match=words):
        load(more(text))
