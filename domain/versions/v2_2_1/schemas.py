"""The models of OCPI 2.2.1 by kind of object; they are in domain/schemas."""

from __future__ import annotations

from collections.abc import Mapping

from domain import schemas
from domain.schemas import OcpiModel
from domain.versions.ocpi_version import ObjectKind

MODELS: Mapping[ObjectKind, type[OcpiModel]] = {
    ObjectKind.LOCATION: schemas.Location,
    ObjectKind.EVSE: schemas.EVSE,
    ObjectKind.CONNECTOR: schemas.Connector,
    ObjectKind.SESSION: schemas.Session,
    ObjectKind.CDR: schemas.CDR,
    ObjectKind.TARIFF: schemas.Tariff,
    ObjectKind.TOKEN: schemas.Token,
    ObjectKind.AUTHORIZATION_INFO: schemas.AuthorizationInfo,
    ObjectKind.LOCATION_REFERENCES: schemas.LocationReferences,
    ObjectKind.CREDENTIALS: schemas.Credentials,
    ObjectKind.VERSION: schemas.Version,
    ObjectKind.VERSION_DETAILS: schemas.VersionDetails,
    ObjectKind.CANCEL_RESERVATION: schemas.CancelReservation,
    ObjectKind.RESERVE_NOW: schemas.ReserveNow,
    ObjectKind.START_SESSION: schemas.StartSession,
    ObjectKind.STOP_SESSION: schemas.StopSession,
    ObjectKind.UNLOCK_CONNECTOR: schemas.UnlockConnector,
    ObjectKind.COMMAND_RESPONSE: schemas.CommandResponse,
    ObjectKind.COMMAND_RESULT: schemas.CommandResult,
    ObjectKind.CHARGING_PREFERENCES: schemas.ChargingPreferences,
    ObjectKind.SET_CHARGING_PROFILE: schemas.SetChargingProfile,
    ObjectKind.CHARGING_PROFILE_RESPONSE: schemas.ChargingProfileResponse,
    ObjectKind.CHARGING_PROFILE_RESULT: schemas.ChargingProfileResult,
    ObjectKind.CLEAR_PROFILE_RESULT: schemas.ClearProfileResult,
    ObjectKind.ACTIVE_CHARGING_PROFILE: schemas.ActiveChargingProfile,
    ObjectKind.ACTIVE_CHARGING_PROFILE_RESULT: schemas.ActiveChargingProfileResult,
    ObjectKind.CLIENT_INFO: schemas.ClientInfo,
}
