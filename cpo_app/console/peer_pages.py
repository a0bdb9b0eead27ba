"""The console's pages of peers: all of them; one of them."""

import asyncio

from fastapi import APIRouter, Request, Response

from cpo_app.console.console import Console
from cpo_app.console.doing import Done, said
from cpo_app.console.routes import NotThere
from domain.operator import hub_clients, not_offered, payment_terminals, peers

MAX_HELD_BACK = 20


def add_peer_pages(router: APIRouter, console: Console) -> None:
    db = console.db

    @router.get("/console/peers")
    async def peer_table(request: Request, done: Done = None) -> Response:
        rows = await peers.table(db, console.clock())
        return console.page(request, "peers.html", rows=rows, most=peers.MAX_PEERS, done=said(done))

    @router.get("/console/peers/{peer_id}")
    async def peer(request: Request, peer_id: str, done: Done = None) -> Response:
        found = await peers.one(db, peer_id, console.clock())
        if found is None:
            raise NotThere("There is no peer of that id.")
        clients, withheld, terminals = await asyncio.gather(
            hub_clients.rows_of(db, peer_id),
            not_offered.from_peer(db, peer_id, MAX_HELD_BACK),
            payment_terminals.of_provider(db, peer_id),
        )
        return console.page(
            request,
            "peer.html",
            peer=found[0],
            held_back=found[1],
            clients=clients,
            withheld=withheld,
            terminals=terminals,
            done=said(done),
        )
