"""How uvicorn is to serve any of our apps: the one place that names its options."""

from __future__ import annotations

import asyncio
import weakref
from dataclasses import dataclass, field

from uvicorn.config import Config
from uvicorn.server import ServerState

from cpo_app.addresses.networks import Networks
from cpo_app.front_door.doorkeeper import Doorkeeper, most_connections
from cpo_app.front_door.http_protocol import StrangersProtocol
from cpo_app.settings import Settings
from db_interface.json_data import JsonObject

MAX_BACKLOG = 256
SHUTDOWN_TIMEOUT_S = 3

_keepers: weakref.WeakKeyDictionary[ServerState, Doorkeeper] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class FrontDoor:
    """Makes the protocol of each connection; workers get a copy, each with a doorkeeper of its
    own."""

    max_connections: int = 256
    max_per_address: int = 128
    proxies: Networks = field(default_factory=Networks)
    certificate_header: str = ""
    """Where those proxies name their client's certificate."""

    def __call__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: JsonObject,
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> StrangersProtocol:
        keeper = _keepers.get(server_state)
        if keeper is None:
            keeper = _keepers[server_state] = Doorkeeper(
                most_connections(self.max_connections),
                self.max_per_address,
                self.proxies.__contains__,
            )
        return StrangersProtocol(
            config,
            server_state,
            app_state,
            _loop,
            door=keeper,
            certificate_header=self._certificate_header_of,
        )

    def _certificate_header_of(self, address: str) -> bytes | None:
        if not self.certificate_header or address not in self.proxies:
            return None
        return self.certificate_header.lower().encode("latin-1")

    @classmethod
    def of(cls, settings: Settings) -> FrontDoor:
        return cls(
            settings.CPO_MAX_CONNECTIONS,
            settings.CPO_MAX_CONNECTIONS_PER_ADDRESS,
            Networks.of(settings.CPO_TRUSTED_PROXIES),
            settings.CPO_CLIENT_CERTIFICATE_HEADER,
        )

    def options(self) -> JsonObject:
        """For uvicorn.Config: everything but the app, its address and its log level."""
        return {
            "http": self,
            "ws": "none",
            # What the kernel accepts in one go before anybody counts.
            "backlog": max(8, min(MAX_BACKLOG, most_connections(self.max_connections) // 4)),
            "proxy_headers": bool(self.proxies.networks),
            "forwarded_allow_ips": str(self.proxies),
            "log_config": None,
            "access_log": False,
            "server_header": False,
            "timeout_graceful_shutdown": SHUTDOWN_TIMEOUT_S,
        }
