"""`cpo up`: the whole system as child processes of one supervisor.

A part that dies is started again; a stop ends all parts, then the database, within 5 s, and no
child outlives the supervisor, not even when it is killed.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from typing import Annotated

import typer

from cpo_app import logs
from cpo_app.bootstrap import prepare
from cpo_app.cli.free_ports import demand_free
from cpo_app.cli.known_store import demand_known_store
from cpo_app.cli.options import DataDir, settings_for
from cpo_app.cli.output import note
from cpo_app.cli.panel import panel
from cpo_app.cli.parts import Part, keep_running
from cpo_app.cli.signals import until_signalled
from cpo_app.cli.simulated import DEMO_SAMPLE_S, DEMO_SPEED, SIMULATED_PER_CORE, charge_point_ids
from cpo_app.cli.up_ready import all_answer, all_heard
from cpo_app.settings import Settings
from cpo_app.settings.origins import handed_on

logger = logging.getLogger("cpo.up")


def run_up(
    port: Annotated[
        int, typer.Option(min=1, max=65535, help="Central, OCPI and the console.")
    ] = 8000,
    registry_port: Annotated[int, typer.Option(min=1, max=65535, help="EV_Registry.")] = 8080,
    ocpp_port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, show_default="9000", help="Charge points over OCPP."),
    ] = None,
    charge_points: Annotated[int, typer.Option(min=0, max=200, help="How many to simulate.")] = 5,
    data_dir: DataDir = None,
    demo: Annotated[bool, typer.Option("--demo", help="Drivers come and charge.")] = False,
) -> None:
    """Run everything: MongoDB (embedded unless CPO_MONGO_URL is set), EV_Registry, EV_Central
    with OCPI, and simulated charge points."""
    settings = settings_for(
        data_dir,
        CENTRAL_PORT=port,
        REGISTRY_API_PORT=registry_port,
        CPO_OCPP_PORT=ocpp_port,
        CPO_ALLOW_PRIVATE_URLS=True,
    )
    logs.set_up(settings.CPO_LOG_LEVEL, settings.CPO_LOG_FORMAT)
    run(settings, charge_points=charge_points, demo=demo)


def run(settings: Settings, *, charge_points: int, demo: bool) -> None:
    """Run everything until SIGINT or SIGTERM. Raises CliError when it cannot start."""
    for port, option in (
        (settings.CENTRAL_PORT, "--port"),
        (settings.REGISTRY_API_PORT, "--registry-port"),
        (settings.CPO_OCPP_PORT, "--ocpp-port"),
    ):
        demand_free("127.0.0.1", port, option)
    logger.warning(
        "CPO_ALLOW_PRIVATE_URLS is on: peers may name private addresses. Development only!"
    )
    carried = SIMULATED_PER_CORE * (os.cpu_count() or 1)
    if charge_points > carried:
        logger.warning(
            "%d simulated charge points are more than this host may carry (%d): those that fall "
            "behind are shown as out of order or unknown",
            charge_points,
            carried,
        )
    with prepare(settings, must_own=True, people=True) as ground:
        demand_known_store(ground)
        asyncio.run(
            until_signalled(
                _supervise(ground.settings, charge_points, demo, first=ground.first_password)
            )
        )


async def _supervise(
    settings: Settings, charge_points: int, demo: bool, *, first: bool = False
) -> None:
    """`first`: the operator has not seen his password yet."""
    environment = _environment(settings)
    if demo:
        # Its cars are charged faster than time: by as much more is believed.
        factor = settings.CENTRAL_MAX_POWER_FACTOR * DEMO_SPEED
        environment["CENTRAL_MAX_POWER_FACTOR"] = str(factor)
        environment["CPO_DEMO_SPEED"] = str(DEMO_SPEED)
    servers = [
        Part("EV_Registry", ("registry",)),
        Part("EV_Central", ("serve",)),
        Part("OCPP gateway", ("ocpp",)),
    ]
    keepers = [asyncio.create_task(keep_running(part, environment)) for part in servers]
    try:
        base = f"http://127.0.0.1:{settings.CENTRAL_PORT}"
        gateway = f"http://127.0.0.1:{settings.CPO_OCPP_PORT}"
        ready = await all_answer(
            tuple(f"{server}/readyz" for server in (_registry_url(settings), base, gateway))
        )
        if demo or settings.CPO_EMBEDDED:
            # On a database of one's own nobody but the operator says what charging costs.
            from cpo_app.cli import demonstration  # loads much of the domain

            await demonstration.set_the_scene(settings)
        for part in _after_the_servers(settings, charge_points, demo):
            keepers.append(asyncio.create_task(keep_running(part, environment)))
        if ready:
            # What they log when they start would push the panel off the screen.
            await all_heard(settings, charge_point_ids(charge_points))
            link = await _login_link(settings) if first else None
            sys.stdout.write(panel(settings, base, _registry_url(settings), charge_points, link))
            sys.stdout.flush()
        # Not gather: it would be over when the first part has stopped, and the database with it.
        ended, _ = await asyncio.wait(keepers, return_when=asyncio.FIRST_EXCEPTION)
        for keeper in ended:
            keeper.result()
    finally:
        note("stopping ...")
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)


async def _login_link(settings: Settings) -> str:
    """What signs the operator in, once."""
    from db_interface.database import Database  # at the first start only
    from domain.operators import login_links

    db = Database.connect(settings.CPO_MONGO_URL)
    try:
        await db.ping()
        return await login_links.make(db)
    finally:
        db.close()


def _after_the_servers(settings: Settings, charge_points: int, demo: bool) -> list[Part]:
    parts = []
    if charge_points:
        fleet = (
            "simulate",
            f"--count={charge_points}",
            f"--state-dir={settings.CPO_DATA_DIR / 'charge-points'}",
            f"--central-port={settings.CENTRAL_PORT}",
            f"--registry-url={_registry_url(settings)}",
        )
        parts.append(Part("charge points", (*fleet, "--demo") if demo else fleet))
    if demo:
        from cpo_app.cli import demonstration

        async def invitation() -> dict[str, str]:
            return {"CPO_EMSP_TOKEN": await demonstration.invite(settings)}

        emsp = (
            "emsp",
            f"--versions-url={settings.versions_url}",
            "--party=DE/DEM",
            "--stay",
            "--quiet",
        )
        parts.append(Part("demonstration eMSP", emsp, invitation))
        boxes = (
            "charge-points",
            "--ocpp=1.6",
            "--count=1",
            "--demo",
            f"--sample-s={DEMO_SAMPLE_S}",
            f"--state-dir={settings.CPO_DATA_DIR / 'charge-points'}",
        )
        parts.append(Part("charge points over OCPP", boxes))
    return parts


def _registry_url(settings: Settings) -> str:
    scheme = "https" if settings.REGISTRY_TLS_ENABLED else "http"
    return f"{scheme}://127.0.0.1:{settings.REGISTRY_API_PORT}"


def _environment(settings: Settings) -> dict[str, str]:
    """The parent's environment with what it has found out laid over it."""
    names = (
        "CPO_MONGO_URL",
        "CPO_EMBEDDED",
        "CPO_ENCRYPTION_KEY",
        "CPO_ENCRYPTION_KEYS",
        "CPO_ADMIN_PASSWORD",
        "CPO_DATA_DIR",
        "REGISTRY_SECRET_KEY",
        "REGISTRY_SECRET_KEYS",
        "REGISTRY_API_PORT",
        "CENTRAL_PORT",
        "CPO_OCPP_PORT",
    )
    decided = (
        *("CPO_ALLOW_PRIVATE_URLS", "CENTRAL_TLS_ENABLED", "CPO_OCPP_TLS_PORT"),
        *("CENTRAL_TLS_CLIENT_CA_FILE", "CENTRAL_MAX_POWER_FACTOR", "CPO_DEMO_SPEED"),
        *(() if "CPO_APPROVE_PEERS" in os.environ else ("CPO_APPROVE_PEERS",)),
    )
    known = {name: settings.origin(name) for name in names}
    return {
        **os.environ,
        **handed_on(known, names, **dict.fromkeys(decided, "cpo up")),
        **{name: str(getattr(settings, name)) for name in names},
        "CPO_ALLOW_PRIVATE_URLS": "true",
        "CENTRAL_TLS_ENABLED": "false",
        "CPO_OCPP_TLS_PORT": "0",
        "CENTRAL_TLS_CLIENT_CA_FILE": "",
        "CPO_APPROVE_PEERS": os.environ.get("CPO_APPROVE_PEERS", "true"),
    }
