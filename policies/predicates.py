"""What a criterion may demand of a fact (`is:`). A closed list; no expressions.

| is | for | met when |
|---|---|---|
| true, false | boolean | the value is so |
| at_least, above, at_most, below: N | number | the comparison holds; several in one mapping all must |
| unknown_from: N | number, beside at_least or above | from N up to the demand it is unknown |
| one_of, none_of: [..] | text | the value is (not) in the list; values in `unsure` are unknown |
| includes, only, excludes: [..] | list | any, every, no element is in the list |
| count_at_least: N | list | the list has so many elements |
| in, not_in: [value sets] | codes | any, no code is in them; `unsure_in` (not_in: strange codes) unknown |
| within: P6M | date | in the calendar span that ends on day 0 |
| at_least_ago: P6M | date | that long before day 0, or earlier |
| on_or_after, before: date | date | |
| same_as: fact | text | equal to the value of another fact |
| known: true | any | the fact has a value |

N may be `{parameter: name}`: a dated parameter of the policy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from msgspec import Struct

from mappings.catalogue import FactDefinition
from mappings.dates import Span, before, is_duration, words
from mappings.evidence import Bounds
from mappings.terminology import ValueSets
from policies.logic import Truth, all_of, truth

NUMBER = ("decimal", "integer")
TEXT = ("string", "code", "enum")


class Asked(Struct, frozen=True):
    """What a predicate may look at beside the value."""

    as_of: date
    parameters: Mapping[str, Any]
    value_sets: ValueSets
    other: Callable[[str], Any]
    """Value of another fact, None when unknown."""


class Predicate(Struct, frozen=True):
    """A compiled demand: `test(value, asked)`; `parameters` and `facts` it uses; `text` for people."""

    test: Callable[[Any, Asked], Truth]
    wanted: Callable[[Mapping[str, Any]], str]
    parameters: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    value_sets: tuple[str, ...] = ()
    demand: Any = None


class UnfitError(ValueError):
    """A demand that does not fit the fact; the message says what would."""


_KINDS: dict[str, tuple[str, ...]] = {
    "at_least": NUMBER,
    "above": NUMBER,
    "at_most": NUMBER,
    "below": NUMBER,
    "unknown_from": NUMBER,
    "one_of": TEXT,
    "none_of": TEXT,
    "unsure": TEXT,
    "includes": ("list",),
    "only": ("list",),
    "excludes": ("list",),
    "count_at_least": ("list",),
    "in": ("list", *TEXT),
    "not_in": ("list", *TEXT),
    "unsure_in": ("list", *TEXT),
    "within": ("date",),
    "at_least_ago": ("date",),
    "on_or_after": ("date",),
    "before": ("date",),
    "same_as": TEXT,
    "known": ("boolean", *NUMBER, *TEXT, "list", "date"),
}


def compile_predicate(demand: Any, fact: FactDefinition) -> Predicate:
    """Compile a demand (`is:` of the policy file) for a fact. Raises UnfitError."""
    if isinstance(demand, bool):
        if fact.type != "boolean":
            raise UnfitError(f"{fact.name} is {fact.type}: true or false fits only a boolean")
        return Predicate(
            test=lambda value, _: truth(value is demand),
            wanted=lambda _: "yes" if demand else "no",
            demand=demand,
        )
    if not isinstance(demand, dict) or not demand:
        raise UnfitError("`is` takes true, false or a mapping such as {at_least: 4}")
    for name in demand:
        if name not in _KINDS:
            raise UnfitError(f"unknown demand {name!r}; allowed: true, false, {', '.join(_KINDS)}")
        if fact.type not in _KINDS[name]:
            raise UnfitError(f"{name} does not fit {fact.name}, which is {fact.type}")
    _check_arguments(demand, fact)
    tests = [_TESTS[name](demand) for name in demand if name in _TESTS]
    if not tests:
        raise UnfitError(f"{', '.join(demand)} alone demands nothing")
    return Predicate(
        test=tests[0] if len(tests) == 1 else _all(tests),
        wanted=lambda parameters: _words(demand, parameters, fact.unit),
        parameters=parameters_in(demand.values()),
        facts=(demand["same_as"],) if "same_as" in demand else (),
        value_sets=tuple(name for key in ("in", "not_in", "unsure_in") for name in demand.get(key, ())),
        demand=demand,
    )


def is_parameter(value: Any) -> bool:
    """Whether a value of the policy file is `{parameter: name}`."""
    return isinstance(value, dict) and set(value) == {"parameter"}


def parameters_in(values: Iterable[Any]) -> tuple[str, ...]:
    """The names of the parameters among the values of a demand or of `with`."""
    return tuple(value["parameter"] for value in values if is_parameter(value))


def _check_arguments(demand: Mapping[str, Any], fact: FactDefinition) -> None:
    for name, value in demand.items():
        if is_parameter(value):
            continue
        is_number = _KINDS[name] is NUMBER or name == "count_at_least"
        if is_number and (isinstance(value, bool) or not isinstance(value, int | Decimal)):
            raise UnfitError(f"{name} takes a number or {{parameter: name}}, not {value!r}")
        if name in ("within", "at_least_ago") and not (isinstance(value, str) and is_duration(value)):
            raise UnfitError(f"{name} takes a duration like P6M, not {value!r}")
        if name in ("on_or_after", "before") and not isinstance(value, date):
            raise UnfitError(f"{name} takes a date like 2026-01-01, not {value!r}")
        if name in (
            "one_of",
            "none_of",
            "unsure",
            "includes",
            "only",
            "excludes",
            "in",
            "not_in",
            "unsure_in",
        ):
            if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
                raise UnfitError(f"{name} takes a list of quoted texts, not {value!r}")
            if fact.options and not name.startswith(("in", "not_in", "unsure_in")):
                stray = [item for item in value if item not in fact.options]
                if stray:
                    raise UnfitError(
                        f"{fact.name} has no option {stray[0]!r}; options: {', '.join(fact.options)}"
                    )


def _all(tests: list[Callable[[Any, Asked], Truth]]) -> Callable[[Any, Asked], Truth]:
    return lambda value, asked: all_of([test(value, asked) for test in tests])


def _number(asked: Asked, value: Any) -> float:
    return float(asked.parameters[value["parameter"]] if is_parameter(value) else value)


def _compare(holds: Callable[[float, float], bool], grows: bool, name: str) -> Any:
    """A comparison that also decides `Bounds`; `grows`: larger values are the ones that meet it."""

    def build(demand: Mapping[str, Any]) -> Callable[[Any, Asked], Truth]:
        limit, unsure = demand[name], demand.get("unknown_from")

        def test(value: Any, asked: Asked) -> Truth:
            wanted = _number(asked, limit)
            low, high = (value.low, value.high) if isinstance(value, Bounds) else (value, value)
            best, worst = (low, high) if grows else (high, low)
            if holds(best, wanted):
                return Truth.MET
            if holds(worst, wanted):
                return Truth.UNKNOWN
            if unsure is not None and worst >= _number(asked, unsure):
                return Truth.UNKNOWN
            return Truth.UNMET

        return test

    return build


def _listed(name: str, decide: Callable[[frozenset[str], Sequence[str]], bool]) -> Any:
    def build(demand: Mapping[str, Any]) -> Callable[[Any, Asked], Truth]:
        wanted, unsure = frozenset(demand[name]), frozenset(demand.get("unsure", ()))

        def test(value: Any, _: Asked) -> Truth:
            values = (value,) if isinstance(value, str) else value
            if not unsure.isdisjoint(values):
                return Truth.UNKNOWN
            return truth(decide(wanted, values))

        return test

    return build


def _coded(name: str, positive: bool) -> Any:
    """Membership of codes. "None is in the sets" holds only of codes that the sets could know."""

    def build(demand: Mapping[str, Any]) -> Callable[[Any, Asked], Truth]:
        sets, unsure = demand[name], demand.get("unsure_in", ())

        def member(value: Any, asked: Asked, names: Any) -> bool:
            return any(asked.value_sets.contains(s, *pair) for s in names for pair in _pairs(value))

        def test(value: Any, asked: Asked) -> Truth:
            if member(value, asked, sets):
                return truth(positive)
            if member(value, asked, unsure):
                return Truth.UNKNOWN
            if not positive and not all(asked.value_sets.recognises(*pair) for pair in _pairs(value)):
                return Truth.UNKNOWN
            return truth(not positive)

        return test

    return build


def _pairs(value: Any) -> list[tuple[str, str]]:
    """The (system, code) of values that are written "system|code"."""
    codes = (value,) if isinstance(value, str) else value
    return [(system, code) for system, _, code in (code.rpartition("|") for code in codes)]


def _dated(decide: Callable[[Span, Any, date], bool | None], name: str) -> Any:
    def build(demand: Mapping[str, Any]) -> Callable[[Any, Asked], Truth]:
        limit = demand[name]
        return lambda value, asked: truth(
            decide(value, asked.parameters[limit["parameter"]] if is_parameter(limit) else limit, asked.as_of)
        )

    return build


def _same_as(demand: Mapping[str, Any]) -> Callable[[Any, Asked], Truth]:
    def test(value: Any, asked: Asked) -> Truth:
        other = asked.other(demand["same_as"])
        return truth(None if other is None else value == other)

    return test


def _counted(demand: Mapping[str, Any]) -> Callable[[Any, Asked], Truth]:
    return lambda value, asked: truth(len(set(value)) >= _number(asked, demand["count_at_least"]))


_TESTS: dict[str, Any] = {
    "at_least": _compare(lambda value, limit: value >= limit, True, "at_least"),
    "above": _compare(lambda value, limit: value > limit, True, "above"),
    "at_most": _compare(lambda value, limit: value <= limit, False, "at_most"),
    "below": _compare(lambda value, limit: value < limit, False, "below"),
    "one_of": _listed("one_of", lambda wanted, values: wanted.issuperset(values)),
    "none_of": _listed("none_of", lambda wanted, values: wanted.isdisjoint(values)),
    "includes": _listed("includes", lambda wanted, values: not wanted.isdisjoint(values)),
    "only": _listed("only", lambda wanted, values: bool(values) and wanted.issuperset(values)),
    "excludes": _listed("excludes", lambda wanted, values: wanted.isdisjoint(values)),
    "count_at_least": _counted,
    "in": _coded("in", True),
    "not_in": _coded("not_in", False),
    "within": _dated(lambda day, span, as_of: day.within(before(as_of, span), as_of), "within"),
    "at_least_ago": _dated(lambda day, span, as_of: day.on_or_before(before(as_of, span)), "at_least_ago"),
    "on_or_after": _dated(lambda day, limit, _: day.on_or_after(limit), "on_or_after"),
    "before": _dated(lambda day, limit, _: day.on_or_before(limit - timedelta(days=1)), "before"),
    "same_as": _same_as,
    "known": lambda demand: lambda *_: truth(demand["known"]),
}

_PHRASES = {
    "at_least": "at least {}",
    "above": "more than {}",
    "at_most": "at most {}",
    "below": "less than {}",
    "within": "within the last {}",
    "at_least_ago": "at least {} ago",
    "on_or_after": "on or after {}",
    "before": "before {}",
    "one_of": "one of: {}",
    "none_of": "none of: {}",
    "includes": "any of: {}",
    "only": "only: {}",
    "excludes": "none of: {}",
    "count_at_least": "at least {} of them",
}


def _words(demand: Mapping[str, Any], parameters: Mapping[str, Any], unit: str) -> str:
    """The demand in plain words; "" where only a value set could say it."""
    said = []
    for name, value in demand.items():
        phrase = _PHRASES.get(name)
        if phrase is None:
            continue
        if is_parameter(value):
            value = parameters[value["parameter"]]
        if isinstance(value, list):
            value = ", ".join(value)
        elif isinstance(value, str) and is_duration(value):
            value = words(value)
        elif _KINDS[name] is NUMBER and unit:
            value = f"{value} {unit}" if unit != "%" else f"{value} %"
        said.append(phrase.format(value))
    return " and ".join(said)
