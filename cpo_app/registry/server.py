"""EV_Registry on a port, with TLS when that is enabled. A certificate or key that cannot be
used is said in one line before anything starts; logging is set up by whoever calls.
"""

from __future__ import annotations

import logging

import uvicorn
from fastapi import FastAPI

from cpo_app.front_door.serving import FrontDoor
from cpo_app.front_door.tls import ServerTls
from cpo_app.quick_imports import for_good
from cpo_app.registry.app import build_registry
from cpo_app.settings import Settings


def server_config(settings: Settings, app: FastAPI | None = None) -> uvicorn.Config:
    """How uvicorn is to serve EV_Registry.

    Raises SettingsError for a TLS pair or another setting that cannot be used, StoreUnavailable
    where no database is named.
    """
    level = logging.getLevelName(settings.REGISTRY_LOG_LEVEL)
    logging.getLogger("cpo.registry").setLevel(level)
    return uvicorn.Config(
        app or build_registry(settings),
        host=settings.REGISTRY_HOST,
        port=settings.REGISTRY_API_PORT,
        log_level=max(level, logging.WARNING),
        **FrontDoor.of(settings).options(),
        **ServerTls.of_registry(settings).options(),
    )


def run(settings: Settings) -> None:
    """Serve EV_Registry until SIGINT or SIGTERM, in uvicorn's event loop (the fastest there is)."""
    server = uvicorn.Server(server_config(settings))
    for_good()
    server.run()
