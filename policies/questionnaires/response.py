"""The empty QuestionnaireResponse with which a form starts.

Source: Da Vinci DTR 2.1, operation $questionnaire-package: the draft names its Questionnaire by
version, the patient, and as context each coverage and order that it is to be filled in for.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

Json = dict[str, Any]

CONTEXT = "http://hl7.org/fhir/us/davinci-dtr/StructureDefinition/qr-context"


def draft(questionnaire: Json, subject: str, context: Iterable[str], authored: str) -> Json:
    """An unanswered response. subject, context: references. authored: a FHIR dateTime."""
    response: Json = {
        "resourceType": "QuestionnaireResponse",
        "extension": [{"url": CONTEXT, "valueReference": {"reference": name}} for name in context],
        "questionnaire": f"{questionnaire['url']}|{questionnaire['version']}",
        "status": "in-progress",
        "subject": {"reference": subject},
        "authored": authored,
    }
    if not response["extension"]:
        del response["extension"]
    return response
