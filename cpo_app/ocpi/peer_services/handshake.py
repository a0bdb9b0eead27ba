"""Reading a peer's versions and endpoints: what both directions of the handshake need first.

Nothing is stored here. Everything that goes wrong is one of the specification's three answers: 3001
(the peer's API cannot be used), 3002 (no common version), 3003 (a mandatory endpoint missing).
"""

from __future__ import annotations

from dataclasses import dataclass

from cpo_app.ocpi.peer_client.client import PeerClient, PeerUnusable
from cpo_app.ocpi.peer_client.peer_details import PeerEndpoint
from domain.errors import NoMatchingEndpoints, UnableToUseClientApi, UnsupportedVersion
from domain.versions import INNER_VERSION, OcpiVersion

MANDATORY_MODULES = ("credentials",)
_OTHER_SIDE = {"SENDER": "RECEIVER", "RECEIVER": "SENDER"}


@dataclass(frozen=True)
class Discovered:
    """A peer's face for a version."""

    version_url: str
    endpoints: list[PeerEndpoint]
    version: OcpiVersion = INNER_VERSION

    def stored(self) -> list[dict[str, str]]:
        """The endpoints as the peer's document keeps them, with the role of each, also where the
        version gives them none: then a peer's is the other one than a CPO's."""
        ours = {row.identifier: row.role for row in self.version.description.modules}
        return [
            {
                "identifier": row.identifier,
                "role": row.role or _OTHER_SIDE.get(ours.get(row.identifier, ""), "RECEIVER"),
                "url": row.url,
            }
            for row in self.endpoints
        ]

    @property
    def credentials_url(self) -> str:
        return next(row.url for row in self.endpoints if row.identifier == "credentials")


async def discover(
    client: PeerClient,
    versions_url: str,
    token: str,
    *,
    raw_token: bool,
    timeout_s: float,
    version: OcpiVersion = INNER_VERSION,
) -> Discovered:
    """Fetch versions, then the details of the one that is wanted.

    Raises UnableToUseClientApi, UnsupportedVersion, NoMatchingEndpoints.
    """
    raw_token = raw_token or not version.description.encodes_tokens
    try:
        versions = await client.versions_of(
            versions_url, token, raw_token=raw_token, timeout_s=timeout_s
        )
        url = next((row.url for row in versions if row.version == version.number), None)
        if url is None:
            offered = ", ".join(row.version for row in versions[:5]) or "none"
            raise UnsupportedVersion(f"No common version: we speak {version.number}, you {offered}")
        details = await client.details_of(url, token, raw_token=raw_token, timeout_s=timeout_s)
    except PeerUnusable as error:
        raise UnableToUseClientApi(f"Unable to use your API: {error.reason}") from error
    except ValueError as error:
        raise UnableToUseClientApi(f"Unable to use your API: {error}") from error
    offered_modules = {row.identifier for row in details.endpoints}
    missing = [module for module in MANDATORY_MODULES if module not in offered_modules]
    if missing:
        raise NoMatchingEndpoints(f"Missing among your endpoints: {', '.join(missing)}")
    return Discovered(url, details.endpoints, version)
