"""Reading a peer's versions and endpoints: what both directions of the handshake need first.

Nothing is stored here. Everything that goes wrong is one of the specification's three answers: 3001
(the peer's API cannot be used), 3002 (no common version), 3003 (a mandatory endpoint missing).
"""

from __future__ import annotations

from dataclasses import dataclass

from cpo_app.ocpi.peer_client.client import PeerClient, PeerUnusable
from cpo_app.ocpi.peer_client.peer_details import PeerEndpoint
from domain.errors import NoMatchingEndpoints, UnableToUseClientApi, UnsupportedVersion

VERSION = "2.2.1"
MANDATORY_MODULES = ("credentials",)


@dataclass(frozen=True)
class Discovered:
    """A peer's face for our version."""

    version_url: str
    endpoints: list[PeerEndpoint]

    def stored(self) -> list[dict[str, str]]:
        """The endpoints as the peer's document keeps them; credentials without a role too."""
        return [
            {"identifier": row.identifier, "role": row.role or "RECEIVER", "url": row.url}
            for row in self.endpoints
        ]

    @property
    def credentials_url(self) -> str:
        return next(row.url for row in self.endpoints if row.identifier == "credentials")


async def discover(
    client: PeerClient, versions_url: str, token: str, *, raw_token: bool, timeout_s: float
) -> Discovered:
    """Fetch versions, then the details of ours.

    Raises UnableToUseClientApi, UnsupportedVersion, NoMatchingEndpoints.
    """
    try:
        versions = await client.versions_of(
            versions_url, token, raw_token=raw_token, timeout_s=timeout_s
        )
        url = next((row.url for row in versions if row.version == VERSION), None)
        if url is None:
            offered = ", ".join(row.version for row in versions[:5]) or "none"
            raise UnsupportedVersion(f"No common version: we speak {VERSION}, you {offered}")
        details = await client.details_of(url, token, raw_token=raw_token, timeout_s=timeout_s)
    except PeerUnusable as error:
        raise UnableToUseClientApi(f"Unable to use your API: {error.reason}") from error
    except ValueError as error:
        raise UnableToUseClientApi(f"Unable to use your API: {error}") from error
    offered_modules = {row.identifier for row in details.endpoints}
    missing = [module for module in MANDATORY_MODULES if module not in offered_modules]
    if missing:
        raise NoMatchingEndpoints(f"Missing among your endpoints: {', '.join(missing)}")
    return Discovered(url, details.endpoints)
