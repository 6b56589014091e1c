"""What is asserted of one order and coverage, before it becomes FHIR."""

from __future__ import annotations

from msgspec import Struct

from policies.repeated import Contact


class Reason(Struct, frozen=True):
    """Why the assertion is so. code: of the value set coverageAssertionReasons, "" for words alone."""

    text: str
    code: str = ""


class Detail(Struct, frozen=True):
    """What qualifies or explains an assertion.

    code: of CRD's coverage details. category: cat-limitation, cat-decisional or cat-other (CRD 2.2).
    value: FHIR element and value of the detail, e.g. ("valueString", "..."). about: its words.
    """

    code: str
    category: str
    value: tuple[str, object]
    about: str = ""


class Assertion(Struct, frozen=True):
    """One repetition of the extension; every code is one of the CRD version it was made for.

    coverage: reference on the client's server. pa_needed, info_needed: "" for none. expires: last
    day on which it holds, "" when that is open.
    """

    coverage: str
    covered: str
    pa_needed: str = ""
    doc_needed: tuple[str, ...] = ()
    doc_purpose: tuple[str, ...] = ()
    info_needed: tuple[str, ...] = ()
    billing_codes: tuple[dict[str, str], ...] = ()
    reasons: tuple[Reason, ...] = ()
    details: tuple[Detail, ...] = ()
    questionnaires: tuple[str, ...] = ()
    expires: str = ""
    contact: Contact | None = None
