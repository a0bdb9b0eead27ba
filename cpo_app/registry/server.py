"""EV_Registry on a port, with TLS when that is enabled. A certificate or key that cannot be
used is said in one line before anything starts; logging is set up by whoever calls.
"""

from __future__ import annotations

import logging
import ssl
from typing import Any

import uvicorn
from fastapi import FastAPI

from cpo_app.front_door.serving import FrontDoor
from cpo_app.registry.app import build_registry
from cpo_app.settings import Settings, SettingsError


def server_config(settings: Settings, app: FastAPI | None = None) -> uvicorn.Config:
    """How uvicorn is to serve EV_Registry.

    Raises SettingsError for a TLS pair or another setting that cannot be used, StoreUnavailable
    where no database is named.
    """
    level = logging.getLevelName(settings.REGISTRY_LOG_LEVEL.upper())
    if not isinstance(level, int):
        raise SettingsError(f"REGISTRY_LOG_LEVEL: {settings.REGISTRY_LOG_LEVEL!r} is no level")
    logging.getLogger("cpo.registry").setLevel(level)
    return uvicorn.Config(
        app or build_registry(settings),
        host=settings.REGISTRY_HOST,
        port=settings.REGISTRY_API_PORT,
        log_level=max(level, logging.WARNING),
        **FrontDoor.of(settings).options(),
        **_tls(settings),
    )


async def run(settings: Settings) -> None:
    """Serve EV_Registry until SIGINT or SIGTERM."""
    await uvicorn.Server(server_config(settings)).serve()


def _tls(settings: Settings) -> dict[str, Any]:
    if not settings.REGISTRY_TLS_ENABLED:
        return {}
    certificate, key = settings.REGISTRY_TLS_CERT_FILE, settings.REGISTRY_TLS_KEY_FILE
    for name, value in (("CERT", certificate), ("KEY", key)):
        if not value:
            raise SettingsError(f"REGISTRY_TLS_{name}_FILE is not set, but REGISTRY_TLS_ENABLED is")
    try:
        # An empty password, so that a sealed key is an error and not a question on a terminal.
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
            certificate, key, password=""
        )
    except (OSError, ssl.SSLError) as error:
        reason = error.strerror or error
        raise SettingsError(
            f"REGISTRY_TLS_CERT_FILE / REGISTRY_TLS_KEY_FILE cannot be used: {reason}"
        ) from None
    return {"ssl_certfile": certificate, "ssl_keyfile": key}
