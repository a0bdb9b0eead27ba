"""What `cpo up` sets up: a tariff to charge by and, for `--demo`, an invitation for its eMSP."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from cpo_app.settings import Settings
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.objects.tariffs import owned_tariff
from domain.operators.actor import Actor, ActorKind, acting_as
from domain.outbox.publishing import publish
from domain.peers import claims, parties
from domain.peers.peers import Peers
from domain.peers.terms import ANY_PARTY
from domain.platform_facts import default_tariff, set_default_tariff
from domain.schemas import Tariff, validate
from domain.secrets import Vault

EMSP_NAME = "Demonstration eMSP"
TARIFF_ID = "DEMO"


async def set_the_scene(settings: Settings) -> None:
    """A default tariff, unless the operator has chosen one."""
    own = settings.parties[0]
    with _connected(settings) as db:
        if await default_tariff(db) is not None:
            return
        tariff = validate(Tariff, _tariff(own.country_code, own.party_id))

        async def keep(tx: Tx) -> None:
            await publish(tx.store, "tariffs", owned_tariff(tariff), tx)

        await DbInterface(db).transact(keep)
        with acting_as(Actor(ActorKind.JOB, "cpo up")):
            await DbInterface(db).transact(lambda tx: set_default_tariff(tx, TARIFF_ID))


async def invite(settings: Settings) -> str:
    """A token A for the demonstration eMSP; earlier ones of it are forgotten."""
    with _connected(settings) as db:
        store, peers = DbInterface(db), Peers(db, Vault(*settings.encryption_keys))
        earlier = await peers.all(name=EMSP_NAME)
        with acting_as(Actor(ActorKind.JOB, "cpo up")):
            peer, token = await peers.invite(EMSP_NAME, db.now(), ANY_PARTY)
            for before in earlier:
                for claim in await claims.held_by(db, before.peer_id):
                    await parties.move(store, claim["_id"], peer.peer_id)
                await peers.remove(before.peer_id)
        return token


@contextlib.contextmanager
def _connected(settings: Settings) -> Iterator[Database]:
    db = Database.connect(settings.CPO_MONGO_URL)
    try:
        yield db
    finally:
        db.close()


def _tariff(country_code: str, party_id: str) -> JsonObject:
    energy = {"type": "ENERGY", "price": 0.49, "vat": 19, "step_size": 1}
    parking = {"type": "PARKING_TIME", "price": 3.0, "vat": 19, "step_size": 60}
    flat = {"type": "FLAT", "price": 0.35, "vat": 19, "step_size": 1}
    return {
        "country_code": country_code,
        "party_id": party_id,
        "id": TARIFF_ID,
        "currency": "EUR",
        "elements": [{"price_components": [energy, parking, flat]}],
        "last_updated": "2026-01-01T00:00:00Z",
    }
