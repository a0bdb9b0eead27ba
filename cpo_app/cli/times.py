"""Times as options say them."""

from __future__ import annotations

from datetime import datetime

from cpo_app.cli.errors import CliError
from domain.times import parse_datetime


def moment(text: str | None, name: str) -> datetime | None:
    """What an option says, as a date or a date and time."""
    if text is None:
        return None
    try:
        return parse_datetime(text if "T" in text else f"{text}T00:00:00Z")
    except ValueError as error:
        raise CliError(f"{name} {text}: {error}") from error
