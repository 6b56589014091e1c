"""What a policy states and a determination repeats as it stands."""

from __future__ import annotations

from msgspec import Struct

CONTACT_SYSTEMS = ("phone", "fax", "email", "url")


class Contact(Struct, frozen=True, omit_defaults=True):
    """Whom to ask about answers under a policy. system: phone, fax, email or url."""

    name: str
    system: str
    value: str


class Replacement(Struct, frozen=True):
    """The code that the document puts in place of the ordered one: canonical system, code, its words."""

    system: str
    code: str
    says: str
