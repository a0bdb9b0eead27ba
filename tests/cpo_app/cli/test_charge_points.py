"""`cpo charge-points` as an operator runs it."""

from __future__ import annotations

from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.charge_points import enrolments, registrations
from domain.charge_points.registrations import Application, Proof
from tests.conftest import Loop
from tests.cpo_app.cli.conftest import Cpo


class Ours:
    country_code, party_id, name = "NL", "EVC", "Ours"


def register(db: Database, loop: Loop, cp_id: str, site_id: str) -> None:
    loop.run(
        registrations.register(
            DbInterface(db),
            Application(cp_id, "Amsterdam", {"site_id": site_id}),
            proof=Proof(),
            open_to_new=True,
            credentials_hash="0" * 64,
            party=Ours(),
        )
    )


def test_a_charge_point_is_listed_shown_approved_and_restored(
    db: Database, loop: Loop, cpo: Cpo
) -> None:
    register(db, loop, "CP-001", "HUB")
    register(db, loop, "CP-002", "HUB")

    listed = {row["id"]: row for row in cpo("charge-points", "list", "--json").json()}
    assert {cp_id: row["offered"] for cp_id, row in listed.items()} == {
        "CP-001": True,
        "CP-002": False,
    }
    assert "approve CP-002" in listed["CP-002"]["reasons"][0]
    table = cpo("charge-points", "list").out
    assert all(id_ in table for id_ in ("CP-001", "CP-002", "Amsterdam"))

    approved = cpo("charge-points", "approve", "cp-002").json()
    assert (approved["cp_id"], approved["site_id"]) == ("CP-002", "hub")
    shown = cpo("charge-points", "show", "CP-002").json()
    assert shown["offered"] is True
    assert shown["registration"]["history"][-1]["event"] == "let into its site"

    loop.run(
        registrations.deregister(DbInterface(db), "CP-001", proof=Proof(admin=True), party=Ours())
    )
    assert cpo("charge-points", "show", "CP-001").json()["status"] == "REMOVED"
    assert cpo("charge-points", "restore", "CP-001").json()["status"] == "REGISTERED"
    assert cpo("charge-points", "show", "CP-001").json()["offered"] is True


def test_an_enrolment_token_is_shown_once_and_known(db: Database, loop: Loop, cpo: Cpo) -> None:
    made = cpo("charge-points", "enrol", "CP-777").json()

    token_hash = enrolments.hash_of(made["token"])
    assert made["cp_id"] == "CP-777"
    assert token_hash is not None
    assert loop.run(enrolments.is_known(db, token_hash, db.now()))


def test_a_wrong_id_is_one_line(cpo: Cpo) -> None:
    for arguments, said in (
        (("show", "CP-404"), "no such charge point"),
        (("approve", "CP-404"), "no such charge point"),
        (("restore", "CP-404"), "no such charge point"),
        (("enrol", "x y"), "3 to 64"),
    ):
        refused = cpo("charge-points", *arguments)
        assert (refused.code, refused.out) == (1, "")
        assert said in refused.err
        assert refused.err.count("\n") == 1
