"""Long runs of one type are taken into a chart at once: it is the same chart as one by one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mappings import chart as module
from mappings.chart import Chart
from mappings.evidence import Origin
from mappings.fhir import Observation, Reference
from mappings.parsing import Item
from mappings.terminology import ValueSets

ONE_BY_ONE, AT_ONCE = 10**9, 1
PLAIN = st.integers(0, 10**6).map(
    lambda number: Item(
        Observation(id=str(number), status="final", subject=Reference(reference="Patient/me")),
        f"https://fhir.example.org/Observation/{number}",
    )
)
ODD = st.builds(
    lambda id_, status, subject, url: Item(
        Observation(id=id_, status=status, subject=None if subject is None else Reference(reference=subject)),
        url,
    ),
    st.sampled_from(["", "1", "2", "3"]),
    st.sampled_from(["final", "entered-in-error"]),
    st.sampled_from([None, "Patient/me", "Patient/other", "me", ""]),
    st.sampled_from(["", "urn:uuid:1", "urn:uuid:2", "Observation/2", "https://x.example.org/Observation/3"]),
)


def all_of(chart: Chart) -> dict[str, Any]:
    """What a chart tells, by everything that its resources may be called."""
    names = [f"Observation/{number}" for number in "123"] + ["urn:uuid:1", "urn:uuid:2"]
    names += ["https://x.example.org/Observation/3"]
    observations = chart.of(Observation)
    names += [f"Observation/{each.id}" for each in observations]
    return {
        "of": [id(each) for each in observations],
        "left out": chart.left_out,
        "counts": chart.counts,
        "answered": chart.answered,
        "named": {name: id(chart.resolve(Reference(reference=name))) for name in names},
        "origins": [chart.origin(each) for each in observations],
    }


def filled(value_sets: ValueSets, runs: list[list[Item]], origin: Origin, length: int) -> Chart:
    chart = Chart("me", value_sets)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_LONG_RUN", length)
        for run in runs:
            chart.add(run, origin)
    return chart


# An address that is the reference of a later one, which is then taken for a copy.
MISTAKEN = [Item(Observation(id="1"), "Observation/2"), Item(Observation(id="2"))]


@example(runs=[MISTAKEN], origin=Origin.PREFETCH)
@given(
    runs=st.lists(st.lists(PLAIN | ODD, max_size=12) | st.lists(PLAIN, max_size=12), max_size=4),
    origin=st.sampled_from([Origin.PREFETCH, Origin.SERVER]),
)
def test_it_is_the_same_chart(value_sets: ValueSets, runs: list[list[Item]], origin: Origin) -> None:
    assert all_of(filled(value_sets, runs, origin, AT_ONCE)) == all_of(
        filled(value_sets, runs, origin, ONE_BY_ONE)
    )


def test_a_run_of_plain_readings_is_taken_at_once(
    value_sets: ValueSets, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = [Item(Observation(id=str(number), status="final")) for number in range(module._LONG_RUN)]
    monkeypatch.delattr(Chart, "_add_each")
    chart = Chart("me", value_sets)
    chart.add(run, Origin.PREFETCH)
    assert chart.of(Observation) == [item.resource for item in run]
