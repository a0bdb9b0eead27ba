"""The CPO that is measured and the eMSP that it is connected to: settings, tariff, card, START.

What the sets with charge points have in common, whatever these speak.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Sequence
from datetime import datetime, timezone

import httpx

from auth.credentials_header import encoded
from bench.emsp import Emsp
from bench.ground import Ground
from bench.processes import Server
from bench.simulated_charge_points import Wire
from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.json_data import JsonObject
from domain.objects.tariffs import owned_tariff
from domain.outbox.publishing import publish
from domain.peers.peers import Peers
from domain.peers.terms import ANY_PARTY
from domain.secrets import Vault, new_token

SECRET = "bench registry secret " * 2
KEY = "bench encryption key " * 2
ADMIN = "bench-admin-key-" * 2
METADATA = {"power_rating": "22kW", "type": "AC", "tariff_ids": ["BENCH"]}
TARIFF: JsonObject = {
    "country_code": "DE",
    "party_id": "CPO",
    "id": "BENCH",
    "currency": "EUR",
    "elements": [
        {
            "price_components": [
                {"type": "FLAT", "price": 1.0, "vat": 20, "step_size": 1},
                {"type": "ENERGY", "price": 0.5, "vat": 20, "step_size": 1},
            ]
        }
    ],
    "last_updated": "2026-01-01T00:00:00Z",
}
NO_ANSWER = 0
LATER = (429, 503)
_READY_S = 120
_ASKED_AGAIN_S = 0.5
_numbers = itertools.count()
"""A START like one before would be the same command."""


def settings(place: Ground, **more: str) -> dict[str, str]:
    """The environment of its servers."""
    return {
        "CPO_MONGO_URL": place.url,
        "CPO_ENCRYPTION_KEY": KEY,
        "REGISTRY_SECRET_KEY": SECRET,
        "CPO_ADMIN_PASSWORD": ADMIN,
        "CPO_ALLOW_PRIVATE_URLS": "true",
        "CPO_LOG_LEVEL": "WARNING",
        "CPO_MAX_FAILURES_PER_MINUTE": "0",
        **more,
    }


async def prepared(db: Database, emsp: Emsp) -> str:
    """A tariff and a connected eMSP; its token."""
    store, peers = DbInterface(db), Peers(db, Vault(KEY))
    await store.transact(lambda tx: publish(store, "tariffs", owned_tariff(TARIFF), tx))
    now = datetime.now(timezone.utc)
    peer, _ = await peers.invite("bench", now, ANY_PARTY)
    token = new_token()
    await peers.connect(
        peer.peer_id,
        our_token=token,
        their_token=new_token(),
        now=now,
        roles=[{"role": "EMSP", "country_code": "DE", "party_id": "EMS"}],
        endpoints=[
            {
                "identifier": module,
                "role": "RECEIVER",
                "url": f"http://127.0.0.1:{emsp.port}/{module}",
            }
            for module in ("locations", "sessions", "cdrs")
        ],
    )
    return token


async def answering(*servers: Server) -> None:
    """Return when each of them says that it can work; one that just starts may answer late."""
    asked = {"registry": ("/", '"status":"ok"'), "serve": ("/readyz", '"ready":true')}
    async with httpx.AsyncClient() as client:
        for server in servers:
            path, word = asked[server.name]
            url = f"http://127.0.0.1:{server.port}{path}"
            deadline, said = time.monotonic() + _READY_S, ""
            while word not in said:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{server.name} is not ready: {said[:500]}")
                await asyncio.sleep(0.1)
                with contextlib.suppress(httpx.TransportError):
                    said = (await client.get(url)).text.replace(" ", "")


async def start_session(
    central: Server,
    emsp: Emsp,
    token: str,
    cp_id: str,
    *,
    within_s: float,
    again_on: Sequence[int] = LATER,
    **place: str,
) -> None:
    """START_SESSION at a charge point, `place`: what it says beside its EVSE. Raises RuntimeError
    where it is not ACCEPTED."""
    wire, number = Wire(central.port), str(next(_numbers))
    body: JsonObject = {
        "response_url": f"http://127.0.0.1:{emsp.port}/results/{number}",
        "token": card(cp_id),
        "location_id": cp_id,
        "evse_uid": cp_id,
        **place,
    }
    status, answer = await asked_until_taken(
        wire,
        within_s,
        "/ocpi/cpo/2.2.1/commands/START_SESSION",
        body,
        f"Authorization: {encoded(token)}",
        "X-Request-ID: bench",
        f"X-Correlation-ID: {number}",
        again_on=again_on,
    )
    wire.close()
    if status != 200 or (answer.get("data") or {}).get("result") != "ACCEPTED":
        raise RuntimeError(f"START_SESSION: {status} {answer}")


async def asked_until_taken(
    wire: Wire,
    within_s: float,
    path: str,
    body: JsonObject,
    *headers: str,
    again_on: Sequence[int] = LATER,
) -> tuple[int, JsonObject]:
    """The answer; for so long asked again while it is "later"."""
    deadline = time.monotonic() + within_s
    while True:
        status, answer = await wire.post(path, body, *headers)
        if status not in again_on or time.monotonic() >= deadline:
            return status, answer
        await asyncio.sleep(_ASKED_AGAIN_S)


def card(name: str) -> JsonObject:
    return {
        "country_code": "DE",
        "party_id": "EMS",
        "uid": name,
        "type": "APP_USER",
        "contract_id": f"DE-EMS-{name}",
        "issuer": "bench",
        "valid": True,
        "whitelist": "ALWAYS",
        "last_updated": "2026-01-01T00:00:00Z",
    }
