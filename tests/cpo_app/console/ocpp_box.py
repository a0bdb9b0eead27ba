"""A box with OCPP for the console's tests: CP-001 is one, and has talked."""

from __future__ import annotations

from datetime import timedelta

from domain.ocpp import stations
from domain.ocpp.message_log import MESSAGES, Kind, Message
from domain.ocpp.redaction import kept
from tests.cpo_app.console.worlds import EVIL, Night


class Box:
    """Whatever is said stands there a second after what was said before."""

    def __init__(self, night: Night) -> None:
        self._night, self._n = night, 0
        self.said: list[Message] = []

    def say(
        self, kind: Kind, action: str, message_id: str, content: object, *, from_us: bool = False
    ) -> None:
        self._n += 1
        self.said.append(
            {
                "station": "CP-001",
                "at": self._night.at(self._n),
                "n": self._n,
                "from_us": from_us,
                "kind": kind,
                "action": action,
                "message_id": message_id,
                "content": kept(content) if kind != "unreadable" else str(content),
                "expires": self._night.now + timedelta(days=7),
            }
        )

    def talk(self, action: str, message_id: str, question: object, answer: object) -> None:
        self.say("CALL", action, message_id, question)
        self.say("CALLRESULT", action, message_id, answer, from_us=True)


def let_it_talk(night: Night) -> None:
    """CP-001 is a box, and all of this was said."""
    box = Box(night)
    box.talk("BootNotification", "1", {"chargePointVendor": EVIL}, {"status": "Accepted"})
    box.talk("Authorize", "2", {"idTag": "04AABBCCDD"}, {"idTagInfo": {"status": "Invalid"}})
    box.talk("StartTransaction", "3", {"connectorId": 1}, {"transactionId": 4711})
    box.say("CALL", "Reset", "a", {"type": "Soft"}, from_us=True)
    box.say("CALL", "MeterValues", "4", {"transactionId": 4711})
    box.say("CALLRESULT", "MeterValues", "4", {}, from_us=True)
    box.say("CALLRESULT", "Reset", "a", {"status": "Rejected"})
    box.say("CALL", "GetLog", "b", {"logType": "SecurityLog"}, from_us=True)
    box.say("CALLERROR", "GetLog", "b", {"code": "NotImplemented", "description": ""})
    box.say("CALL", "ClearCache", "c", {}, from_us=True)
    box.say("unreadable", "", "", "[2,")
    # After a restart it counts from 1 again.
    box.talk("BootNotification", "1", {"chargePointVendor": "ACME"}, {"status": "Pending"})

    async def write() -> None:
        await night.store.transact(lambda tx: stations.add(tx, "CP-001", password_hash=None))
        await MESSAGES.of(night.db).insert_many(box.said)

    night.loop.run(write())
