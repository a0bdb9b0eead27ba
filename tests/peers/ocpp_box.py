"""Charge points that tests play over a real websocket.

`RawBox` sends whatever it is told, frame by frame: the misbehaver. `Box16` and `Box201` speak by
the `ocpp` library's data classes and hold both sides to its schemas: a central system that sends
what the text does not allow fails the test that it plays in.

    async with Box16(url, "CP-007", password) as box:
        await box.boot()
        await box.status("Available")
        tx = await box.start("CARD-1", meter_wh=100)
        asked = await box.next("RemoteStopTransaction")
"""

from __future__ import annotations

import base64
import json
import ssl
import uuid
from dataclasses import dataclass
from datetime import datetime, timezone
from decimal import Decimal
from types import ModuleType, TracebackType
from typing import Any, ClassVar, TypeVar

import ocpp.v16.call
import ocpp.v201.call
from ocpp.charge_point import remove_nones, serialize_as_dict, snake_to_camel_case
from ocpp.messages import MessageType, get_validator
from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from tests.peers.ocpp_wire import Answer, Payload, Wire

Self = TypeVar("Self", bound="RawBox")


def at(moment: datetime | None = None) -> str:
    """A moment as charge points write it; without one: now."""
    moment = moment or datetime.now(timezone.utc)
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class RawBox(Wire):
    """`url`: of the server ("ws://127.0.0.1:9000"). Without a password it shows none."""

    def __init__(
        self,
        url: str,
        station: str,
        password: str | None = None,
        *,
        protocols: tuple[str, ...] = ("ocpp1.6",),
        answers: dict[str, Answer] | None = None,
        tls: ssl.SSLContext | None = None,
        path: str | None = None,
        user: str | None = None,
    ) -> None:
        super().__init__(answers)
        self.station = station
        self._uri = url + (path or f"/ocpp/{station}")
        self._password, self._user = password, user or station
        self._protocols, self._tls = protocols, tls

    @property
    def protocol(self) -> str | None:
        """The subprotocol that was agreed on."""
        return self.connection.subprotocol

    async def connect(self: Self) -> Self:
        """Raises websockets.exceptions.InvalidStatus where it is refused. May be called again."""
        headers = {}
        if self._password is not None:
            basic = base64.b64encode(f"{self._user}:{self._password}".encode()).decode()
            headers["Authorization"] = f"Basic {basic}"
        connection = await connect(
            self._uri,
            subprotocols=[Subprotocol(name) for name in self._protocols] or None,
            additional_headers=headers,
            ssl=self._tls,
            compression=None,
            proxy=None,
        )
        self.attach(connection)
        return self

    async def __aenter__(self: Self) -> Self:
        return await self.connect()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.closed_with is None:
            await self.close()


class _Box(RawBox):
    """Both sides are held to the schemas of `version`; what is wrong fails the test."""

    version: ClassVar[str]
    calls: ClassVar[ModuleType]

    async def call(self, action: str, payload: Payload | None = None, **more: Any) -> Payload:
        demand_valid(self.version, MessageType.Call, action, payload or {})
        answer = await super().call(action, payload, **more)
        demand_valid(self.version, MessageType.CallResult, action, answer)
        return answer

    async def say(self, message: Any, **more: Any) -> Payload:
        """A CALL out of the library's data class: `ocpp.v16.call.Heartbeat()`."""
        return await self.call(type(message).__name__, wire_form(message), **more)

    async def next(self, action: str, *args: Any, **more: Any) -> Any:
        asked = await super().next(action, *args, **more)
        demand_valid(self.version, MessageType.Call, action, asked.payload)
        return asked

    async def heartbeat(self) -> Payload:
        return await self.say(self.calls.Heartbeat())


class Box16(_Box):
    """OCPP 1.6-J. Says yes to what it is asked unless `answers` say otherwise."""

    version = "1.6"
    calls = ocpp.v16.call

    def __init__(self, url: str, station: str, password: str | None = None, **more: Any) -> None:
        super().__init__(url, station, password, **{"protocols": ("ocpp1.6",), **more})
        self.answers = {**agreeing_16(), **self.answers}

    async def boot(self, **fields: Any) -> Payload:
        told = {"charge_point_vendor": "Acme", "charge_point_model": "Box 16", **fields}
        return await self.say(ocpp.v16.call.BootNotification(**told))

    async def status(self, status: str, connector: int = 1, **fields: Any) -> Payload:
        told = {"error_code": "NoError", "timestamp": at(), **fields}
        return await self.say(
            ocpp.v16.call.StatusNotification(connector_id=connector, status=status, **told)
        )

    async def authorize(self, id_tag: str) -> str:
        """The status of the idTag."""
        answer = await self.say(ocpp.v16.call.Authorize(id_tag=id_tag))
        return str(answer["idTagInfo"]["status"])

    async def start(
        self, id_tag: str, *, meter_wh: int = 0, connector: int = 1, **fields: Any
    ) -> Payload:
        """{transactionId, idTagInfo}."""
        told = {"timestamp": at(), **fields}
        return await self.say(
            ocpp.v16.call.StartTransaction(
                connector_id=connector, id_tag=id_tag, meter_start=meter_wh, **told
            )
        )

    async def stop(self, transaction_id: int, *, meter_wh: int, **fields: Any) -> Payload:
        told = {"timestamp": at(), **fields}
        return await self.say(
            ocpp.v16.call.StopTransaction(
                transaction_id=transaction_id, meter_stop=meter_wh, **told
            )
        )

    async def meter(
        self,
        transaction_id: int | None,
        register_wh: float,
        *,
        power_w: float | None = None,
        soc: float | None = None,
        connector: int = 1,
        when: str | None = None,
    ) -> Payload:
        sampled = sampled_16(register_wh, power_w, soc)
        return await self.say(
            ocpp.v16.call.MeterValues(
                connector_id=connector,
                transaction_id=transaction_id,
                meter_value=[{"timestamp": when or at(), "sampledValue": sampled}],
            )
        )


@dataclass
class Transaction:
    """A 2.0.1 transaction as its station counts it."""

    transaction_id: str
    evse: int = 1
    connector: int = 1
    seq_no: int = 0


class Box201(_Box):
    """OCPP 2.0.1. Says yes to what it is asked unless `answers` say otherwise."""

    version = "2.0.1"
    calls = ocpp.v201.call

    def __init__(self, url: str, station: str, password: str | None = None, **more: Any) -> None:
        super().__init__(url, station, password, **{"protocols": ("ocpp2.0.1",), **more})
        self.answers = {**agreeing_201(), **self.answers}

    async def boot(self, reason: str = "PowerUp", **fields: Any) -> Payload:
        told = {"vendorName": "Acme", "model": "Box 201", **fields}
        return await self.call("BootNotification", {"chargingStation": told, "reason": reason})

    async def status(self, status: str, evse: int = 1, connector: int = 1) -> Payload:
        return await self.say(
            ocpp.v201.call.StatusNotification(
                timestamp=at(),
                connector_status=status,
                evse_id=evse,
                connector_id=connector,
            )
        )

    async def authorize(self, id_token: str, kind: str = "ISO14443") -> str:
        answer = await self.call("Authorize", {"idToken": {"idToken": id_token, "type": kind}})
        return str(answer["idTokenInfo"]["status"])

    async def transaction(
        self,
        event: str,
        transaction: Transaction,
        *,
        trigger: str = "Authorized",
        id_token: str | None = None,
        register_wh: float | None = None,
        when: str | None = None,
        info: Payload | None = None,
        **fields: Any,
    ) -> Payload:
        """A TransactionEvent (Started, Updated, Ended) with the next seqNo. `info` goes into
        transactionInfo, `fields` beside it, in the names of the wire."""
        payload: Payload = {
            "eventType": event,
            "timestamp": when or at(),
            "triggerReason": trigger,
            "seqNo": transaction.seq_no,
            "transactionInfo": {"transactionId": transaction.transaction_id, **(info or {})},
            "evse": {"id": transaction.evse, "connectorId": transaction.connector},
            **fields,
        }
        if id_token is not None:
            payload["idToken"] = {"idToken": id_token, "type": "ISO14443"}
        if register_wh is not None:
            payload["meterValue"] = [{"timestamp": when or at(), "sampledValue": [
                {"value": register_wh, "measurand": "Energy.Active.Import.Register",
                 "context": _CONTEXTS[event], "unitOfMeasure": {"unit": "Wh"}},
            ]}]  # fmt: skip
        transaction.seq_no += 1
        return await self.call("TransactionEvent", payload)

    def new_transaction(self, evse: int = 1, connector: int = 1) -> Transaction:
        return Transaction(str(uuid.uuid4()), evse, connector)


class Box21(Box201):
    """OCPP 2.1 (Python 3.11): what it has in common with 2.0.1 it says alike."""

    version = "2.1"

    def __init__(self, url: str, station: str, password: str | None = None, **more: Any) -> None:
        super().__init__(url, station, password, **{"protocols": ("ocpp2.1",), **more})

    async def status(self, status: str, evse: int = 1, connector: int = 1) -> Payload:
        """By the device model, as 2.1 prefers."""
        event = {
            "eventId": 1,
            "timestamp": at(),
            "trigger": "Delta",
            "actualValue": status,
            "eventNotificationType": "HardWiredNotification",
            "component": {
                "name": "Connector",
                "evse": {"id": evse, "connectorId": connector},
            },
            "variable": {"name": "AvailabilityState"},
        }
        told = {"generatedAt": at(), "seqNo": 0, "eventData": [event]}
        return await self.call("NotifyEvent", told)


_CONTEXTS = {
    "Started": "Transaction.Begin",
    "Updated": "Sample.Periodic",
    "Ended": "Transaction.End",
}


def sampled_16(
    register_wh: float, power_w: float | None = None, soc: float | None = None
) -> list[Payload]:
    """sampledValue of a 1.6 MeterValues."""
    energy = "Energy.Active.Import.Register"
    sampled = [{"value": str(register_wh), "measurand": energy, "unit": "Wh"}]
    if power_w is not None:
        sampled.append({"value": str(power_w), "measurand": "Power.Active.Import", "unit": "W"})
    if soc is not None:
        sampled.append({"value": str(soc), "measurand": "SoC", "unit": "Percent"})
    return sampled


def agreeing_16() -> dict[str, Answer]:
    accepted = {"status": "Accepted"}
    agreed = (
        "RemoteStartTransaction RemoteStopTransaction ReserveNow CancelReservation "
        "ChangeAvailability ChangeConfiguration ClearCache ClearChargingProfile "
        "SetChargingProfile Reset SendLocalList TriggerMessage ExtendedTriggerMessage GetLog "
        "SignedUpdateFirmware InstallCertificate CertificateSigned DeleteCertificate"
    )
    return {
        **{action: dict(accepted) for action in agreed.split()},
        "UnlockConnector": {"status": "Unlocked"},
        "GetConfiguration": {"configurationKey": [], "unknownKey": []},
        "GetLocalListVersion": {"listVersion": 0},
        "GetCompositeSchedule": {"status": "Rejected"},
        "GetDiagnostics": {"fileName": "diagnostics.log"},
        "UpdateFirmware": {},
    }


def agreeing_201() -> dict[str, Answer]:
    accepted = {"status": "Accepted"}
    agreed = (
        "RequestStartTransaction RequestStopTransaction ReserveNow CancelReservation "
        "ChangeAvailability ClearCache ClearChargingProfile SetChargingProfile Reset "
        "SendLocalList TriggerMessage GetLog UpdateFirmware InstallCertificate "
        "CertificateSigned DeleteCertificate GetBaseReport GetReport SetNetworkProfile"
    )
    return {
        **{action: dict(accepted) for action in agreed.split()},
        "UnlockConnector": {"status": "Unlocked"},
        "GetLocalListVersion": {"versionNumber": 0},
        "GetCompositeSchedule": {"status": "Rejected"},
        "GetTransactionStatus": {"messagesInQueue": False},
    }


def wire_form(message: Any) -> Payload:
    """A message of the library's data classes as it goes over the wire."""
    payload: Payload = snake_to_camel_case(remove_nones(serialize_as_dict(message)))
    return payload


def demand_valid(version: str, kind: int, action: str, payload: Payload) -> None:
    """Raises jsonschema's ValidationError. Decimals as they are written: 0.1 is a tenth."""
    validator = get_validator(kind, action, version, parse_float=Decimal)
    validator.validate(json.loads(json.dumps(payload), parse_float=Decimal))
