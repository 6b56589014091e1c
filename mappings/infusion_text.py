"""How long one infusion takes, and whether without interruption, from the words of its instruction.

"Infuse over 24 hours", "continuous infusion": read only where the words mean one thing. Other hours
than those of the infusion and of its interval ("every 8 hours"), changing rates, limits and
alternatives leave it to a person. "For 24 hours" may be the length of the course, so it is not read.
"""

from __future__ import annotations

import re
from functools import lru_cache

_UNIT = r"(?P<unit>hours?|hrs?|h|minutes?|mins?)\b"
_OVER = re.compile(
    rf"\bover\s+(?:a\s+period\s+of\s+)?(?P<low>\d+(?:\.\d+)?)(?:\s*(?:-|–|to)\s*(?P<high>\d+(?:\.\d+)?))?\s*-?{_UNIT}"
)
_INTERVAL = re.compile(rf"\b(?:every|each|q)\s*\d+(?:\s*(?:-|–|to)\s*\d+)?\s*{_UNIT}")
_RATE = re.compile(r"/\s*(?:hours?|hrs?|h|minutes?|mins?)\b")
_TIME = re.compile(rf"\d\s*-?{_UNIT}")
_REFUSED = re.compile(
    r"titrat|taper|increas|decreas|reduc|adjust|load|bolus|\bthen\b|\bfollowed\b|\bfirst\b|\buntil\b|\bif\b"
    r"|\bor\b|\bnot\b|\bup to\b|\bmax|\bexceed|\bat (?:least|most)\b|\b(?:more|less) than\b"
    r"|\bas (?:needed|tolerated)\b|\bprn\b"
)
_CONTINUOUS = re.compile(r"\bcontinuously\b|\bcontinuous(?:\s+\w+)?\s+infusion\b|\bcivi\b")
_INTERRUPTED = re.compile(r"\bintermittent|\binterrupt|\bpause")


@lru_cache(maxsize=4096)
def is_continuous_in_words(text: str) -> bool:
    """Whether the words order a continuous infusion, and nothing beside it."""
    words = text.lower()
    return bool(_CONTINUOUS.search(words)) and not (_REFUSED.search(words) or _INTERRUPTED.search(words))


@lru_cache(maxsize=4096)
def hours_in_words(text: str) -> tuple[float, float] | None:
    """The hours of one infusion, from and to; None where the words do not tell them surely."""
    words = text.lower()
    found = list(_OVER.finditer(words))
    if len(found) != 1 or _REFUSED.search(words):
        return None
    if _TIME.search(_RATE.sub(" ", _INTERVAL.sub(" ", _OVER.sub(" ", words)))):
        return None
    match = found[0]
    parts = 60 if match["unit"].startswith("m") else 1
    low, high = (float(match[name] or match["low"]) / parts for name in ("low", "high"))
    return (low, high) if 0 < low <= high else None
