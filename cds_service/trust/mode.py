"""Whether a token is asked: open is for development, and must not be reached by others unnoticed."""

from __future__ import annotations

from cds_service.origins import BadUrlError, base_url, is_loopback
from cds_service.settings import PREFIX, Settings, SettingsError

OPEN_NOTE = (
    "no token is asked: whoever reaches this address may ask. "
    f"{PREFIX}TRUST=jwt asks for one, see docs/clients.md."
)


def check_mode(settings: Settings) -> None:
    """Refuse settings by which the service would be open by mistake, or closed to everybody.

    Raises SettingsError.
    """
    local = is_loopback(settings.host)
    if settings.trust == "open":
        if settings.allow_open or (local and settings.development):
            return
        where = f"on {settings.host}, which others can reach" if not local else "in production"
        raise SettingsError(
            f"{PREFIX}TRUST=open asks no token, and that is refused {where}. Set {PREFIX}TRUST=jwt and "
            f"{PREFIX}CLIENTS_FILE, or {PREFIX}ALLOW_OPEN=true when something else authenticates callers."
        )
    if not settings.clients_file:
        raise SettingsError(f"{PREFIX}TRUST=jwt needs {PREFIX}CLIENTS_FILE, the list of registered clients")
    if not settings.public_url and not local:
        raise SettingsError(
            f"{PREFIX}TRUST=jwt needs {PREFIX}PUBLIC_URL: tokens name the address by which clients reach it"
        )
    try:
        base_url(settings.base_url)
    except BadUrlError as error:
        raise SettingsError(f"{PREFIX}PUBLIC_URL={settings.public_url!r} cannot be used: {error}") from None
