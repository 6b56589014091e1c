"""What is more than a request may hold is refused by its number, and exactly from there on."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.errors import CostlyError, ServiceError
from cds_service.limits import check_contents
from tests.service.bodies import PATIENT, SIGN, bundle, code, observation, pump_order, sign
from tests.service.conftest import client_of
from tests.service.fake_engine import FakeEngine

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.sampled_from('[]{}"\\,: aé\n'), max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.sampled_from('[]{}"\\a'), max_size=3), inner, max_size=3)
    ),
    max_leaves=25,
)


def levels(value: Any) -> int:
    """How deep a value is nested, the plain way."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max((levels(each) for each in inner), default=0)


def is_deeper(body: bytes, limit: int) -> bool:
    try:
        check_contents(body, depth=limit, resources=1)
    except CostlyError:
        return True
    return False


@settings(max_examples=1_000, deadline=None, derandomize=True)
@given(value=JSON_VALUES, ascii_only=st.booleans(), indent=st.sampled_from([None, 1]))
def test_depth_is_counted_as_nested_whatever_strings_hold(
    value: Any, ascii_only: bool, indent: int | None
) -> None:
    body = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode()
    depth = levels(value)
    assert not is_deeper(body, depth)
    assert depth == 0 or is_deeper(body, depth - 1)


@pytest.mark.parametrize("depth", [15, 16, 17, 18, 64, 300])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
def test_depth_is_counted_exactly_when_it_is_large(depth: int, opening: str, closing: str) -> None:
    body = (opening * depth + "1" + closing * depth).encode()
    depth *= 2 if opening.startswith("[{") else 1
    assert not is_deeper(body, depth)
    assert is_deeper(body, depth - 1)


@pytest.mark.parametrize("body", [b"[" * 1_000_000, b'{"a":' * 100_000, b"[{" * 100_000])
def test_depth_that_never_closes_is_too_deep(body: bytes) -> None:
    assert is_deeper(body, 64)


def test_what_is_no_json_is_left_to_its_reader() -> None:
    for body in (b"", b"]]]]", b"{", b'"', b'"[[[[', b"\xff\x00", b'{"a": "\\'):
        check_contents(body, depth=16, resources=1)


def test_resources_are_counted_up_to_the_limit(fake_engine: FakeEngine) -> None:
    client = client_of(fake_engine, resource_limit=12)
    # The order, its Bundle, the Patient and the searchset are four.
    for number, status in ((8, 200), (9, 413)):
        found = bundle(*(observation(f"o{n}") for n in range(number)))
        response = client.post(SIGN, json=sign(prefetch={"patient": PATIENT, "observations": found}))
        assert response.status_code == status
    assert code(response.json) == "too-many-resources"


@pytest.mark.parametrize("path", [SIGN, "/determinations"])
def test_orders_are_counted_up_to_the_limit(fake_engine: FakeEngine, path: str) -> None:
    client = client_of(fake_engine, order_limit=3)
    for number, status in ((3, 200), (4, 422)):
        body = sign(*(pump_order(f"o{n}") for n in range(number)), prefetch={"patient": PATIENT})
        response = client.post(path, json=body)
        assert response.status_code == status
    assert code(response.json) == "too-many-orders"
    assert response.json["issue"][0]["expression"] == ["context.draftOrders"]


def test_levels_are_counted_up_to_the_limit(fake_engine: FakeEngine) -> None:
    client = client_of(fake_engine, depth_limit=20)
    for levels_inside, status in ((19, 200), (20, 422)):
        body = json.dumps(sign(prefetch={"patient": PATIENT}, extension="@"))
        inside = "[" * levels_inside + "]" * levels_inside
        response = client.post(SIGN, data=body.replace('"@"', inside), content_type="application/json")
        assert response.status_code == status
    assert code(response.json) == "too-deep"


def test_a_refusal_repeats_nothing_of_the_body(fake_engine: FakeEngine) -> None:
    client = client_of(fake_engine, order_limit=1, resource_limit=30)
    orders = [pump_order(f"secret-mrn-{n}") for n in range(40)]
    for number in (2, 40):
        response = client.post(SIGN, json=sign(*orders[:number]))
        assert response.status_code in (413, 422)
        assert b"secret-mrn" not in response.data


def test_every_limit_is_an_error_that_tells_how_to_mend_it() -> None:
    with pytest.raises(ServiceError) as caught:
        check_contents(b"[" * 17, depth=16, resources=1)
    assert caught.value.mend
