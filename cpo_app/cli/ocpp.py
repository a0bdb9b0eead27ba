"""`cpo ocpp`: the gateway that charge points connect to over OCPP, in one process or several."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import Annotated

import typer

from cpo_app import logs
from cpo_app.backend import Backend, announced
from cpo_app.bootstrap import Prepared, prepare
from cpo_app.cli.free_ports import demand_free
from cpo_app.cli.known_store import demand_known_store
from cpo_app.cli.options import DataDir, Port, settings_for
from cpo_app.cli.parts import Part, keep_running
from cpo_app.cli.servers import counting_together, hand_on
from cpo_app.cli.signals import until_signalled
from cpo_app.ocpp_process import OcppProcess, authority_of, doors_of
from cpo_app.otlp.sending import send_over_otlp
from cpo_app.quick_imports import for_good
from cpo_app.settings import Settings

logger = logging.getLogger("cpo.ocpp")


def ocpp(
    port: Port = None,
    tls_port: Annotated[
        int | None, typer.Option(min=1, max=65535, show_default=False, help="With TLS.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes on these ports.")] = 1,
    worker: Annotated[bool, typer.Option("--worker", hidden=True)] = False,
    data_dir: DataDir = None,
) -> None:
    """Run the gateway of charge points that speak OCPP 1.6, 2.0.1 and 2.1 (2.1 on Python 3.11)."""
    settings = settings_for(
        data_dir, CPO_OCPP_PORT=port, CPO_OCPP_TLS_PORT=tls_port, CPO_OCPP_HOST=host
    )
    logs.set_up(settings.CPO_LOG_LEVEL, settings.CPO_LOG_FORMAT)
    doors_of(settings)
    authority_of(settings)
    if not worker:
        for number in filter(None, (settings.CPO_OCPP_PORT, settings.CPO_OCPP_TLS_PORT)):
            demand_free(settings.CPO_OCPP_HOST, number)
    with prepare(settings) as ground:
        demand_known_store(ground)
        if workers == 1:
            send_over_otlp(ground.settings, "cpo-ocpp")
            asyncio.run(until_signalled(_serve(ground, shared=worker)))
            return
        hand_on(ground)
        with counting_together(workers):
            asyncio.run(until_signalled(_supervise(ground.settings, workers)))


async def _serve(ground: Prepared, *, shared: bool) -> None:
    db = ground.database()
    await db.wait_until_reachable()
    # Whose charge points those are that name no party, `cpo serve` may have been told alone.
    process = OcppProcess(Backend(await announced(ground.settings, db), db, ground.vault()))
    try:
        await process.start(doors_of(ground.settings), shared=shared)
        for_good()
        await asyncio.Event().wait()
    finally:
        await process.stop()


async def _supervise(settings: Settings, workers: int) -> None:
    keepers = [
        asyncio.create_task(
            keep_running(Part(f"OCPP gateway {number}", ("ocpp", "--worker")), dict(os.environ))
        )
        for number in range(1, workers + 1)
    ]
    logger.info("%d gateways share port %d", workers, settings.CPO_OCPP_PORT)
    try:
        await asyncio.gather(*keepers)
    finally:
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
