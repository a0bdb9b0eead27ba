"""`cpo tokens erase`: a card holder is forgotten, his bills are not."""

from __future__ import annotations

from datetime import datetime, timezone

from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.commands.command_queue import COMMANDS
from domain.commands.command_states import State
from domain.exchanges.document import Bounds
from domain.exchanges.exchange import EXCHANGES
from domain.exchanges.recorder import Recorder, Rules
from domain.objects.tokens import owned_token
from domain.reservations.reservations import RESERVATIONS
from domain.secrets import Vault
from domain.sessions.session_records import SESSIONS
from tests.conftest import Loop
from tests.cpo_app.cli.conftest import Cpo
from tests.domain.exchanges.samples import seen

UID = "04A1B2C3D4"
CARD = {
    "country_code": "NL",
    "party_id": "TNM",
    "uid": UID,
    "type": "RFID",
    "contract_id": "NL-TNM-C00000001",
    "visual_number": "0001 0002",
    "issuer": "Max Mustermann",
    "valid": True,
    "whitelist": "ALWAYS",
    "last_updated": "2025-01-01T00:00:00Z",
}
NOW = datetime(2025, 1, 1, tzinfo=timezone.utc)


def fill(db: Database, loop: Loop) -> None:
    store = DbInterface(db)

    async def write() -> None:
        await store.create("tokens", owned_token(CARD))
        await store.create("tokens", owned_token({**CARD, "party_id": "OTH", "type": "APP_USER"}))
        await store.create("tokens", owned_token({**CARD, "uid": "ANOTHER"}))
        for id_, state in (("over", State.DELIVERED), ("open", State.SENT)):
            await COMMANDS.of(db).insert_one(
                {
                    "_id": id_,
                    "state": state.value,
                    "content": {"token": CARD, "location_id": "LOC1"},
                }
            )
        recorder = Recorder(db, Rules(True, Bounds(16_000, 1_000)), Vault("k" * 40).digest)
        recorder.take(seen(method="PUT", url=f"/ocpi/cpo/2.2.1/tokens/NL/TNM/{UID}", request=CARD))
        await recorder.write()
        for id_, active in (("past", False), ("now", True)):
            await RESERVATIONS.of(db).insert_one(
                {"_id": id_, "active": active, "token": CARD, "cp_id": "CP-001"}
            )
        await db["charging_sessions"].insert_one(
            {"_id": "S1", "token": CARD, "running": False, "cp_id": "CP-001", "connector_id": "1"}
        )

    loop.run(write())


def test_the_card_is_forgotten_and_the_bill_is_not(cpo: Cpo, db: Database, loop: Loop) -> None:
    fill(db, loop)
    done = cpo("tokens", "erase", UID.lower(), "--yes")
    assert done.code == 0, done.err
    assert done.json() == {
        "tokens": 2,
        "commands": 1,
        "reservations": 1,
        "exchanges": 1,
        "sessions_kept": 1,
    }
    assert "they are bills" in done.err
    run = loop.run
    (left,) = run(DbInterface(db).objects("tokens").documents({}))
    assert left["fields"]["uid"] == "ANOTHER"
    over = run(COMMANDS.of(db).find_one({"_id": "over"}))
    assert over is not None
    assert over["content"] == {
        "token": {"uid": "ERASED", "contract_id": "ERASED"},
        "location_id": "LOC1",
    }
    past = run(RESERVATIONS.of(db).find_one({"_id": "past"}))
    assert past is not None and UID not in str(past) and past["token"]["party_id"] == "TNM"
    for kept in (
        run(RESERVATIONS.of(db).find_one({"_id": "now"})),
        run(COMMANDS.of(db).find_one({"_id": "open"})),
        run(SESSIONS.of(db).find_one({"_id": "S1"})),
    ):
        assert kept is not None and UID in str(kept)
    (exchange,) = run(EXCHANGES.of(db).find({}))
    assert UID[-4:] not in str(exchange) and "Mustermann" not in str(exchange)
    log = cpo("audit", "--json").out
    assert '"tokens.erase"' in log and UID not in log


def test_what_is_not_known_is_said_and_nothing_is_done_unasked(cpo: Cpo) -> None:
    assert cpo("tokens", "erase", "NOBODY", "--yes").err == "cpo: nothing is known of that card\n"
    assert "--yes is needed" in cpo("tokens", "erase", UID).err


def test_tokens_are_listed_the_newest_first(cpo: Cpo, db: Database, loop: Loop) -> None:
    fill(db, loop)
    rows = cpo("tokens", "list", "--json").json()
    assert [(row["uid"], row["party_id"]) for row in rows] == [
        ("ANOTHER", "TNM"),
        (UID, "OTH"),
        (UID, "TNM"),
    ]
    table = cpo("tokens", "list", "--party", "nl/oth")
    assert "NL/OTH" in table.out and "NL/TNM" not in table.out
    assert cpo("tokens", "list", "--limit", "1").err == "the newest 1; --limit shows more\n"
