"""Kleene logic, tested over the whole truth table (M met, U unmet, K unknown)."""

from __future__ import annotations

import pytest

from policies.logic import Truth, all_of, any_of, at_least, negate, truth

M, U, K = Truth.MET, Truth.UNMET, Truth.UNKNOWN
NAMES = {"M": M, "U": U, "K": K}

ALL = {"MM": M, "MK": K, "MU": U, "KM": K, "KK": K, "KU": U, "UM": U, "UK": U, "UU": U}
ANY = {"MM": M, "MK": M, "MU": M, "KM": M, "KK": K, "KU": K, "UM": M, "UK": K, "UU": U}


@pytest.mark.parametrize("pair", ALL)
def test_all_follows_kleene(pair: str) -> None:
    assert all_of(NAMES[name] for name in pair) is ALL[pair]


@pytest.mark.parametrize("pair", ANY)
def test_any_follows_kleene(pair: str) -> None:
    assert any_of(NAMES[name] for name in pair) is ANY[pair]


def test_an_empty_all_is_met_and_an_empty_any_is_unmet() -> None:
    assert all_of([]) is M
    assert any_of([]) is U


@pytest.mark.parametrize(
    ("count", "states", "expected"),
    [
        (2, "MUU", U),
        (2, "MKU", K),
        (2, "MMU", M),
        (2, "KKU", K),
        (2, "KUU", U),
        (1, "UUU", U),
        (3, "MMM", M),
    ],
)
def test_at_least_counts_what_is_met_and_what_still_could_be(
    count: int, states: str, expected: Truth
) -> None:
    assert at_least(count, [NAMES[name] for name in states]) is expected


@pytest.mark.parametrize(("state", "opposite"), [(M, U), (U, M), (K, K)])
def test_not_turns_met_and_unmet_and_keeps_unknown(state: Truth, opposite: Truth) -> None:
    assert negate(state) is opposite


@pytest.mark.parametrize("state", list(Truth))
def test_a_truth_refuses_to_be_a_bool(state: Truth) -> None:
    with pytest.raises(TypeError, match="no bool"):
        bool(state)


@pytest.mark.parametrize(("value", "state"), [(True, M), (False, U), (None, K)])
def test_a_python_answer_becomes_a_truth(value: bool | None, state: Truth) -> None:
    assert truth(value) is state
