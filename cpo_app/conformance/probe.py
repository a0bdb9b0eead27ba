"""Requests to the party under test, by plain httpx; sees headers as they come.

This one only reads; receiver/partner.py writes, too.
"""

from __future__ import annotations

import base64
import uuid
from types import TracebackType
from typing import Any, TypeVar

import httpx

from db_interface.json_data import JsonObject
from domain.versions import INNER_VERSION, OcpiVersion

TIMEOUT_S = 30.0
_LISTS = ("locations", "tariffs")
"""Modules of a CPO whose lists need no parameter."""


Self = TypeVar("Self", bound="Probe")


class Unusable(Exception):
    """An answer that cannot be read at all, or none; in one line, without the token."""


class Probe:
    """The party under test: its endpoints in one version of OCPI, and requests with our token."""

    of_a_cpo = True
    """Whether it is a CPO; else an eMSP."""

    def __init__(self, versions_url: str, token: str, version: OcpiVersion = INNER_VERSION) -> None:
        self.versions_url = versions_url
        self.version = version
        self._token = token
        self._client = httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False)
        self.versions: Any = None
        self.details_url = ""
        self.details: Any = None
        self._lists: dict[str, list[JsonObject]] = {}

    async def __aenter__(self: Self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def discover(self) -> None:
        """Read versions and the details of ours. Raises Unusable."""
        self.versions = self.data(await self.get(self.versions_url))
        try:
            self.details_url = next(
                row["url"] for row in self.versions if row["version"] == self.version.number
            )
        except (StopIteration, TypeError, KeyError) as error:
            raise Unusable(f"the versions list holds no version {self.version.number}") from error
        self.details = self.data(await self.get(self.details_url))
        if not isinstance(self.details, dict) or not isinstance(
            self.details.get("endpoints"), list
        ):
            raise Unusable("the version details hold no list of endpoints")

    async def demand_open_modules(self) -> None:
        """Raise Unusable for a token that opens versions and credentials only."""
        rows = [row for row in self.details["endpoints"] if isinstance(row, dict)]
        lists = [row for row in rows if row.get("identifier") in _LISTS and row.get("url")]
        answers = [await self.get(f"{row['url']}?limit=1") for row in lists[:1]]
        if answers and answers[0].status_code in (401, 403):
            raise Unusable(
                f"the token opens versions, but {lists[0]['identifier']} answers HTTP "
                f"{answers[0].status_code}: it seems to be a CREDENTIALS_TOKEN_A, which is good "
                "for registering only (--register does that first, and leaves again)"
            )

    def endpoint(self, module: str, role: str) -> str | None:
        """The URL of a module's interface, or None."""
        roles = self.version.description.endpoints_have_roles
        for row in self.details["endpoints"]:
            its_role = row.get("role") if roles else self._role_of(module)
            if row.get("identifier") == module and its_role == role:
                return str(row["url"])
        return None

    def _role_of(self, module: str) -> str | None:
        """Which interface of a module such a party has, where its version details do not say it."""
        modules = self.version.description.modules
        of_a_cpo = {row.identifier: row.role for row in modules}.get(module)
        if self.of_a_cpo or of_a_cpo is None:
            return of_a_cpo
        return "RECEIVER" if of_a_cpo == "SENDER" else "SENDER"

    async def get(
        self, url: str, *, authorization: str | None = "", **headers: str
    ) -> httpx.Response:
        """GET; `authorization` "" is our token, None sends no such header. Raises Unusable."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self._ask("GET", url, None, authorization, named)

    def authorization_of(self, token: str) -> str:
        """The header that presents a token in this version."""
        encodes = self.version.description.encodes_tokens
        return "Token " + (base64.b64encode(token.encode()).decode() if encodes else token)

    async def _ask(
        self,
        method: str,
        url: str,
        body: bytes | None,
        authorization: str | None,
        headers: dict[str, str],
    ) -> httpx.Response:
        sent = {"X-Request-ID": str(uuid.uuid4()), "X-Correlation-ID": str(uuid.uuid4()), **headers}
        if authorization is not None:
            sent["Authorization"] = authorization or self.authorization_of(self._token)
        if body is not None:
            sent["Content-Type"] = "application/json"
        try:
            return await self._client.request(method, url, content=body, headers=sent)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unusable(f"no answer: {error or type(error).__name__}") from error

    def envelope(self, response: httpx.Response) -> JsonObject:
        """The answer's envelope. Raises Unusable."""
        try:
            answer = response.json()
        except ValueError as error:
            raise Unusable(f"HTTP {response.status_code} with a body that is not JSON") from error
        if not isinstance(answer, dict) or not isinstance(answer.get("status_code"), int):
            raise Unusable(f"HTTP {response.status_code} without an OCPI envelope")
        return answer

    def data(self, response: httpx.Response) -> Any:
        """The data of a successful answer. Raises Unusable."""
        answer = self.envelope(response)
        if response.status_code != 200 or not 1000 <= answer["status_code"] < 2000:
            raise Unusable(
                f"HTTP {response.status_code}, OCPI {answer['status_code']}: "
                f"{answer.get('status_message', '')}"
            )
        return answer.get("data")

    async def first_page(self, module: str) -> list[JsonObject]:
        """The first page of a sender list, fetched once; [] where there is none."""
        if module not in self._lists:
            url = self.list_url(module)
            rows = [] if url is None else self.data(await self.get(url))
            self._lists[module] = rows if isinstance(rows, list) else []
        return self._lists[module]

    def list_url(self, module: str, query: str = "") -> str | None:
        """The URL of a module's list; sessions need a date_from (mod_sessions)."""
        url = self.endpoint(module, "SENDER")
        if url is None:
            return None
        if module == "sessions" and "date_from" not in query:
            query = "&".join(filter(None, ("date_from=2010-01-01T00:00:00Z", query)))
        return f"{url}?{query}" if query else url
