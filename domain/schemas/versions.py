"""Versions and version details (OCPI 2.2.1, version_information_endpoint).

The models are the specification's tables. A peer may list versions and modules that we do not
know: what a peer says is read by cpo_app/ocpi/peer_client/peer_details.py, which leaves them out.
"""

from pydantic import Field

from domain.schemas.enums import InterfaceRole, VersionNumber
from domain.schemas.types import CiString, OcpiModel, Url


class ModuleIdentifier(CiString):
    """ModuleID, an enum that parties may extend by custom modules such as `nltnm-tokens`."""

    max_length = 64


class Version(OcpiModel):
    version: VersionNumber
    url: Url


class Endpoint(OcpiModel):
    identifier: ModuleIdentifier
    role: InterfaceRole
    url: Url


class VersionDetails(OcpiModel):
    version: VersionNumber
    endpoints: list[Endpoint] = Field(..., min_items=1)
