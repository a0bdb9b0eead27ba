"""The console's first page: what runs, what is in trouble."""

import asyncio

from fastapi import APIRouter, Request, Response

from cpo_app.console.console import Console
from domain.charge_points import unaccounted_energy
from domain.charge_points.evse_states import EvseStatus
from domain.operator import charge_points, money, peers, sessions

MAX_IN_TROUBLE = 30
MAX_SESSIONS = 30
MAX_HELD_BACK = 20


def add_overview_pages(router: APIRouter, console: Console) -> None:
    db = console.db

    @router.get("/")
    async def overview(request: Request) -> Response:
        now = console.clock()
        counts, trouble, running, behind, held, unbilled = await asyncio.gather(
            charge_points.counts(db),
            charge_points.in_trouble(db, MAX_IN_TROUBLE),
            sessions.running(db, MAX_SESSIONS),
            peers.table(db, now),
            charge_points.held_back(db, MAX_HELD_BACK),
            sessions.without_cdr(db, MAX_SESSIONS),
        )
        return console.page(
            request,
            "overview.html",
            counts=counts,
            total=sum(n for name, n in counts.items() if name != EvseStatus.REMOVED.value),
            trouble=trouble,
            trouble_total=sum(counts[status.value] for status in charge_points.TROUBLE),
            running=running,
            peers=behind,
            peers_in_trouble=[peer for peer in behind if peer.trouble],
            held_back=held,
            without_cdr=unbilled,
            money=await money.counts(db),
            unaccounted=await unaccounted_energy.latest(db, MAX_IN_TROUBLE),
            unaccounted_total=await unaccounted_energy.number(db),
        )
