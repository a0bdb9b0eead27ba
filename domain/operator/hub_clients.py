"""A hub's clients as an operator sees them: who they are, and what becomes of them and why."""

from __future__ import annotations

from db_interface.database import Database
from db_interface.json_data import JsonObject
from domain.peers import hub_clients
from domain.peers.hub_clients import HubClient
from domain.peers.peer_document import PEERS
from domain.visibility import party_of


async def rows_of(db: Database, peer_id: str) -> list[JsonObject]:
    """{party, role, status, approved, approval} of each; `approval` in words."""
    peer = await PEERS.of(db).find_one({"_id": peer_id}) or {}
    open_to_it = {party_of(audience) for audience in peer.get("client_audiences") or ()}
    rows: list[JsonObject] = []
    for client in await hub_clients.of_hub(db, peer_id):
        speaks = client["party"] in open_to_it
        problem = await hub_clients.why_not(db, client["party"], peer_id)
        rows.append(
            {
                "party": f"{client['country_code']}/{client['party_id']}",
                "role": client["role"],
                "status": client["status"],
                "approved": speaks,
                "approval": _in_words(client, problem, speaks=speaks),
            }
        )
    return rows


def _in_words(client: HubClient, problem: str | None, *, speaks: bool) -> str:
    if problem is not None:
        return f"no: {problem}"
    if speaks:
        return "yes" if client["approved"] else "yes, as all that the hub names"
    return "waits for you" if client["approved"] is None else "no"
