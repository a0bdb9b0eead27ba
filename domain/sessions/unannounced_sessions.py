"""Sessions that a charge point started and Central does not know: taken over if it can be told
whose they are.

That happens when Central's store was set back to a backup. The card's token and the charge
point's location must be known; what cannot be ascribed to a token is nobody's session.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.objects.locations import connector_of, evse_of
from domain.rendered import Rendered
from domain.sessions.charging_sessions import Rules, abandon, open_session, running_session
from domain.sites.identifiers import ocpi_id


class NotEnough(Exception):
    """What is known does not say whose session it is, or where; the message says what misses."""


async def open_unannounced(
    store: DbInterface,
    *,
    cp_id: str,
    connector_id: str,
    session_id: str,
    id_tag: str | None,
    source: str,
    at: datetime,
    now: datetime,
    tx: Tx,
    rules: Rules,
) -> None:
    """Open the session as PENDING, from `at` on; raises NotEnough before anything is written.

    The charge point's word counts: a session that Central still believes to run there has ended.
    """
    token = await _token(store, id_tag, tx)
    location, evse, connector = await place_of(store, cp_id, connector_id, tx)
    before = await running_session(store.db, cp_id, connector["id"], tx)
    if before is not None:
        await abandon(store, before["_id"], "another session began", now, tx, rules)
    await open_session(
        store,
        charge_point={"_id": cp_id},
        location=location,
        evse=evse,
        connector=connector,
        token=token,
        auth_method="COMMAND" if source == "remote" else "WHITELIST",
        authorization_reference=None,
        source=source,
        now=min(at, now),
        tx=tx,
        session_id=session_id,
        rules=rules,
    )


async def place_of(
    store: DbInterface, cp_id: str, connector_id: str | None, tx: Tx | None = None
) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Location, EVSE and connector of a charge point (no connector_id: its first).

    Raises NotEnough.
    """
    evse_uid = ocpi_id(cp_id)
    rows = await store.objects("locations").documents({"links.evse": evse_uid.lower()}, tx=tx)
    for row in rows:
        location = Rendered(row["raw"]).plain()
        evse = evse_of(location, evse_uid)
        if evse is None:
            continue
        if connector_id is None:
            return location, evse, evse["connectors"][0]
        connector = connector_of(evse, connector_id)
        if connector is not None:
            return location, evse, connector
    raise NotEnough("its charge point has no location with that connector")


async def _token(store: DbInterface, id_tag: str | None, tx: Tx) -> dict[str, Any]:
    if id_tag is None:
        raise NotEnough("it names no token")
    rows = await store.objects("tokens").documents({"lid": id_tag.lower()}, tx=tx)
    if len(rows) != 1:
        raise NotEnough("its token is not known" if not rows else "several tokens have its uid")
    return Rendered(rows[0]["raw"]).plain()
