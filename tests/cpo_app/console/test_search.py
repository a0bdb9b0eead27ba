"""Search everywhere: straight to the one thing meant, else what begins so; of a card only a whole
number counts."""

from __future__ import annotations

import re
from typing import Any

import pytest

from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.exchanges.exchange import EXCHANGES
from domain.objects.tokens import owned_token
from domain.operator.search import search
from domain.operators.actor import Role
from tests.conftest import Loop
from tests.cpo_app.console.test_roles import visit_of
from tests.cpo_app.console.worlds import Night

CARD = {
    "country_code": "DE",
    "party_id": "MSP",
    "uid": "04A2B3C4D5E6F7",
    "type": "RFID",
    "contract_id": "DE-MSP-C12345678-X",
    "visual_number": "DF000-2001-8999",
    "issuer": "MSP",
    "valid": True,
    "whitelist": "ALWAYS",
    "last_updated": "2025-05-05T12:00:00Z",
}


@pytest.fixture
def searched(own_night: Night) -> Night:
    async def keep(tx: Tx) -> None:
        await tx.store.objects("tokens").put(owned_token(CARD), tx)

    own_night.loop.run(DbInterface(own_night.db).transact(keep))
    return own_night


def found(night: Night, query: str, **visiting: Any) -> dict[str, list[str]]:
    answer = night.visit(**visiting).get("/console/search", params={"q": query})
    assert answer.status_code == 200, answer.headers
    sections = re.findall(r"<h2>([\w ]+) <span.*?</section>", answer.text, re.S)
    hits = re.findall(r'<section class="card">\s*<h2>.*?</section>', answer.text, re.S)
    return {
        kind: re.findall(r'<(?:a|span) class="id"[^>]*>([^<]*)', part)
        for kind, part in zip(sections, hits, strict=True)
    }


def test_the_one_thing_meant_is_gone_to_at_once(searched: Night) -> None:
    visit = searched.visit()
    for said, page in (
        ("cp-bad", "/console/charge-points/CP-BAD"),
        (" CP-NEVER ", "/console/charge-points/CP-NEVER"),
        (searched.running.upper(), f"/console/sessions/{searched.running}"),
        (searched.peer_id, f"/console/peers/{searched.peer_id}"),
        ("LOC1", "/console/objects/locations?key=nl%2Fevc%2Floc1"),
        ("04a2b3c4d5e6f7", "/console/tokens?contract=DE-MSP-C12345678-X"),
        ("DF000-2001-8999", "/console/tokens?contract=DE-MSP-C12345678-X"),
        ("de-msp-c12345678-x", "/console/tokens?contract=DE-MSP-C12345678-X"),
    ):
        answer = visit.get("/console/search", params={"q": said})
        assert (answer.status_code, answer.headers.get("location")) == (303, page), said


def test_a_session_and_its_cdr_of_one_id_are_both_shown(night: Night) -> None:
    assert found(night, night.ended) == {"Session": [night.ended], "CDR": [night.ended]}


def test_else_what_begins_so_is_shown_by_kind(searched: Night) -> None:
    assert found(searched, "cp-s") == {"Charge point": ["CP-SILENT"], "Location": ["CP-SILENT"]}
    assert found(searched, "AMSTERD")["Charge point"] == ["CP-001"]
    assert "LOC1" in [one.upper() for one in found(searched, "amsterd")["Location"]]
    assert found(searched, searched.running[:8]) == {"Session": [searched.running]}
    assert found(searched, "de-msp-c1234") == {"Card": ["DE-MSP-C12345678-X"]}
    assert list(found(searched, "MSP")) == ["Peer"]
    for nothing in ("", "x" * 101, ".*", "zz", "(", "04A2B3", "\x00"):
        assert found(searched, nothing.replace("\x00", "zz")) == {}, nothing


def test_correlation_ids_are_found_by_those_who_may_see_exchanges(
    own_night: Night, loop: Loop
) -> None:
    exchange = {"_id": "0" * 22, "keys": ["corr-7"], "correlation_id": "Corr-7"}
    loop.run(EXCHANGES.of(own_night.db).insert_one(exchange))  # type: ignore[arg-type]
    page = own_night.visit().get("/console/search?q=Corr-7")
    assert page.headers["location"] == "/console/exchanges?correlation=Corr-7"
    viewer = visit_of(own_night, Role.VIEWER).get("/console/search?q=Corr-7")
    assert viewer.status_code == 200 and "/console/exchanges" not in viewer.text


def test_more_than_are_shown_is_said(own_night: Night, loop: Loop) -> None:
    for number in range(12):
        own_night.register(f"ROW-{number:02}", "Oslo")
    hits = loop.run(search(own_night.db, "row-"))
    assert len(hits.by_kind()["charge point"]) == 10 and "charge point" in hits.more
