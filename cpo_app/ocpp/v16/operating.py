"""What an operator asks of a station that speaks OCPP 1.6.

Sources: OCPP 1.6 edition 2, section 5; the security extension (edition 2 of its white paper) for
GetLog, SignedUpdateFirmware and ExtendedTriggerMessage.
"""

from __future__ import annotations

from cpo_app.ocpp.box import Asked, CallRefused
from cpo_app.ocpp.outcomes import (
    ACCEPTED_OR_NOT,
    FILE_SENT,
    LIST_TAKEN,
    TRIGGERED,
    Outcome,
    of_status,
    outcome,
)
from db_interface.json_data import JsonMapping, JsonObject
from domain.ocpp import ids

_EXTENDED_ONLY = frozenset({"LogStatusNotification", "SignChargePointCertificate"})
"""TriggerMessage has no word for these."""


async def reset(asked: Asked) -> JsonObject:
    """Soft: transactions are stopped first; hard: it starts again as after a loss of power."""
    kind = "Hard" if asked.fields.get("hard") else "Soft"
    return of_status(await asked.call("Reset", {"type": kind}), ACCEPTED_OR_NOT)


async def trigger(asked: Asked) -> JsonObject:
    message = asked.fields["message"]
    action = "ExtendedTriggerMessage" if message in _EXTENDED_ONLY else "TriggerMessage"
    where = {"connectorId": asked.connector_16} if asked.evse else {}
    return of_status(await asked.call(action, {"requestedMessage": message, **where}), TRIGGERED)


async def clear_cache(asked: Asked) -> JsonObject:
    """It decides by its local list, or asks, from now on."""
    return of_status(await asked.call("ClearCache", {}), ACCEPTED_OR_NOT)


async def get_configuration(asked: Asked) -> JsonObject:
    """`keys`: these; without, all that it has."""
    keys = list(asked.fields.get("keys") or ())
    said = await asked.call("GetConfiguration", {"key": keys} if keys else {})
    entries = [_entry(row) for row in said.get("configurationKey") or ()]
    unknown = [str(key) for key in said.get("unknownKey") or ()]
    return outcome(Outcome.ACCEPTED, entries=entries, unknown=unknown)


def _entry(row: JsonMapping) -> JsonObject:
    value = row.get("value")
    return {
        "key": str(row.get("key")),
        "value": None if value is None else str(value),
        "readonly": bool(row.get("readonly")),
    }


async def set_configuration(asked: Asked) -> JsonObject:
    """Each of `values` [{key, value}] by itself; `statuses` says what became of it."""
    statuses: list[JsonObject] = []
    for row in asked.fields["values"]:
        payload = {"key": row["key"], "value": row["value"]}
        try:
            said = await asked.call("ChangeConfiguration", payload)
            status = str(said.get("status"))
        except CallRefused as error:
            status = str(error)
        statuses.append({"key": row["key"], "status": status})
    return outcome(_all_taken(statuses), statuses=statuses)


def _all_taken(statuses: list[JsonObject]) -> Outcome:
    taken = all(row["status"] in ("Accepted", "RebootRequired") for row in statuses)
    return Outcome.ACCEPTED if taken else Outcome.REJECTED


async def local_list_version(asked: Asked) -> JsonObject:
    """-1: it has no such list; 0: an empty one."""
    said = await asked.call("GetLocalListVersion", {})
    return outcome(Outcome.ACCEPTED, version=said.get("listVersion"))


async def local_list(asked: Asked) -> JsonObject:
    """`entries` replace what it has (`full`), or are added to it, and become `version`."""
    said = await asked.call(
        "SendLocalList",
        {
            "listVersion": asked.fields["version"],
            "updateType": "Full" if asked.fields["full"] else "Differential",
            "localAuthorizationList": [_list_entry(row) for row in asked.fields["entries"]],
        },
    )
    return of_status(said, LIST_TAKEN)


def _list_entry(row: JsonMapping) -> JsonObject:
    info: JsonObject = {"status": "Accepted"}
    if row.get("group_id"):
        info["parentIdTag"] = ids.id_tag(row["group_id"])
    return {"idTag": ids.id_tag(row["uid"]), "idTagInfo": info}


async def logs(asked: Asked) -> JsonObject:
    """`log` "diagnostics" to `location`, or "security" by the security extension."""
    if asked.fields["log"] == "security":
        said = await asked.call(
            "GetLog",
            {
                "logType": "SecurityLog",
                "requestId": asked.fields["request_id"],
                "log": _present(
                    remoteLocation=asked.fields["location"],
                    oldestTimestamp=asked.fields.get("since"),
                    latestTimestamp=asked.fields.get("until"),
                ),
            },
        )
        return of_status(said, FILE_SENT, file=said.get("filename"))
    said = await asked.call(
        "GetDiagnostics",
        _present(
            location=asked.fields["location"],
            startTime=asked.fields.get("since"),
            stopTime=asked.fields.get("until"),
        ),
    )
    name = said.get("fileName")
    if not name:
        return outcome(Outcome.REJECTED, "it has nothing to upload")
    return outcome(Outcome.ACCEPTED, file=name)


async def firmware(asked: Asked) -> JsonObject:
    """From `location`, at `at`; with a signature by the security extension."""
    if not asked.fields.get("signature"):
        await asked.call(
            "UpdateFirmware",
            {"location": asked.fields["location"], "retrieveDate": asked.fields["at"]},
        )
        return outcome(Outcome.ACCEPTED)
    said = await asked.call(
        "SignedUpdateFirmware",
        {
            "requestId": asked.fields["request_id"],
            "firmware": {
                "location": asked.fields["location"],
                "retrieveDateTime": asked.fields["at"],
                "signingCertificate": asked.fields["certificate"],
                "signature": asked.fields["signature"],
            },
        },
    )
    return of_status(said, FILE_SENT)


def _present(**fields: object) -> JsonObject:
    return {name: value for name, value in fields.items() if value is not None}
