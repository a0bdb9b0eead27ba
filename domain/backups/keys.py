"""Without the keys a restored store cannot be opened: a backup knows which ones it needs, not them.

It bears a value sealed by one key, and a keyed hash of the other: neither tells anything of a key.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from db_interface.json_data import JsonMapping, JsonObject
from domain.secrets import SecretUnusable, Vault

_SEALED = "backup"


@dataclass(frozen=True)
class Keys:
    """What seals peers' tokens (CPO_ENCRYPTION_KEY) and signs charge points' (the registry's)."""

    vault: Vault
    registry_secret: str

    def marks(self) -> JsonObject:
        """For the manifest."""
        return {"sealed": self.vault.seal(_SEALED), "registry": self._registry_mark()}

    def lacking(self, manifest: JsonMapping) -> list[str]:
        """The settings whose value is another than when the backup was made."""
        lacking = []
        try:
            self.vault.open(manifest["sealed"])
        except SecretUnusable:
            # What the other mark is made with is not the same either.
            return ["CPO_ENCRYPTION_KEY"]
        marks = self.vault.digests(self._registry_text())
        if not any(hmac.compare_digest(manifest["registry"], mark) for mark in marks):
            lacking.append("REGISTRY_SECRET_KEY")
        return lacking

    def _registry_mark(self) -> str:
        return self.vault.digest(self._registry_text())

    def _registry_text(self) -> str:
        return "registry secret: " + self.registry_secret
