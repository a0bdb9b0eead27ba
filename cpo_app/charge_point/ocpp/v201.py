"""The simulated charge point in OCPP 2.0.1's words. Each EVSE has one connector, 1.

A transaction is there from the first energy to the last (TxStartPoint PowerPathClosed); its id is
the session's. seqNo is what was heard of the transaction so far, so a message that is said again
has the number that it had.
"""

from __future__ import annotations

from typing import ClassVar

from cpo_app.charge_point.journal import Message
from cpo_app.charge_point.ocpp.configuration import VARIABLES, Variable
from cpo_app.charge_point.ocpp.dialect import Call, Decision, Errand, Wanted
from cpo_app.charge_point.ocpp.readings import signed_201, values_201
from cpo_app.charge_point.ocpp.station import Place, Station
from cpo_app.charge_point.ocpp.v201_requests import Requests201
from cpo_app.charge_point.ocpp.words import (
    STOP_TRIGGERS_201,
    STOPPED_201,
    charging_state_201,
    status_201,
    token_of,
)
from cpo_app.charge_point.states import IN_SESSION
from db_interface.json_data import JsonObject
from domain.times import format_datetime

_CONNECTOR = 1
_CONTEXTS = {"Started": "Transaction.Begin", "Ended": "Transaction.End"}
_SIGNED_BY = {"Start": "Transaction.Begin", "End": "Transaction.End"}
_REPORT_ROWS = 20


class V201:
    subprotocol: ClassVar[str] = "ocpp2.0.1"

    def __init__(self, station: Station) -> None:
        self.errands: list[Errand] = []
        self._station = station
        self._told: dict[int, str] = {}
        """The connectorStatus of each EVSE that was told last."""
        self._requests = Requests201(station, self.errands)

    # --- what it says -------------------------------------------------------------------------

    def boot(self, reason: str) -> Call:
        station = self._station
        told = {
            "vendorName": station.hardware.vendor[:50],
            "model": station.hardware.model[:20],
            "serialNumber": station.station_id[:25],
            "firmwareVersion": station.firmware[:50],
        }
        return "BootNotification", {"chargingStation": told, "reason": reason}

    def statuses(self, evse: int) -> list[Call]:
        now = format_datetime(self._station.timeline.now())
        calls = []
        for place in self._station.places.values():
            if evse in (0, place.number):
                told = place.evse.status()
                status = status_201(told["state"], told["ev_state"])
                self._told[place.number] = status
                calls.append(_status(place.number, status, now))
        return calls

    def authorize(self, uid: str) -> Call:
        return "Authorize", {"idToken": _id_token(uid)}

    def decision(self, answer: JsonObject) -> Decision | None:
        info = answer.get("idTokenInfo")
        return Decision(info["status"], token_of(info.get("groupIdToken"))) if info else None

    def said(self, message: Message, *, offline: bool) -> list[Call]:
        kind = message["kind"]
        if kind == "state":
            return self._state(message, offline=offline)
        known = self._station.known.get(message["session_id"])
        if kind == "session_started":
            told: JsonObject = {"chargingState": "Charging"}
            if "remote_start_id" in message:
                told["remoteStartId"] = message["remote_start_id"]
            by_remote = message["source"] == "remote"
            trigger = "RemoteStart" if by_remote else "Authorized"
            event = self._event("Started", trigger, message, 0, told, offline=offline)
            if message["id_tag"]:
                event["idToken"] = _id_token(message["id_tag"])
            if "reservation_id" in message:
                event["reservationId"] = message["reservation_id"]
            return [("TransactionEvent", event)]
        if known is None:
            # It never began.
            return []
        if kind == "meter":
            told = {"chargingState": known["charging_state"]}
            trigger = "MeterValuePeriodic"
            event = self._event("Updated", trigger, message, known["seq"], told, offline=offline)
            return [("TransactionEvent", event)]
        reason = message["reason"]
        told = {"stoppedReason": STOPPED_201.get(reason, "Other"), "chargingState": "EVConnected"}
        if reason == "unplugged":
            told["chargingState"] = "Idle"
        trigger = STOP_TRIGGERS_201.get(reason, "StopAuthorized")
        event = self._event("Ended", trigger, message, known["seq"], told, offline=offline)
        if message.get("stopped_by"):
            event["idToken"] = _id_token(message["stopped_by"])
        signed = message.get("signed_data") or {}
        for one in signed.get("signed_values", ()):
            wh = message["register_wh"]
            if one["nature"] == "Start":
                wh = round(wh - message["energy_wh"], 3)
            event["meterValue"][0]["sampledValue"].append(
                signed_201(wh, one["signed_data"], _SIGNED_BY[one["nature"]], signed["public_key"])
            )
        return [("TransactionEvent", event)]

    def heard(self, message: Message, answer: JsonObject, *, offline: bool) -> None:
        kind, known = message["kind"], self._station.known
        if kind == "session_started":
            known[message["session_id"]] = {"seq": 1, "charging_state": "Charging"}
        elif kind == "meter" and message["session_id"] in known:
            known[message["session_id"]]["seq"] += 1
        elif kind == "state":
            if not offline:
                self._told[message["evse"]] = status_201(message["state"], message["ev_state"])
            one = known.get(message.get("session_id", ""))
            state = _charging_state(message)
            if one is not None and one["charging_state"] != state and _in_session(message):
                one["charging_state"] = state
                one["seq"] += 1

    def meter(self, place: Place) -> Call:
        session = place.evse.session
        evse = place.evse
        reading = evse.meter.reading(evse.power_w(), evse.car, session.limit if session else None)
        at = format_datetime(self._station.timeline.now())
        values = [{"timestamp": at, "sampledValue": values_201(reading, "Trigger")}]
        return "MeterValues", {"evseId": place.number, "meterValue": values}

    def file_status(self, errand: Errand, status: str) -> Call:
        told: JsonObject = {"status": {"UploadFailed": "UploadFailure"}.get(status, status)}
        if errand.request_id is not None:
            told["requestId"] = errand.request_id
        if errand.wanted in (Wanted.UPDATE, Wanted.FIRMWARE_STATUS):
            return "FirmwareStatusNotification", told
        return "LogStatusNotification", told

    def report(self, errand: Errand) -> list[Call]:
        rows = [self._report_row(one) for one in VARIABLES if one.name]
        rows += [
            {
                "component": {"name": "EVSE", "evse": {"id": number}},
                "variable": {"name": "AvailabilityState"},
                "variableAttribute": [
                    {
                        "value": status_201(*_two(place.evse.status())),
                        "mutability": "ReadOnly",
                    }
                ],
                "variableCharacteristics": {"dataType": "string", "supportsMonitoring": False},
            }
            for number, place in self._station.places.items()
        ]
        pages = [rows[start : start + _REPORT_ROWS] for start in range(0, len(rows), _REPORT_ROWS)]
        at = format_datetime(self._station.timeline.now())
        return [
            (
                "NotifyReport",
                {
                    "requestId": errand.request_id,
                    "generatedAt": at,
                    "seqNo": number,
                    "tbc": number < len(pages) - 1,
                    "reportData": page,
                },
            )
            for number, page in enumerate(pages)
        ]

    def _report_row(self, one: Variable) -> JsonObject:
        mutability = "ReadWrite" if one.writable else "ReadOnly"
        attribute: JsonObject = {"mutability": mutability if one.readable else "WriteOnly"}
        if one.readable:
            attribute["value"] = self._station.configuration.get(one)
        kind = "MemberList" if "," in one.default else one.kind
        return {
            "component": {"name": one.component},
            "variable": {"name": one.name},
            "variableAttribute": [attribute],
            "variableCharacteristics": {"dataType": kind, "supportsMonitoring": False},
        }

    def _state(self, message: Message, *, offline: bool) -> list[Call]:
        calls: list[Call] = []
        status = status_201(message["state"], message["ev_state"])
        if not offline and self._told.get(message["evse"]) != status:
            calls.append(_status(message["evse"], status, message["at"]))
        one = self._station.known.get(message.get("session_id", ""))
        state = _charging_state(message)
        if one is not None and one["charging_state"] != state and _in_session(message):
            told = {"chargingState": state}
            event = self._event(
                "Updated", "ChargingStateChanged", message, one["seq"], told, offline=offline
            )
            calls.append(("TransactionEvent", event))
        return calls

    def _event(
        self,
        event: str,
        trigger: str,
        message: Message,
        seq: int,
        info: JsonObject,
        *,
        offline: bool,
    ) -> JsonObject:
        told: JsonObject = {
            "eventType": event,
            "timestamp": message["at"],
            "triggerReason": trigger,
            "seqNo": seq,
            "transactionInfo": {"transactionId": message["session_id"], **info},
            "evse": {"id": message["evse"], "connectorId": _CONNECTOR},
        }
        if offline:
            told["offline"] = True
        if "register_wh" in message:
            values = values_201(message, _CONTEXTS.get(event, "Sample.Periodic"))
            told["meterValue"] = [{"timestamp": message["at"], "sampledValue": values}]
        return told

    def asked(self, action: str, payload: JsonObject) -> JsonObject:
        return self._requests.asked(action, payload)


def _two(status: JsonObject) -> tuple[str, str]:
    return status["state"], status["ev_state"]


def _status(evse: int, status: str, at: str) -> Call:
    told = {"timestamp": at, "connectorStatus": status, "evseId": evse, "connectorId": _CONNECTOR}
    return "StatusNotification", told


def _charging_state(message: Message) -> str:
    return charging_state_201(message["state"], message["ev_state"], full=message["full"])


def _in_session(message: Message) -> bool:
    return message["state"] in {state.value for state in IN_SESSION}


def _id_token(uid: str) -> JsonObject:
    return {"idToken": uid[:36], "type": "ISO14443"}
