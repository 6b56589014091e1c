"""How to mend the elements of a hook request. Source: CDS Hooks 2.0, and the definition of each hook."""

from __future__ import annotations

from cds_service.guide import Guide

hook_guide = Guide(
    {
        "hook": 'It must be the name of the hook, e.g. "order-sign".',
        "hookInstance": "It must be a UUID that names this call of the hook.",
        "context": "It must be an object with the fields of the hook, see its definition.",
        "context.patientId": 'It must be the id of the patient without a type, e.g. "123".',
        "context.userId": 'It must name the user by type and id, e.g. "Practitioner/abc".',
        "context.encounterId": 'It must be the id of the encounter without a type, e.g. "89284".',
        "context.draftOrders": "It must be a FHIR Bundle of the unsigned orders.",
        "context.selections": 'It must be a list of the selected orders, e.g. ["DeviceRequest/1"].',
        "context.appointments": "It must be a FHIR Bundle of the appointments to book.",
        "context.dispatchedOrders": (
            'It must be a list of the orders by type and id, e.g. ["DeviceRequest/1"]; order-dispatch 1.0 '
            "has `order` in its place."
        ),
        "context.order": 'It must name the order by type and id, e.g. "DeviceRequest/1".',
        "context.performer": 'It must name the performer by type and id, e.g. "Organization/1".',
        "prefetch": "It must be an object whose values are FHIR resources, or absent.",
        "fhirServer": (
            "It must be the base URL of a FHIR R4 server; without fhirAuthorization it may be absent."
        ),
        "fhirAuthorization": "It must be an object with access_token and token_type Bearer, or absent.",
        "fhirAuthorization.access_token": "It must be the bearer token for fhirServer.",
        "fhirAuthorization.token_type": 'It must be "Bearer".',
    },
    else_="See CDS Hooks 2.0, HTTP Request.",
    contradiction="unusable-context",
)
