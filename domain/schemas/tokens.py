"""Tokens (OCPI 2.2.1, mod_tokens): Token, AuthorizationInfo, LocationReferences."""

from pydantic import StrictBool

from domain.schemas.common import DisplayText
from domain.schemas.enums import AllowedType, ProfileType, TokenType, WhitelistType
from domain.schemas.types import (
    CiString3,
    CiString36,
    CountryCode,
    DateTime,
    Language,
    OcpiModel,
    String64,
)


class EnergyContract(OcpiModel):
    supplier_name: String64
    contract_id: String64 | None = None


class Token(OcpiModel):
    country_code: CountryCode
    party_id: CiString3
    uid: CiString36
    type: TokenType
    contract_id: CiString36
    visual_number: String64 | None = None
    issuer: String64
    group_id: CiString36 | None = None
    valid: StrictBool
    whitelist: WhitelistType
    language: Language | None = None
    default_profile_type: ProfileType | None = None
    energy_contract: EnergyContract | None = None
    last_updated: DateTime


class LocationReferences(OcpiModel):
    location_id: CiString36
    evse_uids: list[CiString36] | None = None


class AuthorizationInfo(OcpiModel):
    allowed: AllowedType
    token: Token
    location: LocationReferences | None = None
    authorization_reference: CiString36 | None = None
    info: DisplayText | None = None
