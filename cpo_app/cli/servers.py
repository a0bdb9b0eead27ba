"""`cpo up`, and one command per service: `serve`, `registry`, `monitor`, `engine`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tempfile
from collections.abc import Coroutine, Iterator
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from cpo_app import logs
from cpo_app.bootstrap import Prepared, prepare
from cpo_app.charge_point import engine as engines
from cpo_app.charge_point import monitor as monitors
from cpo_app.charge_point.engine import EngineError
from cpo_app.charge_point.monitor import MonitorError
from cpo_app.charge_point.settings import EngineSettings, MonitorSettings
from cpo_app.cli import fleet, up
from cpo_app.cli.errors import CliError
from cpo_app.cli.signals import until_signalled
from cpo_app.cli.with_backend import DataDir, settings_for
from cpo_app.front_door.serving import FrontDoor
from cpo_app.operator.metrics import SHARED_BY_WORKERS
from cpo_app.registry import server as registry_server
from db_interface.json_data import JsonObject

WORKER_ANSWERS_WITHIN_S = 60
"""On a busy host a worker takes long to import everything: shorter, and none would ever start."""

Port = Annotated[int | None, typer.Option(min=1, max=65535, show_default=False)]


def add_to(app: typer.Typer) -> None:
    """Add the service commands to `cpo` itself."""
    app.command("up")(run_up)
    app.command("serve")(serve)
    app.command("registry")(registry)
    app.command("monitor")(monitor)
    app.command("engine")(engine)
    app.command("charge-points", hidden=True)(charge_points)


def run_up(
    port: Annotated[int, typer.Option(help="Central, OCPI and the console.")] = 8000,
    registry_port: Annotated[int, typer.Option(help="EV_Registry.")] = 8080,
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
        CPO_ALLOW_PRIVATE_URLS=True,
    )
    logs.set_up(settings.CPO_LOG_LEVEL, settings.CPO_LOG_FORMAT)
    up.run(settings, charge_points=charge_points, demo=demo)


def serve(
    port: Port = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes on this port.")] = 1,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Run EV_Central and the OCPI app."""
    settings = settings_for(data_dir, CENTRAL_PORT=port, CENTRAL_HOST=host)
    logs.set_up(settings.CPO_LOG_LEVEL, settings.CPO_LOG_FORMAT)
    _end_cleanly()
    with prepare(settings) as ground, _counting_together(workers):
        _hand_on(ground)
        uvicorn.run(
            "cpo_app.main:app",
            host=settings.CENTRAL_HOST,
            port=settings.CENTRAL_PORT,
            workers=workers,
            timeout_worker_healthcheck=WORKER_ANSWERS_WITHIN_S,
            log_level="warning",
            **FrontDoor.of(ground.settings).options(),
        )


def registry(port: Port = None, data_dir: DataDir = None) -> None:
    """Run EV_Registry."""
    settings = settings_for(data_dir, REGISTRY_API_PORT=port)
    logs.set_up(settings.CPO_LOG_LEVEL, settings.CPO_LOG_FORMAT)
    _end_cleanly()
    with prepare(settings, seals=False) as ground:
        asyncio.run(registry_server.run(ground.settings))


def monitor() -> None:
    """Run a charge point's monitor (EV_CP_M); set up by CP_MONITOR_*."""
    settings = MonitorSettings()
    logs.set_up(settings.log_level, settings.log_format)
    _until_stopped(monitors.run(settings))


def engine(
    port: Port = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    cp_id: Annotated[str | None, typer.Option(help="The charge point's id.")] = None,
) -> None:
    """Run a charge point's engine (EV_CP_E); set up by CP_ENGINE_*."""
    given: JsonObject = {"health_port": port, "host": host, "cp_id": cp_id}
    settings = EngineSettings(**{name: value for name, value in given.items() if value is not None})
    logs.set_up(settings.log_level, settings.log_format)
    _until_stopped(engines.run(settings))


def charge_points(
    count: Annotated[int, typer.Option()],
    state_dir: Annotated[Path, typer.Option()],
    central_port: Annotated[int, typer.Option()],
    registry_url: Annotated[str, typer.Option()],
    demo: Annotated[bool, typer.Option("--demo")] = False,
) -> None:
    """Run simulated charge points, each a monitor and an engine (part of `cpo up`)."""
    settings = settings_for()
    logs.set_up(settings.CPO_LOG_LEVEL, settings.CPO_LOG_FORMAT)
    _until_stopped(
        fleet.run(
            count,
            state_dir=state_dir,
            central_port=central_port,
            registry_url=registry_url,
            registry_api_key=settings.REGISTRY_ADMIN_API_KEY,
            demo=demo,
        )
    )


def _end_cleanly() -> None:
    """Let SIGTERM and SIGINT unwind the stack: uvicorn raises them again when it has stopped,
    and the embedded database has still to be closed then."""

    def leave(_number: int, _frame: object) -> None:
        raise SystemExit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)


@contextlib.contextmanager
def _counting_together(workers: int) -> Iterator[None]:
    """Let several workers add up what they count, so that `/metrics` is the same at each."""
    if workers == 1:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="cpo-metrics-") as folder:
        os.environ[SHARED_BY_WORKERS] = folder
        try:
            yield
        finally:
            del os.environ[SHARED_BY_WORKERS]


def _hand_on(ground: Prepared) -> None:
    """Let worker processes find the store and the secrets that this one has found."""
    for name in (
        "CPO_MONGO_URL",
        "CPO_EMBEDDED",
        "CPO_ENCRYPTION_KEY",
        "REGISTRY_SECRET_KEY",
        "CENTRAL_PORT",
    ):
        os.environ[name] = str(getattr(ground.settings, name))


def _until_stopped(service: Coroutine[object, object, None]) -> None:
    try:
        asyncio.run(until_signalled(service))
    except (MonitorError, EngineError) as error:
        raise CliError(str(error)) from error
