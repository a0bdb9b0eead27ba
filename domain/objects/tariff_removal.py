"""Removing a tariff, and naming the one of connectors that name none."""

from __future__ import annotations

from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.objects.finding import find_object
from domain.objects.locations import locations_naming
from domain.objects.tariff_assignment import locations_of_tariff
from domain.outbox.publishing import withdraw
from domain.platform_facts import default_tariff, set_default_tariff
from domain.views.tariff_turns import note_gone


class TariffInUse(ValueError):
    """Connectors name it, or it is the default; the message says which."""


async def remove_tariff(
    store: DbInterface, tariff_id: str, party: tuple[str, str] | None = None, *, force: bool = False
) -> str:
    """Remove a tariff, with `force` also one that is in use; its id. Sessions that run under it
    keep it as it was. Raises NotFoundById, TariffInUse."""
    found = await find_object(store, "tariffs", tariff_id, party)
    name: str = found["fields"]["id"]
    if not force:
        used = await locations_naming(store.db, name)
        if used:
            raise TariffInUse(f"{name} is named by connectors of {used} locations (--force)")
        assigned = await locations_of_tariff(store.db, name)
        if assigned:
            raise TariffInUse(f"{name} is assigned at {assigned} locations (--force)")

    async def work(tx: Tx) -> None:
        if not force and (await default_tariff(tx) or "").lower() == name.lower():
            raise TariffInUse(f"{name} is the default tariff (--force)")
        document = await find_object(store, "tariffs", tariff_id, party, tx)
        await withdraw(store, "tariffs", document["_id"], tx)
        await note_gone(tx, document)
        before = {key: document["fields"].get(key) for key in ("currency", "elements")}
        await audit.record(tx, "tariffs.remove", audit.tariff(name), before=before, after={})

    await store.transact(work)
    return name


async def name_default(store: DbInterface, tariff_id: str | None) -> str | None:
    """The tariff of connectors that name none from now on; None: none. Raises NotFoundById."""

    async def work(tx: Tx) -> str | None:
        name: str | None = None
        if tariff_id is not None:
            found = await find_object(store, "tariffs", tariff_id, None, tx)
            name = found["fields"]["id"]
        await set_default_tariff(tx, name)
        return name

    return await store.transact(work)
