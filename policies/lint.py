"""What a policy analyst should mend before a policy goes into force.

Errors stop a release; warnings are for judgement. The loader has already refused what cannot be
read at all.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

from msgspec import Struct

from mappings.catalogue import Catalogue
from policies.cases import case_files
from policies.clauses import FILE as CLAUSES_FILE
from policies.clauses import MISSING, clause_rows, stray_clauses
from policies.model import Criterion, Duty, Policy, Rule, tests_of

REVIEW_AFTER_DAYS = 365
_MAX_SAYS = 170


class Finding(Struct, frozen=True):
    """One thing to mend: where, what, and whether it stops a release."""

    policy: str
    line: int
    what: str
    error: bool


def lint(
    policies: Sequence[Policy], catalogue: Catalogue, today: date, sources: Path | None = None
) -> list[Finding]:
    """Findings over all policies. sources: a folder with the source texts, to check the quotes against."""
    found = [finding for policy in policies for finding in _policy(policy, catalogue, today)]
    found += [finding for policy in policies for finding in _quotes(policy, sources)] if sources else []
    return found + list(_sweep(policies))


def _policy(policy: Policy, catalogue: Catalogue, today: date) -> Iterator[Finding]:
    def finding(line: int, what: str, error: bool = True) -> Finding:
        return Finding(policy.reference, line, what, error)

    if (today - policy.reviewed_on).days > REVIEW_AFTER_DAYS:
        yield finding(1, f"the source was last read on {policy.reviewed_on}; read it again", error=False)
    if not case_files(policy):
        yield finding(1, "there is no cases file beside the policy")
    if (Path(policy.file).parent / CLAUSES_FILE).is_file():
        for row in clause_rows(policy):
            if row.how == MISSING:
                yield finding(1, f"the clause {row.clause} is not accounted for")
        for clause, place in stray_clauses(policy):
            yield finding(place.line, f"the clause {clause} is not one of the document's")
    else:
        yield finding(1, f"there is no {CLAUSES_FILE} beside the policy", error=False)
    used = {name for test in _tests(policy) for name in test}
    for name in policy.parameters:
        if name not in used:
            yield finding(1, f"the parameter {name} is used nowhere", error=False)
    for criterion in policy.criteria():
        yield from (finding(criterion.line, what) for what in _replacement(criterion, policy))
        yield from (finding(criterion.line, what, False) for what in _style(criterion, catalogue))


def _tests(policy: Policy) -> Iterator[tuple[str, ...]]:
    for condition in policy.conditions():
        for test in tests_of(condition):
            yield (*test.predicate.parameters, *test.parameters.values())
    yield tuple(limit.name for limit in policy.limits())


def _replacement(criterion: Criterion, policy: Policy) -> Iterator[str]:
    """What keeps `instead` from helping: the new code must be the document's, and decide the criterion."""
    if criterion.instead is None or criterion.condition is None:
        return
    code = (criterion.instead.system, criterion.instead.code)
    if code not in policy.codes:
        yield f"{criterion.id}: `instead` names {code[1]}, which is not among the codes under `orders.listed`"
    if all(test.fact != "order_code" for test in tests_of(criterion.condition)):
        yield f"{criterion.id}: `instead` changes the code of the order, about which this does not ask"


def _style(criterion: Criterion, catalogue: Catalogue) -> Iterator[str]:
    if criterion.says.endswith("."):
        yield f"{criterion.id}: `says` ends with a full stop, which the card adds"
    if len(criterion.says) > _MAX_SAYS:
        yield f"{criterion.id}: `says` has {len(criterion.says)} characters, more than {_MAX_SAYS}"
    if criterion.condition is not None and not criterion.ask:
        for test in tests_of(criterion.condition):
            if not test.ask and not catalogue.facts[test.fact].ask:
                yield f"{criterion.id}: nothing says what would settle {test.fact} when it is unknown"


def _quotes(policy: Policy, folder: Path) -> Iterator[Finding]:
    """Quotes that do not stand in the source text, and texts that have changed."""
    texts: dict[str, str] = {}
    for name, source in policy.sources.items():
        path = folder / source.text
        if not source.text or not path.is_file():
            continue
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != source.sha256:
            yield Finding(
                policy.reference, 1, f"the text of {name} is not the one with the recorded sha256", True
            )
        texts[name] = normalised(content.decode("utf-8"))
    cited = [(c.line, c.citation) for c in (policy.effective, *policy.criteria())]
    stated: tuple[Duty | Rule, ...] = (*policy.duties, *policy.prior_authorization, *policy.caveats)
    cited += [(s.line, s.citation) for s in stated if s.citation is not None]
    for line, citation in cited:
        if citation.source in texts and normalised(citation.quote) not in texts[citation.source]:
            yield Finding(policy.reference, line, f"the source does not say {citation.quote!r}", True)


def normalised(text: str) -> str:
    """Text with every run of white space (no-break spaces too) as one space."""
    return " ".join(text.split())


def _sweep(policies: Sequence[Policy]) -> Iterator[Finding]:
    """Gaps and overlaps in time between the active versions of one document."""
    families: dict[str, list[Policy]] = {}
    for policy in policies:
        if policy.status == "active":
            families.setdefault(policy.id, []).append(policy)
    for versions in families.values():
        ordered = sorted(versions, key=lambda policy: policy.effective_from)
        for earlier, later in itertools.pairwise(ordered):
            expected = later.effective_from - timedelta(days=1)
            if earlier.effective_to is None or earlier.effective_to > expected:
                what = f"overlaps {later.reference}: let it end on {expected}"
                yield Finding(earlier.reference, 1, what, True)
            elif earlier.effective_to < expected:
                what = f"leaves a gap before {later.reference}, which starts on {later.effective_from}"
                yield Finding(earlier.reference, 1, what, True)
