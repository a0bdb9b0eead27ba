"""The hub itself: its clients, its registration with one CPO, and what it does in their names.

Credentials role: HUB alone, as the text says ("A Hub SHALL NOT report all the other connected
parties as a role on the platform", credentials); `clients_as_roles` is for platforms that do.
Source: OCPI 2.2.1, transport_and_format (message routing), mod_hub_client_info, mod_commands.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence

import httpx

from cpo_app.mock_hub.clients import (
    CONNECTED,
    DEFAULT_PARTIES,
    STATUSES,
    HubClient,
    Party,
    now_text,
    party_of,
    role_of,
)
from cpo_app.mock_hub.faults import Faults
from cpo_app.mock_hub.mailbox import Mailbox
from cpo_app.ocpi_caller import CallError, OcpiCaller
from db_interface.json_data import JsonObject

DEFAULT_PARTY = "FR/HUB"
_ALL_TIME = "?date_from=2020-01-01T00:00:00Z"


class Hub:
    """One hub, registered with at most one CPO. `base_url` is where its app is served."""

    def __init__(
        self,
        base_url: str,
        http: httpx.AsyncClient,
        *,
        party: str = DEFAULT_PARTY,
        clients: Sequence[str] = DEFAULT_PARTIES,
        clients_as_roles: bool = False,
        faults: Faults | None = None,
    ) -> None:
        self.base_url = base_url
        self.party = party_of(party)
        self.clients = {party_of(name): HubClient(*party_of(name)) for name in clients}
        self.clients_as_roles = clients_as_roles
        self.faults = faults or Faults()
        self.mailbox = Mailbox()
        self.token_for_cpo = secrets.token_hex(32)
        """What the CPO must present: a token A until it has registered."""
        self.cpo_parties: list[Party] = []
        self.http = http
        self._cpo: OcpiCaller | None = None

    @property
    def versions_url(self) -> str:
        return f"{self.base_url}/ocpi/versions"

    @property
    def module_url(self) -> str:
        return f"{self.base_url}/ocpi/2.2.1"

    @property
    def roles(self) -> list[JsonObject]:
        own = role_of("HUB", self.party, "Mock hub")
        listed = [client.role() for client in self.clients.values()]
        return [own, *(listed if self.clients_as_roles else ())]

    @property
    def credentials(self) -> JsonObject:
        return {"token": self.token_for_cpo, "url": self.versions_url, "roles": self.roles}

    async def register(self, versions_url: str, token_a: str) -> None:
        """Register with the CPO that has invited us. Raises CallError."""
        cpo = OcpiCaller(self.http, versions_url, token_a)
        theirs = await cpo.register(self.credentials)
        self._cpo = cpo
        self._know(theirs)

    def registered_by(self, credentials: JsonObject) -> None:
        """The CPO has sent us its credentials: our token for it is a new one from now on."""
        self._cpo = OcpiCaller(self.http, credentials["url"], credentials["token"])
        self.token_for_cpo = secrets.token_hex(32)
        self._know(credentials)

    def forget_cpo(self) -> None:
        self._cpo = None
        self.cpo_parties = []

    async def unregister(self) -> None:
        if self._cpo is not None:
            await (await self.cpo()).unregister()
            self.forget_cpo()

    async def cpo(self) -> OcpiCaller:
        """The registered CPO, with its endpoints. Raises CallError."""
        if self._cpo is None:
            raise CallError("no CPO is registered with this hub")
        if not self._cpo.endpoints:
            await self._cpo.discover()
        return self._cpo

    def client(self, name: str) -> HubClient:
        """The client of that name ("FR/CLI"). Raises ValueError."""
        client = self.clients.get(party_of(name))
        if client is None:
            known = ", ".join(one.name for one in self.clients.values())
            raise ValueError(f"{name} is not behind this hub; there are: {known}")
        return client

    async def set_status(self, name: str, status: str) -> None:
        """A client comes or goes; the CPO is told (PUT hubclientinfo). Raises CallError."""
        if status not in STATUSES:
            raise ValueError(f"{status} is no status; there are: {', '.join(STATUSES)}")
        client = self.client(name)
        client.status, client.last_updated = status, now_text()
        await self.push_client(client)

    async def push_client(self, client: HubClient) -> None:
        """Tell the CPO how it stands with a client."""
        cpo = await self.cpo()
        base = cpo.endpoints.get("hubclientinfo")
        if base is not None:
            url = f"{base.rstrip('/')}/{client.country_code}/{client.party_id}"
            await cpo.call("PUT", url, client.info())

    def reachable(self, party: Party) -> bool:
        return party in self.clients and self.clients[party].status == CONNECTED

    async def start(
        self, name: str, location_id: str, evse_uid: str | None = None, card: str | None = None
    ) -> str:
        """START_SESSION for a driver of the client; the CommandResponse's result."""
        client = self.client(name)
        body: JsonObject = {
            "response_url": self._response_url("START_SESSION"),
            "token": client.token(card or client.cards[0]),
            "location_id": location_id,
        }
        if evse_uid is not None:
            body["evse_uid"] = evse_uid
        return await self._command(client, "START_SESSION", body)

    async def stop(self, name: str, session_id: str | None = None) -> str:
        """STOP_SESSION for the client: the session named, else the latest that runs."""
        client = self.client(name)
        if session_id is None:
            running = [row for row in await self.sessions(name) if row["status"] == "ACTIVE"]
            if not running:
                raise CallError(f"no session of {name} is running")
            session_id = running[-1]["id"]
        body = {"response_url": self._response_url("STOP_SESSION"), "session_id": session_id}
        return await self._command(client, "STOP_SESSION", body)

    async def sessions(self, name: str) -> list[JsonObject]:
        """The client's sessions as the CPO lists them for it."""
        cpo, headers = await self.cpo(), self._from(self.client(name))
        return [row async for row in cpo.crawl("sessions", headers, _ALL_TIME)]

    async def _command(self, client: HubClient, command: str, body: JsonObject) -> str:
        cpo = await self.cpo()
        answer = await cpo.command(command, body, self._from(client))
        return str(answer["result"])

    def _from(self, client: HubClient) -> dict[str, str]:
        """The routing headers of a request in a client's name, to the CPO's first party."""
        country_code, party_id = self.cpo_parties[0]
        return {
            "OCPI-from-country-code": client.country_code,
            "OCPI-from-party-id": client.party_id,
            "OCPI-to-country-code": country_code,
            "OCPI-to-party-id": party_id,
        }

    def _response_url(self, command: str) -> str:
        return f"{self.module_url}/commands/{command}/{uuid.uuid4().hex}"

    def _know(self, credentials: JsonObject) -> None:
        self.cpo_parties = [
            (role["country_code"], role["party_id"])
            for role in credentials["roles"]
            if role["role"] == "CPO"
        ]
