"""Tokens and commands (OCPI 2.1.1, mod_tokens and mod_commands)."""

from __future__ import annotations

from pydantic import StrictBool

from domain.schemas import DisplayText, OcpiModel
from domain.schemas.enums import WhitelistType
from domain.schemas.types import DateTime, Int, Language, String64, Url
from domain.versions.v2_1_1.schemas.enums import Allowed, CommandResponseType, TokenType
from domain.versions.v2_1_1.schemas.types import Id36, Id39


class Token(OcpiModel):
    uid: Id36
    type: TokenType
    auth_id: Id36
    visual_number: String64 | None = None
    issuer: String64
    valid: StrictBool
    whitelist: WhitelistType
    language: Language | None = None
    last_updated: DateTime


class LocationReferences(OcpiModel):
    location_id: Id39
    evse_uids: list[Id39] | None = None
    connector_ids: list[Id36] | None = None


class AuthorizationInfo(OcpiModel):
    allowed: Allowed
    location: LocationReferences | None = None
    info: DisplayText | None = None


class ReserveNow(OcpiModel):
    response_url: Url
    token: Token
    expiry_date: DateTime
    reservation_id: Int
    location_id: Id39
    evse_uid: Id39 | None = None


class StartSession(OcpiModel):
    response_url: Url
    token: Token
    location_id: Id39
    evse_uid: Id39 | None = None


class StopSession(OcpiModel):
    response_url: Url
    session_id: Id36


class UnlockConnector(OcpiModel):
    response_url: Url
    location_id: Id39
    evse_uid: Id39
    connector_id: Id36


class CommandResponse(OcpiModel):
    """The answer to a command, and what is sent to its response_url: one class for both."""

    result: CommandResponseType
