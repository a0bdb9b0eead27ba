"""The simulated charge point in OCPP 1.6-J's words. One EVSE is one connector here.

StartTransaction's answer gives the transactionId that everything after it needs, so messages are
put into words when they are sent, not when they happen.
"""

from __future__ import annotations

from typing import ClassVar

from cpo_app.charge_point.journal import Message
from cpo_app.charge_point.ocpp.dialect import Call, Decision, Errand, Wanted
from cpo_app.charge_point.ocpp.readings import signed_16, values_16
from cpo_app.charge_point.ocpp.station import Place, Station
from cpo_app.charge_point.ocpp.v16_requests import Requests16
from cpo_app.charge_point.ocpp.words import (
    STOPPED_16,
    error_code_16,
    status_16,
)
from db_interface.json_data import JsonObject
from domain.times import format_datetime


class V16:
    subprotocol: ClassVar[str] = "ocpp1.6"

    def __init__(self, station: Station) -> None:
        self.errands: list[Errand] = []
        self._station = station
        self._requests = Requests16(station, self.errands)

    # --- what it says -------------------------------------------------------------------------

    def boot(self, reason: str) -> Call:
        station = self._station
        return "BootNotification", {
            "chargePointVendor": station.hardware.vendor[:20],
            "chargePointModel": station.hardware.model[:20],
            "chargePointSerialNumber": station.station_id[:25],
            "firmwareVersion": station.firmware[:50],
        }

    def statuses(self, evse: int) -> list[Call]:
        now = format_datetime(self._station.timeline.now())
        whole = {"connectorId": 0, "errorCode": "NoError", "status": "Available", "timestamp": now}
        calls = [("StatusNotification", whole)] if evse == 0 else []
        for place in self._station.places.values():
            if evse in (0, place.number):
                status = place.evse.status()
                full = bool(place.evse.car and place.evse.car.full)
                calls.append(self._status(place.number, {**status, "full": full}, now))
        return calls

    def authorize(self, uid: str) -> Call:
        return "Authorize", {"idTag": uid[:20]}

    def decision(self, answer: JsonObject) -> Decision | None:
        info = answer.get("idTagInfo")
        return Decision(info["status"], info.get("parentIdTag")) if info else None

    def said(self, message: Message, *, offline: bool) -> list[Call]:
        kind = message["kind"]
        if kind == "state":
            return [] if offline else [self._status(message["evse"], message, message["at"])]
        if kind == "session_started":
            return [self._start_transaction(message)]
        transaction_id = self._station.known.get(message["session_id"], {}).get("id")
        if transaction_id is None:
            # It never began, or its start was given up.
            return []
        if kind == "meter":
            return [
                (
                    "MeterValues",
                    {
                        "connectorId": message["evse"],
                        "transactionId": transaction_id,
                        "meterValue": [_meter_value(message, "Sample.Periodic")],
                    },
                )
            ]
        return [self._stop_transaction(message, transaction_id)]

    def heard(self, message: Message, answer: JsonObject, *, offline: bool) -> None:
        if message["kind"] == "session_started" and "transactionId" in answer:
            self._station.known[message["session_id"]] = {"id": answer["transactionId"]}

    def meter(self, place: Place) -> Call:
        session = place.evse.session
        known = self._station.known.get(session.session_id, {}) if session else {}
        evse = place.evse
        reading = evse.meter.reading(evse.power_w(), evse.car, session.limit if session else None)
        at = format_datetime(self._station.timeline.now())
        told: JsonObject = {"connectorId": place.number}
        if "id" in known:
            told["transactionId"] = known["id"]
        return "MeterValues", {
            **told,
            "meterValue": [{"timestamp": at, "sampledValue": values_16(reading, "Trigger")}],
        }

    def file_status(self, errand: Errand, status: str) -> Call:
        if errand.wanted in (Wanted.UPDATE, Wanted.FIRMWARE_STATUS):
            return "FirmwareStatusNotification", {"status": status}
        if errand.extended:
            status = {"UploadFailed": "UploadFailure"}.get(status, status)
            told: JsonObject = {"status": status}
            if errand.request_id is not None:
                told["requestId"] = errand.request_id
            return "LogStatusNotification", told
        return "DiagnosticsStatusNotification", {"status": status}

    def report(self, errand: Errand) -> list[Call]:
        return []

    def _status(self, evse: int, status: JsonObject, at: str) -> Call:
        told: JsonObject = {
            "connectorId": evse,
            "errorCode": "NoError",
            "status": status_16(status["state"], full=status["full"]),
            "timestamp": at,
        }
        if status.get("error_code"):
            told["errorCode"], vendor = error_code_16(status["error_code"])
            if vendor:
                told["vendorErrorCode"] = vendor
        return "StatusNotification", told

    def _start_transaction(self, message: Message) -> Call:
        told: JsonObject = {
            "connectorId": message["evse"],
            "idTag": (message["id_tag"] or "")[:20],
            "meterStart": round(message["register_wh"]),
            "timestamp": message["at"],
        }
        if "reservation_id" in message:
            told["reservationId"] = message["reservation_id"]
        return "StartTransaction", told

    def _stop_transaction(self, message: Message, transaction_id: int) -> Call:
        told: JsonObject = {
            "transactionId": transaction_id,
            "meterStop": round(message["register_wh"]),
            "timestamp": message["at"],
            "reason": STOPPED_16.get(message["reason"], "Other"),
        }
        if message.get("stopped_by"):
            told["idTag"] = message["stopped_by"][:20]
        data = _meter_value(message, "Transaction.End")
        for one in (message.get("signed_data") or {}).get("signed_values", ()):
            context = "Transaction.Begin" if one["nature"] == "Start" else "Transaction.End"
            data["sampledValue"].append(signed_16(one["signed_data"], context))
        return "StopTransaction", {**told, "transactionData": [data]}

    def asked(self, action: str, payload: JsonObject) -> JsonObject:
        return self._requests.asked(action, payload)


def _meter_value(message: Message, context: str) -> JsonObject:
    return {"timestamp": message["at"], "sampledValue": values_16(message, context)}
