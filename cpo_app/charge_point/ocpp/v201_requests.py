"""What a central system asks of the simulated charge point in OCPP 2.0.1's words."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from cpo_app.charge_point.evse import Result
from cpo_app.charge_point.ocpp.configuration import VARIABLES, Set, of_name
from cpo_app.charge_point.ocpp.dialect import Errand, Wanted
from cpo_app.charge_point.ocpp.limits import TX, WHOLE_STATION, read_profile
from cpo_app.charge_point.ocpp.local_list import Entry
from cpo_app.charge_point.ocpp.station import Place, Station
from cpo_app.charge_point.ocpp.wire import NotDone
from cpo_app.charge_point.ocpp.words import (
    AVAILABILITY,
    RESERVED,
    token_of,
)
from cpo_app.charge_point.session import Reservation
from cpo_app.charge_point.states import IN_SESSION
from db_interface.json_data import JsonObject
from domain.times import parse_datetime

_TRIGGERED = {
    "BootNotification": Wanted.BOOT,
    "Heartbeat": Wanted.HEARTBEAT,
    "StatusNotification": Wanted.STATUS,
    "MeterValues": Wanted.METER,
    "LogStatusNotification": Wanted.DIAGNOSTICS_STATUS,
    "FirmwareStatusNotification": Wanted.FIRMWARE_STATUS,
}
_ACCEPTED: JsonObject = {"status": "Accepted"}
_REJECTED: JsonObject = {"status": "Rejected"}
_CONNECTOR = 1


class Requests201:
    """`errands` gets what takes longer than an answer."""

    def __init__(self, station: Station, errands: list[Errand]) -> None:
        self._station = station
        self._errands = errands
        self._requests: dict[str, Callable[[JsonObject], JsonObject]] = {
            "RequestStartTransaction": self._request_start,
            "RequestStopTransaction": self._request_stop,
            "GetTransactionStatus": self._transaction_status,
            "UnlockConnector": self._unlock,
            "ReserveNow": self._reserve,
            "CancelReservation": self._cancel_reservation,
            "ChangeAvailability": self._change_availability,
            "SetChargingProfile": self._set_profile,
            "ClearChargingProfile": self._clear_profile,
            "GetCompositeSchedule": self._composite_schedule,
            "GetVariables": self._get_variables,
            "SetVariables": self._set_variables,
            "GetBaseReport": self._base_report,
            "SendLocalList": self._send_local_list,
            "GetLocalListVersion": lambda _: {"versionNumber": self._station.local_list.version},
            "ClearCache": lambda _: dict(_REJECTED),
            "TriggerMessage": self._trigger,
            "Reset": self._reset,
            "GetLog": self._get_log,
            "UpdateFirmware": self._update_firmware,
            "DataTransfer": lambda _: {"status": "UnknownVendorId"},
        }

    def asked(self, action: str, payload: JsonObject) -> JsonObject:
        request = self._requests.get(action)
        if request is None:
            raise NotDone("NotImplemented", action)
        answer = request(payload)
        self._station.keep()
        return answer

    def _place(self, evse: int) -> Place:
        place = self._station.places.get(evse)
        if place is None:
            raise NotDone("PropertyConstraintViolation", f"there is no EVSE {evse}")
        return place

    def _request_start(self, told: JsonObject) -> JsonObject:
        station = self._station
        place = self._place(told["evseId"]) if "evseId" in told else station.free_place()
        if place is None:
            return dict(_REJECTED)
        session_id = str(uuid.uuid4())
        if "chargingProfile" in told:
            profile = told["chargingProfile"]
            if profile["chargingProfilePurpose"] != TX:
                return dict(_REJECTED)
            schedule = profile["chargingSchedule"][0]
            station.stack.put(read_profile(profile, schedule, place.number, session_id))
        uid, group = told["idToken"]["idToken"], token_of(told.get("groupIdToken"))
        number = told["remoteStartId"]
        result = station.start(place, session_id, "remote", uid, group, remote_start_id=number)
        if result is Result.ACCEPTED:
            return dict(_ACCEPTED)
        station.stack.end(session_id, place.number)
        return dict(_REJECTED)

    def _request_stop(self, told: JsonObject) -> JsonObject:
        place = self._station.place_of(told["transactionId"])
        if place is None:
            return dict(_REJECTED)
        place.evse.stop(told["transactionId"], "remote")
        return dict(_ACCEPTED)

    def _transaction_status(self, told: JsonObject) -> JsonObject:
        waits = self._station.store.waiting() > 0
        if "transactionId" not in told:
            return {"messagesInQueue": waits}
        runs = self._station.place_of(told["transactionId"]) is not None
        return {"ongoingIndicator": runs, "messagesInQueue": waits}

    def _unlock(self, told: JsonObject) -> JsonObject:
        place = self._station.places.get(told["evseId"])
        if place is None or told["connectorId"] != _CONNECTOR:
            return {"status": "UnknownConnector"}
        if place.evse.state in IN_SESSION:
            return {"status": "OngoingAuthorizedTransaction"}
        return {"status": "Unlocked" if place.evse.unlock() is Result.ACCEPTED else "UnlockFailed"}

    def _reserve(self, told: JsonObject) -> JsonObject:
        place = self._place(told["evseId"]) if "evseId" in told else None
        uid, expiry = told["idToken"]["idToken"], parse_datetime(told["expiryDateTime"])
        reservation = Reservation(str(told["id"]), uid, expiry)
        result = self._station.reserve(place, reservation, token_of(told.get("groupIdToken")))
        return {"status": RESERVED.get(result, "Rejected")}

    def _cancel_reservation(self, told: JsonObject) -> JsonObject:
        there = self._station.cancel_reservation(str(told["reservationId"]))
        return dict(_ACCEPTED if there else _REJECTED)

    def _change_availability(self, told: JsonObject) -> JsonObject:
        place = self._place(told["evse"]["id"]) if "evse" in told else None
        now = self._station.set_operative(place, AVAILABILITY[told["operationalStatus"]])
        return {"status": "Accepted" if now else "Scheduled"}

    def _set_profile(self, told: JsonObject) -> JsonObject:
        profile, evse = told["chargingProfile"], told["evseId"]
        session_id = None
        if profile["chargingProfilePurpose"] == TX:
            session = self._place(evse).evse.session
            if session is None or profile.get("transactionId") != session.session_id:
                return dict(_REJECTED)
            session_id = session.session_id
        elif evse != WHOLE_STATION:
            self._place(evse)
        try:
            read = read_profile(profile, profile["chargingSchedule"][0], evse, session_id)
        except ValueError:
            return dict(_REJECTED)
        self._station.put_profile(read)
        return dict(_ACCEPTED)

    def _clear_profile(self, told: JsonObject) -> JsonObject:
        criteria = told.get("chargingProfileCriteria", {})
        gone = self._station.clear_profiles(
            profile_id=told.get("chargingProfileId"),
            evse=criteria.get("evseId"),
            purpose=criteria.get("chargingProfilePurpose"),
            stack_level=criteria.get("stackLevel"),
        )
        return {"status": "Accepted" if gone else "Unknown"}

    def _composite_schedule(self, told: JsonObject) -> JsonObject:
        if told["evseId"] == WHOLE_STATION:
            return dict(_REJECTED)
        place, unit = self._place(told["evseId"]), told.get("chargingRateUnit")
        schedule = self._station.composite_schedule(place, told["duration"], unit)
        return {
            "status": "Accepted",
            "schedule": {
                "evseId": place.number,
                "duration": schedule["duration_s"],
                "scheduleStart": schedule["start"],
                "chargingRateUnit": schedule["charging_rate_unit"],
                "chargingSchedulePeriod": [
                    {"startPeriod": row["start_period"], "limit": row["limit"]}
                    for row in schedule["periods"]
                ],
            },
        }

    def _get_variables(self, told: JsonObject) -> JsonObject:
        rows = []
        for asked in told["getVariableData"]:
            component, name = asked["component"]["name"], asked["variable"]["name"]
            one = of_name(component, name)
            row = {"component": asked["component"], "variable": asked["variable"]}
            if one is None:
                row["attributeStatus"] = _unknown(component)
            elif not one.readable:
                row["attributeStatus"] = "Rejected"
            elif asked.get("attributeType", "Actual") != "Actual":
                row["attributeStatus"] = "NotSupportedAttributeType"
            else:
                row["attributeStatus"] = "Accepted"
                row["attributeValue"] = self._station.configuration.get(one)
            rows.append(row)
        return {"getVariableResult": rows}

    def _set_variables(self, told: JsonObject) -> JsonObject:
        rows = []
        for asked in told["setVariableData"]:
            component, name = asked["component"]["name"], asked["variable"]["name"]
            one = of_name(component, name)
            done = self._station.set_variable(one, asked["attributeValue"])
            status = _unknown(component) if done is Set.UNKNOWN else done.value
            if done is Set.DONE and one is not None and one.name == "BasicAuthPassword":
                self._errands.append(Errand(Wanted.RECONNECT))
            row = {"component": asked["component"], "variable": asked["variable"]}
            rows.append({**row, "attributeStatus": status})
        return {"setVariableResult": rows}

    def _base_report(self, told: JsonObject) -> JsonObject:
        if told["reportBase"] == "SummaryInventory":
            return {"status": "NotSupported"}
        self._errands.append(Errand(Wanted.REPORT, request_id=told["requestId"]))
        return dict(_ACCEPTED)

    def _send_local_list(self, told: JsonObject) -> JsonObject:
        rows = []
        for row in told.get("localAuthorizationList", ()):
            info = row.get("idTokenInfo")
            entry = None
            if info is not None:
                group = token_of(info.get("groupIdToken"))
                entry = Entry(info["status"], group, info.get("cacheExpiryDateTime"))
            rows.append((row["idToken"]["idToken"], entry))
        full = told["updateType"] == "Full"
        return {"status": self._station.local_list.update(told["versionNumber"], full, rows)}

    def _trigger(self, told: JsonObject) -> JsonObject:
        wanted = _TRIGGERED.get(told["requestedMessage"])
        if wanted is None:
            return {"status": "NotImplemented"}
        self._errands.append(Errand(wanted, told.get("evse", {}).get("id", 0)))
        return dict(_ACCEPTED)

    def _reset(self, told: JsonObject) -> JsonObject:
        if told.get("evseId"):
            return dict(_REJECTED)
        if told["type"] == "OnIdle" and any(
            place.evse.session is not None for place in self._station.places.values()
        ):
            self._errands.append(Errand(Wanted.RESET))
            return {"status": "Scheduled"}
        self._station.end_all("hard_reset")
        self._errands.append(Errand(Wanted.RESET))
        return dict(_ACCEPTED)

    def _get_log(self, told: JsonObject) -> JsonObject:
        url, number = told["log"]["remoteLocation"], told["requestId"]
        self._errands.append(Errand(Wanted.UPLOAD, url=url, request_id=number))
        return {"status": "Accepted", "filename": f"{self._station.station_id}.log"}

    def _update_firmware(self, told: JsonObject) -> JsonObject:
        url = told["firmware"]["location"]
        self._errands.append(Errand(Wanted.UPDATE, url=url, request_id=told["requestId"]))
        return dict(_ACCEPTED)


def _unknown(component: str) -> str:
    known = {one.component.lower() for one in VARIABLES}
    return "UnknownVariable" if component.lower() in known else "UnknownComponent"
