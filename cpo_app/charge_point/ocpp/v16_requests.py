"""What a central system asks of the simulated charge point in OCPP 1.6-J's words."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from cpo_app.charge_point.evse import Result
from cpo_app.charge_point.ocpp.configuration import VARIABLES, Set, of_key
from cpo_app.charge_point.ocpp.dialect import Errand, Wanted
from cpo_app.charge_point.ocpp.limits import TX, TX_DEFAULT, WHOLE_STATION, read_profile
from cpo_app.charge_point.ocpp.local_list import Entry
from cpo_app.charge_point.ocpp.station import Place, Station
from cpo_app.charge_point.ocpp.wire import NotDone
from cpo_app.charge_point.ocpp.words import (
    AVAILABILITY,
    RESERVED,
    UNLOCKED,
)
from cpo_app.charge_point.session import Reservation
from db_interface.json_data import JsonObject
from domain.times import parse_datetime

_TRIGGERED = {
    "BootNotification": Wanted.BOOT,
    "Heartbeat": Wanted.HEARTBEAT,
    "StatusNotification": Wanted.STATUS,
    "MeterValues": Wanted.METER,
    "DiagnosticsStatusNotification": Wanted.DIAGNOSTICS_STATUS,
    "LogStatusNotification": Wanted.DIAGNOSTICS_STATUS,
    "FirmwareStatusNotification": Wanted.FIRMWARE_STATUS,
}
_ACCEPTED: JsonObject = {"status": "Accepted"}
_REJECTED: JsonObject = {"status": "Rejected"}


class Requests16:
    """`errands` gets what takes longer than an answer."""

    def __init__(self, station: Station, errands: list[Errand]) -> None:
        self._station = station
        self._errands = errands
        self._requests: dict[str, Callable[[JsonObject], JsonObject]] = {
            "RemoteStartTransaction": self._remote_start,
            "RemoteStopTransaction": self._remote_stop,
            "UnlockConnector": self._unlock,
            "ReserveNow": self._reserve,
            "CancelReservation": self._cancel_reservation,
            "ChangeAvailability": self._change_availability,
            "SetChargingProfile": self._set_profile,
            "ClearChargingProfile": self._clear_profile,
            "GetCompositeSchedule": self._composite_schedule,
            "GetConfiguration": self._get_configuration,
            "ChangeConfiguration": self._change_configuration,
            "SendLocalList": self._send_local_list,
            "GetLocalListVersion": lambda _: {"listVersion": self._station.local_list.version},
            "ClearCache": lambda _: dict(_REJECTED),
            "TriggerMessage": self._trigger,
            "ExtendedTriggerMessage": self._trigger,
            "Reset": self._reset,
            "GetDiagnostics": self._get_diagnostics,
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

    def _place(self, connector: int) -> Place:
        place = self._station.places.get(connector)
        if place is None:
            raise NotDone("PropertyConstraintViolation", f"there is no connector {connector}")
        return place

    def _remote_start(self, told: JsonObject) -> JsonObject:
        station = self._station
        place = self._place(told["connectorId"]) if "connectorId" in told else station.free_place()
        if place is None:
            return dict(_REJECTED)
        session_id = str(uuid.uuid4())
        if "chargingProfile" in told:
            profile = told["chargingProfile"]
            schedule = profile["chargingSchedule"]
            if profile["chargingProfilePurpose"] != TX:
                return dict(_REJECTED)
            station.stack.put(read_profile(profile, schedule, place.number, session_id))
        if station.start(place, session_id, "remote", told["idTag"]) is Result.ACCEPTED:
            return dict(_ACCEPTED)
        station.stack.end(session_id, place.number)
        return dict(_REJECTED)

    def _session_of(self, transaction_id: object) -> str | None:
        for session_id, known in self._station.known.items():
            if known.get("id") == transaction_id:
                return session_id
        return None

    def _remote_stop(self, told: JsonObject) -> JsonObject:
        session_id = self._session_of(told["transactionId"])
        place = self._station.place_of(session_id) if session_id else None
        if place is None or session_id is None:
            return dict(_REJECTED)
        place.evse.stop(session_id, "remote")
        return dict(_ACCEPTED)

    def _unlock(self, told: JsonObject) -> JsonObject:
        place = self._station.places.get(told["connectorId"])
        return {"status": UNLOCKED.get(place.evse.unlock()) if place else "NotSupported"}

    def _reserve(self, told: JsonObject) -> JsonObject:
        connector = told["connectorId"]
        place = self._place(connector) if connector else None
        reservation = Reservation(
            str(told["reservationId"]), told["idTag"], parse_datetime(told["expiryDate"])
        )
        result = self._station.reserve(place, reservation, told.get("parentIdTag"))
        return {"status": RESERVED.get(result, "Rejected")}

    def _cancel_reservation(self, told: JsonObject) -> JsonObject:
        there = self._station.cancel_reservation(str(told["reservationId"]))
        return dict(_ACCEPTED if there else _REJECTED)

    def _change_availability(self, told: JsonObject) -> JsonObject:
        connector = told["connectorId"]
        place = self._place(connector) if connector else None
        now = self._station.set_operative(place, AVAILABILITY[told["type"]])
        return {"status": "Accepted" if now else "Scheduled"}

    def _set_profile(self, told: JsonObject) -> JsonObject:
        profile, connector = told["csChargingProfiles"], told["connectorId"]
        session_id = None
        if profile["chargingProfilePurpose"] == TX:
            place = self._place(connector)
            session = place.evse.session
            if session is None:
                return dict(_REJECTED)
            session_id = session.session_id
            wanted = profile.get("transactionId")
            if wanted is not None and self._session_of(wanted) != session_id:
                return dict(_REJECTED)
        elif connector:
            self._place(connector)
        if profile["chargingProfilePurpose"] not in (TX, TX_DEFAULT) and connector:
            return dict(_REJECTED)
        try:
            read = read_profile(profile, profile["chargingSchedule"], connector, session_id)
        except ValueError:
            return dict(_REJECTED)
        self._station.put_profile(read)
        return dict(_ACCEPTED)

    def _clear_profile(self, told: JsonObject) -> JsonObject:
        gone = self._station.clear_profiles(
            profile_id=told.get("id"),
            evse=told.get("connectorId"),
            purpose=told.get("chargingProfilePurpose"),
            stack_level=told.get("stackLevel"),
        )
        return {"status": "Accepted" if gone else "Unknown"}

    def _composite_schedule(self, told: JsonObject) -> JsonObject:
        if told["connectorId"] == WHOLE_STATION:
            return dict(_REJECTED)
        place, unit = self._place(told["connectorId"]), told.get("chargingRateUnit")
        schedule = self._station.composite_schedule(place, told["duration"], unit)
        return {
            "status": "Accepted",
            "connectorId": place.number,
            "scheduleStart": schedule["start"],
            "chargingSchedule": {
                "duration": schedule["duration_s"],
                "startSchedule": schedule["start"],
                "chargingRateUnit": schedule["charging_rate_unit"],
                "chargingSchedulePeriod": [
                    {"startPeriod": row["start_period"], "limit": row["limit"]}
                    for row in schedule["periods"]
                ],
            },
        }

    def _get_configuration(self, told: JsonObject) -> JsonObject:
        wanted = told.get("key")
        known = [one for one in VARIABLES if one.key and (not wanted or one.key in wanted)]
        rows: list[JsonObject] = []
        for one in known:
            row: JsonObject = {"key": one.key, "readonly": not one.writable}
            if one.readable:
                row["value"] = self._station.configuration.get(one)
            rows.append(row)
        count = {
            "key": "NumberOfConnectors",
            "readonly": True,
            "value": str(len(self._station.places)),
        }
        if not wanted or "NumberOfConnectors" in wanted:
            rows.append(count)
        there = {row["key"] for row in rows}
        return {
            "configurationKey": rows,
            "unknownKey": [key for key in wanted or () if key not in there],
        }

    def _change_configuration(self, told: JsonObject) -> JsonObject:
        variable = of_key(told["key"])
        done = self._station.set_variable(variable, told["value"])
        if done is Set.DONE and told["key"] == "AuthorizationKey":
            self._errands.append(Errand(Wanted.RECONNECT))
        return {"status": "NotSupported" if done is Set.UNKNOWN else done.value}

    def _send_local_list(self, told: JsonObject) -> JsonObject:
        rows = []
        for row in told.get("localAuthorizationList", ()):
            info = row.get("idTagInfo")
            entry = None
            if info is not None:
                entry = Entry(info["status"], info.get("parentIdTag"), info.get("expiryDate"))
            rows.append((row["idTag"], entry))
        full = told["updateType"] == "Full"
        return {"status": self._station.local_list.update(told["listVersion"], full, rows)}

    def _trigger(self, told: JsonObject) -> JsonObject:
        wanted = _TRIGGERED.get(told["requestedMessage"])
        if wanted is None:
            return {"status": "NotImplemented"}
        extended = told["requestedMessage"] == "LogStatusNotification"
        evse = told.get("connectorId", 0)
        self._errands.append(Errand(wanted, evse, extended=extended))
        return dict(_ACCEPTED)

    def _reset(self, told: JsonObject) -> JsonObject:
        self._station.end_all("hard_reset" if told["type"] == "Hard" else "soft_reset")
        self._errands.append(Errand(Wanted.RESET))
        return dict(_ACCEPTED)

    def _get_diagnostics(self, told: JsonObject) -> JsonObject:
        self._errands.append(Errand(Wanted.UPLOAD, url=told["location"]))
        return {"fileName": f"{self._station.station_id}.log"}

    def _get_log(self, told: JsonObject) -> JsonObject:
        url, number = told["log"]["remoteLocation"], told["requestId"]
        self._errands.append(Errand(Wanted.UPLOAD, url=url, request_id=number, extended=True))
        return {"status": "Accepted", "filename": f"{self._station.station_id}.log"}

    def _update_firmware(self, told: JsonObject) -> JsonObject:
        self._errands.append(Errand(Wanted.UPDATE, url=told["location"]))
        return {}
