"""Why an assertion is so, in the policy's words: one reason for each aspect that needs one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cards.coverage_information.assertion import Reason
from cards.response_types import Version
from cards.sentences import capital, step_words
from policies.determination import Determination, Stated
from policies.logic import Truth
from policies.nearest import Step, apart, plan, state_of

_MET, _UNMET, _UNKNOWN = Truth.MET.value, Truth.UNMET.value, Truth.UNKNOWN.value
_NOT_CHECKED = "Data that the policy asks for could not be fetched, so coverage could not be judged"
_SILENT = "the policy does not say whether it is needed"


def coverage_reasons(determination: Determination) -> Iterator[Reason]:
    """What stands between the order and coverage; nothing for one that meets the policy."""
    if determination.outcome == "not-applicable":
        applicability = determination.criteria.criteria
        yield from _reason("The policy does not decide this order", (n.says for n in applicability))
        return
    if determination.outcome == "excluded":
        yield from _reason("Not covered", (n.says for n in determination.exclusions if n.state == _MET))
        return
    names = set(determination.lacking)
    steps = apart(plan(determination.criteria))
    ruled_out = [n for n in determination.exclusions if n.id in names and n.state == _UNKNOWN]
    papers = [n for n in determination.documentation if n.id in names]
    reserved = [n for n in determination.reservations if n.id in names]
    yield from _reason("Not met", _words(steps, _UNMET))
    yield from _reason("Not documented", _words(steps, _UNKNOWN))
    yield from _reason("To be ruled out", (n.says for n in ruled_out))
    yield from _reason("Not on file", (n.says for n in papers))
    yield from _reason("The policy may leave the decision to the payer", (n.says for n in reserved))


def technical_reason(version: Version) -> Reason:
    """Data could not be fetched. CRD 2.2 has a code for it."""
    return Reason(_NOT_CHECKED, "technical" if version == "2.2" else "")


def authorization_reason(stated: Stated | None) -> Reason:
    """Why it is open whether prior authorization is needed."""
    return Reason(f"Prior authorization: {stated.says if stated else _SILENT}")


def _reason(head: str, said: Iterable[str]) -> Iterator[Reason]:
    found = list(dict.fromkeys(text for text in said if text))
    if found:
        yield Reason(f"{head}: {'; '.join(found)}")


def _words(steps: Iterable[Step], state: str) -> Iterator[str]:
    return (capital(step_words(step)) for step in steps if state_of(step) == state)
