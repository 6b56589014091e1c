"""What an entry of the list of allergies is worth."""

from __future__ import annotations

from mappings.chart import has_code
from mappings.codes import SNOMED, key
from mappings.fhir import AllergyIntolerance

_NONE_KNOWN = frozenset({(SNOMED, "716186003"), (SNOMED, "409137002")})
"""No known allergy; no known drug allergy."""


def says_none(entry: AllergyIntolerance) -> bool:
    """Whether it says that no allergy, or none to a drug, is known."""
    return entry.code is not None and any(key(coding) in _NONE_KNOWN for coding in entry.code.coding)


def is_past(entry: AllergyIntolerance) -> bool:
    """Whether it is inactive or resolved."""
    return has_code(entry.clinicalStatus, "inactive", "resolved")


def stands(entry: AllergyIntolerance) -> bool:
    """Whether it is neither past nor refuted."""
    return not is_past(entry) and not has_code(entry.verificationStatus, "refuted")


def is_doubtful(entry: AllergyIntolerance) -> bool:
    """Whether it says itself that it is not confirmed."""
    return has_code(entry.verificationStatus, "unconfirmed", "presumed")
