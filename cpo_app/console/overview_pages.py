"""The console's first page: what runs, what needs a hand, how much was charged; and the map."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from fastapi import APIRouter, Query, Request, Response

from cpo_app.console import overview_charts, site_map
from cpo_app.console.console import Console
from cpo_app.console.rendering import with_images_of
from cpo_app.console.routes import NotThere
from cpo_app.console.site_map import Box, SiteMap, Towns
from cpo_app.console.verdict import Facts, verdict
from domain.charge_points import unaccounted_energy
from domain.charge_points.evse_states import EvseStatus
from domain.notices import matters
from domain.open_data.kept_completeness import number_incomplete
from domain.operator import charge_points, hands, money, newest, peers, reconciliation, sessions
from domain.operator.day_totals import DaysOfZones
from domain.operator.event_states import event_state
from domain.operator.sites_on_map import Site, SitesOnMap
from domain.peers.statuses import PRESENT

MAX_IN_TROUBLE = 10
"""Beyond that there are only numbers: thousand alike are one line."""
MAX_SESSIONS = 10
MAX_HELD_BACK = 5
MAX_HANDS = 25
MAX_SITES_LISTED = 100


def add_overview_pages(router: APIRouter, console: Console) -> None:
    db, settings = console.db, console.house.settings
    days_of = DaysOfZones(db)
    tiles = console.tiles
    map_headers = with_images_of(tiles.origin) if tiles else None
    named: list[Towns] = []

    async def incomplete_evses() -> int:
        if not settings.CPO_OPEN_DATA:
            return 0
        return await number_incomplete(db, settings.open_data_owners)

    async def drawn(everywhere: Sequence[Site], box: Box | None) -> SiteMap | None:
        """In a thread: of thousands of sites it takes longer than others should wait."""
        if not named and everywhere and tiles is None:
            named[:] = [await asyncio.to_thread(site_map.towns_of_the_world)]
        towns = named[0] if named else None
        return await asyncio.to_thread(site_map.drawn, everywhere, box, towns, tiles)

    last: list[tuple[Sequence[Site], SiteMap | None]] = []
    one_at_a_time = asyncio.Lock()

    async def whole_map() -> SiteMap | None:
        """Drawn once for each state of the sites, however many look."""
        async with one_at_a_time:
            everywhere = await sites.all()
            if not last or last[0][0] is not everywhere:
                last[:] = [(everywhere, await drawn(everywhere, None))]
            return last[0][1]

    sites = SitesOnMap(db)

    @router.get("/")
    async def overview(request: Request) -> Response:
        now, zone = console.clock(), console.zones.of(request)
        (
            (counts, never_seen),
            trouble,
            running,
            known_peers,
            held,
            unbilled,
        ) = await asyncio.gather(
            console.fleet.now(),
            charge_points.in_trouble(db, MAX_IN_TROUBLE),
            sessions.running(db, MAX_SESSIONS),
            peers.table(db, now, statuses=PRESENT),
            charge_points.held_back(db, MAX_HELD_BACK),
            sessions.without_cdr(db, MAX_SESSIONS),
        )
        known, unaccounted, lost, late, at_peers, findings = await asyncio.gather(
            money.counts(db),
            unaccounted_energy.number(db),
            peers.lost_results(db, now),
            sessions.telemetry_late(db),
            reconciliation.cdrs_to_look_at(db),
            reconciliation.register_totals(db),
        )
        opened, over, (latest, whole), events, drawing, stream = await asyncio.gather(
            matters.open_ones(db),
            matters.over_since(db, now - timedelta(days=1)),
            days_of.zone(zone).latest(),
            newest.newest(db),
            whole_map(),
            event_state(db),
        )
        found = verdict(
            Facts(
                statuses=counts,
                never_seen=never_seen,
                unaccounted=unaccounted,
                peers=known_peers,
                lost_results=lost,
                telemetry_late=late,
                money=known,
                cdrs_at_peers=at_peers,
                findings=sum(total.number for total in findings),
                held_back=held[1],
                open=opened,
                over=over,
                events=None if stream is None else stream.trouble(now),
                incomplete=await incomplete_evses(),
            )
        )
        in_trouble = sum(counts[status.value] for status in charge_points.TROUBLE)
        return console.page(
            request,
            "overview.html",
            counts=counts,
            total=sum(n for name, n in counts.items() if name != EvseStatus.REMOVED.value),
            verdict=found,
            hands=hands.first(opened, MAX_HANDS),
            hands_total=len(opened),
            trouble=trouble if in_trouble <= MAX_IN_TROUBLE else [],
            running=running,
            peers=[peer for peer in known_peers if peer.trouble],
            peers_total=len(known_peers),
            held_back=held,
            without_cdr=unbilled,
            unaccounted=await unaccounted_energy.latest(db, MAX_IN_TROUBLE) if unaccounted else [],
            unaccounted_total=unaccounted,
            today=latest[-1],
            days_charts=overview_charts.of(latest, zone, named=console.zones.to_be_named(request)),
            whole=whole,
            events=events,
            map=drawing,
            tiles=tiles,
            headers=map_headers,
        )

    @router.get("/console/map")
    async def part_of_map(request: Request, box: str = Query("", max_length=100)) -> Response:
        wanted = Box.of(box) if box else None
        if box and wanted is None:
            raise NotThere("There is no such part of the map.")
        everywhere = await sites.all()
        shown = [
            site
            for site in everywhere
            if wanted is None or wanted.holds(site.place.latitude, site.place.longitude)
        ]
        shown.sort(key=lambda site: (-site.in_trouble, site.place.name))
        return console.page(
            request,
            "map.html",
            map=await drawn(everywhere, wanted),
            tiles=tiles,
            headers=map_headers,
            box=box,
            sites=shown[:MAX_SITES_LISTED],
            total=len(shown),
        )
