"""A card is forgotten: of the exchanges about it stays that they took place."""

from __future__ import annotations

import orjson

from db_interface.database import Database
from domain.exchanges import listing
from domain.exchanges.document import Bounds
from domain.exchanges.exchange import EXCHANGES
from domain.exchanges.forgetting import FORGOTTEN, forget_card
from domain.exchanges.recorder import Recorder, Rules
from domain.exchanges.search_keys import Wanted
from tests.conftest import Loop
from tests.domain.exchanges.samples import digest, seen

CARD, OTHER = "04A1B2C3D4E5", "04A1B2C3D4E6"
HOLDER = {"uid": CARD, "contract_id": "NL-TNM-C00000001", "issuer": "Max Mustermann"}


def test_what_exchanges_tell_of_a_card_goes_and_all_others_stay(db: Database, loop: Loop) -> None:
    recorder = Recorder(db, Rules(True, Bounds(16_000, 1_000)), digest)
    about_card = (
        seen(
            method="PUT",
            url=f"/ocpi/cpo/2.2.1/tokens/NL/TNM/{CARD}?type=RFID",
            request=HOLDER,
            request_headers=[(b"location", f"https://x/{CARD}".encode())],
        ),
        seen(
            method="POST",
            url="/ocpi/cpo/2.2.1/commands/START_SESSION",
            request={"token": HOLDER, "location_id": "LOC1"},
        ),
    )
    others = seen(method="PUT", url=f"/ocpi/cpo/2.2.1/tokens/NL/TNM/{OTHER}", request={})
    for one in (*about_card, others):
        recorder.take(one)
    loop.run(recorder.write())
    kept = {row["_id"]: row for row in loop.run(EXCHANGES.of(db).find({}))}

    assert loop.run(forget_card(db, [digest(CARD), "digest by an older key"])) == 2

    rows = {row["_id"]: row for row in loop.run(EXCHANGES.of(db).find({}))}
    changed = [row for row in rows.values() if row != kept[row["_id"]]]
    assert len(changed) == 2
    for row in changed:
        before = kept[row["_id"]]
        # Its own id and time are digits that may be any.
        said = {name: value for name, value in row.items() if name not in ("_id", "at")}
        text = orjson.dumps(said, default=str).decode()
        for told in (CARD[-4:], "0001", "Mustermann", digest(CARD)):
            assert told.lower() not in text.lower()
        assert row["request"] == {
            "head": "",
            "body": FORGOTTEN,
            "size": before["request"]["size"],
            "cut": True,
        }
        for fact in ("at", "peer_id", "module", "method", "status", "correlation_id"):
            assert row[fact] == before[fact]
    assert {row["url"] for row in changed} == {
        f"/ocpi/cpo/2.2.1/tokens/NL/TNM/{FORGOTTEN}",
        "/ocpi/cpo/2.2.1/commands/START_SESSION",
    }
    by_card = Wanted(object=CARD, cards=[digest(CARD)])
    assert loop.run(listing.listed(db, by_card, limit=10)) == ([], None)
    by_place = loop.run(listing.listed(db, Wanted(object="LOC1"), limit=10))[0]
    assert [row["objects"] for row in by_place] == [["LOC1"]]
    assert loop.run(forget_card(db, [digest(CARD)])) == 0
