"""Read policy.yaml strictly into `policies.model`.

Every error names file, line, path, the allowed keys and the nearest spelling
(`mappings.yaml_file.DataError`). Facts, value sets and parameters are checked here, so that an
evaluation cannot fail on a name.
"""

from __future__ import annotations

import datetime
import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct

from mappings.catalogue import Catalogue
from mappings.codes import canonical, canonical_system, systems
from mappings.dates import is_duration
from mappings.terminology import ValueSets
from mappings.yaml_file import Fields, allowed_words, load_mapping
from policies.model import (
    OUTCOMES,
    STATES,
    Citation,
    Compound,
    Condition,
    Criterion,
    Duty,
    Group,
    Node,
    Parameter,
    Policy,
    Reservation,
    Rule,
    Service,
    Source,
    Test,
)
from policies.predicates import UnfitError, compile_predicate, is_parameter
from policies.repeated import CONTACT_SYSTEMS, Contact, Replacement

SCHEMA = "coverage-policy/1"
_JOINS = ("all", "any", "not")
_GROUPS = ("all", "any", "at_least")
_PHASES = ("order", "order-doc", "continuing", "delivery", "claim", "info")


class _Reader(Struct):
    """What the parts of one policy file are read against."""

    catalogue: Catalogue
    value_sets: ValueSets
    ledger: str
    sources: Mapping[str, Source]
    parameters: Mapping[str, Parameter]
    ids: dict[str, int]

    def new_id(self, fields: Fields) -> str:
        name = fields.text("id")
        if name in self.ids:
            raise fields.error(f"the id {name} is used twice (first on line {self.ids[name]})", "id")
        self.ids[name] = fields.line_of("id")
        return name

    def clauses(self, fields: Fields, needed: bool = True) -> tuple[str, ...]:
        """Full clause ids; a short one ("ins-new-1a") gets the policy's prefix."""
        names = fields.texts("clauses")
        if needed and not names:
            raise fields.error("clauses is missing: name the clause of the document")
        return tuple(name if "/" in name else f"{self.ledger}/{name}" for name in names)

    def citation(self, fields: Fields, needed: bool = True) -> Citation | None:
        if "cite" not in fields:
            if needed:
                raise fields.error("cite is missing: quote the words of the document")
            return None
        first = next(iter(self.sources))
        value = fields.take("cite")
        if isinstance(value, str):
            return Citation(first, " ".join(value.split()))
        inner = fields.child("cite")
        name = inner.text("source", first)
        if name not in self.sources:
            raise inner.error(f"unknown source; {allowed_words(name, self.sources)}", "source")
        citation = Citation(name, " ".join(inner.text("quote").split()))
        inner.done()
        return citation


def load_policy(path: Path, catalogue: Catalogue, value_sets: ValueSets) -> Policy:
    """Read one policy file. Raises mappings.yaml_file.DataError."""
    top = load_mapping(path)
    top.choice("schema", (SCHEMA,))
    ledger = top.text("ledger")
    parameters = {name: _parameter(name, f, ledger) for name, f in _named(top, "parameters")}
    sources = {name: _source(name, f) for name, f in _named(top, "sources")}
    if not sources:
        raise top.error("a policy needs at least one source", "sources")
    reader = _Reader(catalogue, value_sets, ledger, sources, parameters, {})
    effective = top.child("effective")
    first_day = effective.day("from")
    if first_day is None:
        raise effective.error("effective.from is missing")
    reviewed_on = top.day("reviewed_on")
    if reviewed_on is None:
        raise top.error("reviewed_on is missing: the day the source was last read")
    orders = top.child("orders")
    code_sets = orders.texts("value_sets")
    for name in code_sets:
        _known_set(orders, "value_sets", name, value_sets)
    policy = Policy(
        id=top.text("id"),
        version=top.text("version"),
        title=top.text("title"),
        payer=top.text("payer"),
        ledger=ledger,
        status=top.choice("status", ("active", "draft", "retired")),
        attestation=top.choice("attestation", ("sufficient", "insufficient")),
        effective_from=first_day,
        effective_to=effective.day("to"),
        effective=_effective(effective, reader),
        reviewed_on=reviewed_on,
        sources=sources,
        parameters=parameters,
        code_sets=code_sets,
        codes=_codes(orders, reader),
        referrals=tuple(_criterion(f, reader, "referral") for f in top.children("referrals")),
        scope=tuple(_criterion(f, reader, "criterion") for f in top.children("scope")),
        services=tuple(_service(_in_own_file(f), reader) for f in top.children("services")),
        exclusions=tuple(
            _criterion(f, reader, kind)
            for kind in ("exclusion", "contraindication")
            for f in top.children(f"{kind}s")
        ),
        documentation=tuple(_criterion(f, reader, "documentation") for f in top.children("documentation")),
        duties=tuple(_duty(f, reader) for f in top.children("duties")),
        prior_authorization=tuple(_rule(f, reader, "answer") for f in top.children("prior_authorization")),
        caveats=tuple(_rule(f, reader, "outcomes") for f in top.children("caveats")),
        information=_listed_clauses(top, "information", ledger),
        derived=_listed_clauses(top, "derived", ledger),
        contact=_contact(top.child("contact")) if "contact" in top else None,
        file=path.as_posix(),
        sha256=_digest(path),
    )
    orders.done()
    effective.done()
    top.done()
    if not policy.services:
        raise top.error("a policy needs at least one service", "services")
    return policy


def _digest(path: Path) -> str:
    """One hash over the policy file and the service files beside it."""
    digest = hashlib.sha256(path.read_bytes())
    for name in sorted(os.listdir(path.parent)):
        if name.endswith(".yaml") and name != path.name and not name.startswith("cases"):
            digest.update((path.parent / name).read_bytes())
    return digest.hexdigest()


def _named(top: Fields, key: str) -> Iterable[tuple[str, Fields]]:
    if key not in top:
        top.take(key, {})
        return ()
    inner = top.child(key)
    return [(name, inner.child(name)) for name in inner]


def _parameter(name: str, fields: Fields, ledger: str) -> Parameter:
    values = fields.child("values")
    dated = []
    for day in values:
        try:
            start = datetime.date.fromisoformat(day)
        except ValueError:
            raise values.error(f"{day!r} is no date like 2026-01-01", day) from None
        dated.append((start, values.take(day)))
    if not dated:
        raise fields.error("a parameter needs at least one dated value", "values")
    clause = fields.text("clause")
    parameter = Parameter(
        name=name,
        unit=fields.text("unit", ""),
        values=tuple(sorted(dated)),
        clause=clause if "/" in clause else f"{ledger}/{clause}",
    )
    fields.done()
    return parameter


def _source(name: str, fields: Fields) -> Source:
    source = Source(
        name=name,
        title=fields.text("title"),
        url=fields.text("url", ""),
        sha256=fields.text("sha256", ""),
        text=fields.text("text", ""),
        retrieved=fields.day("retrieved"),
    )
    fields.done()
    return source


def _effective(fields: Fields, reader: _Reader) -> Criterion:
    citation = reader.citation(fields)
    assert citation is not None
    return Criterion(
        id="in_force",
        clauses=reader.clauses(fields),
        says=fields.text("says"),
        condition=None,
        citation=citation,
        line=fields.line,
        interpretation=fields.text("interpretation", ""),
    )


def _codes(orders: Fields, reader: _Reader) -> dict[tuple[str, str], tuple[str, ...]]:
    """Codes that the document lists -> clauses that list them."""
    found: dict[tuple[str, str], tuple[str, ...]] = {}
    for fields in orders.children("listed"):
        system = canonical_system(fields.text("system"))
        for code in fields.texts("codes"):
            prefix = fields.text("clause_prefix", "")
            clauses = (f"{reader.ledger}/{prefix}{code}",) if prefix else reader.clauses(fields)
            found[(system, code)] = (*found.get((system, code), ()), *clauses)
        fields.done()
    return found


def _in_own_file(fields: Fields) -> Fields:
    """A service may stand in a file of its own beside policy.yaml: {file: name.yaml}."""
    if "file" not in fields:
        return fields
    name = fields.text("file")
    fields.done()
    path = fields.file.parent / name
    if path.parent != fields.file.parent or not path.is_file():
        raise fields.error(f"there is no file {name} beside {fields.file.name}", "file")
    return load_mapping(path)


def _service(fields: Fields, reader: _Reader) -> Service:
    service = Service(
        id=reader.new_id(fields),
        title=fields.text("title"),
        when=_condition(fields.child("when"), reader) if "when" in fields else None,
        criteria=_group(fields.child("criteria"), reader),
        reservations=tuple(_reservation(f, reader) for f in fields.children("reservations")),
        line=fields.line,
    )
    fields.done()
    for reservation in service.reservations:
        for name in reservation.covers:
            if name not in reader.ids:
                raise fields.error(f"a reservation covers the unknown id {name}", "reservations")
    return service


def _reservation(fields: Fields, reader: _Reader) -> Reservation:
    covers = frozenset(fields.texts("covers"))
    return Reservation(_criterion(fields, reader, "criterion"), covers)


def _node(fields: Fields, reader: _Reader) -> Node:
    if fields.which(_GROUPS):
        return _group(fields, reader)
    return _criterion(fields, reader, "criterion")


def _group(fields: Fields, reader: _Reader) -> Group:
    kinds = fields.which(_GROUPS)
    if len(kinds) != 1:
        raise fields.error("a group is exactly one of all, any, at_least (with of)")
    operator = kinds[0]
    count = 0
    name = reader.new_id(fields)
    if operator == "at_least":
        count = fields.take("at_least")
        if not isinstance(count, int) or count < 1:
            raise fields.error("at_least takes a whole number from 1 on", "at_least")
    nodes = tuple(_node(f, reader) for f in fields.children("of" if operator == "at_least" else operator))
    if not nodes or count > len(nodes):
        raise fields.error("a group needs its nodes")
    group = Group(
        id=name,
        operator=operator,
        nodes=nodes,
        line=fields.line,
        count=count,
        title=fields.text("title", ""),
        says=fields.text("says", ""),
        clauses=reader.clauses(fields, needed=False),
        applies_when=_applies_when(fields, reader),
        gate=_condition(fields.child("gate"), reader) if "gate" in fields else None,
    )
    fields.done()
    return group


def _criterion(fields: Fields, reader: _Reader, kind: str) -> Criterion:
    citation = reader.citation(fields)
    assert citation is not None
    criterion = Criterion(
        id=reader.new_id(fields),
        clauses=reader.clauses(fields),
        says=fields.text("says"),
        condition=_shown_by(fields, reader),
        citation=citation,
        line=fields.line,
        kind=kind,
        ask=fields.text("ask", ""),
        interpretation=fields.text("interpretation", ""),
        gate=fields.flag("gate", False),
        applies_when=_applies_when(fields, reader),
        phase=fields.choice("phase", _PHASES, "order-doc" if kind == "documentation" else "order"),
        required=fields.flag("required", False),
        danger=fields.flag("danger", False),
        instead=_instead(fields.child("instead")) if "instead" in fields else None,
        limit=_limit(fields, reader),
        cannot_be=_cannot_be(fields),
    )
    fields.done()
    return criterion


def _instead(fields: Fields) -> Replacement:
    system, code = canonical(fields.text("system"), fields.text("code"))
    if system not in {known.uri for known in systems().values()}:
        raise fields.error("this is no code system that is known here", "system")
    replacement = Replacement(system, code, fields.text("says"))
    fields.done()
    return replacement


def _limit(fields: Fields, reader: _Reader) -> Parameter | None:
    """The parameter by which a limit is named: an amount with a unit, or a duration."""
    if "limit" not in fields:
        return None
    name = fields.text("limit")
    if name not in reader.parameters:
        raise fields.error(f"unknown parameter; {allowed_words(name, reader.parameters)}", "limit")
    parameter = reader.parameters[name]
    for _, value in parameter.values:
        is_amount = isinstance(value, int | float) and not isinstance(value, bool) and parameter.unit
        if not is_amount and not (isinstance(value, str) and is_duration(value)):
            raise fields.error(f"{name} is no amount with a unit, and no duration like P3M", "limit")
    return parameter


def _contact(fields: Fields) -> Contact:
    contact = Contact(fields.text("name"), fields.choice("system", CONTACT_SYSTEMS), fields.text("value"))
    fields.done()
    return contact


def _cannot_be(fields: Fields) -> dict[str, str]:
    """States that no order can have -> why; the coverage by cases does not ask for them."""
    if "cannot_be" not in fields:
        return {}
    inner = fields.child("cannot_be")
    reasons = {state: inner.text(state) for state in STATES if state in inner}
    inner.done()
    return reasons


def _applies_when(fields: Fields, reader: _Reader) -> Condition | None:
    return _condition(fields.child("applies_when"), reader) if "applies_when" in fields else None


def _shown_by(fields: Fields, reader: _Reader) -> Condition:
    if "shown_by" in fields:
        return _condition(fields.child("shown_by"), reader)
    if "fact" not in fields:
        raise fields.error("a criterion needs fact and is, or shown_by with all, any or not")
    return _test(fields, reader, limb=False)


def _condition(fields: Fields, reader: _Reader) -> Condition:
    joins = fields.which(_JOINS)
    if not joins:
        test = _test(fields, reader, limb=True)
        fields.done()
        return test
    if len(joins) > 1:
        raise fields.error("a condition is exactly one of all, any, not, or fact and is")
    operator = joins[0]
    if operator == "not":
        parts: tuple[Condition, ...] = (_condition(fields.child("not"), reader),)
    else:
        parts = tuple(_condition(f, reader) for f in fields.children(operator))
        if not parts:
            raise fields.error(f"{operator} needs its conditions", operator)
    fields.done()
    return Compound(operator, parts)


def _test(fields: Fields, reader: _Reader, limb: bool) -> Test:
    """limb: of a compound condition, with keys of its own; else they are the criterion's."""
    name = fields.text("fact")
    definition = reader.catalogue.facts.get(name)
    if definition is None:
        raise fields.error(f"unknown fact {name!r}; {allowed_words(name, reader.catalogue.facts)}", "fact")
    given = fields.take("with", {})
    if not isinstance(given, dict):
        raise fields.error("with takes a mapping of arguments", "with")
    if set(given) != set(definition.given):
        needed = ", ".join(sorted(definition.given)) or "nothing"
        raise fields.error(f"{name} needs {needed} in `with`, not {', '.join(given) or 'nothing'}", "with")
    try:
        predicate = compile_predicate(fields.take("is"), definition)
    except UnfitError as error:
        raise fields.error(str(error), "is") from None
    parameters = {key: value["parameter"] for key, value in given.items() if is_parameter(value)}
    for parameter in (*predicate.parameters, *parameters.values()):
        if parameter not in reader.parameters:
            raise fields.error(f"unknown parameter; {allowed_words(parameter, reader.parameters)}", "is")
    for other in predicate.facts:
        if other not in reader.catalogue.facts:
            raise fields.error(
                f"unknown fact {other!r}; {allowed_words(other, reader.catalogue.facts)}", "is"
            )
    for value_set in predicate.value_sets:
        _known_set(fields, "is", value_set, reader.value_sets)
    ask = fields.text("ask", "") if limb else ""
    asked = ask or definition.ask
    return Test(
        fact=name,
        label=definition.label,
        given=given,
        parameters=parameters,
        predicate=predicate,
        ask=ask,
        asks=(asked,) if asked else (),
        line=fields.line_of("fact"),
        cannot_be=_cannot_be(fields) if limb else {},
        silence_is_no="if_silent" in fields and fields.choice("if_silent", ("unmet",)) == "unmet",
    )


def _known_set(fields: Fields, key: str, name: str, value_sets: ValueSets) -> None:
    if name not in value_sets.ids:
        raise fields.error(f"unknown value set {name!r}; {allowed_words(name, value_sets.ids)}", key)


def _rule(fields: Fields, reader: _Reader, kind: str) -> Rule:
    rule = Rule(
        id=reader.new_id(fields),
        clauses=reader.clauses(fields),
        says=fields.text("says"),
        citation=reader.citation(fields, needed=False),
        line=fields.line,
        condition=_applies_when(fields, reader),
        answer=fields.choice("answer", ("required", "not-required", "unknown")) if kind == "answer" else "",
        outcomes=fields.texts("outcomes") if kind == "outcomes" else (),
        limit=_limit(fields, reader),
    )
    for outcome in rule.outcomes:
        if outcome not in OUTCOMES:
            raise fields.error(f"unknown outcome; {allowed_words(outcome, OUTCOMES)}", "outcomes")
    fields.done()
    return rule


def _duty(fields: Fields, reader: _Reader) -> Duty:
    duty = Duty(
        id=reader.new_id(fields),
        clauses=reader.clauses(fields),
        says=fields.text("says"),
        phase=fields.choice("phase", ("delivery", "claim", "continuing")),
        citation=reader.citation(fields, needed=False),
        line=fields.line,
        applies_when=_applies_when(fields, reader),
    )
    fields.done()
    return duty


def _listed_clauses(top: Fields, key: str, ledger: str) -> dict[str, int]:
    """Clauses that are only accounted for -> line: information, or derived from other clauses."""
    return {name if "/" in name else f"{ledger}/{name}": top.line_of(key) for name in top.texts(key)}
