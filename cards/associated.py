"""Which orders a card is about, for programs.

Source: Da Vinci CRD 2.0.1 and 2.2.1, section Linking cards to requests (davinci-crd.associated-resource).
"""

from __future__ import annotations

from typing import Any

EXTENSION = "davinci-crd.associated-resource"


def associated(*references: str) -> dict[str, Any]:
    """The entry of Card.extension; none when no reference ("Type/id") names a resource."""
    found = [{"reference": reference} for reference in dict.fromkeys(references) if "/" in reference]
    return {EXTENSION: found} if found else {}
