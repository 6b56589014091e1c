"""Ids and canonical addresses of questionnaires.

The id of a questionnaire is that of its policy and service ("aetna.cpb-0161.external-insulin-pump");
the version is that of the policy.
"""

from __future__ import annotations

import re
from hashlib import sha256

from msgspec import UnsetType

from policies.determination import Determination

_LONGEST = 64
_FOREIGN = re.compile(r"[^A-Za-z0-9\-.]+")
_DIGITS = 12


def questionnaire_id(policy_id: str, service_id: str) -> str:
    """The FHIR id of a questionnaire, one for each pair of policy and service.

    A pair that is too long, has characters that FHIR does not allow in an id, or could be read in two
    ways (a dot in the name of the service) gets a shortened name with a hash of both names.
    Source: https://hl7.org/fhir/R4/datatypes.html#id
    """
    plain = f"{policy_id}.{service_id}"
    if len(plain) <= _LONGEST and not _FOREIGN.search(plain) and "." not in service_id:
        return plain
    digest = sha256(f"{policy_id}\n{service_id}".encode()).hexdigest()[:_DIGITS]
    return f"{_FOREIGN.sub('-', plain)[: _LONGEST - _DIGITS - 1]}.{digest}"


def canonical(base: str, policy_id: str, service_id: str) -> str:
    """The canonical address without a version. base: address of the service, no slash at the end."""
    return f"{base}/fhir/Questionnaire/{questionnaire_id(policy_id, service_id)}"


def questionnaire_url(base: str, determination: Determination) -> str:
    """The canonical address, with version, of the questionnaire for the service that judged an order.

    Raises ValueError where no service did.
    """
    policy, service = determination.policy, determination.service
    if isinstance(service, UnsetType):
        raise ValueError("no service judged this order")
    return f"{canonical(base, policy.id, service)}|{policy.version}"
