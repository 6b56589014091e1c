"""Three-valued (Kleene) truth. A `Truth` never stands for a Python bool: testing one raises.

| all   | met     unknown unmet |   | any   | met  unknown unmet   |
|-------|-----------------------|   |-------|----------------------|
| met   | met     unknown unmet |   | met   | met  met     met     |
| unkn. | unknown unknown unmet |   | unkn. | met  unknown unknown |
| unmet | unmet   unmet   unmet |   | unmet | met  unknown unmet   |

An empty `all` is met and an empty `any` is unmet, as in two-valued logic.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NoReturn


class Truth(StrEnum):
    MET = "met"
    UNMET = "unmet"
    UNKNOWN = "unknown"

    def __bool__(self) -> NoReturn:
        raise TypeError("a Truth is no bool: compare it with Truth.MET, UNMET or UNKNOWN")


def truth(value: bool | None) -> Truth:
    """True, False or None (cannot tell) as a Truth."""
    if value is None:
        return Truth.UNKNOWN
    return Truth.MET if value else Truth.UNMET


def all_of(states: Iterable[Truth]) -> Truth:
    found = set(states)
    if Truth.UNMET in found:
        return Truth.UNMET
    return Truth.UNKNOWN if Truth.UNKNOWN in found else Truth.MET


def any_of(states: Iterable[Truth]) -> Truth:
    found = set(states)
    if Truth.MET in found:
        return Truth.MET
    return Truth.UNKNOWN if Truth.UNKNOWN in found else Truth.UNMET


def at_least(count: int, states: Iterable[Truth]) -> Truth:
    """Met when `count` states are met, unmet when so many are unmet that it cannot be reached."""
    found = list(states)
    met = sum(state is Truth.MET for state in found)
    possible = met + sum(state is Truth.UNKNOWN for state in found)
    if met >= count:
        return Truth.MET
    return Truth.UNKNOWN if possible >= count else Truth.UNMET


def negate(state: Truth) -> Truth:
    return {Truth.MET: Truth.UNMET, Truth.UNMET: Truth.MET, Truth.UNKNOWN: Truth.UNKNOWN}[state]
