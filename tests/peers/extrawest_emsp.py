"""A second implementation: an eMSP made with extrawest-ocpi's own EMSP role.

The library answers and checks here (versions, details, credentials, and what is pushed to it);
storage and Crud are the least that it needs. As a client it builds and reads all objects with
the library's models, so that ours are judged by somebody else's schemas.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from fastapi import FastAPI
from py_ocpi import get_application
from py_ocpi.core.authentication.authenticator import Authenticator
from py_ocpi.core.config import settings as library_settings
from py_ocpi.core.crud import Crud
from py_ocpi.core.endpoints import ENDPOINTS
from py_ocpi.core.enums import ModuleID, RoleEnum
from py_ocpi.core.utils import encode_string_base64
from py_ocpi.modules.credentials.v_2_2_1.schemas import Credentials
from py_ocpi.modules.locations.v_2_2_1.schemas import Location
from py_ocpi.modules.tokens.v_2_2_1.schemas import Token
from py_ocpi.modules.versions.enums import VersionNumber
from py_ocpi.modules.versions.v_2_2_1.schemas import VersionDetail

from cpo_app.links import parse_next
from tests.conftest import Loop
from tests.serving import listener, served, url_of

TOKEN_A = "token-a-of-the-extrawest-emsp-01"
TOKEN_C = "token-c-of-the-extrawest-emsp-02"
V = VersionNumber.v_2_2_1


class ExtrawestEmsp:
    """The eMSP's storage, and its client."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url
        self.registered: dict[str, Any] = {}
        """What the CPO's POST brought: its credentials and endpoints."""

    @property
    def versions_url(self) -> str:
        return f"{self.base_url}/ocpi/versions"

    @property
    def own_credentials(self) -> dict[str, Any]:
        role = {
            "role": "EMSP",
            "country_code": "NL",
            "party_id": "XTW",
            "business_details": {"name": "extrawest eMSP"},
        }
        return {"token": TOKEN_C, "url": self.versions_url, "roles": [role]}

    # -- the client ----------------------------------------------------------------------------

    def ask(self, method: str, url: str, **options: Any) -> httpx.Response:
        token = encode_string_base64(self.registered["credentials"]["token"])
        headers = {"Authorization": f"Token {token}"}
        return httpx.request(method, url, headers=headers, timeout=10, **options)

    def endpoint(self, module: str) -> str:
        rows = self.registered["endpoints"]["endpoints"]
        return next(row["url"] for row in rows if row["identifier"] == module)

    def register_with(self, versions_url: str, token_a: str) -> Credentials:
        """The sender's side of the handshake; the library has none of its own."""
        self.registered = {"credentials": {"token": token_a}}
        versions = self.ask("GET", versions_url).json()["data"]
        url = next(row["url"] for row in versions if row["version"] == V.value)
        details = self.ask("GET", url).json()["data"]
        VersionDetail(**details)
        self.registered["endpoints"] = details
        body = json.loads(Credentials(**self.own_credentials).json(exclude_none=True))
        answer = self.ask("POST", self.endpoint("credentials"), json=body)
        credentials = Credentials(**answer.json()["data"])
        self.registered["credentials"] = answer.json()["data"]
        return credentials

    def pull_locations(self) -> list[Location]:
        """All locations, page by page, as the library's models read them."""
        found: list[Location] = []
        url: str | None = f"{self.endpoint('locations')}?limit=2"
        while url is not None:
            page = self.ask("GET", url)
            found += [Location(**row) for row in page.json()["data"]]
            url = parse_next(page.headers.get("link"))
        return found

    def write_token(self, token: Token) -> httpx.Response:
        """PUT a token as the library writes it: ids in lower case, empty fields as null."""
        url = f"{self.endpoint('tokens')}/{token.country_code}/{token.party_id}/{token.uid}"
        return self.ask("PUT", url, json=json.loads(token.json()))


def _crud_of(emsp: ExtrawestEmsp) -> type[Crud]:
    class EmspCrud(Crud):
        @classmethod
        async def get(cls, module: Any, role: Any, id: Any, *_: Any, **named: Any) -> Any:
            return emsp.own_credentials

        @classmethod
        async def create(cls, module: Any, role: Any, data: Any, *_: Any, **named: Any) -> Any:
            emsp.registered = data
            return emsp.own_credentials

        @classmethod
        async def update(
            cls, module: Any, role: Any, data: Any, id: Any, *_: Any, **named: Any
        ) -> Any:
            emsp.registered = data
            return emsp.own_credentials

        @classmethod
        async def delete(cls, module: Any, role: Any, id: Any, *_: Any, **named: Any) -> None:
            emsp.registered = {}

        @classmethod
        async def list(cls, module: Any, role: Any, filters: Any, *_: Any, **named: Any) -> Any:
            return [], 0, True

        @classmethod
        async def do(cls, module: Any, role: Any, action: Any, *_: Any, **named: Any) -> Any:
            return None

    return EmspCrud


class EmspAuthenticator(Authenticator):
    @classmethod
    async def get_valid_token_c(cls) -> list[str]:
        return [TOKEN_C]

    @classmethod
    async def get_valid_token_a(cls) -> list[str]:
        return [TOKEN_A]


def _application(emsp: ExtrawestEmsp, host: str) -> FastAPI:
    """The library's app; its process-wide settings and tables are put back afterwards."""
    modules = [ModuleID.credentials_and_registration, ModuleID.locations, ModuleID.tokens]
    rows = ENDPOINTS[V][RoleEnum.emsp]
    before = dict(rows), library_settings.OCPI_HOST, library_settings.PROTOCOL
    library_settings.OCPI_HOST, library_settings.PROTOCOL = host, "http"
    try:
        for module in modules:
            url = f"{emsp.base_url}/ocpi/emsp/2.2.1/{module.value}/"
            rows[module] = rows[module].copy(update={"url": url})
        return get_application(
            version_numbers=[V],
            roles=[RoleEnum.emsp],
            crud=_crud_of(emsp),
            modules=modules,
            authenticator=EmspAuthenticator,
        )
    finally:
        rows.update(before[0])
        library_settings.OCPI_HOST, library_settings.PROTOCOL = before[1:]


@contextmanager
def extrawest_emsp_on(loop: Loop) -> Iterator[ExtrawestEmsp]:
    """The eMSP on a server of its own."""
    listening = listener()
    emsp = ExtrawestEmsp(url_of(listening))
    with served(_application(emsp, emsp.base_url.removeprefix("http://")), loop, listening):
        yield emsp
