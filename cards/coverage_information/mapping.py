"""From a determination to what is asserted about coverage; the table is docs/coverage-information.md.

The codes keep the invariants of both CRD versions: `pa-needed` stands unless it is not covered (q2),
`info-needed` exactly where something is conditional (q3), no documents for a prior authorization that
is not needed (q4), and words wherever a code alone does not explain itself (q6 to q9).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cards.coverage_information.assertion import Assertion, Detail, Reason
from cards.coverage_information.limits import limit_details
from cards.coverage_information.reasons import authorization_reason, coverage_reasons, technical_reason
from cards.response_types import Version
from policies.determination import Determination, Lapsed, lacking_nodes
from policies.logic import Truth

# Before the order is signed nobody is asked for documents (CRD, secondary hooks).
SECONDARY_HOOKS = frozenset({"order-select", "encounter-start", "encounter-discharge"})
_UNKNOWN = Truth.UNKNOWN.value
_PRIOR_AUTHORIZATION = {"required": "auth-needed", "not-required": "no-auth"}


def asserted(determination: Determination, coverage: str, version: Version, hook: str) -> Assertion:
    """What a determination asserts. coverage: reference of the Coverage on the client's server."""
    technical = is_technical(determination)
    covered = _covered(determination, technical, version)
    prior = determination.prior_authorization
    pa_needed = _PRIOR_AUTHORIZATION.get(prior.answer if prior else "", "conditional")
    if covered == "not-covered":
        pa_needed = ""
    asks = hook not in SECONDARY_HOOKS and not technical
    kinds = open_documentation(determination) if asks else ()
    is_open = "conditional" in (covered, pa_needed)
    reasons = (
        *((technical_reason(version),) if technical else coverage_reasons(determination)),
        *((authorization_reason(prior),) if pa_needed == "conditional" else ()),
    )
    return Assertion(
        coverage,
        covered,
        pa_needed,
        doc_needed=("both",) if version == "2.0" and len(kinds) > 1 else kinds,
        doc_purpose=(("withpa" if pa_needed == "auth-needed" else "retain-doc"),) if kinds else (),
        info_needed=("OTH",) if is_open else (),
        reasons=reasons,
        details=(
            *limit_details(determination),
            *(_explained(determination, reasons, asks=asks, is_open=is_open) if version == "2.2" else ()),
        ),
        expires=determination.policy.until,
        contact=determination.policy.contact,
    )


def asserted_without_coverage(lapsed: Lapsed, version: Version) -> Assertion:
    """The coverage on file is not active on the day of the order (CRD 2.2: no-active-coverage)."""
    text = f"The coverage is not active on {lapsed.as_of}, the day that counts for the order"
    code = "no-active-coverage" if version == "2.2" else ""
    return Assertion(lapsed.coverage.reference, "not-covered", reasons=(Reason(text, code),))


def is_technical(determination: Determination) -> bool:
    """Whether the answer is open because data could not be fetched."""
    return determination.outcome == "needs-documentation" and any(
        node.state == _UNKNOWN and node.reason == "fetch_failed" for node in lacking_nodes(determination)
    )


def open_documentation(determination: Determination) -> tuple[str, ...]:
    """What kind of documentation would go on: clinical (criteria that nothing decides), admin (papers)."""
    if determination.outcome not in ("not-met", "needs-documentation"):
        return ()
    lacking = lacking_nodes(determination)
    undecided = any(n.kind != "documentation" and n.state == _UNKNOWN for n in lacking)
    papers = any(n.kind == "documentation" for n in lacking)
    return (*(("clinical",) if undecided else ()), *(("admin",) if papers else ()))


def _covered(determination: Determination, technical: bool, version: Version) -> str:
    outcome = determination.outcome
    if technical:
        return "indeterminate" if version == "2.2" else "conditional"
    if outcome == "excluded":
        return "not-covered"
    only_papers = outcome == "needs-documentation" and all(
        node.kind == "documentation" for node in lacking_nodes(determination)
    )
    return "covered" if outcome == "met" or only_papers else "conditional"


def _explained(
    determination: Determination, reasons: Iterable[Reason], *, asks: bool, is_open: bool
) -> Iterator[Detail]:
    """For CRD 2.2: what would settle what is open (`info-needed` OTH wants it), where the policy stands."""
    settle = determination.asks if asks and determination.outcome != "excluded" else []
    about, said = "What would settle it", " ".join(settle)
    if is_open and not settle:
        about, said = "What is open", ". ".join(reason.text for reason in reasons)
    if said:
        yield Detail("instructions", "cat-decisional", ("valueString", said), about)
    if determination.policy.url:
        link = ("valueUrl", determination.policy.url)
        yield Detail("policy-link", "cat-other", link, determination.policy.title)
