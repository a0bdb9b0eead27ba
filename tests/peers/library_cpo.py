"""A minimal CPO on extrawest-ocpi alone, in a process of its own: `python -m ... PORT`.

Nothing of ours is imported, so that what it does is what the library does. Storage, Crud and
Authenticator are written as the library's README shows them, in memory. `/control/...` is the
back door of the tests and no part of what is compared.
"""

from __future__ import annotations

import os
import secrets
import sys
from datetime import datetime, timezone
from typing import Any

PORT = int(sys.argv[1]) if __name__ == "__main__" else 0
os.environ |= {
    "OCPI_HOST": f"127.0.0.1:{PORT}",
    "PROTOCOL": "http",
    "COUNTRY_CODE": "BE",
    "PARTY_ID": "BEC",
    "COMMAND_AWAIT_TIME": "1",
    "GET_ACTIVE_PROFILE_AWAIT_TIME": "1",
}

import uvicorn  # noqa: E402
from fastapi import Body, FastAPI  # noqa: E402
from py_ocpi import get_application  # noqa: E402
from py_ocpi.core.authentication.authenticator import Authenticator  # noqa: E402
from py_ocpi.core.crud import Crud  # noqa: E402
from py_ocpi.core.enums import Action, ModuleID, RoleEnum  # noqa: E402
from py_ocpi.modules.versions.enums import VersionNumber  # noqa: E402

OBJECTS: dict[str, dict[str, dict[str, Any]]] = {}
TOKENS_A: set[str] = set()
TOKENS_C: set[str] = set()


def folded(*parts: Any) -> str:
    return "/".join(str(getattr(part, "value", part)) for part in parts).lower()


def key_of(module: ModuleID, id: Any, named: dict[str, Any]) -> str:
    if module == ModuleID.tokens:
        return folded(named["country_code"], named["party_id"], named["token_type"], id)
    if module == ModuleID.hub_client_info:
        return folded(named["country_code"], named["party_id"])
    return folded(id)


class ExampleAuthenticator(Authenticator):
    @classmethod
    async def get_valid_token_c(cls) -> list[str]:
        return list(TOKENS_C)

    @classmethod
    async def get_valid_token_a(cls) -> list[str]:
        return list(TOKENS_A)


def our_credentials(token: str) -> dict[str, Any]:
    return {
        "token": token,
        "url": f"http://127.0.0.1:{PORT}/ocpi/versions",
        "roles": [
            {
                "role": "CPO",
                "business_details": {"name": "Example"},
                "party_id": "BEC",
                "country_code": "BE",
            }
        ],
    }


class ExampleCrud(Crud):
    @classmethod
    async def get(cls, module: ModuleID, role: RoleEnum, id: Any, *_: Any, **named: Any) -> Any:
        if module == ModuleID.credentials_and_registration:
            return our_credentials(named["auth_token"])
        if module in (ModuleID.commands, ModuleID.charging_profile):
            return None  # the charge point has not answered yet
        return OBJECTS.get(module.value, {}).get(key_of(module, id, named))

    @classmethod
    async def list(
        cls, module: ModuleID, role: RoleEnum, filters: dict[str, Any], *_: Any, **named: Any
    ) -> Any:
        rows = [row for row in OBJECTS.get(module.value, {}).values() if matches(row, filters)]
        start, end = filters["offset"], filters["offset"] + filters["limit"]
        return rows[start:end], len(rows), end >= len(rows)

    @classmethod
    async def create(
        cls, module: ModuleID, role: RoleEnum, data: Any, *_: Any, **named: Any
    ) -> Any:
        if module == ModuleID.credentials_and_registration:
            token = secrets.token_hex(16)
            TOKENS_A.discard(named["auth_token"])
            TOKENS_C.add(token)
            return our_credentials(token)
        OBJECTS.setdefault(module.value, {})[key_of(module, data.get("uid"), named)] = data
        return data

    @classmethod
    async def update(
        cls, module: ModuleID, role: RoleEnum, data: Any, id: Any, *_: Any, **named: Any
    ) -> Any:
        if module == ModuleID.credentials_and_registration:
            TOKENS_C.discard(named["auth_token"])
            return await cls.create(module, role, data, **named)
        if module == ModuleID.sessions:
            return data
        OBJECTS.setdefault(module.value, {})[key_of(module, id, named)] = data
        return data

    @classmethod
    async def delete(cls, module: ModuleID, role: RoleEnum, id: Any, *_: Any, **named: Any) -> None:
        TOKENS_C.discard(named["auth_token"])

    @classmethod
    async def do(
        cls,
        module: ModuleID,
        role: RoleEnum | None,
        action: Action,
        *_: Any,
        data: dict[str, Any] | None = None,
        **named: Any,
    ) -> Any:
        if action == Action.get_client_token:
            return "token-of-the-emsp"
        return {"result": "ACCEPTED", "timeout": 30}


def matches(row: dict[str, Any], filters: dict[str, Any]) -> bool:
    moment = datetime.fromisoformat(row["last_updated"].replace("Z", "+00:00"))
    from_, to = (aware(filters[name]) for name in ("date_from", "date_to"))
    return (from_ is None or moment >= from_) and (to is None or moment < to)


def aware(moment: datetime | None) -> datetime | None:
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=timezone.utc)


def build() -> FastAPI:
    app = get_application(
        version_numbers=[VersionNumber.v_2_2_1],
        roles=[RoleEnum.cpo],
        crud=ExampleCrud,
        modules=[
            ModuleID.credentials_and_registration,
            ModuleID.locations,
            ModuleID.sessions,
            ModuleID.cdrs,
            ModuleID.tariffs,
            ModuleID.tokens,
            ModuleID.commands,
            ModuleID.charging_profile,
            ModuleID.hub_client_info,
        ],
        authenticator=ExampleAuthenticator,
    )

    @app.post("/control/keep/{module}")
    async def keep(module: str, objects: list[dict[str, Any]] = Body(...)) -> None:
        for row in objects:
            OBJECTS.setdefault(module, {})[folded(row["id"])] = row

    @app.post("/control/spoil/{module}/{id}")
    async def spoil(module: str, id: str) -> None:
        OBJECTS[module][folded(id)] = {
            name: value
            for name, value in OBJECTS[module][folded(id)].items()
            if name in ("id", "last_updated")
        }

    @app.post("/control/invite")
    async def invite() -> str:
        token = secrets.token_hex(16)
        TOKENS_A.add(token)
        return token

    @app.post("/control/admit")
    async def admit() -> str:
        token = secrets.token_hex(16)
        TOKENS_C.add(token)
        return token

    @app.post("/control/clear")
    async def clear() -> None:
        OBJECTS.clear()
        TOKENS_A.clear()
        TOKENS_C.clear()

    return app


if __name__ == "__main__":
    uvicorn.run(build(), host="127.0.0.1", port=PORT, log_level="error")
