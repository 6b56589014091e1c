"""What is served under /fhir, as a CapabilityStatement. Source: https://hl7.org/fhir/R4/http.html#capabilities"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from cds_service.version import VERSION

PACKAGE = "http://hl7.org/fhir/us/davinci-dtr/OperationDefinition/questionnaire-package"


def capability_statement(base: str, now: datetime) -> dict[str, Any]:
    """base: address of the service, without a slash at the end."""
    searched = [("url", "uri"), ("version", "token"), ("_id", "token")]
    questionnaire = {
        "type": "Questionnaire",
        "interaction": [{"code": "read"}, {"code": "search-type"}],
        "searchParam": [{"name": name, "type": kind} for name, kind in searched],
        "operation": [{"name": "questionnaire-package", "definition": PACKAGE}],
    }
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": now.date().isoformat(),
        "kind": "instance",
        "software": {"name": "coverage-hooks", "version": VERSION},
        "implementation": {"description": "Questionnaires of payer policies", "url": f"{base}/fhir"},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [{"mode": "server", "resource": [questionnaire]}],
    }
