"""What a station that speaks OCPP 2.0.1 or 2.1 is asked so that it charges.

Sources: OCPP 2.0.1 part 2, use cases F01-F06, G03-G05, H01, H02, K01, K08, K10.
"""

from __future__ import annotations

from cpo_app.ocpp.box import Asked
from cpo_app.ocpp.outcomes import (
    ACCEPTED_OR_NOT,
    LET_GO,
    NO_PROFILE,
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


async def start(asked: Asked) -> JsonObject:
    """RequestStartTransaction: what follows says remoteStartId again."""
    said = await asked.call(
        "RequestStartTransaction",
        {
            "evseId": asked.evse,
            "idToken": _id_token(asked),
            "remoteStartId": ids.remote_start_id(asked.fields["session_id"]),
        },
    )
    return of_status(said, ACCEPTED_OR_NOT)


async def stop(asked: Asked) -> JsonObject:
    payload = {"transactionId": str(asked.fields["transaction_id"])}
    return of_status(await asked.call("RequestStopTransaction", payload), ACCEPTED_OR_NOT)


async def unlock(asked: Asked) -> JsonObject:
    """What is charging is not let go by a station: it has to be stopped first (F05)."""
    payload = {"evseId": asked.evse, "connectorId": asked.connector}
    said = await asked.call("UnlockConnector", payload)
    if said.get("status") == "OngoingAuthorizedTransaction":
        return outcome(Outcome.REJECTED, "a session runs there: stop it first", said=said["status"])
    return of_status(said, UNLOCKED)


async def reserve(asked: Asked) -> JsonObject:
    said = await asked.call(
        "ReserveNow",
        {
            "id": ids.reservation_number(asked.fields["reservation_id"]),
            "expiryDateTime": asked.fields["expiry"],
            "idToken": _id_token(asked),
            "evseId": asked.evse,
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
        cleared = {**ACCEPTED_OR_NOT, "Unknown": Outcome.ACCEPTED}
        return of_status(await _clear(asked), cleared)
    number = ids.profile_id(asked.fields["session_id"])
    said = await asked.call(
        "SetChargingProfile",
        {
            "evseId": asked.evse,
            "chargingProfile": {
                "id": number,
                "stackLevel": STACK_LEVEL,
                "chargingProfilePurpose": "TxProfile",
                "chargingProfileKind": schedule.kind,
                "transactionId": str(asked.fields["transaction_id"]),
                "chargingSchedule": [{"id": number, **schedule.as_ocpp()}],
            },
        },
    )
    return of_status(said, ACCEPTED_OR_NOT)


async def clear_limit(asked: Asked) -> JsonObject:
    said = await _clear(asked)
    if said.get("status") == "Unknown":
        return outcome(Outcome.REJECTED, NO_PROFILE, said="Unknown")
    return of_status(said, ACCEPTED_OR_NOT)


async def _clear(asked: Asked) -> JsonObject:
    payload = {"chargingProfileId": ids.profile_id(asked.fields["session_id"])}
    return await asked.call("ClearChargingProfile", payload)


async def active_profile(asked: Asked) -> JsonObject:
    payload = {"evseId": asked.evse, "duration": int(asked.fields["duration_s"])}
    said = await asked.call("GetCompositeSchedule", payload)
    schedule = said.get("schedule") or {}
    return composite(asked, said, schedule, schedule.get("scheduleStart"))


async def set_operative(asked: Asked) -> JsonObject:
    """ChangeAvailability; Scheduled: a transaction that runs ends first."""
    kind = "Operative" if asked.fields["operative"] else "Inoperative"
    payload: JsonObject = {"operationalStatus": kind, **_evse(asked)}
    return of_status(await asked.call("ChangeAvailability", payload), STARTS_LATER)


async def get_status(asked: Asked) -> JsonObject:
    """The station says its status once more; it comes as every StatusNotification does."""
    evse = {"evse": {"id": asked.evse, "connectorId": asked.connector}} if asked.evse else {}
    payload: JsonObject = {"requestedMessage": "StatusNotification", **evse}
    return of_status(await asked.call("TriggerMessage", payload), TRIGGERED)


def _evse(asked: Asked) -> JsonObject:
    """Without it the whole station is meant."""
    return {"evse": {"id": asked.evse}} if asked.evse else {}


def _id_token(asked: Asked) -> JsonObject:
    kind = ids.id_token_type(asked.fields.get("token_type"))
    return {"idToken": asked.fields["id_tag"], "type": kind}
