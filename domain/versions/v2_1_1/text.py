"""Text as OCPI 2.1.1 takes it: "Only printable ASCII allowed" (types.md, string)."""

from __future__ import annotations

from anyascii import anyascii

from domain.schemas.leniency import CONTROL


def ascii_text(text: str) -> str:
    """The text with every other letter written in ASCII: "Köln" is "Koln", "Αθήνα" "Athina"."""
    return text if text.isascii() else CONTROL.sub(" ", anyascii(text))
