"""The words of a card: what lacks, what was found, what would settle it, where the policy says so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cards.findings import found, limbs_of
from cards.markdown import clip, escape
from cards.sentences import capital, lower, step_words, ways_of
from policies.determination import Cited, Determination, Node, Part, Stated, walk
from policies.logic import Truth
from policies.nearest import Choice, Step, apart, plan, shown, state_of
from policies.repeated import Replacement

_MET, _UNMET, _UNKNOWN = Truth.MET.value, Truth.UNMET.value, Truth.UNKNOWN.value
SUMMARY_LENGTH = 139
# No card sends anybody to a portal to start a prior authorization (CRD 2.2.1, resp-17 and resp-23):
# coverage information says whether one is needed.
_NOT_TOLD = "pa_request_complete"

REASONS = {
    "no_data": "nothing on file",
    "stale": "the record is too old",
    "too_short_a_record": "the record is too short to tell",
    "unmapped_code": "a code could not be read",
    "unit_mismatch": "the unit does not fit",
    "conflicting": "the record contradicts itself",
    "fetch_failed": "the record could not be fetched",
    "narrative_only": "only narrative could tell",
    "attested_only": "stated, but no record behind the statement is on file",
    "imprecise": "the record is not precise enough to tell",
}

_OUTCOMES = {
    "met": "The chart shows every criterion of the policy.",
    "not-met": "As charted, the order does not meet the policy.",
    "needs-documentation": "Nothing on file contradicts the policy, but the chart does not show all of it.",
    "excluded": "The policy does not cover this order as it stands.",
    "not-applicable": "This policy does not decide this order.",
}


def summary(determination: Determination) -> str:
    """One sentence below 140 characters that names the policy and what lacks."""
    policy = f"{determination.policy.payer} {determination.policy.title}"
    said = lacking_words(determination)
    head = {
        "met": f"{policy}: all criteria are shown",
        "not-applicable": f"{policy}: {said[0] if said else 'does not apply to this order'}",
        "excluded": f"{policy}: not covered: {said[0] if said else ''}",
        "not-met": f"{policy}: not met: {said[0] if said else ''}",
        "needs-documentation": f"{policy}: {_open_head(determination)}{said[0] if said else ''}",
    }[determination.outcome]
    more = f" (+{len(said) - 1} more)" if len(said) > 1 and determination.outcome != "not-applicable" else ""
    return clip(head, SUMMARY_LENGTH - len(more)) + more


def lacking_words(determination: Determination) -> list[str]:
    """What stands between the order and met, in the policy's words, the decisive first."""
    if determination.outcome == "not-applicable":
        return [lower(node.says) for node in determination.criteria.criteria]
    exclusions = [n for n in determination.exclusions if n.state == _MET]
    return [*(lower(node.says) for node in exclusions), *open_words(determination)]


def open_words(determination: Determination, mended: Replacement | None = None) -> list[str]:
    """What lacks beside the exclusions that apply, the decisive first; a choice counts once.

    mended: the code to order instead; what it mends is left out.
    """
    names = set(determination.lacking)
    said = [step_words(step) for step in _steps(determination) if not mends(mended, step)]
    reserved = [n for n in determination.reservations if n.id in names]
    return [
        *(lower(text) for text in said if text),
        *(f"the payer may decide: {lower(node.says)}" for node in reserved),
        *(f"may be excluded: {lower(node.says)}" for node in open_exclusions(determination)),
    ]


def _steps(determination: Determination) -> list[Step]:
    """The criteria and documents that lack, the decisive first."""
    names = set(determination.lacking)
    steps = [*apart(plan(determination.criteria))]
    steps += [n for n in determination.documentation if n.id in names]
    decisive = _UNKNOWN if determination.outcome == "needs-documentation" else _UNMET
    return sorted(steps, key=lambda step: state_of(step) != decisive)


def mends(new: Replacement | None, step: Step) -> bool:
    """Whether the order under another code meets a step."""
    if isinstance(step, Choice):
        return any(all(mends(new, inner) for inner in way) for way in step.ways)
    return new is not None and step.instead == new


def open_exclusions(determination: Determination) -> list[Node]:
    """The exclusions that the record raises and does not decide."""
    names = set(determination.lacking)
    return [n for n in determination.exclusions if n.id in names and n.state == _UNKNOWN]


def _open_head(d: Determination) -> str:
    """What leads the first words of an open order; an exclusion that is open brings its own."""
    perhaps = open_exclusions(d)
    if perhaps and len(perhaps) == len(d.lacking):
        return ""
    return "not met, but the payer may decide: " if left_to_payer(d) else "not documented: "


def left_to_payer(d: Determination) -> bool:
    """Whether what keeps an open order from met has failed, and only the payer can decide about it."""
    first = next(iter(_steps(d)), None)
    failed = first is not None and state_of(first) == _UNMET and first not in d.documentation
    return d.outcome == "needs-documentation" and failed


def detail(determination: Determination, could_not: Iterable[str] = ()) -> str:
    """The Markdown body: what is not met, what is not documented, what is shown, what comes next.

    could_not: what could not be fetched, in plain words.
    """
    lines = [*_heading(determination), ""]
    for title, body in _sections(determination, list(could_not)):
        if body:
            lines += [f"**{title}**", "", *body, ""]
    return "\n".join(lines).rstrip() + "\n"


def _heading(d: Determination) -> list[str]:
    policy = f"{d.policy.payer} {d.policy.title}"
    what = escape(d.order_label or d.order)
    subject = f"**{what}**, judged for {d.as_of} against {policy} (version {d.policy.version})."
    payer = f" Coverage: {escape(d.coverage.plan or d.coverage.payer)}." if d.coverage else ""
    return [subject + payer, "", _outcome(d)]


def _outcome(d: Determination) -> str:
    if d.outcome == "needs-documentation" and any(n.reserved for n in walk(d.criteria)):
        return "As charted, a criterion fails, but the policy reserves the decision about it."
    if d.outcome == "needs-documentation" and not _open_head(d):
        return "The chart shows every criterion, but leaves open whether the policy excludes the order."
    return _OUTCOMES[d.outcome]


def _sections(d: Determination, could_not: list[str]) -> Iterator[tuple[str, list[str]]]:
    if d.outcome == "not-applicable":
        yield "Why", [line for node in d.criteria.criteria for line in _lacking_lines(node, "")]
        yield "Note", [f"- {s.says}" for s in d.caveats]
        return
    yield "Not covered", [line for n in d.exclusions if n.state == _MET for line in _lacking_lines(n, "")]
    steps = apart(plan(d.criteria))
    yield "Not met", list(_step_lines(steps, _UNMET))
    unknown = [*_step_lines(steps, _UNKNOWN)]
    for node in d.documentation:
        if node.id in d.lacking and node.state != _MET:
            unknown += _lacking_lines(node, "")
    yield "Not documented", unknown
    yield "May exclude the order", [line for n in open_exclusions(d) for line in _excluding_lines(n)]
    yield (
        "The policy reserves the decision",
        [line for n in d.reservations for line in _reserving(n, n.id in d.lacking)],
    )
    yield "Already shown", _shown(d)
    yield "Could not be checked", [f"- {text}" for text in could_not]
    yield "Next", _next(d)


def _reserving(node: Node, may_apply: bool) -> list[str]:
    """A provision that reserves the decision, or may do so."""
    if node.state == _MET:
        return [f"- {node.says}. {quoted(node.citation)}"]
    return [f"- Perhaps: {lower(node.says)}. {quoted(node.citation)}"] if may_apply else []


def _step_lines(steps: tuple[Step, ...], state: str) -> Iterator[str]:
    """The lines of a plan for one state; a choice goes where its group belongs."""
    for step in steps:
        if state_of(step) == state:
            yield from _lines(step, "")


def _lines(step: Step, indent: str) -> Iterator[str]:
    """A criterion, or a choice with a bullet for each way."""
    if not isinstance(step, Choice):
        yield from _lacking_lines(step, indent)
        return
    yield f"{indent}- {'One' if step.needed == 1 else step.needed} of these would do:"
    for way in ways_of(step):
        inner = indent + "  "
        if len(way) > 1:
            yield f"{inner}- All of these together:"
            inner += "  "
        for part in way:
            yield from _lines(part, inner)


def _lacking_lines(node: Node, indent: str) -> list[str]:
    """A criterion that lacks: what it says, what was found, what would settle it, where it stands."""
    seen = found(node)
    limbs = [limb for limb in limbs_of(node.parts) if limb.evidence]
    if not seen and node.reason == "no_data":
        seen = list(dict.fromkeys(f"{limb.label}: {'; '.join(found(limb))}" for limb in limbs))
    shown = "; ".join(seen)
    head = f"{indent}- **{node.says or node.title}.**"
    if node.reason == "no_data" and shown and not (node.evidence or limbs):
        head += f" {capital(shown)}."
        shown = ""
    elif node.state == _UNKNOWN:
        reason = "what is on file does not tell" if _speaks(node) else REASONS.get(node.reason, "")
        head += f" {capital(reason)}." if reason else ""
    if shown:
        head += f" Found: {shown}."
    return [head, *_settling(node, indent)]


def _excluding_lines(node: Node) -> list[str]:
    """An exclusion that is open: it counts against the order, and something on file points there."""
    shown = [*_pointers(node.parts), *found(node)]
    still_open = [part.label for part in limbs_of(node.parts) if part.state == _UNKNOWN and part.label]
    if not shown:
        why = "nothing on file rules this out"
    elif node.reason != "no_data":
        why = REASONS.get(node.reason, "")
    elif still_open:
        why = f"open: {'; '.join(dict.fromkeys(still_open))}"
    else:
        why = "what is on file does not tell" if node.asks else "whether this applies to the order is open"
    head = f"- **Excluded if {lower(node.says)}.**"
    head += f" {capital(why)}." if why else ""
    head += f" Found: {'; '.join(shown)}." if shown else ""
    return [head, *_settling(node, "")]


def _settling(node: Node, indent: str) -> Iterator[str]:
    """What would settle it, and where the policy asks for it."""
    for ask in node.asks:
        yield f"{indent}  To settle it: {ask}"
    where = quoted(node.citation)
    if where:
        yield f"{indent}  {where}"


def _speaks(node: Node) -> bool:
    """Whether something was found where the reason says that nothing is on file."""
    return node.reason == "no_data" and (
        bool(node.evidence) or any(limb.evidence for limb in limbs_of(node.parts))
    )


def _pointers(parts: Iterable[Part]) -> Iterator[str]:
    """What the limbs that hold rest on, each with the name of what it shows."""
    for part in parts:
        if part.state != _MET:
            continue
        if part.parts and part.operator != "not":
            yield from _pointers(part.parts)
            continue
        for limb in limbs_of([part]):
            if limb.evidence:
                said = "; ".join(found(limb))
                yield f"{limb.label}: {said}" if limb.label else said


def quoted(citation: Cited | None) -> str:
    """Where the policy says so; "" when nothing is cited."""
    if citation is None:
        return ""
    clause = f" ({citation.clause})" if citation.clause else ""
    return f'Policy: "{citation.quote}"{clause}'


def _shown(d: Determination) -> list[str]:
    """What is already shown, on one line with the clauses."""
    met = shown(d.criteria)
    if not met:
        return []
    said = "; ".join(f"{lower(n.says)} ({', '.join(n.clauses)})" for n in met)
    return [f"{capital(said)}."]


def _next(d: Determination) -> list[str]:
    lines = []
    if d.prior_authorization is not None:
        lines.append(_stated(d.prior_authorization))
    todo = [n for n in d.documentation if not n.required and n.state != _MET and n.fact != _NOT_TOLD]
    lines += [f"- {n.says}. {quoted(n.citation)}" for n in todo]
    lines += [_stated(s) for s in d.later]
    lines += [_stated(s) for s in d.caveats]
    return lines


def _stated(stated: Stated) -> str:
    clauses = f" ({', '.join(stated.clauses)})" if len(stated.clauses) <= 2 else f" ({stated.clauses[0]} ff.)"
    return f"- {stated.says}.{clauses}"
