"""A driver's card number, down to what is needed to recognise it."""

from __future__ import annotations


def shortened(number: str | None) -> str | None:
    if number is None:
        return None
    return f"…{number[-4:]}" if len(number) > 6 else "…"
