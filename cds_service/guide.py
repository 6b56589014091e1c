"""Decoding JSON from senders: what does not fit is told by element, with how to mend it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar

import msgspec
from msgspec import Raw

from cds_service.errors import BadRequestError, UnusableError, not_json, too_deep

T = TypeVar("T")

_AT = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>[^`]*)`)?$", re.S)
_MISSING = re.compile(r"missing required field `([^`]+)`")


class Guide:
    """How to mend elements.

    by_path: path -> sentence, also for the elements of a list. else_: for others. contradiction: the
    code of the error for what is of the right form and cannot mean what it says.
    """

    def __init__(self, by_path: Mapping[str, str], *, else_: str, contradiction: str) -> None:
        self._by_path, self._else, self._contradiction = by_path, else_, contradiction

    def decode(self, decoder: msgspec.json.Decoder[T], raw: bytes | Raw, where: str = "") -> T:
        """Decode JSON; errors lead to the element below `where`. Raises BadRequestError."""
        try:
            return decoder.decode(raw)
        except msgspec.ValidationError as error:
            raise self._explained(str(error), where) from None
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise not_json(error, where) from None
        except RecursionError:
            raise too_deep(where) from None

    def invalid(self, where: str, what: str) -> BadRequestError:
        """The error for an element that is missing or of the wrong form."""
        says = f"{where or 'The body'} {what}."
        return BadRequestError("invalid-request", says, where=where, mend=self._mend(where))

    def unusable(self, where: str, what: str) -> UnusableError:
        """The error for an element of the right form that says what it cannot mean."""
        return UnusableError(self._contradiction, f"{where} {what}.", where=where, mend=self._mend(where))

    def _mend(self, where: str) -> str:
        found = self._by_path.get(where) or self._by_path.get(re.sub(r"\[[^]]*\]", "[]", where))
        return found or self._by_path.get(where.partition("[")[0], self._else)

    def _explained(self, message: str, where: str) -> BadRequestError:
        match = _AT.match(message)
        what, path = (match["what"], (match["path"] or "").lstrip(".")) if match else (message, "")
        missing = _MISSING.search(what)
        if missing:
            path, what = ".".join(filter(None, (path, missing[1]))), "is missing"
        else:
            what = what.replace("`", "").replace("Expected ", "must be ").replace(" | null", "")
            what = what.replace(", got ", ", not ").replace("Invalid ", "is an invalid ")
            what = what.partition(" matching regex")[0]
        return self.invalid(".".join(filter(None, (where, path))), what)
