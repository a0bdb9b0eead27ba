"""What an operator asks of a station that speaks OCPP 2.0.1 or 2.1.

Its configuration is the device model; its variables have the names of domain/ocpp/variables.py.
Sources: OCPP 2.0.1 part 2, use cases B05-B08, B11, D01-D03, F06, L01, N01.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from cpo_app.ocpp.box import Asked
from cpo_app.ocpp.outcomes import (
    ACCEPTED_OR_NOT,
    FILE_SENT,
    LIST_TAKEN,
    STARTS_LATER,
    TRIGGERED,
    Outcome,
    Statuses,
    of_status,
    outcome,
)
from db_interface.json_data import JsonMapping, JsonObject
from domain.ocpp import ids, variables

MAX_AT_ONCE = 10
"""Variables in a message; a station says its own bound (ItemsPerMessage) where it is lower."""

_REPORT: Statuses = {
    "Accepted": Outcome.ACCEPTED,
    "EmptyResultSet": Outcome.ACCEPTED,
    "NotSupported": Outcome.NOT_SUPPORTED,
}
_TAKEN = ("Accepted", "RebootRequired")
_LOGS = {"security": "SecurityLog", "diagnostics": "DiagnosticsLog"}


async def reset(asked: Asked) -> JsonObject:
    """OnIdle: once nothing charges there; immediate: what charges ends."""
    kind = "Immediate" if asked.fields.get("hard") else "OnIdle"
    return of_status(await asked.call("Reset", {"type": kind}), STARTS_LATER)


async def trigger(asked: Asked) -> JsonObject:
    payload: JsonObject = {"requestedMessage": asked.fields["message"]}
    if asked.evse:
        payload["evse"] = {"id": asked.evse}
        if asked.fields["message"] == "StatusNotification":
            payload["evse"]["connectorId"] = asked.connector
    return of_status(await asked.call("TriggerMessage", payload), TRIGGERED)


async def clear_cache(asked: Asked) -> JsonObject:
    return of_status(await asked.call("ClearCache", {}), ACCEPTED_OR_NOT)


async def get_configuration(asked: Asked) -> JsonObject:
    """`keys`: these. Without, it reports all that it has (NotifyReport), behind the answer."""
    keys = list(asked.fields.get("keys") or ())
    if not keys:
        payload = {"requestId": asked.fields["request_id"], "reportBase": "FullInventory"}
        said = await asked.call("GetBaseReport", payload)
        return of_status(said, _REPORT, reported_later=said.get("status") == "Accepted")
    entries: list[JsonObject] = []
    unknown: list[str] = []
    for some in _in_parts(keys):
        payload = {"getVariableData": [variables.parse(key) for key in some]}
        said = await asked.call("GetVariables", payload)
        for row in said.get("getVariableResult") or ():
            name = variables.name_of(row["component"], row["variable"])
            if row.get("attributeStatus") == "Accepted":
                value = row.get("attributeValue")
                entries.append({"key": name, "value": None if value is None else str(value)})
            else:
                unknown.append(name)
    return outcome(Outcome.ACCEPTED, entries=entries, unknown=unknown)


async def set_configuration(asked: Asked) -> JsonObject:
    """`values` [{key, value}]; `statuses` says what became of each."""
    statuses: list[JsonObject] = []
    for some in _in_parts(asked.fields["values"]):
        data = [{**variables.parse(row["key"]), "attributeValue": row["value"]} for row in some]
        said = await asked.call("SetVariables", {"setVariableData": data})
        for row in said.get("setVariableResult") or ():
            name = variables.name_of(row["component"], row["variable"])
            statuses.append({"key": name, "status": str(row.get("attributeStatus"))})
    taken = bool(statuses) and all(row["status"] in _TAKEN for row in statuses)
    return outcome(Outcome.ACCEPTED if taken else Outcome.REJECTED, statuses=statuses)


async def local_list_version(asked: Asked) -> JsonObject:
    said = await asked.call("GetLocalListVersion", {})
    return outcome(Outcome.ACCEPTED, version=said.get("versionNumber"))


async def local_list(asked: Asked) -> JsonObject:
    """`entries` replace what it has (`full`), or are added to it, and become `version`."""
    entries = [_list_entry(row) for row in asked.fields["entries"]]
    said = await asked.call(
        "SendLocalList",
        {
            "versionNumber": asked.fields["version"],
            "updateType": "Full" if asked.fields["full"] else "Differential",
            **({"localAuthorizationList": entries} if entries else {}),
        },
    )
    return of_status(said, LIST_TAKEN)


def _list_entry(row: JsonMapping) -> JsonObject:
    info: JsonObject = {"status": "Accepted"}
    if row.get("group_id"):
        info["groupIdToken"] = {"idToken": row["group_id"], "type": "Central"}
    kind = ids.id_token_type(row.get("token_type"))
    return {"idToken": {"idToken": row["uid"], "type": kind}, "idTokenInfo": info}


async def logs(asked: Asked) -> JsonObject:
    """`log` "diagnostics" or "security", to `location`."""
    log: JsonObject = {"remoteLocation": asked.fields["location"]}
    for ours, theirs in (("since", "oldestTimestamp"), ("until", "latestTimestamp")):
        if asked.fields.get(ours):
            log[theirs] = asked.fields[ours]
    said = await asked.call(
        "GetLog",
        {
            "logType": _LOGS[asked.fields["log"]],
            "requestId": asked.fields["request_id"],
            "log": log,
        },
    )
    return of_status(said, FILE_SENT, file=said.get("filename"))


async def firmware(asked: Asked) -> JsonObject:
    """From `location`, at `at`; signed where `certificate` and `signature` are given."""
    signed = {}
    if asked.fields.get("signature"):
        signed = {
            "signingCertificate": asked.fields["certificate"],
            "signature": asked.fields["signature"],
        }
    said = await asked.call(
        "UpdateFirmware",
        {
            "requestId": asked.fields["request_id"],
            "firmware": {
                "location": asked.fields["location"],
                "retrieveDateTime": asked.fields["at"],
                **signed,
            },
        },
    )
    return of_status(said, FILE_SENT)


_T = TypeVar("_T")


def _in_parts(rows: Sequence[_T]) -> list[Sequence[_T]]:
    return [rows[n : n + MAX_AT_ONCE] for n in range(0, len(rows), MAX_AT_ONCE)]
