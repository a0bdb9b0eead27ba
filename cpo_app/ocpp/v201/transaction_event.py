"""A TransactionEvent of OCPP 2.0.1 or 2.1, read; what each of them says of its transaction is
followed elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from cpo_app.ocpp.charging import times
from cpo_app.ocpp.charging.cards import Card
from cpo_app.ocpp.charging.gathered_readings import Readings
from cpo_app.ocpp.handlers import Incoming
from cpo_app.ocpp.v201.authorizing import card_of
from db_interface.json_data import JsonMapping
from domain.ocpp.meter_values import Measured, measured_of

STARTED, UPDATED, ENDED_EVENT = "Started", "Updated", "Ended"
NO_REASON = "Local"


@dataclass(frozen=True)
class Event:
    payload: JsonMapping
    kind: str
    id: str
    number: int
    told_at: datetime
    offline: bool
    waited: bool
    """It may come out of a queue: not all that were offline say so."""
    card: Card | None
    remote_start: int | None
    measured: tuple[Measured, ...]

    @property
    def charging_state(self) -> str | None:
        state = self.payload["transactionInfo"].get("chargingState")
        return None if state is None else str(state)

    @property
    def is_metering(self) -> bool:
        """It may be nothing but meter values."""
        plain = "idToken" not in self.payload and self.remote_start is None
        return self.kind == UPDATED and plain

    @property
    def reason(self) -> str:
        return str(self.payload["transactionInfo"].get("stoppedReason") or NO_REASON)


def event_of(incoming: Incoming, payload: JsonMapping) -> Event:
    info = payload["transactionInfo"]
    told_at = times.told_at(incoming, payload["timestamp"])
    return Event(
        payload=payload,
        kind=payload["eventType"],
        id=info["transactionId"],
        number=payload["seqNo"],
        told_at=told_at,
        offline=bool(payload.get("offline")),
        waited=times.may_have_waited(incoming, told_at) or bool(payload.get("offline")),
        card=card_of(payload.get("idToken")),
        remote_start=info.get("remoteStartId"),
        measured=tuple(measured_of(payload.get("meterValue") or (), told_at)),
    )


def readings_of(incoming: Incoming, event: Event) -> Readings:
    return Readings(
        station=incoming.connection.station_id,
        connection=incoming.connection.id,
        transaction_id=event.id,
        measured=event.measured,
        told_at=event.told_at,
        received_at=incoming.received_at,
        waited=event.waited,
        number=event.number,
        charging_state=event.charging_state,
    )
