"""A resource as it was sent: the elements of it, each as its JSON text.

A client replaces its order by what it gets back. So only what is changed is decoded; numbers keep
their digits, and unknown elements and extensions come out as they were written.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw

from mappings.parsing import untyped

# The elements of a resource: JSON text (Raw) as it was sent, or what is written in its place.
Whole = dict[str, Any]


class _Extension(msgspec.Struct):
    url: str = ""


_elements = msgspec.json.Decoder(dict[str, Raw])
_items = msgspec.json.Decoder(list[Raw])
_extension = msgspec.json.Decoder(_Extension)

encoded = msgspec.json.Encoder().encode


def elements(written: bytes | Raw) -> Whole:
    """The elements of a resource. Raises msgspec.DecodeError for what is no JSON object."""
    return dict(_elements.decode(written))


def items(written: Raw) -> list[Raw]:
    """The items of a list. Raises msgspec.ValidationError for anything else."""
    return _items.decode(written)


def url(extension: Raw) -> str:
    """The url of an extension, "" when it has none. Raises msgspec.ValidationError for anything else."""
    return _extension.decode(extension).url


def value(written: bytes | Raw) -> Any:
    """What stands there; a number beyond every float stays text.

    Raises msgspec.DecodeError or UnicodeDecodeError for what is no JSON in UTF-8, however deep it lies.
    """
    return untyped.decode(written)
