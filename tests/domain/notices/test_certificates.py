"""Certificates of others are trouble before their end, while we have to do with who shows them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from db_interface.database import Database
from domain.charge_points.registration_store import REGISTRATIONS
from domain.notices.certificates import CHARGE_POINT, PEER, RENEW_WITHIN, note, place_of, source
from domain.peers.peer_document import PEERS
from domain.peers.statuses import CONNECTED, DISCONNECTED
from tests.conftest import Loop

DAY = timedelta(days=1)


class Store:
    def __init__(self, db: Database, loop: Loop) -> None:
        self.db, self.loop = db, loop
        self.put(
            PEERS.name,
            _id="peer-1",
            name="Lender",
            status=CONNECTED,
            versions_url="https://emsp.example/versions",
            endpoints=[{"url": "https://ocpi.emsp.example:8443/cdrs"}, {"url": "http://x/tokens"}],
        )
        self.put(
            PEERS.name, _id="peer-2", status=DISCONNECTED, versions_url="https://gone.example/"
        )
        for cp_id, status in (("CP-1", "REGISTERED"), ("CP-2", "DEREGISTERED")):
            self.put(REGISTRATIONS.name, _id=cp_id, folded_id=cp_id.lower(), status=status)

    def put(self, collection: str, **document: object) -> None:
        async def insert() -> None:
            await self.db[collection].insert_one(document)

        self.loop.run(insert())

    def shown(self, whose: str, left: timedelta, *subjects: str) -> None:
        self.loop.run(note(self.db, whose, dict.fromkeys(subjects, self.db.now() + left)))

    def said(self) -> list[str]:
        async def look() -> list[str]:
            return [trouble.said for trouble in await source(self.db).look()]

        return self.loop.run(look())


@pytest.fixture
def store(db: Database, loop: Loop) -> Store:
    return Store(db, loop)


def test_who_is_registered_is_told_of_before_and_after_the_end(store: Store) -> None:
    store.shown(PEER, RENEW_WITHIN - DAY, "ocpi.emsp.example:8443", "gone.example:443")
    store.shown(CHARGE_POINT, -DAY, "CP-1", "CP-2")
    peer, charge_point = sorted(store.said(), reverse=True)
    assert peer.startswith("the certificate of peer Lender (ocpi.emsp.example:8443) ends on ")
    assert charge_point.startswith("the certificate of charge point CP-1 ended on ")


def test_a_new_certificate_ends_it(store: Store) -> None:
    store.shown(PEER, DAY, "emsp.example:443")
    store.shown(CHARGE_POINT, DAY, "CP-1")
    assert len(store.said()) == 2
    store.shown(PEER, RENEW_WITHIN + DAY, "emsp.example:443")
    store.shown(CHARGE_POINT, RENEW_WITHIN + DAY, "CP-1")
    assert store.said() == []


def test_where_a_url_leads() -> None:
    assert place_of("https://Emsp.example/ocpi") == "emsp.example:443"
    assert place_of("https://[2001:db8::1]:8443/x") == "2001:db8::1:8443"
    for none in ("http://emsp.example/", "https://", "https://emsp.example:port/", "", "//x"):
        assert place_of(none) is None
