"""The eMSP's receiving side: `get_application()` of extrawest-ocpi in its EMSP role.

Keeps everything in memory. Process-wide tables of the library are changed: never in one
process with the CPO app.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from py_ocpi.core.authentication.authenticator import Authenticator
from py_ocpi.core.config import settings as library_settings
from py_ocpi.core.crud import Crud
from py_ocpi.core.endpoints import ENDPOINTS
from py_ocpi.core.enums import ModuleID, RoleEnum
from py_ocpi.main import get_application
from py_ocpi.modules.versions.enums import VersionNumber
from py_ocpi.modules.versions.v_2_2_1.schemas import Endpoint

from db_interface.json_data import JsonObject

MODULES = [
    ModuleID.credentials_and_registration,
    ModuleID.locations,
    ModuleID.sessions,
    ModuleID.cdrs,
    ModuleID.tariffs,
    ModuleID.tokens,
    ModuleID.commands,
]

Heard = Callable[[ModuleID, str, Any], None]
"""Called with the module, an id, and what the CPO sent."""


class Memory(Crud):
    """What the CPO has told us, by module and id; the library's Crud contract."""

    def __init__(self, tokens: list[JsonObject], heard: Heard) -> None:
        self.objects: dict[tuple[ModuleID, str], Any] = {}
        self._tokens = tokens
        self._heard = heard

    async def get(
        self, module: ModuleID, role: RoleEnum, id: Any, *_: object, **named: object
    ) -> Any:
        if module is ModuleID.tokens:
            wanted = str(id).lower()
            return next((row for row in self._tokens if row["uid"].lower() == wanted), None)
        return self.objects.get((module, str(id).lower()))

    async def list(
        self, module: ModuleID, role: RoleEnum, filters: JsonObject, *_: object, **named: object
    ) -> tuple[list[Any], int, bool]:
        rows = self._tokens if module is ModuleID.tokens else []
        return rows, len(rows), True

    async def create(
        self, module: ModuleID, role: RoleEnum, data: Any, *_: object, **named: object
    ) -> Any:
        return self._keep(module, str(data.get("id", "")), data)

    async def update(
        self, module: ModuleID, role: RoleEnum, data: Any, id: Any, *_: object, **named: object
    ) -> Any:
        before = self.objects.get((module, str(id).lower()), {})
        return self._keep(module, str(id), {**before, **data})

    async def delete(
        self, module: ModuleID, role: RoleEnum, id: Any, *_: object, **named: object
    ) -> Any:
        return self.objects.pop((module, str(id).lower()), None)

    async def do(
        self,
        module: ModuleID,
        role: Any,
        action: Any,
        *_: object,
        data: Any = None,
        **named: object,
    ) -> Any:
        token = await self.get(ModuleID.tokens, role, (data or {}).get("token_uid", ""))
        return {"allowed": "ALLOWED" if token else "NOT_ALLOWED", "token": token}

    def _keep(self, module: ModuleID, object_id: str, data: Any) -> Any:
        self.objects[module, object_id.lower()] = data
        self._heard(module, object_id, data)
        return data


def build_receiver(
    base_url: str, credentials_token: str, tokens: list[JsonObject], heard: Heard
) -> tuple[FastAPI, Memory]:
    """The eMSP's OCPI app, known to others as `base_url` ("http://127.0.0.1:9000"), and its memory.

    `credentials_token` is the token B that opens its door.
    """
    library_settings.PROTOCOL, _, library_settings.OCPI_HOST = base_url.partition("://")
    # The library keeps no case; upper case is at least how our ids are written.
    library_settings.CI_STRING_LOWERCASE_PREFERENCE = False
    rows = ENDPOINTS[VersionNumber.v_2_2_1][RoleEnum.emsp]
    for module, row in list(rows.items()):
        url = f"{base_url}/ocpi/emsp/2.2.1/{module.value}/"
        rows[module] = Endpoint(identifier=module, role=row.role, url=url)

    class OneToken(Authenticator):
        """The library hands the class on; its lists are all that it asks for."""

        @classmethod
        async def get_valid_token_c(cls) -> list[str]:
            return [credentials_token]

        @classmethod
        async def get_valid_token_a(cls) -> list[str]:
            return []

    memory = Memory(tokens, heard)
    app = get_application(
        version_numbers=[VersionNumber.v_2_2_1],
        roles=[RoleEnum.emsp],
        crud=memory,
        modules=MODULES,
        authenticator=OneToken,
    )
    return app, memory
