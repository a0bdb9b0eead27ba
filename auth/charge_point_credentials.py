"""The secret a charge point keeps: 256 random bits, shown once, kept as a keyed hash.

The key is CPO_ENCRYPTION_KEY where it is set, so that EV_Registry's signing key can be changed
without sending every charge point away; else the signing key itself. Hashes under either are
recognised, so that setting CPO_ENCRYPTION_KEY later locks nobody out.
"""

from __future__ import annotations

from domain.secrets import Vault


class CredentialHashes:
    """Keyed hashes of credentials, one per key in use; the first is the one to keep.

    Raises SecretUnusable for a key of less than 32 characters.
    """

    def __init__(self, *master_keys: str) -> None:
        self._vaults = [Vault(key) for key in dict.fromkeys(master_keys) if key]
        if not self._vaults:
            raise ValueError("no key to hash charge points' credentials with")

    def of(self, credentials: str) -> tuple[str, ...]:
        """Always computed whether the charge point is known or not: both take the same time."""
        return tuple(vault.digest(credentials) for vault in self._vaults)
