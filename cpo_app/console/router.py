"""The console's addresses: parse, ask the store, show. What is asked is in the modules beside."""

import asyncio
from datetime import timedelta

from fastapi import APIRouter, Query, Request, Response

from cpo_app.console import ocpi_objects
from cpo_app.console.actions import add_actions
from cpo_app.console.console import Console
from cpo_app.console.dead_letter_actions import add_dead_letter_actions
from cpo_app.console.money_actions import add_money_actions
from cpo_app.console.peer_actions import add_peer_actions
from cpo_app.console.peer_forms import add_peer_forms
from cpo_app.console.rendering import ASSETS
from cpo_app.console.routes import NotThere, problem, route_class
from cpo_app.console.timeline import timeline
from domain.charge_points import dead_letters, evse_history, unaccounted_energy
from domain.charge_points.evse_states import EvseStatus
from domain.objects.location_fields import FIELDS
from domain.operator import (
    charge_points,
    hub_clients,
    money,
    not_offered,
    peers,
    reconciliation,
    sessions,
)

MAX_IN_TROUBLE = 30
MAX_SESSIONS = 30
MAX_FINDINGS = 200
MAX_HELD_BACK = 20
MAX_ENTRIES = 100
MAX_CHANGES = 500
CHANGES_SHOWN = 50
MAX_LETTERS = 50
MAX_SEQ = 2**63 - 1
"""What a page of locations can begin behind: the store's largest whole number."""

# What an action has done is said by a word in the address, never by text out of it.
DONE = {
    "out-of-service": "Taken out of service. A running session ends first; peers see INOPERATIVE.",
    "in-service": "Back in service.",
    "restore": "Registered again: its own credentials are good, its earlier tokens are not.",
    "let-in": "Let into its site.",
    "approve": "Approved: the peer is from now on who it says it is.",
    "suspend": "Suspended: nothing is pushed to this peer until you resume it.",
    "resume": "Resumed.",
    "block": "Blocked: its requests are refused.",
    "resync": "Everything this peer may see is marked and will be pushed again.",
    "narrow": "Narrowed: unpublished locations are taken away from this peer.",
    "widen": "Widened: unpublished locations are sent to this peer, too.",
    "release-party": "Released: the party is nobody's, and may register anew.",
    "move-party": "Moved: the party is this peer's, with all that was ever made for it.",
    "client-approve": "Approved: what is for this client goes through the hub.",
    "client-refuse": "Refused: nothing of this client is the hub's.",
    "clients-approve": "Approved: what is for all that it names goes through the hub.",
    "clients-refuse": "Refused: nothing of any client that it names is the hub's.",
    "clients-automatic-on": "Whoever this hub names is its client, unless you refuse him.",
    "clients-automatic-off": "Each client of this hub waits for your yes.",
    "ask-unknown-on": "It is asked about cards that no eMSP has told us of.",
    "ask-unknown-off": "It is not asked about unknown cards.",
    "require": "What it is not offered any more is taken away, the rest is sent.",
    "groups": "What it is not given any more is taken away, the rest is sent.",
    "require-modules": "Its next handshake needs these modules; what it lacks now is shown.",
    "under-way": "Under way: there is much to mark for this peer. What is marked is pushed.",
    "end": "Ended by hand, and billed if there is energy.",
    "release": "Released: it is billed as it is.",
    "write-off": "Written off: nobody is billed.",
    "replayed": "Taken: the message counts as if it had just come.",
    "not-replayed": "Not taken again: the reason is shown below.",
    "dropped": "Dropped: nothing will come of that message.",
    "changed": "Not done: the status had changed meanwhile.",
}


def build_console_router(console: Console) -> APIRouter:
    """`/` and everything below `/console`."""
    router = APIRouter(include_in_schema=False, route_class=route_class(console))
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

    @router.get("/console/charge-points")
    async def charge_point_table(
        request: Request,
        status: EvseStatus | None = None,
        q: str = Query("", max_length=64),
        after: str | None = Query(None, max_length=64),
    ) -> Response:
        wanted = None if status is None else status.value
        counts, (rows, following) = await asyncio.gather(
            charge_points.counts(db),
            charge_points.table(db, status=wanted, search=q.strip(), after=after),
        )
        return console.page(
            request,
            "charge_points.html",
            rows=rows,
            next=following,
            wanted=wanted,
            q=q,
            counts=counts,
        )

    @router.get("/console/charge-points/{cp_id}")
    async def charge_point(
        request: Request, cp_id: str, done: str | None = Query(None, max_length=32)
    ) -> Response:
        found = await charge_points.one(db, cp_id)
        if found is None:
            raise NotThere("There is no charge point of that id.")
        now = console.clock()
        day_ago = now - timedelta(days=1)
        changes, uptimes, letters = await asyncio.gather(
            evse_history.latest(db, found["id"], MAX_CHANGES),
            console.uptimes(found["id"]),
            dead_letters.listed(db, found["id"], MAX_LETTERS),
        )
        return console.page(
            request,
            "charge_point.html",
            cp=found,
            facts=found["charge_point"],
            registration=found["registration"],
            changes=changes[:CHANGES_SHOWN],
            timeline=timeline(changes, day_ago, now),
            uptimes=uptimes,
            letters=letters,
            done=DONE.get(done or ""),
        )

    @router.get("/console/sessions")
    async def session_table(request: Request) -> Response:
        rows, number = await asyncio.gather(sessions.latest(db), ocpi_objects.total(db, "sessions"))
        return console.page(request, "sessions.html", rows=rows, total=number)

    @router.get("/console/money")
    async def money_table(
        request: Request, done: str | None = Query(None, max_length=32)
    ) -> Response:
        entries, counts = await asyncio.gather(money.entries(db, MAX_ENTRIES), money.counts(db))
        return console.page(
            request, "money.html", entries=entries, counts=counts, done=DONE.get(done or "")
        )

    @router.get("/console/cdrs")
    async def cdr_table(request: Request) -> Response:
        now = console.clock()
        rows, number, day, week = await asyncio.gather(
            ocpi_objects.latest_cdrs(db),
            ocpi_objects.total(db, "cdrs"),
            ocpi_objects.cdr_totals(db, now - timedelta(days=1)),
            ocpi_objects.cdr_totals(db, now - timedelta(days=7)),
        )
        named = [("24 hours", *day), ("7 days", *week)]
        return console.page(request, "cdrs.html", rows=rows, total=number, totals=named)

    @router.get("/console/reconciliation")
    async def reconciled(request: Request) -> Response:
        totals, (findings, looked), results = await asyncio.gather(
            reconciliation.register_totals(db),
            reconciliation.register_findings(db, MAX_FINDINGS),
            reconciliation.cdr_results(db),
        )
        return console.page(
            request,
            "reconciliation.html",
            totals=totals,
            findings=findings,
            looked=looked,
            results=results,
        )

    @router.get("/console/locations")
    async def location_table(
        request: Request,
        q: str = Query("", max_length=64),
        held: bool = False,
        after: int | None = Query(None, ge=0, le=MAX_SEQ),
    ) -> Response:
        (rows, following), number = await asyncio.gather(
            ocpi_objects.locations(db, search=q.strip(), held=held, after=after),
            ocpi_objects.total(db, "locations"),
        )
        return console.page(
            request, "locations.html", rows=rows, next=following, q=q, held=held, total=number
        )

    @router.get("/console/tariffs")
    async def tariff_table(request: Request) -> Response:
        rows, number = await asyncio.gather(
            ocpi_objects.tariffs(db), ocpi_objects.total(db, "tariffs")
        )
        return console.page(request, "tariffs.html", rows=rows, total=number)

    @router.get("/console/objects/{module}")
    async def ocpi_object(
        request: Request, module: str, key: str = Query(..., max_length=200)
    ) -> Response:
        text = None
        if module in ocpi_objects.MODULES:
            text = await ocpi_objects.object_text(db, module, key)
        if text is None:
            raise NotThere("There is no such object.")
        groups = await ocpi_objects.groups_of(db, key) if module == "locations" else []
        return console.page(
            request, "object.html", module=module, key=key, text=text, groups=groups
        )

    @router.get("/console/peers")
    async def peer_table(request: Request) -> Response:
        rows = await peers.table(db, console.clock())
        return console.page(request, "peers.html", rows=rows, most=peers.MAX_PEERS)

    @router.get("/console/peers/{peer_id}")
    async def peer(
        request: Request, peer_id: str, done: str | None = Query(None, max_length=32)
    ) -> Response:
        found = await peers.one(db, peer_id, console.clock())
        if found is None:
            raise NotThere("There is no peer of that id.")
        clients, withheld = await asyncio.gather(
            hub_clients.rows_of(db, peer_id), not_offered.from_peer(db, peer_id, MAX_HELD_BACK)
        )
        return console.page(
            request,
            "peer.html",
            peer=found[0],
            held_back=found[1],
            clients=clients,
            withheld=withheld,
            can_be_required=FIELDS,
            done=DONE.get(done or ""),
        )

    add_peer_actions(router, console)
    add_peer_forms(router, console)
    add_actions(router, console)
    add_money_actions(router, console)
    add_dead_letter_actions(router, console)

    both = APIRouter(include_in_schema=False)
    both.include_router(router)

    # The style sheet holds no secret, and the page that asks for the password needs it.
    @both.get(ASSETS + "/{name}")
    async def asset(name: str) -> Response:
        return console.rendering.asset(name) or Response(status_code=404)

    @both.get("/console", status_code=307)
    async def start() -> Response:
        return Response(status_code=307, headers={"Location": "/"})

    @both.get("/console/{rest:path}")
    async def nothing(rest: str) -> Response:
        return problem(console, 404, "Not found", "The console has no such page.")

    return both
