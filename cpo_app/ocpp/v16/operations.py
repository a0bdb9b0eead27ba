"""What a station that speaks OCPP 1.6 is asked so that it charges: each a call or none.

Sources: OCPP 1.6 edition 2, section 5 (Operations Initiated by Central System).
"""

from __future__ import annotations

from cpo_app.ocpp.box import Asked
from cpo_app.ocpp.outcomes import (
    ACCEPTED_OR_NOT,
    LET_GO,
    NO_PROFILE,
    PROFILE_SET,
    RESERVED,
    STARTS_LATER,
    TRIGGERED,
    UNLOCKED,
    Outcome,
    of_status,
    outcome,
)
from cpo_app.ocpp.schedules import composite, schedule_for
from db_interface.json_data import JsonObject
from domain.ocpp import ids

STACK_LEVEL = 0
"""The lowest is in force where there is one profile of a purpose; every station has it."""


async def start(asked: Asked) -> JsonObject:
    """RemoteStartTransaction: the session begins with the StartTransaction that follows."""
    said = await asked.call(
        "RemoteStartTransaction",
        {"connectorId": asked.connector_16, "idTag": ids.id_tag(asked.fields["id_tag"])},
    )
    return of_status(said, ACCEPTED_OR_NOT)


async def stop(asked: Asked) -> JsonObject:
    said = await asked.call(
        "RemoteStopTransaction", {"transactionId": int(asked.fields["transaction_id"])}
    )
    return of_status(said, ACCEPTED_OR_NOT)


async def unlock(asked: Asked) -> JsonObject:
    """A transaction there ends by it (section 5.18)."""
    said = await asked.call("UnlockConnector", {"connectorId": asked.connector_16})
    return of_status(said, UNLOCKED)


async def reserve(asked: Asked) -> JsonObject:
    said = await asked.call(
        "ReserveNow",
        {
            "connectorId": asked.connector_16,
            "expiryDate": asked.fields["expiry"],
            "idTag": ids.id_tag(asked.fields["id_tag"]),
            "reservationId": ids.reservation_number(asked.fields["reservation_id"]),
        },
    )
    return of_status(said, RESERVED)


async def cancel_reservation(asked: Asked) -> JsonObject:
    number = ids.reservation_number(asked.fields["reservation_id"])
    return of_status(await asked.call("CancelReservation", {"reservationId": number}), LET_GO)


async def set_limit(asked: Asked) -> JsonObject:
    """SetChargingProfile: a TxProfile, that ends with its transaction."""
    schedule = schedule_for(asked)
    if schedule is None:
        return await _without_limit(asked)
    said = await asked.call(
        "SetChargingProfile",
        {
            "connectorId": asked.connector_16,
            "csChargingProfiles": {
                "chargingProfileId": ids.profile_id(asked.fields["session_id"]),
                "transactionId": int(asked.fields["transaction_id"]),
                "stackLevel": STACK_LEVEL,
                "chargingProfilePurpose": "TxProfile",
                "chargingProfileKind": schedule.kind,
                "chargingSchedule": schedule.as_ocpp(),
            },
        },
    )
    return of_status(said, PROFILE_SET)


async def clear_limit(asked: Asked) -> JsonObject:
    said = await _clear(asked)
    if said.get("status") == "Unknown":
        return outcome(Outcome.REJECTED, NO_PROFILE, said="Unknown")
    return of_status(said, ACCEPTED_OR_NOT)


async def _without_limit(asked: Asked) -> JsonObject:
    """A profile without periods limits nothing: what there was goes, and had there been none,
    it is as it should be."""
    return of_status(await _clear(asked), {**ACCEPTED_OR_NOT, "Unknown": Outcome.ACCEPTED})


async def _clear(asked: Asked) -> JsonObject:
    return await asked.call(
        "ClearChargingProfile", {"id": ids.profile_id(asked.fields["session_id"])}
    )


async def active_profile(asked: Asked) -> JsonObject:
    said = await asked.call(
        "GetCompositeSchedule",
        {"connectorId": asked.connector_16, "duration": int(asked.fields["duration_s"])},
    )
    schedule = said.get("chargingSchedule") or {}
    start = said.get("scheduleStart") or schedule.get("startSchedule")
    return composite(asked, said, schedule, start)


async def set_operative(asked: Asked) -> JsonObject:
    """ChangeAvailability; Scheduled: a transaction that runs ends first."""
    kind = "Operative" if asked.fields["operative"] else "Inoperative"
    payload = {"connectorId": asked.all_16, "type": kind}
    return of_status(await asked.call("ChangeAvailability", payload), STARTS_LATER)


async def get_status(asked: Asked) -> JsonObject:
    """The station says its status once more; it comes as every StatusNotification does."""
    payload: JsonObject = {"requestedMessage": "StatusNotification"}
    if asked.all_16:
        payload["connectorId"] = asked.all_16
    return of_status(await asked.call("TriggerMessage", payload), TRIGGERED)
