"""OCPI 2.1.1's objects as inner ones: those that a CPO is sent (tokens, authorizations, commands,
credentials), and the others (bill_reading.py).

A 2.1.1 peer is one party, so its objects do not name their owner: the context does.
"""

from __future__ import annotations

from db_interface.json_data import JsonObject
from domain import schemas
from domain.versions import inner
from domain.versions.fitting import LeftOut, Notes, Rules, fitting
from domain.versions.ocpi_version import Context, ObjectKind
from domain.versions.v2_1_1.bill_reading import (
    cdr,
    charging_period,
    connector,
    location,
    owned,
    session,
)
from domain.versions.v2_3_0.schemas import locations, tokens

THEIR_ROLE = "EMSP"
"""2.1.1 has two roles, and a CPO's peer is the other one."""


def _token(given: JsonObject, _notes: Notes, context: Context) -> JsonObject:
    if "contract_id" in given:  # an inner token already, out of the context
        return given
    given["contract_id"] = given.pop("auth_id")
    return owned(given, context)


def _authorization(given: JsonObject, _notes: Notes, context: Context) -> JsonObject:
    if context.token is None:
        raise LeftOut("token: OCPI 2.1.1 does not say which token it authorizes")
    return {**given, "token": dict(context.token)}


def _reserve_now(given: JsonObject, _notes: Notes, _context: Context) -> JsonObject:
    return {**given, "reservation_id": str(given["reservation_id"])}


def _credentials(given: JsonObject, _notes: Notes, _context: Context) -> JsonObject:
    names = ("business_details", "party_id", "country_code")
    role = {"role": THEIR_ROLE, **{name: given.pop(name) for name in names}}
    return {**given, "roles": [role]}


def _command_response(given: JsonObject, _notes: Notes, _context: Context) -> JsonObject:
    return {**given, "timeout": 0}  # 2.1.1 promises nothing about when the result will come


def _tariff(given: JsonObject, _notes: Notes, context: Context) -> JsonObject:
    return owned(given, context)


RULES = Rules(
    into="the inner model",
    names={
        inner.Session: {
            "start_date_time": "start_datetime",
            "end_date_time": "end_datetime",
        },
        inner.CDR: {"end_date_time": "stop_date_time"},
        locations.Connector: {"max_voltage": "voltage", "max_amperage": "amperage"},
        locations.EnvironmentalImpact: {"category": "source"},
    },
    nearest={
        "CommandResponseType": {"TIMEOUT": "REJECTED"},
        "CommandResultType": {"UNKNOWN_SESSION": "FAILED"},
    },
    shapes={
        locations.Location: location,
        locations.Connector: connector,
        inner.Session: session,
        inner.CDR: cdr,
        schemas.ChargingPeriod: charging_period,
        inner.Tariff: _tariff,
        tokens.Token: _token,
        tokens.AuthorizationInfo: _authorization,
        tokens.ReserveNow: _reserve_now,
        inner.Credentials: _credentials,
        schemas.CommandResponse: _command_response,
    },
)
_READ = (
    ObjectKind.LOCATION,
    ObjectKind.EVSE,
    ObjectKind.CONNECTOR,
    ObjectKind.SESSION,
    ObjectKind.CDR,
    ObjectKind.TARIFF,
    ObjectKind.TOKEN,
    ObjectKind.AUTHORIZATION_INFO,
    ObjectKind.LOCATION_REFERENCES,
    ObjectKind.CREDENTIALS,
    ObjectKind.RESERVE_NOW,
    ObjectKind.START_SESSION,
    ObjectKind.STOP_SESSION,
    ObjectKind.UNLOCK_CONNECTOR,
    ObjectKind.COMMAND_RESPONSE,
    ObjectKind.COMMAND_RESULT,
)
READERS = fitting({kind: inner.MODELS[kind] for kind in _READ}, RULES)
PATCH_NAMES = {ObjectKind.TOKEN: {"auth_id": "contract_id"}}
