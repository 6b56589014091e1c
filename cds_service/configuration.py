"""What a client asks of the answer: the CRD version it reads, and the response types it wants.

Both stand in the request's `extension`. Nothing there is an error: a client may send options of
other servers, values of the wrong type or a version that nobody knows; what does not fit is ignored,
and the default holds.

Source: Da Vinci CRD 2.0.1 and 2.2.1, sections Configuration Options and Version Negotiation.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args

from msgspec import Struct

from cards.response_types import RESPONSE_TYPES, ResponseType, Version

OPTIONS = "davinci-crd.configuration-options"
CONFIGURATION = "davinci-crd.configuration"
VERSIONS = "davinci-crd.version"
REQUESTED_VERSION = "davinci-crd.requestedVersion"

# Beyond any list of orders: who wants fewer cards says so.
MAX_CARDS = 1_000

_MAX_CARDS_OPTION = {
    "code": "max-cards",
    "type": "integer",
    "name": "Maximum cards",
    "description": "The most cards that are returned; the most severe are kept.",
    "default": MAX_CARDS,
}


class Configuration(Struct, frozen=True):
    """version: of CRD, in which the answer is written. off: codes of what is not wanted.

    max_cards: the most cards that are wanted.
    """

    version: Version = "2.0"
    off: frozenset[str] = frozenset(kind.code for kind in RESPONSE_TYPES if not kind.on)
    max_cards: int = MAX_CARDS

    def wants(self, response_type: ResponseType) -> bool:
        """Whether responses of a type are given."""
        return response_type.code not in self.off


def read_configuration(extension: Any, default: Version) -> Configuration:
    """The configuration in the `extension` of a request. default: the version when none is asked for.

    Codes that no response type has are kept and change nothing.
    """
    given = extension if isinstance(extension, dict) else {}
    options = given.get(CONFIGURATION)
    options = options if isinstance(options, dict) else {}
    base = Configuration()
    on = {code for code, value in options.items() if value is True}
    off = {code for code, value in options.items() if value is False}
    return Configuration(
        version=_version(given.get(REQUESTED_VERSION), default),
        off=(base.off - on) | off,
        max_cards=_max_cards(options.get("max-cards")),
    )


def _version(asked: Any, default: Version) -> Version:
    """The version asked for: "2.2" and "2.2.1" are 2.2."""
    parts = asked.split(".") if isinstance(asked, str) else []
    known: tuple[Version, ...] = get_args(Version)
    return next((version for version in known if version.split(".") == parts[:2]), default)


def _max_cards(asked: Any) -> int:
    whole = isinstance(asked, int) and not isinstance(asked, bool)
    return asked if whole and asked >= 0 else MAX_CARDS


def discovery_extension(offered: Iterable[ResponseType]) -> dict[str, Any]:
    """The extension of a service in discovery: versions, and an option for each response type."""
    options = [
        {
            "code": kind.code,
            "type": "boolean",
            "name": kind.name,
            "description": kind.description,
            "default": kind.on,
        }
        for kind in offered
    ]
    return {VERSIONS: list(get_args(Version)), OPTIONS: [*options, _MAX_CARDS_OPTION]}
