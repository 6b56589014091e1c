"""The determination itself, for programs: POST /determinations takes the body of a hook request."""

from __future__ import annotations

from flask import Blueprint, Response, request
from msgspec import Struct

from cds_service.desk import desk, json_response
from cds_service.judging import Judgement
from mappings.chart import LeftOut
from mappings.parsing import Problem
from policies.determination import Determination, NotEvaluated

determinations = Blueprint("determinations", __name__)

_MOST = 100


class Answer(Struct, omit_defaults=True):
    """The contract of docs/determination.md. Lists of problems hold the first hundred."""

    determinations: list[Determination]
    not_evaluated: list[NotEvaluated]
    payer_note: str = ""
    could_not: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    decision: str = ""


def answer(judgement: Judgement) -> Answer:
    """A judgement in the shape that other programs rely on."""
    report = judgement.report
    return Answer(
        report.determinations,
        report.not_evaluated,
        report.payer_note,
        judgement.could_not,
        judgement.problems[:_MOST],
        judgement.left_out[:_MOST],
    )


@determinations.post("/determinations")
def determine() -> Response:
    here = desk()
    named = [name.strip() for name in ",".join(request.args.getlist("policies")).split(",") if name.strip()]
    log = here.call("determinations")
    hook_request = here.hook_request(log, *here.services.hooks)
    judgement = here.judge.judge(hook_request, named or None)
    found = answer(judgement)
    found.decision = log.answered(hook_request, judgement, found)
    return json_response(found, found.decision)
