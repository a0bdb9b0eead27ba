"""Keys change, and nobody registers anew."""

from __future__ import annotations

from datetime import timedelta

import pytest

from auth.charge_point_credentials import CredentialHashes
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.charge_points import registrations
from domain.charge_points.registrations import Application, Proof
from domain.key_rotation import rotate
from domain.ocpp import connections, stations
from domain.ocpp.adding import add_station
from domain.operators import operators, totp
from domain.operators.actor import Role
from domain.peers.peer_document import PEERS
from domain.peers.peers import Peers
from domain.peers.terms import ANY_PARTY
from domain.secrets import SecretUnusable, Vault, new_token
from tests.clock import Clock
from tests.conftest import Loop
from tests.settings_of import settings_of

OLD, NEW = "o" * 40, "n" * 40
ROLE = {"role": "EMSP", "country_code": "NL", "party_id": "TNM", "business_details": {"name": "x"}}


def test_the_newest_key_seals_and_the_older_still_opens() -> None:
    before, both, after = Vault(OLD), Vault(NEW, OLD), Vault(NEW)
    kept = before.seal("token-b")
    assert both.open(kept) == "token-b" and not both.is_newest(kept)
    renewed = both.seal(both.open(kept))
    assert after.open(renewed) == "token-b" and after.is_newest(renewed)
    assert both.digests("t") == [after.digest("t"), before.digest("t")]
    with pytest.raises(SecretUnusable):
        after.open(kept)


def test_what_was_sealed_before_keys_had_names_still_opens() -> None:
    vault = Vault(OLD)
    without_a_name = vault.seal("token-b").partition(b":")[2]
    assert vault.open(without_a_name) == "token-b"
    assert Vault(NEW, OLD).open(without_a_name) == "token-b"
    assert not vault.is_newest(without_a_name)


class Platform:
    """A peer, a charge point and a person under the old key."""

    def __init__(self, db: Database, loop: Loop) -> None:
        self.db, self.loop, self.store = db, loop, DbInterface(db)
        db.clock = self.clock = Clock()
        self.ours, self.theirs, self.credentials = new_token(), new_token(), new_token()
        peers = Peers(db, Vault(OLD))

        async def fill() -> str:
            peer, _ = await peers.invite("MSP", db.now(), ANY_PARTY)
            await peers.connect(
                peer.peer_id,
                our_token=self.ours,
                their_token=self.theirs,
                now=db.now(),
                roles=[ROLE],
                endpoints=[],
                version="2.2.1",
                versions_url="https://msp.example/versions",
            )
            await registrations.register(
                self.store,
                Application("CP-001", "Berlin", {}),
                proof=Proof(admin=True),
                open_to_new=True,
                credentials_hash=CredentialHashes(OLD).of(self.credentials)[0],
                party=settings_of().parties[0],
            )
            await self.store.transact(lambda tx: operators.add(tx, "ines", Role.ADMIN, "hash"))
            await self.store.transact(lambda tx: totp.switch_on(tx, Vault(OLD), "ines"))
            return peer.peer_id

        self.peer_id = loop.run(fill())
        self.clock.advance(3600)

    def authenticate(self, *keys: str) -> None:
        digests = CredentialHashes(*keys).of(self.credentials)
        self.loop.run(registrations.authenticate(self.db, "CP-001", digests))

    def is_let_in(self, *keys: str) -> bool:
        vault = Vault(keys[0], *keys[1:])
        return self.loop.run(Peers(self.db, vault).by_token(self.ours)) is not None


@pytest.fixture
def platform(db: Database, loop: Loop) -> Platform:
    return Platform(db, loop)


def test_after_rotate_and_a_use_each_the_old_key_may_go(platform: Platform) -> None:
    both, run = Vault(NEW, OLD), platform.loop.run
    first = run(rotate(platform.db, both))
    assert (first.renewed, first.unopened, first.waiting) == (2, 0, 2)
    assert (first.peers, first.charge_points) == ([platform.peer_id], ["CP-001"])
    assert not first.older_may_go
    assert run(rotate(platform.db, both)).renewed == 0

    platform.clock.advance(60)
    assert platform.is_let_in(NEW, OLD)
    platform.authenticate(NEW, OLD)
    assert run(rotate(platform.db, both)).older_may_go

    # Without the old key everything goes on.
    assert platform.is_let_in(NEW)
    platform.authenticate(NEW)
    peers = Peers(platform.db, Vault(NEW))
    assert peers.their_token(run(peers.get(platform.peer_id))) == platform.theirs
    person = run(operators.find(platform.db, "ines"))
    assert person is not None and Vault(NEW).open(person["totp"])


def test_who_has_not_come_since_still_needs_the_old_key(platform: Platform) -> None:
    platform.loop.run(rotate(platform.db, Vault(NEW, OLD)))
    assert not platform.is_let_in(NEW)
    assert platform.is_let_in(NEW, OLD)


def test_a_station_that_has_not_connected_since_is_named(platform: Platform) -> None:
    run, both = platform.loop.run, Vault(NEW, OLD)
    party = settings_of().parties[0]

    async def add(tx: Tx) -> None:
        for station_id in ("CP-700", "CP-701"):
            await add_station(tx, station_id, party=party, location="Berlin", password_hash="h")

    run(platform.store.transact(add))
    platform.clock.advance(60)
    first = run(rotate(platform.db, both))
    assert first.charge_points == ["CP-001", "CP-700", "CP-701"]
    assert first.waiting == 4
    platform.clock.advance(60)
    now = platform.db.now()
    run(stations.update(platform.db, "CP-700", {"booted_at": now}))
    connected: connections.Connection = {
        "_id": "CP-701",
        "connection": "c",
        "holder": "g",
        "protocol": "ocpp1.6",
        "address": "",
        "since": now,
    }
    run(connections.CONNECTIONS.of(platform.db).insert_one(connected))
    assert run(rotate(platform.db, both)).charge_points == ["CP-001"]


def test_where_there_is_one_key_nobody_has_to_come_again(platform: Platform) -> None:
    done = [platform.loop.run(rotate(platform.db, Vault(OLD))) for _ in range(2)]
    assert [(one.waiting, one.charge_points, one.older_may_go) for one in done] == [
        (0, [], True),
        (0, [], True),
    ]


def test_an_old_key_that_went_too_soon_is_told(platform: Platform) -> None:
    platform.loop.run(rotate(platform.db, Vault(NEW, OLD)))
    done = platform.loop.run(rotate(platform.db, Vault(NEW)))
    assert (done.charge_points, done.older_may_go) == (["CP-001"], False)


def test_what_no_given_key_opens_is_told_and_left_alone(platform: Platform) -> None:
    done = platform.loop.run(rotate(platform.db, Vault(NEW)))
    assert (done.renewed, done.unopened, done.older_may_go) == (0, 2, False)
    assert platform.loop.run(rotate(platform.db, Vault(NEW, OLD))).renewed == 2


def test_a_token_under_an_older_key_is_renewed_once_and_ends_as_others_do(
    platform: Platform,
) -> None:
    peers = Peers(platform.db, Vault(NEW, OLD))
    found = platform.loop.run(peers.by_token(platform.ours))
    assert found is not None
    kept = platform.loop.run(PEERS.of(platform.db).find_one({"_id": platform.peer_id}))
    assert kept is not None
    (entry,) = [one for one in kept["token_hashes"] if one["kind"] == "C"]
    assert (entry["hash"], entry["kid"]) == (Vault(NEW).digest(platform.ours), Vault(NEW).kid)
    assert found[0].document["token_hashes"] == kept["token_hashes"]
    platform.loop.run(peers.revoke(platform.peer_id, platform.ours))
    assert platform.loop.run(peers.by_token(platform.ours)) is None


def test_an_older_keys_entries_keep_their_time(platform: Platform) -> None:
    """A token that a newer one replaces ends when it would have ended under its own key."""
    now = platform.db.now()
    peers = Peers(platform.db, Vault(NEW, OLD))

    async def replaced() -> None:
        await peers.connect(
            platform.peer_id,
            our_token=new_token(),
            their_token=platform.theirs,
            now=now,
            presented=platform.ours,
            grace_s=60,
        )

    platform.loop.run(replaced())
    assert platform.is_let_in(NEW, OLD)
    platform.clock.advance(timedelta(seconds=61).total_seconds())
    assert not platform.is_let_in(NEW, OLD)
