"""The console's addresses in one router: the pages of each theme are in the modules beside."""

from fastapi import APIRouter, Response

from cpo_app.add_routes import add_routes
from cpo_app.console.account import build_account_router
from cpo_app.console.charge_point_pages import add_charge_point_pages
from cpo_app.console.console import Console
from cpo_app.console.doing import add_actions
from cpo_app.console.event_stream import add_event_stream
from cpo_app.console.exchange_pages import add_exchange_pages
from cpo_app.console.kafka_pages import add_kafka_pages
from cpo_app.console.list_pages import add_list_pages
from cpo_app.console.location_pages import add_location_pages
from cpo_app.console.login import build_login_router
from cpo_app.console.message_pages import add_message_pages
from cpo_app.console.notice_pages import add_notice_pages
from cpo_app.console.offered_pages import add_offered_pages
from cpo_app.console.once import add_pages_shown_once
from cpo_app.console.one_session_pages import add_one_session_pages
from cpo_app.console.open_data_pages import add_open_data_pages
from cpo_app.console.overview_pages import add_overview_pages
from cpo_app.console.peer_pages import add_peer_pages
from cpo_app.console.platform_pages import add_platform_pages
from cpo_app.console.rendering import ASSETS
from cpo_app.console.routes import problem, route_class
from cpo_app.console.search_pages import add_search_pages
from cpo_app.console.session_pages import add_session_pages
from cpo_app.console.station_pages import add_station_pages
from cpo_app.console.tariff_pages import add_tariff_pages
from cpo_app.console.theme import add_theme


def build_console_router(console: Console) -> APIRouter:
    """`/` and everything below `/console`."""
    router = APIRouter(include_in_schema=False, route_class=route_class(console))

    add_overview_pages(router, console)
    add_list_pages(router, console)
    add_search_pages(router, console)
    add_charge_point_pages(router, console)
    add_offered_pages(router, console)
    add_message_pages(router, console)
    add_session_pages(router, console)
    add_one_session_pages(router, console)
    add_tariff_pages(router, console)
    add_location_pages(router, console)
    add_peer_pages(router, console)
    add_notice_pages(router, console)
    add_platform_pages(router, console)
    add_kafka_pages(router, console)
    add_open_data_pages(router, console)
    add_exchange_pages(router, console)
    add_station_pages(router, console)
    add_pages_shown_once(router, console)
    add_theme(router, console)
    add_event_stream(router, console)
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
