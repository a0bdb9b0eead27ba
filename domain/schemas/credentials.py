"""Credentials (OCPI 2.2.1, credentials): the Credentials object and its roles."""

from pydantic import Field, validator

from domain.schemas.enums import Role
from domain.schemas.locations import BusinessDetails
from domain.schemas.types import CiString3, CountryCode, CredentialsToken, OcpiModel, Url


class CredentialsRole(OcpiModel):
    role: Role
    business_details: BusinessDetails
    party_id: CiString3
    country_code: CountryCode


class Credentials(OcpiModel):
    token: CredentialsToken
    url: Url
    roles: list[CredentialsRole] = Field(..., min_items=1)

    @validator("roles")
    def _roles_are_unique(cls, value: list[CredentialsRole]) -> list[CredentialsRole]:
        keys = {(r.role, str(r.country_code).upper(), str(r.party_id).upper()) for r in value}
        if len(keys) < len(value):
            raise ValueError("two roles with the same role, party_id and country_code")
        return value
