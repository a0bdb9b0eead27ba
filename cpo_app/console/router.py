"""The console's addresses: parse, ask the store, show. What is asked is in the modules beside."""

import asyncio
from datetime import timedelta
from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request, Response

from cpo_app.add_routes import add_routes
from cpo_app.console import ocpi_objects
from cpo_app.console.account import build_account_router
from cpo_app.console.console import Console
from cpo_app.console.doing import add_actions, said
from cpo_app.console.exchange_pages import add_exchange_pages
from cpo_app.console.login import build_login_router
from cpo_app.console.once import add_pages_shown_once
from cpo_app.console.platform_pages import add_platform_pages
from cpo_app.console.rendering import ASSETS
from cpo_app.console.routes import NotThere, problem, route_class
from cpo_app.console.station_pages import add_station_pages
from cpo_app.console.timeline import timeline
from cpo_app.notice_settings import target_ids
from domain.audit.listing import changes_of, listed
from domain.charge_points import dead_letters, evse_history, unaccounted_energy
from domain.charge_points.evse_states import EvseStatus
from domain.objects import tariff_assignment
from domain.operator import (
    charge_points,
    commands,
    hub_clients,
    money,
    not_offered,
    notices,
    payment_terminals,
    peers,
    reconciliation,
    sessions,
)
from domain.paging import BadCursor
from domain.platform_facts import default_tariff

Done = Annotated[str | None, Query(max_length=64)]
"""Which action has just been done: its name, and what came of it."""
MAX_IN_TROUBLE = 30
MAX_SESSIONS = 30
MAX_FINDINGS = 200
MAX_HELD_BACK = 20
MAX_ENTRIES = 100
MAX_CHANGES = 500
CHANGES_SHOWN = 50
MAX_LETTERS = 50
MAX_ASSIGNED = 100
MAX_COMMANDS = 10
MAX_SEQ = 2**63 - 1
"""What a page of locations can begin behind: the store's largest whole number."""

AUDIT_PAGE = 100


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
        done: Done = None,
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
            done=said(done),
        )

    @router.get("/console/charge-points/{cp_id}")
    async def charge_point(request: Request, cp_id: str, done: Done = None) -> Response:
        found = await charge_points.one(db, cp_id)
        if found is None:
            raise NotThere("There is no charge point of that id.")
        now = console.clock()
        day_ago = now - timedelta(days=1)
        changes, uptimes, letters, asked = await asyncio.gather(
            evse_history.latest(db, found["id"], MAX_CHANGES),
            console.uptimes(found["id"]),
            dead_letters.listed(db, found["id"], MAX_LETTERS),
            commands.page(db, cp_id=found["id"], limit=MAX_COMMANDS),
        )
        return console.page(
            request,
            "charge_point.html",
            cp=found,
            facts=found["charge_point"],
            registration=found["registration"],
            station=found["station"],
            changes=changes[:CHANGES_SHOWN],
            timeline=timeline(changes, day_ago, now),
            uptimes=uptimes,
            letters=letters,
            commands=asked[0],
            done=said(done),
        )

    @router.get("/console/sessions")
    async def session_table(request: Request) -> Response:
        rows, number = await asyncio.gather(sessions.latest(db), ocpi_objects.total(db, "sessions"))
        return console.page(request, "sessions.html", rows=rows, total=number)

    @router.get("/console/money")
    async def money_table(request: Request, done: Done = None) -> Response:
        entries, counts = await asyncio.gather(money.entries(db, MAX_ENTRIES), money.counts(db))
        return console.page(request, "money.html", entries=entries, counts=counts, done=said(done))

    @router.get("/console/cdrs")
    async def cdr_table(request: Request, done: Done = None) -> Response:
        now = console.clock()
        rows, number, day, week = await asyncio.gather(
            ocpi_objects.latest_cdrs(db),
            ocpi_objects.total(db, "cdrs"),
            ocpi_objects.cdr_totals(db, now - timedelta(days=1)),
            ocpi_objects.cdr_totals(db, now - timedelta(days=7)),
        )
        named = [("24 hours", *day), ("7 days", *week)]
        return console.page(
            request, "cdrs.html", rows=rows, total=number, totals=named, done=said(done)
        )

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

    @router.get("/console/notices")
    async def notice_table(request: Request, done: Done = None) -> Response:
        found = await notices.notices(db, target_ids(console.house.settings))
        return console.page(request, "notices.html", found=found, done=said(done))

    @router.get("/console/locations")
    async def location_table(
        request: Request,
        q: str = Query("", max_length=64),
        held: bool = False,
        after: int | None = Query(None, ge=0, le=MAX_SEQ),
        done: Done = None,
    ) -> Response:
        (rows, following), number = await asyncio.gather(
            ocpi_objects.locations(db, search=q.strip(), held=held, after=after),
            ocpi_objects.total(db, "locations"),
        )
        return console.page(
            request,
            "locations.html",
            rows=rows,
            next=following,
            q=q,
            held=held,
            total=number,
            done=said(done),
        )

    @router.get("/console/tariffs")
    async def tariff_table(request: Request, done: Done = None) -> Response:
        rows, number, assigned, default = await asyncio.gather(
            ocpi_objects.tariffs(db),
            ocpi_objects.total(db, "tariffs"),
            tariff_assignment.listed(db, limit=MAX_ASSIGNED),
            default_tariff(db),
        )
        return console.page(
            request,
            "tariffs.html",
            rows=rows,
            total=number,
            assigned=assigned,
            default=default,
            done=said(done),
        )

    @router.get("/console/objects/{module}")
    async def ocpi_object(
        request: Request, module: str, key: str = Query(..., max_length=200), done: Done = None
    ) -> Response:
        text = None
        if module in ocpi_objects.MODULES:
            text = await ocpi_objects.object_text(db, module, key)
        if text is None:
            raise NotThere("There is no such object.")
        fields = orjson.loads(text)
        return console.page(
            request,
            "object.html",
            module=module,
            key=key,
            text=text,
            groups=await ocpi_objects.groups_of(db, key) if module == "locations" else [],
            tariffs=await ocpi_objects.tariffs_of(db, key) if module == "locations" else None,
            done=said(done),
            id=fields["id"],
            owner=f"{fields['country_code']}/{fields['party_id']}",
        )

    @router.get("/audit")
    async def audit_log(
        request: Request,
        about: str = Query("", max_length=200),
        by: str = Query("", max_length=100),
        cursor: str | None = Query(None, max_length=60),
        done: Done = None,
    ) -> Response:
        try:
            rows, following = await listed(
                db,
                about=about.strip() or None,
                by=by.strip() or None,
                limit=AUDIT_PAGE,
                cursor=cursor,
            )
        except BadCursor:
            raise NotThere("There is no such page of the audit log.") from None
        shown = [{**row, "changes": changes_of(row)} for row in rows]
        return console.page(
            request,
            "audit.html",
            rows=shown,
            cursor=following,
            about=about,
            by=by,
            done=said(done),
        )

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

    add_platform_pages(router, console)
    add_exchange_pages(router, console)
    add_station_pages(router, console)
    add_pages_shown_once(router, console)
    add_actions(router, console)

    both = APIRouter(include_in_schema=False)
    add_routes(both, build_login_router(console))
    add_routes(both, build_account_router(console))
    add_routes(both, router)

    # The style sheet holds no secret, and the page that asks for the password needs it.
    @both.get(ASSETS + "/{name}")
    async def asset(name: str) -> Response:
        return console.rendering.asset(name) or Response(status_code=404)

    @both.get("/console", status_code=307)
    async def start() -> Response:
        return Response(status_code=307, headers={"Location": "/"})

    @both.api_route("/console/{rest:path}", methods=["GET", "POST"])
    async def nothing(rest: str) -> Response:
        return problem(console, 404, "Not found", "The console has no such page.")

    return both
