"""The objects of OCPI 2.1.1 as its text's tables say them; classes equal in 2.2.1 are shared."""

from __future__ import annotations

from collections.abc import Mapping

from domain.schemas import OcpiModel
from domain.versions.ocpi_version import ObjectKind
from domain.versions.v2_1_1.schemas import bills, credentials, locations, tariffs, tokens

MODELS: Mapping[ObjectKind, type[OcpiModel]] = {
    ObjectKind.LOCATION: locations.Location,
    ObjectKind.EVSE: locations.EVSE,
    ObjectKind.CONNECTOR: locations.Connector,
    ObjectKind.SESSION: bills.Session,
    ObjectKind.CDR: bills.CDR,
    ObjectKind.TARIFF: tariffs.Tariff,
    ObjectKind.TOKEN: tokens.Token,
    ObjectKind.AUTHORIZATION_INFO: tokens.AuthorizationInfo,
    ObjectKind.LOCATION_REFERENCES: tokens.LocationReferences,
    ObjectKind.CREDENTIALS: credentials.Credentials,
    ObjectKind.VERSION: credentials.Version,
    ObjectKind.VERSION_DETAILS: credentials.VersionDetails,
    ObjectKind.RESERVE_NOW: tokens.ReserveNow,
    ObjectKind.START_SESSION: tokens.StartSession,
    ObjectKind.STOP_SESSION: tokens.StopSession,
    ObjectKind.UNLOCK_CONNECTOR: tokens.UnlockConnector,
    ObjectKind.COMMAND_RESPONSE: tokens.CommandResponse,
    ObjectKind.COMMAND_RESULT: tokens.CommandResponse,
}
