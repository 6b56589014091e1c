"""What stops a population run. A bad line never does (see `problems`)."""

from __future__ import annotations


class PopulationError(Exception):
    """The run cannot go on; the message says what is wrong and how to mend it."""
