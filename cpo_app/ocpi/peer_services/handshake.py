"""Reading a peer's versions and endpoints: what both directions of the handshake need first.

Nothing is stored here. Everything that goes wrong is one of the specification's three answers: 3001
(the peer's API cannot be used), 3002 (no common version), 3003 (a mandatory endpoint missing).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cpo_app.ocpi.peer_client.client import PeerClient, PeerUnusable
from cpo_app.ocpi.peer_client.peer_details import PeerEndpoint, PeerVersion
from domain.errors import NoMatchingEndpoints, UnableToUseClientApi, UnsupportedVersion
from domain.versions import INNER_VERSION, OcpiVersion, highest_common

MANDATORY_MODULES = ("credentials",)
_TOKEN_UNKNOWN = (400, 401, 403)
"""How peers answer a token that they cannot read."""
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
    among: Sequence[OcpiVersion] = (INNER_VERSION,),
    spoken: OcpiVersion | None = None,
) -> Discovered:
    """Fetch versions, then the details of the highest that the peer has among those of ours.

    `raw_token`: a quirk; else the version says how the token is presented. Which one that will be
    is not known yet when the list is fetched: a peer that does not know the token in the form that
    the highest of ours has is asked again in the other form that one of ours has. With `spoken`,
    the version that the peer is known to speak, that one's form comes first: a wrong token is what
    a peer counts and locks out for.
    Raises UnableToUseClientApi, UnsupportedVersion, NoMatchingEndpoints.
    """
    try:
        versions = await _versions(
            client, versions_url, token, _forms(among, spoken, raw_token=raw_token), timeout_s
        )
        urls = {row.version: row.url for row in versions}
        version = highest_common((version.number for version in among), urls)
        if version is None:
            ours = ", ".join(version.number for version in among)
            offered = ", ".join(row.version for row in versions[:5]) or "none"
            raise UnsupportedVersion(f"No common version: we speak {ours}, you {offered}")
        raw_token = raw_token or not version.description.encodes_tokens
        url = urls[version.number]
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


def _forms(
    among: Sequence[OcpiVersion], spoken: OcpiVersion | None, *, raw_token: bool
) -> list[bool]:
    """Whether the token is presented raw, in the order in which it is tried."""
    if raw_token:
        return [True]
    in_order = [*([spoken] if spoken else ()), *reversed(among)]
    return list(dict.fromkeys(not version.description.encodes_tokens for version in in_order))


async def _versions(
    client: PeerClient, url: str, token: str, forms: list[bool], timeout_s: float
) -> list[PeerVersion]:
    """The peer's versions. Raises PeerUnusable: as the first form of the token was answered."""
    first: PeerUnusable | None = None
    for raw in forms:
        try:
            return await client.versions_of(url, token, raw_token=raw, timeout_s=timeout_s)
        except PeerUnusable as error:
            first = first or error
            if error.http_status not in _TOKEN_UNKNOWN:
                break
    assert first is not None  # noqa: S101 - there is a form
    raise first
