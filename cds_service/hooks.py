"""Discovery and the services themselves. Source: CDS Hooks 2.0, sections Discovery, Calling a CDS Service."""

from __future__ import annotations

from flask import Blueprint, Response

from cds_service.desk import desk, json_response
from cds_service.errors import ServiceError
from cds_service.faults import report_fault
from cds_service.hook_answer import fault_answer, hook_answer
from cds_service.policy_page import PAGES
from cds_service.prefetch import templates
from cds_service.telemetry.observed import stage

hooks = Blueprint("hooks", __name__)


@hooks.get("/cds-services")
def discovery() -> Response:
    here = desk()
    asked, style = here.judge.queries, here.settings.prefetch_style
    return json_response(here.services.discovery(lambda hook: templates(hook, asked, style)))


@hooks.post("/cds-services/<service_id>")
def call(service_id: str) -> Response:
    here = desk()
    service = here.services.get(service_id)
    log = here.call(service.id)
    request = here.hook_request(log, service.hook)
    judgement = None
    try:
        judgement = here.judge.judge(request)
        settings = here.settings
        pages = f"{settings.base_url}{PAGES}"
        with stage("answer"):
            answer = hook_answer(
                judgement.request, service.id, judgement, here.offers, show_met=settings.show_met, pages=pages
            )
    except ServiceError as error:
        log.refused(request, error)
        raise
    except RecursionError:
        raise
    except Exception as error:  # a fault of ours must not look like "nothing to say"
        judgement, answer = None, fault_answer(request, service.id, report_fault(error, service.id))
    return json_response(answer, log.answered(request, judgement, answer))
