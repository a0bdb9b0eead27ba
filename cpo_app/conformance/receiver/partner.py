"""The eMSP under test: what it is sent, and what it must have forgotten at the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import quote

import httpx
import orjson

from cpo_app.conformance.probe import Probe, Unusable
from cpo_app.conformance.receiver.specimens import Specimens
from cpo_app.conformance.rules import Untested, demand
from db_interface.json_data import JsonObject
from domain.versions import INNER_VERSION, OcpiVersion

UNKNOWN = "Token dW5rbm93bi10b2tlbg=="
"""A header with a token that nobody was given."""


@dataclass
class Sent:
    """What of a module the partner may have by now, by id; and whether it took the first one."""

    ids: list[str] = field(default_factory=list)
    taken: bool = False
    last: JsonObject = field(default_factory=dict)
    """The object that the rules of the module go by, as it was sent last."""


class Partner(Probe):
    """`party` is ours: whose objects they are."""

    of_a_cpo = False

    def __init__(
        self,
        versions_url: str,
        token: str,
        party: tuple[str, str],
        version: OcpiVersion = INNER_VERSION,
    ) -> None:
        super().__init__(versions_url, token, version)
        self.party = party
        self.specimens = Specimens(version, party, ("XX", "TST"))
        self.sent: dict[str, Sent] = {}
        self.left: list[str] = []
        """What could not be removed again, in words."""

    def of(self, module: str) -> Sent:
        return self.sent.setdefault(module, Sent())

    def receiver(self, module: str) -> str:
        """The URL of a module that takes what a CPO pushes. Raises Untested."""
        url = self.endpoint(module, "RECEIVER")
        if url is None:
            raise Untested(f"no {module} RECEIVER endpoint")
        return url.rstrip("/")

    def url(self, module: str, *ids: str) -> str:
        """Of an object of ours. Raises Untested."""
        parts = (quote(part, safe="") for part in (*self.party, *ids))
        return "/".join((self.receiver(module), *parts))

    def demand_taken(self, module: str) -> None:
        """Raises Untested where the partner did not take the module's test object."""
        self.receiver(module)
        if not self.of(module).taken:
            raise Untested("the test object was not taken")

    async def send(
        self,
        method: str,
        url: str,
        body: object = None,
        *,
        authorization: str | None = "",
    ) -> httpx.Response:
        """A request with a JSON body, bytes as they are. Raises Unusable."""
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        return await self._ask(
            method, url, None if body is None else content, authorization, self._routing()
        )

    async def look(self, url: str) -> httpx.Response:
        """GET, of an object. Raises Unusable."""
        return await self._ask("GET", url, None, "", self._routing())

    async def object_at(self, url: str) -> JsonObject:
        """The object at a URL. Raises Unusable, Broken."""
        data = self.data(await self.look(url))
        demand(isinstance(data, dict), f"data is a {type(data).__name__}, not an object")
        found: JsonObject = data
        return found

    def demand_success(self, response: httpx.Response) -> None:
        """Raises Broken, Unusable unless it is HTTP 2xx with a 1xxx."""
        answer = self.envelope(response)
        demand(
            response.is_success and 1000 <= answer["status_code"] < 2000,
            f"HTTP {response.status_code}, OCPI {answer['status_code']}: "
            f"{answer.get('status_message', '')}",
        )

    def refuses(self, response: httpx.Response) -> bool:
        """Whether it says no in an envelope: HTTP 4xx, or a 2xxx. Raises Unusable."""
        answer = self.envelope(response)
        return 400 <= response.status_code < 500 or (
            response.is_success and 2000 <= answer["status_code"] < 3000
        )

    async def has(self, url: str) -> bool:
        """Whether there is an object at a URL. Raises Unusable."""
        response = await self.look(url)
        return not self.refuses(response) and isinstance(self.data(response), dict)

    def _routing(self) -> dict[str, str]:
        if not self.version.description.has_message_routing:
            return {}
        country_code, party_id = self.party
        return {"OCPI-from-country-code": country_code, "OCPI-from-party-id": party_id}

    async def forget(self) -> None:
        """Take back what was sent, as far as the text knows a way; notes in `left` what stays."""
        for module, take_back in (
            ("sessions", self._invalid),
            ("locations", self._removed),
            ("tariffs", self._deleted),
        ):
            for object_id in self.of(module).ids:
                try:
                    await take_back(object_id)
                except (Unusable, Untested) as error:
                    self.left.append(f"{object_id} ({error})")

    async def _deleted(self, tariff_id: str) -> None:
        url = self.url("tariffs", tariff_id)
        await self.send("DELETE", url)
        if await self.has(url):
            raise Unusable("is there after its DELETE")

    async def _removed(self, location_id: str) -> None:
        url = self.url("locations", location_id)
        if not await self.has(url):
            return
        gone = self.specimens.location(location_id)
        for evse in gone["evses"]:
            evse["status"] = "REMOVED"
        self._taken_back(await self.send("PUT", url, gone))

    async def _invalid(self, session_id: str) -> None:
        url = self.url("sessions", session_id)
        if await self.has(url):
            over = self.specimens.session(session_id, "INVALID")
            self._taken_back(await self.send("PUT", url, over))

    def _taken_back(self, response: httpx.Response) -> None:
        if self.refuses(response) or not response.is_success:
            raise Unusable(f"HTTP {response.status_code} when it was taken back")
