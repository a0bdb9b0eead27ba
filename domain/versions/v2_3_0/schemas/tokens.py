"""Tokens, commands, credentials, clients and versions (OCPI 2.3.0)."""

from __future__ import annotations

import re

from domain import schemas
from domain.schemas.types import CiString
from domain.versions.derived import at_least_one, derived, optional, required
from domain.versions.v2_3_0.schemas.common import BusinessDetails
from domain.versions.v2_3_0.schemas.enums import Role, TokenType, VersionNumber

Token = derived(schemas.Token, type=required(TokenType))
AuthorizationInfo = derived(schemas.AuthorizationInfo, token=required(Token))
ReserveNow = derived(schemas.ReserveNow, token=required(Token))
StartSession = derived(schemas.StartSession, token=required(Token))


class HubPartyId(CiString):
    """Country code and party id of a hub in one."""

    max_length = 5
    pattern = re.compile("[A-Za-z]{2}[ -~]{1,3}")
    expects = "a country code and a party id such as NLHUB"


CredentialsRole = derived(
    schemas.CredentialsRole, role=required(Role), business_details=required(BusinessDetails)
)
Credentials = derived(
    schemas.Credentials,
    hub_party_id=optional(HubPartyId),
    roles=at_least_one(CredentialsRole),
)
ClientInfo = derived(schemas.ClientInfo, role=required(Role))
Version = derived(schemas.Version, version=required(VersionNumber))
VersionDetails = derived(schemas.VersionDetails, version=required(VersionNumber))
