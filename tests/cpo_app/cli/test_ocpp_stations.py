"""`cpo charge-points add --ocpp`: a station is added, and its password shown once."""

from __future__ import annotations

import stat
from functools import partial
from pathlib import Path

from auth.station_authority import StationAuthority
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.charge_points import registration_store
from domain.ocpp import stations, transactions
from domain.ocpp.energy_counter import started
from domain.ocpp.message_log import MessageLog
from domain.secrets import Vault
from tests.conftest import Loop
from tests.cpo_app.cli.conftest import Cpo


def test_it_is_added_once_and_given_another_password(cpo: Cpo, db: Database, loop: Loop) -> None:
    added = cpo("charge-points", "add", "CP-007", "--ocpp", "--location", "Utrecht").json()
    assert added["url"] == "ws://127.0.0.1:9000/ocpp/CP-007"
    assert (added["user"], len(added["password"])) == ("CP-007", 40)

    def kept() -> str:
        station = loop.run(stations.get(db, "CP-007"))
        assert station is not None
        return station["password_hash"]

    assert kept() == Vault("k" * 40).digest(added["password"])
    record = loop.run(registration_store.get(db, "CP-007"))
    assert record is not None
    assert (record["location"], record["station"]) == ("Utrecht", "CP-007")

    again = cpo("charge-points", "add", "CP-007", "--ocpp")
    assert again.code == 1 and "is added already" in again.err
    another = cpo("charge-points", "ocpp-password", "CP-007", "--yes").json()["password"]
    assert kept() == Vault("k" * 40).digest(another) != Vault("k" * 40).digest(added["password"])


def test_a_ca_of_ones_own(cpo: Cpo, tmp_path: Path) -> None:
    made = cpo("charge-points", "new-authority", str(tmp_path / "ca"))
    files = dict(line.split("=", 1) for line in made.out.splitlines())
    certificate, key = files["CPO_OCPP_CA_CERT_FILE"], files["CPO_OCPP_CA_KEY_FILE"]
    assert StationAuthority.of_files(certificate, key, 365).ends
    assert stat.S_IMODE(Path(key).stat().st_mode) == 0o600
    again = cpo("charge-points", "new-authority", str(tmp_path / "ca"))
    assert again.code == 1 and "is there already" in again.err


def test_a_box_that_waits_is_sent_away_or_added_all_the_same(
    cpo: Cpo, db: Database, loop: Loop
) -> None:
    hold = partial(stations.hold, station_id="CP-NEW", password_hash="h")
    loop.run(DbInterface(db).transact(hold))
    assert "waits to be added" in cpo("charge-points", "stations").out
    assert cpo("charge-points", "refuse-box", "CP-NEW").code == 0
    assert "refused" in cpo("charge-points", "stations").out
    again = cpo("charge-points", "refuse-box", "CP-NEW")
    assert again.code == 1 and "does not wait" in again.err
    assert cpo("charge-points", "refuse-box", "CP-XXX").code == 1
    assert cpo("charge-points", "add", "CP-NEW", "--ocpp", "--location", "Utrecht").code == 0
    station = loop.run(stations.get(db, "CP-NEW"))
    assert station is not None and station["status"] == "APPROVED"


def test_what_does_not_speak_ocpp_registers_by_itself(cpo: Cpo) -> None:
    said = cpo("charge-points", "add", "CP-007")
    assert said.code == 1 and "cpo charge-points enrol" in said.err


def test_its_messages_are_shown_redacted(cpo: Cpo, db: Database, loop: Loop) -> None:
    cpo("charge-points", "add", "CP-007", "--ocpp")

    async def say() -> None:
        log = MessageLog(db, per_station=10, days=1)
        card = {"idTag": "04A1B2C3D4"}
        log.note("CP-007", "CALL", card, from_us=False, action="Authorize", message_id="7")
        log.note("CP-007", "CALL", {}, from_us=True, action="ClearCache", message_id="8")
        await log.write()

    loop.run(say())
    (row,) = cpo("charge-points", "ocpp-log", "CP-007", "--action", "Authorize", "--json").json()
    assert (row["message_id"], row["content"]) == ("7", '{"idTag":"…C3D4"}')
    assert "ClearCache" in cpo("charge-points", "ocpp-log", "cp-007").out
    unknown = cpo("charge-points", "ocpp-log", "CP-008")
    assert unknown.code == 1 and unknown.err == "cpo: CP-008: no charge point with OCPP\n"


def test_its_transactions_are_shown_and_which_are_nobodys(
    cpo: Cpo, db: Database, loop: Loop
) -> None:
    cpo("charge-points", "add", "CP-007", "--ocpp")

    async def told(tx: Tx) -> None:
        begun = transactions.new(
            tx,
            station="CP-007",
            transaction_id=4711,
            cp_id="CP-007",
            evse=1,
            connector_id="1",
            counter={**started(tx.now, 1000.0), "register_wh": 3500.0, "told": True},
            told_at=tx.now,
        )
        await transactions.insert(tx, {**begun, "begun": True, "session_id": "S-1"})
        lost = {**begun, "_id": "lost", "transaction_id": 4712, "ended": True, "nobodys": True}
        end: transactions.End = {"at": tx.now, "reason": "PowerLoss"}
        await transactions.insert(tx, {**lost, "end": end})  # type: ignore[typeddict-item]

    loop.run(DbInterface(db).transact(told))
    rows = cpo("charge-points", "transactions", "CP-007", "--json").json()
    by_id = {row["transaction_id"]: row for row in rows}
    runs, ended = by_id[4711], by_id[4712]
    assert (runs["state"], runs["session_id"], runs["energy_wh"]) == ("runs", "S-1", 2500.0)
    assert (ended["state"], ended["session_id"], ended["reason"]) == ("ended", None, "PowerLoss")
    assert "nobody's" in cpo("charge-points", "transactions", "cp-007").out
    unknown = cpo("charge-points", "transactions", "CP-008")
    assert unknown.code == 1 and unknown.err == "cpo: CP-008: no charge point with OCPP\n"
