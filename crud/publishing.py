"""Writing an owned object so that peers hear of it: the object and the marks of the peers that
have not seen it yet, in one transaction. Every change of an OCPI object goes through here.
"""

from __future__ import annotations

from collections.abc import Sequence

from db_interface.database import Session
from db_interface.interface import DbInterface
from db_interface.owned_objects import OwnedObject


async def publish(store: DbInterface, module: str, obj: OwnedObject, session: Session) -> str:
    """Keep `obj` under `module`; call inside a transaction.

    Returns "created", "updated" or "unchanged" (an unchanged object marks nobody).
    """
    return await store.objects(module).put(obj, session)


async def publish_all(
    store: DbInterface, module: str, objects: Sequence[OwnedObject], session: Session
) -> list[str]:
    """Many objects at once, new ones in one round trip; outcomes as `publish` gives them."""
    known = await store.objects(module).known([obj.key for obj in objects], session)
    new = [obj for obj in objects if obj.key not in known]
    await store.objects(module).put_new(new, session)
    return [
        "created" if obj.key not in known else await publish(store, module, obj, session)
        for obj in objects
    ]


async def withdraw(store: DbInterface, module: str, key: str, session: Session) -> bool:
    """Delete the object under its folded key; call inside a transaction. False: not there."""
    return await store.objects(module).remove(key, session)
