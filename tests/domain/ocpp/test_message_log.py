"""What a station and we say is kept: redacted, bounded, found again."""

from __future__ import annotations

from typing import Any

import pytest

from db_interface.database import Database
from domain.ocpp import message_log
from domain.ocpp.message_log import MessageLog
from domain.ocpp.redaction import MAX_BYTES, kept, kept_unread
from tests.conftest import Loop


def test_it_is_found_by_action_id_text_and_time(db: Database, loop: Loop) -> None:
    async def story() -> None:
        log = MessageLog(db, per_station=100, days=1)
        log.note("CP-7", "CALL", {"status": "Faulted"}, from_us=False, action="A", message_id="1")
        log.note("CP-7", "CALLRESULT", {}, from_us=True, action="A", message_id="1")
        log.note("CP-7", "CALL", {"x": "a.b"}, from_us=True, action="B", message_id="2")
        log.note("CP-8", "CALL", {}, from_us=False, action="A", message_id="3")
        log.note("CP-7", "CALL", {}, from_us=False, action="Heartbeat", message_id="4")
        await log.write()

        async def ids(**query: Any) -> list[str]:
            return [one["message_id"] for one in await message_log.listed(db, "CP-7", **query)]

        assert await ids() == ["2", "1", "1"]
        assert await ids(action="A") == ["1", "1"]
        assert await ids(message_id="2") == ["2"]
        assert await ids(text="faulted") == ["1"]
        assert await ids(text="a.b") == ["2"]
        assert await ids(text="axb") == []
        assert await ids(limit=1) == ["2"]
        assert await ids(since=db.now().replace(year=2100)) == []
        assert await ids(until=db.now().replace(year=2100)) == ["2", "1", "1"]

    loop.run(story())


def test_of_a_station_the_newest_are_kept(db: Database, loop: Loop) -> None:
    async def story() -> list[str]:
        log = MessageLog(db, per_station=5, days=1)
        for number in range(20):
            log.note("CP-7", "CALL", {}, from_us=False, action="A", message_id=str(number))
            await log.write()
        return [one["message_id"] for one in await message_log.listed(db, "CP-7")]

    left = loop.run(story())
    assert left[0] == "19" and len(left) <= 5


def test_nothing_is_kept_where_that_is_set(db: Database, loop: Loop) -> None:
    async def story() -> list[Any]:
        log = MessageLog(db, per_station=0, days=1)
        log.note("CP-7", "CALL", {}, from_us=False, action="A")
        await log.write()
        return list(await message_log.listed(db, "CP-7"))

    assert loop.run(story()) == []


SECRET = "04A1B2C3D4E5F6"


@pytest.mark.parametrize(
    "payload",
    [
        {"idTag": SECRET},
        {"idTagInfo": {"parentIdTag": SECRET}},
        {"idToken": {"idToken": SECRET, "type": "ISO14443"}},
        {"idTokenInfo": {"groupIdToken": {"idToken": SECRET, "type": "Central"}}},
        {"localAuthorizationList": [{"idTag": SECRET}]},
        {"key": "AuthorizationKey", "value": SECRET},
        {"configurationKey": [{"key": "AuthorizationKey", "readonly": False, "value": SECRET}]},
        {
            "setVariableData": [
                {
                    "attributeValue": SECRET,
                    "component": {"name": "SecurityCtrlr"},
                    "variable": {"name": "BasicAuthPassword"},
                }
            ]
        },
        {"location": f"ftp://me:{SECRET}@example.com/x"},
        {"location": f"https://cpo.example.com/ocpp-files/{SECRET}"},
        {"log": {"remoteLocation": f"https://cpo.example.com/ocpp-files/{SECRET}/log"}},
        {"connectionData": {"vpn": {"password": SECRET}}},
    ],
)
def test_no_card_and_no_secret_is_kept(payload: dict[str, Any]) -> None:
    assert SECRET not in kept(payload)


def test_a_card_is_recognised_by_its_end_and_the_rest_stays() -> None:
    assert kept({"idTag": SECRET, "meterStart": 5}) == '{"idTag":"…E5F6","meterStart":5}'
    assert kept({"key": "HeartbeatInterval", "value": "60"}).endswith('"value":"60"}')


def test_a_frame_that_is_no_message_is_kept_without_its_cards() -> None:
    said = kept_unread(f'[2,"1","StartTransaction",{{"idTag": "{SECRET}", "meterStart":'.encode())
    assert SECRET not in said and "StartTransaction" in said
    assert SECRET not in kept_unread(f'{{"idTag":"{SECRET}')
    assert len(kept({"data": "x" * 100_000})) < MAX_BYTES + 50
