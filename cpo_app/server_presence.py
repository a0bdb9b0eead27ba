"""A server says in the store that it runs, and with what settings (domain/running_servers.py)."""

from __future__ import annotations

import contextlib
import logging
import os
import platform
from importlib.metadata import version

from cpo_app.settings import Settings
from cpo_app.settings.showing import shown_settings
from db_interface.database import STORE_ERRORS, Database
from domain import running_servers
from domain.rounds import Rounds
from domain.running_servers import FORGOTTEN_AFTER, SAYS_EVERY_S, RunningServer
from domain.secrets import key_name

logger = logging.getLogger("cpo")

CENTRAL, REGISTRY, GATEWAY = "EV_Central", "EV_Registry", "OCPP gateway"


class ServerPresence:
    """One per process, from when its store is ready until it stops."""

    def __init__(self, db: Database, name: str, port: int, settings: Settings) -> None:
        self._db = db
        self._name = name
        self._port = port
        self._host = platform.node()
        self._id = f"{name} at {self._host}:{port}"
        self._shown = shown_settings(settings)
        self._keys = shared_keys(settings)
        self._started = db.now()
        self._rounds = Rounds("presence", self._say, SAYS_EVERY_S, logger=logger)

    def start(self) -> None:
        self._rounds.start()

    async def stop(self) -> None:
        await self._rounds.stop()
        # Where the store is away it is forgotten by itself.
        with contextlib.suppress(*STORE_ERRORS):
            await running_servers.gone(self._db, self._id)

    async def _say(self) -> None:
        now = self._db.now()
        server: RunningServer = {
            "_id": self._id,
            "name": self._name,
            "host": self._host,
            "port": self._port,
            "pid": os.getpid(),
            "version": version("ocpi-cpo-backend"),
            "started": self._started,
            "heard": now,
            "expires": now + FORGOTTEN_AFTER,
            "host_ahead_s": self._db.host_is_ahead.total_seconds(),
            "settings": self._shown,
            "keys": self._keys,
        }
        await running_servers.note(self._db, server)


def shared_keys(settings: Settings) -> dict[str, str]:
    """The names of the newest keys that all servers have to have alike; "": it has none."""
    given = {
        "CPO_ENCRYPTION_KEY": next(iter(settings.encryption_keys), ""),
        "REGISTRY_SECRET_KEY": next(iter(settings.central_secrets), ""),
    }
    return {name: key_name(key) if key else "" for name, key in given.items()}
