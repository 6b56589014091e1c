"""What a Coverage says by itself: whether it counts on a day, its plan, its line of business.

Which payer it belongs to is decided in policies.payers; a payer's own plan names reach this module
as `PlanName`s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

from msgspec import Struct

from mappings.codes import key, systems
from mappings.dates import may_include
from mappings.documents import At, read
from mappings.evidence import Evidence, Reading, Reason, unknown
from mappings.fhir import Coverage
from mappings.pumps import texts_of
from mappings.tables import table
from mappings.words import has_words

_ACT_CODE = systems()["act-code"].uri
_TYPOLOGIES = ("https://nahdo.org/sopt", "http://nahdo.org/sopt", "urn:oid:2.16.840.1.113883.3.221.5")
_MEDICARE = "medicare"
_SUBSIDIZED = "subsidized"
_PUBLIC = ("medicaid", "chip")
_PLAN_CLASSES = ("plan", "subplan")


class PlanName(Struct, frozen=True):
    """A plan or program that a payer sells under a name, with its line of business."""

    phrases: tuple[str, ...]
    line: str
    program: str = ""


class Membership(Struct, frozen=True):
    """What a Coverage says of the member, read with the knowledge of the payer's plans."""

    payer_id: str | None
    line_of_business: Reading
    plan: Reading
    program: Reading


class _Words(Struct, frozen=True, forbid_unknown_fields=True, rename={"phrases": "any"}):
    phrases: tuple[str, ...]
    line: str


class _Table(Struct, frozen=True, forbid_unknown_fields=True):
    lines: tuple[str, ...]
    typology: dict[str, str]
    act_codes: dict[str, str]
    words: tuple[_Words, ...]


@table
def _table() -> _Table:
    return read(Path(__file__).parent / "coverage_types.yaml", _Table, _problems)


def _problems(table: _Table) -> Iterable[tuple[At, str]]:
    known = {*table.lines, "", _MEDICARE, _SUBSIDIZED}
    for place, entries in (("typology", table.typology), ("act_codes", table.act_codes)):
        for code, line in entries.items():
            if line not in known:
                yield (place, code), f"'{line}' is no line of business"


def lines_of_business() -> tuple[str, ...]:
    """The lines that a Coverage may have."""
    return _table().lines


def counts_on(coverage: Coverage, day: date) -> bool:
    """Whether a Coverage is active on a day; a period that a partial date leaves open counts."""
    if coverage.status not in ("active", ""):
        return False
    period = coverage.period
    return period is None or may_include(period.start, period.end, day)


def plan_names(coverage: Coverage) -> tuple[str, ...]:
    """Names and numbers of the plan, the name first."""
    classes = [c for c in coverage.class_ if _is_plan(c.type)]
    return tuple(dict.fromkeys(text for c in classes for text in (c.name, c.value) if text))


def _is_plan(concept: object) -> bool:
    coding = getattr(concept, "coding", ())
    return not coding or any(c.code in _PLAN_CLASSES for c in coding)


def membership(
    coverage: Coverage,
    evidence: Evidence,
    *,
    payer_id: str | None = None,
    payer_lines: tuple[str, ...] = (),
    plans: Iterable[PlanName] = (),
    payor_names: tuple[str, ...] = (),
) -> Membership:
    """Read a Coverage.

    evidence: the Coverage as evidence. payer_lines: the lines that the payer sells, () when it is
    not known. plans: the payer's own plan names. payor_names: names of the payor.
    """
    names = plan_names(coverage)
    texts = (*names, *payor_names)
    named = [p for p in plans if any(has_words(text, phrase) for text in texts for phrase in p.phrases)]
    programs = {p.program for p in named if p.program}
    plan = (
        Reading(names[0], evidence=(_with(evidence, names[0]),))
        if names
        else unknown(Reason.NO_DATA, "The coverage names no plan.")
    )
    program = (
        Reading(programs.pop(), evidence=(_with(evidence, texts[0]),))
        if len(programs) == 1
        else unknown(Reason.NO_DATA, "The coverage names no program.")
    )
    line = _line(coverage, evidence, payer_lines, named, texts)
    return Membership(payer_id, line, plan, program)


def _line(
    coverage: Coverage,
    evidence: Evidence,
    payer_lines: tuple[str, ...],
    named: list[PlanName],
    texts: tuple[str, ...],
) -> Reading:
    """The line of business: what the payer's plan name, the type and the words agree on.

    "medicare" and "subsidized" are narrowed by what the payer sells: insurers other than Medicare
    itself cover Medicare members through Advantage plans.
    """
    said: dict[str, str] = {plan.line: f"plan {plan.phrases[0]}" for plan in named}
    for line, says in _of_typology(coverage):
        said.setdefault(line, says)
    worded, says = _of_words((*texts_of(coverage.type), *texts))
    if worded:
        said.setdefault(worded, says)
    for line, says in _of_act_code(coverage):
        if line == _SUBSIDIZED or not said:
            said.setdefault(line, says)
    open_ended = {line: said.pop(line) for line in (_MEDICARE, _SUBSIDIZED) if line in said}
    shown = tuple(_with(evidence, line, says) for line, says in {**said, **open_ended}.items())
    if any(plan.line in _PUBLIC for plan in named):
        # Payment typologies file CHIP under Medicaid; the program's name is the sharper word.
        lines = {plan.line for plan in named}
        said = {line: says for line, says in said.items() if line in lines or line not in _PUBLIC}
    if len(said) > 1:
        return unknown(Reason.CONFLICTING, f"The coverage points to {' and '.join(said)}.", shown)
    for line in said:
        if _contradicts(line, open_ended):
            return unknown(
                Reason.CONFLICTING, f"The coverage points to {line} and {', '.join(open_ended)}.", shown
            )
        return Reading(line, evidence=shown)
    if _MEDICARE in open_ended:
        sold = [line for line in payer_lines if line.startswith(_MEDICARE)]
        if len(sold) == 1:
            return Reading(sold[0], evidence=shown, note="The only kind of Medicare that this payer covers.")
        note = "The coverage is Medicare; whether Original Medicare or Medicare Advantage is not stated."
        return unknown(Reason.IMPRECISE, note, shown)
    if len(payer_lines) == 1:
        return Reading(
            payer_lines[0], evidence=shown, note="The only line of business of this payer.", inferred=True
        )
    if _SUBSIDIZED in open_ended:
        note = "A subsidized program; whether Medicaid or CHIP is not stated."
        return unknown(Reason.IMPRECISE, note, shown)
    return unknown(
        Reason.NO_DATA, "The coverage does not tell the line of business; its type would settle it."
    )


def medicare_words(coverage: Coverage, payor_names: Iterable[str] = ()) -> tuple[str, bool]:
    """(what says that a Coverage is Medicare of either kind, whether its type says something else)."""
    typed = list(_of_typology(coverage))
    worded = _of_words((*texts_of(coverage.type), *plan_names(coverage), *payor_names))
    says = next((says for line, says in (*typed, worded) if line.startswith(_MEDICARE)), "")
    return says, any(not line.startswith(_MEDICARE) for line, _ in typed)


def _contradicts(line: str, open_ended: dict[str, str]) -> bool:
    """Whether a line is none of those that "medicare" or "subsidized" leave open."""
    return (_MEDICARE in open_ended and not line.startswith("medicare")) or (
        _SUBSIDIZED in open_ended and line not in _PUBLIC
    )


def _of_typology(coverage: Coverage) -> Iterator[tuple[str, str]]:
    for coding in coverage.type.coding if coverage.type is not None else ():
        system, code = key(coding)
        prefixes = [prefix for prefix in _table().typology if code.startswith(prefix)]
        if system in _TYPOLOGIES and prefixes:
            line = _table().typology[max(prefixes, key=len)]
            if line:
                yield line, f"coverage type {coding.display or code}"


def _of_act_code(coverage: Coverage) -> Iterator[tuple[str, str]]:
    for coding in coverage.type.coding if coverage.type is not None else ():
        system, code = key(coding)
        if system == _ACT_CODE and code in _table().act_codes:
            yield _table().act_codes[code], f"coverage type {coding.display or code}"


def _of_words(texts: Iterable[str]) -> tuple[str, str]:
    given = [text for text in texts if text]
    for words in _table().words:
        for text in given:
            if any(has_words(text, phrase) for phrase in words.phrases):
                return words.line, text
    return "", ""


def _with(evidence: Evidence, value: str, says: str = "") -> Evidence:
    return Evidence(evidence.resource, evidence.origin, evidence.date, value, says=says)
