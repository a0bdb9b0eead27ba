"""Errors that are no bugs of ours: the person at the terminal is told in one line."""

from __future__ import annotations

from pydantic import ValidationError

from cpo_app.cli.errors import CliError
from cpo_app.settings import SettingsError, settings_refused
from db_interface.database import STORE_ERRORS
from domain.errors import OcpiError
from domain.peers.peer_document import UnknownPeer
from domain.secrets import SecretUnusable
from domain.upgrades.schema_version import StoreRefused

_EXPECTED: tuple[type[Exception], ...] = (
    CliError,
    OcpiError,
    SettingsError,
    SecretUnusable,
    StoreRefused,
    UnknownPeer,
    *STORE_ERRORS,
)


def said_of(error: Exception) -> str | None:
    """The line (or lines, one a setting) for the person; None for an error that nobody expects."""
    if isinstance(error, ValidationError):
        return settings_refused(error)
    return str(error) if isinstance(error, _EXPECTED) else None
