"""What is asked of charge points with OCPP so that they work: reset, messages, configuration, any
call. Each answers once the station has.
"""

from __future__ import annotations

import secrets

import orjson
from pydantic import Field, validator

from cpo_app.actions import ocpp_certificates, ocpp_files, ocpp_local_list, ocpp_templates
from cpo_app.actions.action import Action, Refused
from cpo_app.actions.house import House
from cpo_app.actions.ocpp_asking import AtConnector, OfStation, about, asked, station_of, word_of
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.ocpp import configurations
from domain.ocpp.redaction import kept
from domain.operators.actor import Role

MESSAGES = (
    "BootNotification",
    "DiagnosticsStatusNotification",
    "FirmwareStatusNotification",
    "Heartbeat",
    "LogStatusNotification",
    "MeterValues",
    "SignChargePointCertificate",
    "SignChargingStationCertificate",
    "StatusNotification",
    "TransactionEvent",
)
"""Of all versions: a station says itself which it has."""

HARMLESS = frozenset(
    {
        "TriggerMessage",
        "ExtendedTriggerMessage",
        "GetConfiguration",
        "GetVariables",
        "GetBaseReport",
        "GetReport",
        "GetMonitoringReport",
        "GetLocalListVersion",
        "GetCompositeSchedule",
        "GetChargingProfiles",
        "GetTransactionStatus",
        "GetInstalledCertificateIds",
        "GetDisplayMessages",
    }
)
"""Actions of OCPP that change nothing at a station."""


class Resetting(OfStation):
    hard: bool = Field(False, title="At once, ending what charges")


class Triggering(AtConnector):
    message: str = Field(..., max_length=50, title="Message", enum=MESSAGES)

    @validator("message")
    def _known(cls, value: str) -> str:
        if value not in MESSAGES:
            raise ValueError(f"is none of {', '.join(MESSAGES)}")
        return value


class Reading(OfStation):
    keys: list[str] = Field([], max_items=100, title="Keys (empty: all; 2.0.1: COMPONENT.VARIABLE)")

    @validator("keys", pre=True)
    def _words(cls, value: object) -> object:
        return value.replace(",", " ").split() if isinstance(value, str) else value


class Setting(OfStation):
    config_key: str = Field(
        ..., min_length=1, max_length=200, title="Key (2.0.1: COMPONENT.VARIABLE)"
    )
    config_value: str = Field(..., max_length=1000, title="Value")


class Calling(OfStation):
    ocpp_action: str = Field(
        ..., regex=r"^[A-Z][A-Za-z0-9]{2,49}$", title="Action of OCPP, as TriggerMessage"
    )
    payload: JsonObject = Field({}, title="Its payload, JSON")
    meant: bool = Field(False, title="It may change the station, and is meant")

    @validator("payload", pre=True)
    def _json(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            raise ValueError("is no JSON") from None


async def _reset(house: House, given: Resetting) -> JsonObject:
    said = await asked(house, given.cp_id, "reset", {"hard": given.hard})
    return {"cp_id": given.cp_id, "said": word_of(said)}


async def _trigger(house: House, given: Triggering) -> JsonObject:
    fields = {"message": given.message}
    if given.connector_id is not None:
        fields["connector_id"] = given.connector_id
    whole = given.connector_id is None
    said = await asked(house, given.cp_id, "trigger", fields, whole=whole)
    return {"cp_id": given.cp_id, "said": word_of(said)}


async def _clear_cache(house: House, given: OfStation) -> JsonObject:
    said = await asked(house, given.cp_id, "clear_cache", {})
    return {"cp_id": given.cp_id, "said": word_of(said)}


async def _configuration(house: House, given: Reading) -> JsonObject:
    station, _ = await station_of(house, given.cp_id)
    fields: JsonObject = {"keys": given.keys, "request_id": secrets.randbelow(2**31 - 1) + 1}
    if not given.keys:
        # What is reported later must be waited for before it comes.
        await house.store.transact(
            lambda tx: configurations.report_asked(tx, station["_id"], fields["request_id"])
        )
    said = await asked(house, given.cp_id, "get_configuration", fields)
    if said.get("reported_later"):
        return {"cp_id": given.cp_id, "outcome": "later"}
    entries = said.get("entries") or []

    async def work(tx: Tx) -> None:
        await configurations.keep(tx, station["_id"], entries, whole=not given.keys)

    await house.store.transact(work)
    shown = [
        {**one, "value": configurations.HIDDEN} if configurations.is_secret(one["key"]) else one
        for one in entries
    ]
    unknown = said.get("unknown") or []
    return {"cp_id": given.cp_id, "entries": shown, "unknown": unknown, "outcome": "told"}


async def _set(house: House, given: Setting) -> JsonObject:
    station, _ = await station_of(house, given.cp_id)
    values = [{"key": given.config_key, "value": given.config_value}]
    said = await asked(house, given.cp_id, "set_configuration", {"values": values})
    statuses = said.get("statuses") or []
    status = next((str(one["status"]) for one in statuses), "")

    async def work(tx: Tx) -> None:
        if status == "Accepted":
            await configurations.keep(tx, station["_id"], values, whole=False)
        secret = configurations.is_secret(given.config_key)
        value = configurations.HIDDEN if secret else given.config_value
        after = {"key": given.config_key, "value": value, "said": status}
        await audit.record(tx, "ocpp.configure", audit.charge_point(given.cp_id), after=after)

    await house.store.transact(work)
    outcome = "reboot" if status == "RebootRequired" else "taken"
    return {"cp_id": given.cp_id, "said": status, "outcome": outcome}


async def _call(house: House, given: Calling) -> JsonObject:
    if given.ocpp_action not in HARMLESS and not given.meant:
        raise Refused(409, f"{given.ocpp_action} may change the station: say that it is meant")
    fields = {"action": given.ocpp_action, "payload": given.payload}
    said = await asked(house, given.cp_id, "call", fields)

    async def work(tx: Tx) -> None:
        after = {"action": given.ocpp_action, "payload": kept(given.payload)}
        await audit.record(tx, "ocpp.call", audit.charge_point(given.cp_id), after=after)

    await house.store.transact(work)
    return {"cp_id": given.cp_id, "answer": said.get("answer")}


RESET = Action(
    name="ocpp.reset",
    title="Restart the box",
    meaning="The whole box starts again, with all that it has: sessions there are ended first, or "
    "at once where that is said.",
    done="Asked to start again: it says that it will.",
    needs=Role.OPERATOR,
    path="/charge-points/{cp_id}/reset",
    parameters=Resetting,
    run=_reset,
    about=about,
    refusals={},
    danger=True,
)
TRIGGER = Action(
    name="ocpp.trigger",
    title="Have a message sent",
    meaning="The station sends that message now, as if it had reason to.",
    done="Asked: the message is on its way.",
    needs=Role.OPERATOR,
    path="/charge-points/{cp_id}/trigger",
    parameters=Triggering,
    run=_trigger,
    about=about,
    refusals={},
)
CLEAR_CACHE = Action(
    name="ocpp.clear_cache",
    title="Clear its cards",
    meaning="The station forgets which cards it has let charge lately, and asks anew.",
    done="Done: it asks anew for every card.",
    needs=Role.OPERATOR,
    path="/charge-points/{cp_id}/clear-cache",
    parameters=OfStation,
    run=_clear_cache,
    about=about,
    refusals={},
)
CONFIGURATION = Action(
    name="ocpp.configuration",
    title="Read its configuration",
    meaning="Asks the station for its configuration; what it tells is kept, secrets are not.",
    done={
        "told": "Read: this is its configuration.",
        "later": "Asked: it reports its configuration within minutes.",
    },
    needs=Role.OPERATOR,
    path="/charge-points/{cp_id}/configuration/read",
    parameters=Reading,
    run=_configuration,
    about=about,
    refusals={},
)
CONFIGURE = Action(
    name="ocpp.configure",
    title="Change its configuration",
    meaning="Sets a value of the station's configuration. A template that wants another one sets "
    "it back.",
    done={
        "taken": "Set: the station has taken it.",
        "reboot": "Set: it counts once the station has been restarted.",
    },
    needs=Role.OPERATOR,
    path="/charge-points/{cp_id}/configuration/set",
    parameters=Setting,
    run=_set,
    about=about,
    refusals={},
    danger=True,
)
CALL = Action(
    name="ocpp.call",
    title="Ask it anything",
    meaning="Sends the station any action of OCPP, as it is, and shows what it answers. What may "
    "change it has to be said to be meant.",
    done="Answered.",
    needs=Role.ADMIN,
    path="/charge-points/{cp_id}/ocpp-call",
    parameters=Calling,
    run=_call,
    about=about,
    refusals={},
)
ACTIONS = (
    *(RESET, TRIGGER, CLEAR_CACHE, CONFIGURATION, CONFIGURE, CALL),
    *ocpp_templates.ACTIONS,
    *ocpp_files.ACTIONS,
    *ocpp_local_list.ACTIONS,
    *ocpp_certificates.ACTIONS,
)
