"""Credentials and versions (OCPI 2.1.1): one party, endpoints without roles."""

from __future__ import annotations

from pydantic import Field

from domain.schemas import BusinessDetails, OcpiModel
from domain.schemas.types import Url
from domain.schemas.versions import ModuleIdentifier
from domain.versions.v2_1_1.schemas.enums import VersionNumber
from domain.versions.v2_1_1.schemas.types import Code2, Id3, Token64


class Credentials(OcpiModel):
    token: Token64
    url: Url
    business_details: BusinessDetails
    party_id: Id3
    country_code: Code2


class Version(OcpiModel):
    version: VersionNumber
    url: Url


class Endpoint(OcpiModel):
    identifier: ModuleIdentifier
    url: Url


class VersionDetails(OcpiModel):
    version: VersionNumber
    endpoints: list[Endpoint] = Field(..., min_items=1)
