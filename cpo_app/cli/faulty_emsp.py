"""How the faults of `cpo emsp` are written on the command line: shares and times."""

from __future__ import annotations

import re

from cpo_app.cli.errors import CliError

_UNITS_S = {"ms": 0.001, "s": 1.0, "": 1.0, "m": 60.0}


def share(text: str, option: str) -> float:
    """ "5%" or "0.05" as a number from 0 to 1. Raises CliError."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(%?)", text.strip())
    value = -1.0 if found is None else float(found[1]) / (100 if found[2] else 1)
    if not 0 <= value <= 1:
        raise CliError(f"{option}: a share is written as 5% or 0.05, and 100% at most")
    return value


def duration(text: str, option: str) -> float:
    """ "8s", "250ms" or "1m" in seconds. Raises CliError."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|)", text.strip())
    if found is None:
        raise CliError(f"{option}: a time is written as 8s, 250ms or 1m")
    return float(found[1]) * _UNITS_S[found[2]]
