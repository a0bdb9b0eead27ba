"""How the classes are written down here."""

from __future__ import annotations

from collections.abc import Mapping

from domain.datex.xml import Field, Write

ID = {"idG": "id", "versionG": "version"}


def fields(prefix: str, **writes: Write) -> Mapping[str, Field]:
    return {name: Field(f"{prefix}:{name}", write) for name, write in writes.items()}
