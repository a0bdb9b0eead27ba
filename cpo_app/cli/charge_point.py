"""A charge point's two programs, each a command, and simulated pairs of them for `cpo up`."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated

import typer

from cpo_app import logs
from cpo_app.charge_point import engine as engines
from cpo_app.charge_point import monitor as monitors
from cpo_app.charge_point.engine import EngineError
from cpo_app.charge_point.monitor import MonitorError
from cpo_app.charge_point.settings import EngineSettings, MonitorSettings
from cpo_app.cli import fleet
from cpo_app.cli.errors import CliError
from cpo_app.cli.options import Port, settings_for
from cpo_app.cli.signals import until_signalled
from db_interface.json_data import JsonObject


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


def simulate(
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


def _until_stopped(service: Coroutine[object, object, None]) -> None:
    try:
        asyncio.run(until_signalled(service))
    except (MonitorError, EngineError) as error:
        raise CliError(str(error)) from error
