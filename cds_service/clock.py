"""What time it is: the one place where the service asks."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Now, in the time zone of the machine: its calendar day is day 0 of an order without a date."""
    return datetime.now().astimezone()
