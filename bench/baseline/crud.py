"""The example's Crud: hands everything on to the DbInterface. Reads only; the rest is refused."""

from __future__ import annotations

from typing import Any

from py_ocpi.core.crud import Crud
from py_ocpi.core.enums import Action, ModuleID, RoleEnum

from bench.baseline.db_interface import DbInterface


class CrudExample(Crud):
    @classmethod
    async def get(cls, module: ModuleID, role: RoleEnum, id: Any, *args: Any, **named: Any) -> Any:
        return await DbInterface.get(module, id, *args, **named)

    @classmethod
    async def list(
        cls, module: ModuleID, role: RoleEnum, filters: dict[str, Any], *args: Any, **named: Any
    ) -> tuple[list[dict[str, Any]], int, bool]:
        return await DbInterface.get_all(module, filters, *args, **named)

    @classmethod
    async def create(cls, module: ModuleID, *_: Any, **__: Any) -> Any:
        raise NotImplementedError(module)

    @classmethod
    async def update(cls, module: ModuleID, *_: Any, **__: Any) -> Any:
        raise NotImplementedError(module)

    @classmethod
    async def delete(cls, module: ModuleID, *_: Any, **__: Any) -> None:
        raise NotImplementedError(module)

    @classmethod
    async def do(
        cls, module: ModuleID, role: RoleEnum | None, action: Action, *_: Any, **__: Any
    ) -> Any:
        raise NotImplementedError(module)
