"""The address that a token must name: the one by which clients reach the endpoint.

It is put together from the setting, never from the Host header or one of a proxy: those are the
sender's, and a token for another service would then be good here. Only a slash at the end is
overlooked. Source: CDS Hooks 2.0, section Trusting CDS Clients, claim aud.
"""

from __future__ import annotations

from collections.abc import Sequence


def endpoint(base_url: str, path: str) -> str:
    """The address of an endpoint, e.g. https://cds.example.org/cds-services."""
    return f"{base_url.rstrip('/')}/{path.strip('/')}"


def is_for(audience: str | Sequence[str], address: str) -> bool:
    """Whether one of the audiences of a token is this address."""
    named = (audience,) if isinstance(audience, str) else audience
    return any(one.removesuffix("/") == address for one in named)
