"""The servers, each a command: `cpo serve`, `cpo registry`."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import tempfile
from collections.abc import Iterator
from typing import Annotated

import typer
import uvicorn
from uvicorn.config import STARTUP_FAILURE

from cpo_app import logs
from cpo_app.bootstrap import ADMIN_PASSWORD_FILE, Prepared, prepare
from cpo_app.cli.free_ports import demand_free
from cpo_app.cli.known_store import demand_known_store
from cpo_app.cli.options import DataDir, Port, settings_for
from cpo_app.cli.workers import Workers
from cpo_app.exposition import SHARED_BY_WORKERS
from cpo_app.front_door.serving import FrontDoor
from cpo_app.front_door.tls import ServerTls
from cpo_app.otlp.sending import send_over_otlp
from cpo_app.registry import server as registry_server
from cpo_app.settings.origins import handed_on

logger = logging.getLogger("cpo")

WORKER_ANSWERS_WITHIN_S = 60
"""On a busy host a worker takes long to import everything: shorter, and none would ever start."""


def serve(
    port: Port = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Processes on this port.")] = 1,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    data_dir: DataDir = None,
) -> None:
    """Run EV_Central and the OCPI app."""
    settings = settings_for(data_dir, CENTRAL_PORT=port, CENTRAL_HOST=host)
    logs.set_up(settings.CPO_LOG_LEVEL, settings.CPO_LOG_FORMAT)
    tls = ServerTls.of_central(settings).options()
    demand_free(settings.CENTRAL_HOST, settings.CENTRAL_PORT)
    _end_cleanly()
    with prepare(settings, people=True) as ground, counting_together(workers):
        demand_known_store(ground)
        hand_on(ground)
        if ground.first_password:
            logger.warning(
                "the operator's password was made: user admin, %s",
                (ground.settings.CPO_DATA_DIR / ADMIN_PASSWORD_FILE).absolute(),
            )
        config = uvicorn.Config(
            "cpo_app.worker:app",
            host=settings.CENTRAL_HOST,
            port=settings.CENTRAL_PORT,
            workers=workers,
            timeout_worker_healthcheck=WORKER_ANSWERS_WITHIN_S,
            log_level="warning",
            **FrontDoor.of(ground.settings).options(),
            **tls,
        )
        server = uvicorn.Server(config) if workers == 1 else Workers(config)
        server.run()
        if not server.started:
            raise SystemExit(STARTUP_FAILURE)


def registry(port: Port = None, data_dir: DataDir = None) -> None:
    """Run EV_Registry."""
    settings = settings_for(data_dir, REGISTRY_API_PORT=port)
    logs.set_up(settings.CPO_LOG_LEVEL, settings.CPO_LOG_FORMAT)
    send_over_otlp(settings, "cpo-registry")
    demand_free(settings.REGISTRY_HOST, settings.REGISTRY_API_PORT)
    _end_cleanly()
    with prepare(settings, seals=False) as ground:
        demand_known_store(ground)
        registry_server.run(ground.settings)


def _end_cleanly() -> None:
    """Let SIGTERM and SIGINT unwind the stack: uvicorn raises them again when it has stopped,
    and the embedded database has still to be closed then."""

    def leave(_number: int, _frame: object) -> None:
        raise SystemExit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)


@contextlib.contextmanager
def counting_together(workers: int) -> Iterator[None]:
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


def hand_on(ground: Prepared) -> None:
    """Let worker processes find the store and the secrets that this one has found."""
    names = (
        "CPO_MONGO_URL",
        "CPO_EMBEDDED",
        "CPO_ENCRYPTION_KEY",
        "CPO_ENCRYPTION_KEYS",
        "CPO_ADMIN_PASSWORD",
        "REGISTRY_SECRET_KEY",
        "REGISTRY_SECRET_KEYS",
        "CENTRAL_PORT",
        "CPO_OCPP_PORT",
        "CPO_OCPP_TLS_PORT",
        "CPO_OCPP_HOST",
    )
    os.environ.update(handed_on({name: ground.settings.origin(name) for name in names}, names))
    for name in names:
        os.environ[name] = str(getattr(ground.settings, name))
