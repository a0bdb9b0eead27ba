"""Stores that earlier versions left behind, in the middle of their work, opened with today's code:
peers speak with their tokens, what there was is served, what was under way is finished and billed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx
import pytest

from auth.charge_point_tokens import issue
from auth.credentials_header import encoded
from cpo_app.backend import Backend
from cpo_app.main import build_app
from db_interface.database import Database
from domain.commands.command_queue import COMMANDS
from domain.peers.claims import CLAIMS
from domain.secrets import Vault
from domain.upgrades.steps import STEPS
from domain.upgrades.upgrade import refuse_newer
from tests.conftest import Loop
from tests.peers.emsp import Emsp, emsp_on
from tests.serving import listener, served, url_of
from tests.settings_of import settings_of
from tests.upgrade.kept_store import KeptStore

LEFT_AGO = timedelta(seconds=90)
WITHIN_S = 20.0
FROM = "2020-01-01T00:00:00Z"


@dataclass
class House:
    """The whole app on the kept store."""

    loop: Loop
    db: Database
    base: str
    kept: KeptStore
    emsp: Emsp

    def get(self, path: str, token: str | None = None, **query: Any) -> httpx.Response:
        shown = encoded(token or self.kept.secrets["token_c"])
        url = f"{self.base}/ocpi/{path}"
        return httpx.get(url, params=query, headers={"Authorization": shown})

    def all_of(self, module: str) -> list[dict[str, Any]]:
        """Every object of the module, as the kept peer reads them."""
        found: list[dict[str, Any]] = []
        while True:
            at: dict[str, Any] = {"date_from": FROM, "offset": len(found), "limit": 3}
            answer = self.get(f"cpo/2.2.1/{module}", **at)
            assert answer.status_code == 200, answer.text
            found += answer.json()["data"]
            if "next" not in answer.links:
                assert int(answer.headers["X-Total-Count"]) == len(found)
                return found

    def charge_point(self, cp_id: str, path: str, **body: Any) -> dict[str, Any]:
        token, _ = issue(
            self.kept.secrets["REGISTRY_SECRET_KEY"],
            cp_id=cp_id,
            location="Vienna",
            token_version=1,
            lifetime=timedelta(hours=1),
            now=datetime.now(timezone.utc),
        )
        answer = httpx.post(
            f"{self.base}/cp/{path}",
            json={"cp_id": cp_id, **body},
            headers={"Authorization": f"Bearer {token}"},
        )
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def until(self, holds: Callable[[], object]) -> None:
        deadline = time.monotonic() + WITHIN_S
        while not holds():
            assert time.monotonic() < deadline, "it does not come to pass"
            time.sleep(0.05)


@contextmanager
def house(kept: KeptStore, url: str, loop: Loop) -> Iterator[House]:
    async def connect() -> Database:
        return Database.connect(url)

    with emsp_on(loop, "NL*KEP") as emsp:
        db = loop.run(connect())
        loop.run(kept.load(db, emsp.base_url, LEFT_AGO))
        listening = listener()
        secrets = kept.secrets
        settings = settings_of(
            CPO_MONGO_URL=url,
            CPO_ENCRYPTION_KEY=secrets["CPO_ENCRYPTION_KEY"],
            REGISTRY_SECRET_KEY=secrets["REGISTRY_SECRET_KEY"],
            CPO_ALLOW_PRIVATE_URLS=True,
            OCPI_HOST=url_of(listening).removeprefix("http://"),
            CENTRAL_MAX_POWER_FACTOR=1000.0,  # the demonstration charges faster than time
        )
        backend = Backend(settings, db, Vault(settings.CPO_ENCRYPTION_KEY))
        with served(build_app(backend), loop, listening) as base:
            made = House(loop, db, base, kept, emsp)
            made.until(lambda: httpx.get(f"{base}/readyz").status_code == 200)
            yield made


@pytest.fixture
def opened(fresh_url: str, loop: Loop) -> Iterator[House]:
    with house(KeptStore("1cf24b4"), fresh_url, loop) as made:
        yield made


def test_peers_speak_with_their_tokens_and_read_what_there_was(opened: House) -> None:
    assert opened.get("versions", opened.kept.secrets["token_a_invited"]).status_code == 200
    assert opened.get("versions", "nobody's").status_code == 401
    assert len(opened.all_of("locations")) == 5
    sessions = {one["id"]: one["status"] for one in opened.all_of("sessions")}
    assert sorted(sessions.values()) == ["ACTIVE", "COMPLETED"]
    [bill] = opened.all_of("cdrs")
    assert sessions[bill["session_id"]] == "COMPLETED"
    # As they were kept: numbers and all.
    assert bill["total_energy"] > 0
    assert bill["total_cost"]["excl_vat"] > 0
    card = opened.get("cpo/2.2.1/tokens/NL/KEP/KEP-CARD-1")
    assert card.json()["data"]["contract_id"] == "NL-KEP-C000001-X"


def test_commands_in_flight_end_and_all_is_in_todays_form(opened: House) -> None:
    async def unfinished() -> list[Any]:
        open_states = {"$in": ["RECEIVED", "SENT", "RESULT"]}
        return await COMMANDS.of(opened.db).find({"state": open_states})

    opened.until(lambda: not opened.loop.run(unfinished()))
    results = {seen.path.rsplit("/", 1)[1]: seen.json() for seen in opened.emsp.seen}
    asked = ("stop2", "unlock", "reserve")
    assert {name: results[name]["result"] for name in asked} == dict.fromkeys(asked, "TIMEOUT")

    async def forms() -> tuple[set[str], set[tuple[bool, bool]], int]:
        claims = {claim["_id"] for claim in await CLAIMS.of(opened.db).find({})}
        commands = await COMMANDS.of(opened.db).find({"kind": "START_SESSION"})
        keys = {("slot" in row, "idempotency_key" in row) for row in commands}
        unlinked = {"links.has": {"$exists": False}}
        return claims, keys, await opened.db["locations"].count_documents(unlinked)

    assert opened.loop.run(forms()) == ({"de*dem", "nl*kep"}, {(False, True)}, 0)
    assert opened.loop.run(refuse_newer(opened.db)) == len(STEPS)


def test_a_running_session_ends_is_billed_and_the_bill_is_delivered(opened: House) -> None:
    [running] = [one for one in opened.all_of("sessions") if one["status"] == "ACTIVE"]
    bills = opened.all_of("cdrs")
    told = opened.charge_point("CP-005", "register", cp_e_host="127.0.0.1", cp_e_port=9)
    assert told["command_key"]
    stopped = {
        "seq": 113,
        "kind": "session_stopped",
        "at": datetime.now(timezone.utc).isoformat(),
        "session_id": running["id"],
        "connector_id": "1",
        "register_wh": 9653.291,
        "energy_wh": 1000.0,
        "reason": "LOCAL",
    }
    taken = opened.charge_point(
        "CP-005", "telemetry", boot_id="cfc55ba9b438f3ff", messages=[stopped]
    )
    assert taken["acked"] == 113
    after = opened.all_of("cdrs")
    assert after[: len(bills)] == bills
    [bill] = after[len(bills) :]
    assert (bill["session_id"], bill["total_energy"]) == (running["id"], 1.0)
    assert bill["total_cost"]["excl_vat"] == pytest.approx(0.49 + 0.35)
    [session] = [one for one in opened.all_of("sessions") if one["id"] == running["id"]]
    assert (session["status"], session["kwh"]) == ("COMPLETED", 1.0)

    def arrived() -> list[Any]:
        posts = [one for one in opened.emsp.seen if one.method == "POST"]
        return [one.json()["id"] for one in posts if one.path.rstrip("/").endswith("/cdrs")]

    opened.until(arrived)
    assert arrived() == [bill["id"]]
