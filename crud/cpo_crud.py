"""`CpoCrud`: extrawest-ocpi's Crud contract. It only picks the module's file."""

from __future__ import annotations

from typing import Any

from py_ocpi.core.crud import Crud
from py_ocpi.core.enums import Action, ModuleID, RoleEnum

from crud.cdrs import Cdrs
from crud.hubclientinfo import HubClientInfo
from crud.locations import Locations
from crud.payments import Payments
from crud.sessions import Sessions
from crud.tariffs import Tariffs
from crud.tokens import Tokens
from db_interface.interface import DbInterface
from db_interface.json_data import JsonObject


class CpoCrud(Crud):
    """All modules of a CPO over one store; further modules are handed in by `modules`."""

    def __init__(self, store: DbInterface, modules: dict[ModuleID, Any] | None = None) -> None:
        # Some are not among the library's ModuleIDs.
        self._modules: dict[str, Any] = {
            ModuleID.locations: Locations(store),
            ModuleID.sessions: Sessions(store),
            ModuleID.cdrs: Cdrs(store),
            ModuleID.tariffs: Tariffs(store),
            ModuleID.tokens: Tokens(store),
            ModuleID.hub_client_info: HubClientInfo(store),
            Payments.module: Payments(store),
            **(modules or {}),
        }

    async def get(
        self, module: ModuleID, role: RoleEnum, id: object, *_: object, **named: object
    ) -> Any:
        return await self._modules[module].get(id, **named)

    async def list(
        self, module: ModuleID, role: RoleEnum, filters: JsonObject, *_: object, **named: object
    ) -> Any:
        return await self._modules[module].list(filters, **named)

    async def create(
        self, module: ModuleID, role: RoleEnum, data: object, *_: object, **named: object
    ) -> Any:
        return await self._modules[module].create(data, **named)

    async def update(
        self,
        module: ModuleID,
        role: RoleEnum,
        data: object,
        id: object,
        *_: object,
        **named: object,
    ) -> Any:
        return await self._modules[module].update(data, id, **named)

    async def delete(
        self, module: ModuleID, role: RoleEnum, id: object, *_: object, **named: object
    ) -> Any:
        return await self._modules[module].delete(id, **named)

    async def do(
        self,
        module: ModuleID,
        role: RoleEnum | None,
        action: Action,
        *_: object,
        data: JsonObject | None = None,
        **named: object,
    ) -> Any:
        return await self._modules[module].do(action, data=data, **named)
