"""The console's pages of peers: all of them; one of them."""

import asyncio

from fastapi import APIRouter, Query, Request, Response

from cpo_app.console.console import Console
from cpo_app.console.doing import Done, said
from cpo_app.console.routes import NotThere
from domain.listing.filters import BadFilter
from domain.operator import hub_clients, not_offered, payment_terminals, peers
from domain.operator.peer_details import details_of, modules_of
from domain.operator.peer_words import backlog_in_words, granted_in_words, quirks_in_words
from domain.operators.actor import Role, current_actor
from domain.peers.statuses import PRESENT, STATUSES

MAX_HELD_BACK = 20


def add_peer_pages(router: APIRouter, console: Console) -> None:
    db = console.db

    @router.get("/console/peers")
    async def peer_table(
        request: Request, status: str = Query("", max_length=20), done: Done = None
    ) -> Response:
        if status not in ("", *STATUSES):
            raise BadFilter("status", f"is none of {', '.join(STATUSES)}")
        # Those that have left pile up: they are looked for, not looked at.
        shown = [status] if status else PRESENT
        rows, counts = await asyncio.gather(
            peers.table(db, console.clock(), statuses=shown), peers.counts(db)
        )
        return console.page(
            request,
            "peers.html",
            rows=rows,
            counts=counts,
            of_status=status,
            most=peers.MAX_PEERS,
            done=said(done),
        )

    @router.get("/console/peers/{peer_id}")
    async def peer(request: Request, peer_id: str, done: Done = None) -> Response:
        found = await peers.one(db, peer_id, console.clock())
        if found is None:
            raise NotThere("There is no peer of that id.")
        row, held_back = found
        clients, withheld, terminals, details = await asyncio.gather(
            hub_clients.rows_of(db, peer_id),
            not_offered.from_peer(db, peer_id, MAX_HELD_BACK),
            payment_terminals.of_provider(db, peer_id),
            details_of(db, peer_id, exchanges=current_actor().may(Role.OPERATOR)),
        )
        now = console.clock()
        backlog = backlog_in_words(
            row.status, row.push, details.waiting, now, counted_all=details.counted_all
        )
        return console.page(
            request,
            "peer.html",
            peer=row,
            held_back=held_back,
            details=details,
            backlog=backlog,
            quirks=quirks_in_words(row.quirks),
            modules=modules_of(row.endpoints, row.settings),
            granted=granted_in_words(row.terms),
            invited_until=row.invited_until,
            clients=clients,
            withheld=withheld,
            terminals=terminals,
            done=said(done),
        )
