"""How many resources one body may hold, counted in its bytes before anything is built.

Nesting has a limit of its own: the reader of JSON ends at about a thousand levels, also in parts
that nobody reads, and says `too-deep`. FHIR in a hook request nests a dozen.
"""

from __future__ import annotations

from cds_service.errors import TooLargeError


def check_resources(body: bytes, most: int) -> None:
    """Refuse a body with more than `most` resources. Raises TooLargeError.

    A resource is counted by its `resourceType`, contained ones and Bundles too.
    """
    if body.count(b'"resourceType"') > most:
        what = f"The body holds more than {most} resources."
        mend = "Send less prefetch data; the service queries fhirServer for what is missing."
        raise TooLargeError("too-many-resources", what, mend=mend)
