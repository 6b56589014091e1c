"""Who pays: which coverages apply to an order, and which known payer each belongs to.

A payer is recognised by an identifier of the payor, by one of its names as a whole, by the words
that only its names hold, or by a plan that only it sells. Whatever else a payor is called, it is
reported as unknown and never guessed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

from msgspec import Struct

from mappings.chart import Chart, reference_of
from mappings.coverage import Membership, counts_on, membership, plan_names
from mappings.evidence import Evidence
from mappings.fhir import Coverage, Organization
from mappings.order import Order
from mappings.payors import Payor, names_of, payors_of
from mappings.states import STATES, state_code
from mappings.words import has_words
from policies.payer_file import Payer, bare, read_payers

_PACKAGED = Path(__file__).parent / "payers.yaml"
_NAIC = ("2.16.840.1.113883.6.300", "naic")


class PayerMatch(Struct, frozen=True):
    """What was found out about a Coverage.

    payer_id: None when the payor is none of the known payers. how: how it was recognised, or what
    the payor is called. member: plan, program and line of business with their evidence.
    """

    payer_id: str | None
    how: str
    evidence: tuple[Evidence, ...]
    member: Membership

    @property
    def line_of_business(self) -> str | None:
        """commercial, medicare-advantage, medicare-ffs, medicaid or chip; None when not known."""
        value: str | None = self.member.line_of_business.value
        return value

    @property
    def plan(self) -> str | None:
        """The plan as the coverage names it."""
        value: str | None = self.member.plan.value
        return value

    @property
    def program(self) -> str | None:
        """The payer's program, such as HUSKY A."""
        value: str | None = self.member.program.value
        return value


class Payers:
    """The known payers. Built once, then only read."""

    def __init__(self, payers: dict[str, Payer]) -> None:
        self._payers = payers
        self._names = {bare(name): payer_id for payer_id, payer in payers.items() for name in payer.names}
        self._shared = {
            bare(name): payer_id for payer_id, payer in payers.items() for name in payer.shared_names
        }
        self._by_words = [(payer_id, payer) for payer_id, payer in payers.items() if payer.phrases]
        self._codes = {code: payer_id for payer_id, payer in payers.items() for code in payer.identifiers}

    @classmethod
    def load(cls, *extra_files: Path) -> Payers:
        """The packaged payers and those of further files.

        Raises mappings.yaml_file.DataError for a file that cannot be used, or a payer, name or
        identifier that an earlier file defines.
        """
        return cls(read_payers((_PACKAGED, *extra_files)))

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all payers."""
        return tuple(self._payers)

    def name(self, payer_id: str) -> str:
        """How a payer is called in answers; the id itself for one that is not known."""
        payer = self._payers.get(payer_id)
        return payer.name if payer is not None else payer_id

    def match(self, coverage: Coverage, chart: Chart) -> PayerMatch:
        """Find the payer of a Coverage. Of several payors the first known one counts."""
        payors = payors_of(coverage, chart)
        found: list[tuple[str, str]] = []
        ways: tuple[Callable[[Payor], tuple[str, str] | None], ...] = (
            self._by_identifier,
            self._by_name,
            self._by_phrase,
            lambda payor: self._by_shared_name(payor, coverage, chart),
        )
        for recognise in ways:
            for payor in payors:
                hit = recognise(payor)
                if hit is not None and hit[0] not in {payer_id for payer_id, _ in found}:
                    found.append(hit)
            if found:
                break
        if not found and (hit := self._by_plan(coverage)) is not None:
            found.append(hit)
        payer_id, how = found[0] if found else (None, _unknown(payors))
        if len(found) > 1:
            how += f"; another payor is {', '.join(self.name(other) for other, _ in found[1:])}"
        return self._matched(payer_id, how, coverage, payors, chart)

    def _matched(
        self, payer_id: str | None, how: str, coverage: Coverage, payors: list[Payor], chart: Chart
    ) -> PayerMatch:
        written = coverage.period.start if coverage.period is not None else ""
        shown = Evidence(reference_of(coverage), chart.origin(coverage), written[:10], says=how)
        evidence = [shown]
        for payor in payors:
            if isinstance(payor.resource, Organization) and payor.resource not in coverage.contained:
                evidence.append(
                    Evidence(
                        reference_of(payor.resource), chart.origin(payor.resource), value=payor.resource.name
                    )
                )
        payer = self._payers.get(payer_id or "")
        member = membership(
            coverage,
            shown,
            payer_id=payer_id,
            payer_lines=payer.lines_of_business if payer is not None else (),
            plans=payer.plans if payer is not None else (),
            payor_names=names_of(payors),
        )
        return PayerMatch(payer_id, how, tuple(evidence), member)

    def _by_identifier(self, payor: Payor) -> tuple[str, str] | None:
        for identifier in payor.identifiers:
            payer_id = self._codes.get(identifier.value.strip())
            if payer_id is not None and any(name in identifier.system.casefold() for name in _NAIC):
                return payer_id, f"by its identifier {identifier.value}"
        return None

    def _by_name(self, payor: Payor) -> tuple[str, str] | None:
        for name in payor.names:
            payer_id = self._names.get(bare(name))
            if payer_id is not None:
                return payer_id, f'by its name "{name}"'
        return None

    def _by_phrase(self, payor: Payor) -> tuple[str, str] | None:
        for name in payor.names:
            for payer_id, payer in self._by_words:
                if any(has_words(name, phrase) for phrase in payer.phrases) and not _elsewhere(name, payer):
                    return payer_id, f'by its name "{name}"'
        return None

    def _by_shared_name(self, payor: Payor, coverage: Coverage, chart: Chart) -> tuple[str, str] | None:
        for name in payor.names:
            payer_id = self._shared.get(bare(name))
            if payer_id is None:
                continue
            states = self._payers[payer_id].states
            for state in states:
                if any(
                    has_words(text, word) for text in plan_names(coverage) for word in (STATES[state], state)
                ):
                    return payer_id, f'by its name "{name}" and a plan of {STATES[state]}'
            home = _home_state(chart)
            if home in states:
                return payer_id, f'by its name "{name}" and the member\'s home in {STATES[home]}'
        return None

    def _by_plan(self, coverage: Coverage) -> tuple[str, str] | None:
        hits = {
            payer_id: text
            for text in plan_names(coverage)
            for payer_id, payer in self._payers.items()
            if any(has_words(text, phrase) for phrase in payer.plan_phrases)
        }
        if len(hits) != 1:
            return None
        payer_id, text = next(iter(hits.items()))
        return payer_id, f'by its plan "{text}"'


def active_coverages(chart: Chart, order: Order, as_of: date) -> list[Coverage]:
    """The coverages that apply to an order on a day, the first to pay first.

    Those that the order (else its drug's order) names, where they are on file and active; else all
    active ones of the patient by Coverage.order.
    """
    for request in (order.resource, *order.drug_orders):
        named = [chart.resolve(reference, request) for reference in request.insurance]
        active = [c for c in named if isinstance(c, Coverage) and counts_on(c, as_of)]
        if active:
            return active
    return sorted(
        (coverage for coverage in chart.of(Coverage) if counts_on(coverage, as_of)),
        key=lambda coverage: coverage.order if coverage.order is not None else float("inf"),
    )


def _unknown(payors: list[Payor]) -> str:
    names = [payor.names[0] for payor in payors if payor.names]
    if names:
        return f"the payor {', '.join(names)} is none of the known payers"
    if any(payor.is_person for payor in payors):
        return "the payor is a person"
    return "the coverage does not name its payor" if not payors else "the payor has no name on file"


def _home_state(chart: Chart) -> str:
    """The state of the patient's address; "" when there are several."""
    patient = chart.patient
    current = [a for a in patient.address if a.use != "old"] if patient is not None else []
    states = {code for address in current if (code := state_code(address.state))}
    return states.pop() if len(states) == 1 else ""


def _elsewhere(name: str, payer: Payer) -> bool:
    """Whether a name says a state in which the payer does not sell."""
    said = {code for code, state in STATES.items() if has_words(name, state)}
    return bool(payer.states) and bool(said) and not said & set(payer.states)
