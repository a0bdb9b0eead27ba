"""The OCPI versions that this platform offers, as CPO_OCPI_VERSIONS names them."""

from __future__ import annotations

from cpo_app.settings import Settings, SettingsError
from domain.versions import VERSIONS, OcpiVersion


def offered_versions(settings: Settings) -> tuple[OcpiVersion, ...]:
    """Lowest first. Raises SettingsError for one that there is not, or for none."""
    named = [text.strip() for text in settings.CPO_OCPI_VERSIONS.split(",") if text.strip()]
    unknown = [number for number in named if number not in VERSIONS]
    if unknown or not named:
        raise SettingsError(
            f"CPO_OCPI_VERSIONS: {', '.join(unknown) or 'empty'}: of OCPI there are "
            f"{', '.join(VERSIONS)} here"
        )
    return tuple(version for number, version in VERSIONS.items() if number in named)
