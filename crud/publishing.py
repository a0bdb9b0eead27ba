"""Writing an owned object so that peers hear of it: the object and the marks of the peers that
have not seen it yet, in one transaction. Every change of an OCPI object goes through here.
"""

from __future__ import annotations

from db_interface.database import Session
from db_interface.interface import DbInterface
from db_interface.owned_objects import OwnedObject


async def publish(store: DbInterface, module: str, obj: OwnedObject, session: Session) -> str:
    """Keep `obj` under `module`; call inside a transaction.

    Returns "created", "updated" or "unchanged" (an unchanged object marks nobody).
    """
    return await store.objects(module).put(obj, session)


async def withdraw(store: DbInterface, module: str, key: str, session: Session) -> bool:
    """Delete the object under its folded key; call inside a transaction. False: not there."""
    return await store.objects(module).remove(key, session)
