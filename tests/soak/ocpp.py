"""Gateways are killed and wires are cut while OCPP charge points charge; then the judgement: what
was delivered is billed once, whatever was answered or not."""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from auth.charge_point_credentials import CredentialHashes
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.owned_objects import party_key
from domain.objects.tokens import owned_token
from domain.ocpp.adding import add_station
from domain.peers import claims
from domain.peers.peers import Peers
from domain.peers.terms import ANY_PARTY
from domain.secrets import Vault, new_token
from domain.sessions.session_records import SESSIONS
from tests.cpo_app.charge_point.worlds import until
from tests.domain.authorization.test_authorization import token
from tests.e2e.processes import Process, Processes, processes
from tests.serving import free_port
from tests.settings_of import settings_of
from tests.soak.ocpp_boxes import SPEED, Visited, visited
from tests.soak.relay import Relay

NOTHING_FOR_S = 60
STATIONS = 6
KEY = secrets.token_hex(20)
PASSWORD = "a-password-of-the-soak"
METADATA = {"power_rating": "22kW", "type": "AC"}


async def prepared(db: Database, cp_ids: Sequence[str]) -> None:
    """The stations, an eMSP, and a card for each that charges unasked."""
    store, party = DbInterface(db), settings_of().parties[0]
    (digest,) = CredentialHashes(KEY).of(PASSWORD)
    peers, now = Peers(db, Vault(KEY)), db.now()
    peer, _ = await peers.invite("Soak", now, ANY_PARTY)
    roles = [{"role": "EMSP", "country_code": "DE", "party_id": "TNM"}]
    ours, theirs = new_token(), new_token()
    await peers.connect(
        peer.peer_id, our_token=ours, their_token=theirs, now=now, roles=roles, endpoints=[]
    )
    audience = (await claims.audiences_of(db, party_key("DE", "TNM")))[-1]
    for cp_id in cp_ids:
        await store.transact(
            lambda tx, cp_id=cp_id: add_station(  # type: ignore[misc]
                tx,
                cp_id,
                party=party,
                location="Berlin",
                metadata=METADATA,  # type: ignore[arg-type]
                password_hash=digest,
            )
        )
        card = token(f"CARD-{cp_id}", whitelist="ALWAYS")
        await store.create("tokens", owned_token(card, audience))


def gateways(running: Processes, store_url: str, ports: Sequence[int]) -> list[Process]:
    environment = {
        "CPO_MONGO_URL": store_url,
        "CPO_ENCRYPTION_KEY": KEY,
        "REGISTRY_SECRET_KEY": KEY,
        "CPO_ADMIN_PASSWORD": KEY,
        "CPO_LOG_LEVEL": "WARNING",
        "CPO_MAX_FAILURES_PER_MINUTE": "0",
        "CENTRAL_MAX_POWER_FACTOR": str(1.1 * SPEED),
    }
    return [running.cpo("ocpp", "--port", str(port), **environment) for port in ports]


async def faults(
    chance: random.Random, count: int, killed: Sequence[Process], wires: Sequence[Relay]
) -> None:
    """One after the other; each kind comes."""
    for number in range(count):
        await asyncio.sleep(chance.uniform(0.5, 1.5))
        if number % 2 == 0:
            gateway = killed[number // 2 % len(killed)]
            await asyncio.to_thread(gateway.kill)
            await asyncio.sleep(chance.uniform(0.2, 1.0))
            await asyncio.to_thread(gateway.start)
        else:
            wire = chance.choice(wires)
            wire.cut()
            await asyncio.sleep(chance.uniform(0.5, 2.0))
            wire.mend()


async def settled(boxes: Sequence[Visited], nothing_for_s: float = NOTHING_FOR_S) -> None:
    """Return when all that happened was answered, or nothing more was for so long. As long as
    something is, a busy host merely takes its time."""
    with contextlib.suppress(AssertionError):
        while not all(box.is_silent() for box in boxes):
            before = sum(box.waiting() for box in boxes)
            await until(
                lambda before=before: (  # type: ignore[misc]
                    all(box.is_silent() for box in boxes)
                    or sum(box.waiting() for box in boxes) < before
                ),
                nothing_for_s,
            )


async def differences(db: Database, boxes: Sequence[Visited]) -> list[str]:
    """Session by session there are as many, and each charge point's sum is billed: 1.6 tells whole
    Wh at either end of a session."""
    found: list[str] = []
    sessions = await SESSIONS.of(db).find({})
    rows = await DbInterface(db).objects("cdrs").documents({})
    bills = Counter(str(row["fields"]["session_id"]) for row in rows)
    found += [f"session {one} has {times} CDRs" for one, times in bills.items() if times != 1]
    billed: dict[str, list[float]] = {box.cp_id: [] for box in boxes}
    for row in rows:
        cp_id = row["fields"]["cdr_location"]["evse_uid"]
        billed[cp_id].append(float(row["fields"]["total_energy"]) * 1000)
    for session in sessions:
        for trouble in ("held", "suspect", "to_stop", "cdr_problem"):
            if session.get(trouble):
                found.append(f"session {session['_id']} is {trouble}: {session.get(trouble)}")
        if session["status"] != "COMPLETED":
            found.append(f"session {session['_id']} is {session['status']}")
    for box in boxes:
        there, here = box.delivered_wh(), billed[box.cp_id]
        if len(there) != len(here):
            found.append(f"{box.cp_id}: {len(there)} sessions, {len(here)} CDRs")
        slack_wh = (1.0 if box.version == "1.6" else 0.1) * (len(there) + 1)
        if abs(sum(there) - sum(here)) > slack_wh:
            found.append(f"{box.cp_id}: delivered {sum(there):.1f} Wh, billed {sum(here):.1f} Wh")
    return found


@dataclass(frozen=True)
class Outcome:
    """`problems`: everything that is not as it has to be."""

    problems: list[str]
    sessions: int
    delivered_wh: float


async def soaked(
    directory: Path, store_url: str, db: Database, seed: int, fault_count: int
) -> Outcome:
    """Play it on an empty store; the gateways leave their logs in `directory`."""
    cp_ids = [f"BOX-{number}" for number in range(STATIONS)]
    ports = [free_port(), free_port()]
    chance = random.Random(seed)
    await prepared(db, cp_ids)
    with processes(directory) as running:
        killed = gateways(running, store_url, ports)
        wires = [Relay(ports) for _ in range(3)]
        urls = [f"ws://127.0.0.1:{await wire.listen()}/ocpp" for wire in wires]
        boxes = [
            visited(cp_id, "2.0.1" if n % 2 else "1.6", urls[n % 3], PASSWORD, f"CARD-{cp_id}")
            for n, cp_id in enumerate(cp_ids)
        ]
        living = [asyncio.create_task(box.keeping.run()) for box in boxes]
        try:
            await until(lambda: all(box.keeping.online.is_set() for box in boxes), 60)
            drivers = [
                asyncio.create_task(box.visits(random.Random(f"{seed} {box.cp_id}")))
                for box in boxes
            ]
            await faults(chance, fault_count, killed, wires)
            for driver in drivers:
                driver.cancel()
            await asyncio.gather(*drivers, return_exceptions=True)
            for box in boxes:
                await box.leave()
            await settled(boxes)
            left = [box.left() for box in boxes if not box.is_silent()]
            delivered = [wh for box in boxes for wh in box.delivered_wh()]
            problems = [*left, *await differences(db, boxes)]
            return Outcome(problems, len(delivered), sum(delivered))
        finally:
            for task in living:
                task.cancel()
            await asyncio.gather(*living, return_exceptions=True)
            for wire in wires:
                with contextlib.suppress(OSError):
                    await wire.close()
