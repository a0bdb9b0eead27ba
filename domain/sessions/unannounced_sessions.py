"""Sessions that a charge point started and Central does not know: taken over if it can be told
whose they are.

That happens when Central's store was set back to a backup, or when a charge point lets cards
charge that it knows. The card's token and the charge point's location must be known; what cannot
be ascribed to a token is nobody's session. A charge point's word authorizes nothing: only a valid
token whose whitelist lets it charge unasked does. Any other session is held.
"""

from __future__ import annotations

from datetime import datetime

from db_interface.transaction import Tx
from domain.authorization.whitelist import Allowed, Ask, AuthMethod, rule_of
from domain.objects import OcpiObject
from domain.objects.locations import connector_of, evse_of
from domain.rendered import Rendered
from domain.sessions.charging_sessions import open_session, running_session
from domain.sessions.session_document import Hold
from domain.sessions.session_doubts import fell_silent
from domain.sessions.session_rules import Rules
from domain.sites.identifiers import ocpi_id


class UnknownOrigin(Exception):
    """What is known does not say whose session it is, or where; the message says what misses."""


async def open_unannounced(
    tx: Tx,
    *,
    cp_id: str,
    connector_id: str,
    session_id: str,
    id_tag: str | None,
    source: str,
    at: datetime,
    rules: Rules,
    refused: str | None = None,
) -> None:
    """Open the session as PENDING, from `at` on; raises UnknownOrigin before anything is written.

    `refused`: why it is held, where it is known that nobody has authorized it. The charge point's
    word counts: a session that Central still believes to run there does not.
    """
    token = await _token(tx, id_tag)
    location, evse, connector = await _connector(tx, cp_id, connector_id)
    await make_way(tx, cp_id, connector["id"])
    await open_session(
        tx,
        cp_id=cp_id,
        location=location,
        evse=evse,
        connector=connector,
        token=token,
        auth_method=AuthMethod.WHITELIST.value,
        authorization_reference=None,
        source=source,
        at=min(at, tx.now),
        session_id=session_id,
        held=_unauthorized(tx, token) if refused is None else {"since": tx.now, "why": refused},
        rules=rules,
    )


async def make_way(tx: Tx, cp_id: str, connector_id: str) -> None:
    """Another session began at the connector: nobody knows what became of the one before."""
    before = await running_session(tx, cp_id, connector_id)
    if before is not None:
        await fell_silent(tx, before["_id"], "another session began at its connector")


async def _connector(
    tx: Tx, cp_id: str, connector_id: str
) -> tuple[OcpiObject, OcpiObject, OcpiObject]:
    """Location, EVSE and connector of a charge point. Raises UnknownOrigin."""
    evse_uid = ocpi_id(cp_id)
    rows = await tx.store.objects("locations").documents({"links.evse": evse_uid.lower()}, tx=tx)
    for row in rows:
        location = Rendered(row["raw"]).plain()
        evse = evse_of(location, evse_uid)
        if evse is None:
            continue
        connector = connector_of(evse, connector_id)
        if connector is not None:
            return location, evse, connector
    raise UnknownOrigin("its charge point has no location with that connector")


async def _token(tx: Tx, id_tag: str | None) -> OcpiObject:
    if id_tag is None:
        raise UnknownOrigin("it names no token")
    rows = await tx.store.objects("tokens").documents({"lid": id_tag.lower()}, tx=tx)
    if len(rows) != 1:
        raise UnknownOrigin("its token is not known" if not rows else "several tokens have its uid")
    return Rendered(rows[0]["raw"]).plain()


def _unauthorized(tx: Tx, token: OcpiObject) -> Hold | None:
    """Why nobody has authorized the session that a card of that token is said to have opened."""
    rule = rule_of(token["whitelist"], token["valid"])
    if rule.ask is not Ask.YES and rule.unasked is Allowed.ALLOWED:
        return None
    if token["valid"]:
        why = f"its token's whitelist is {token['whitelist']}, and its eMSP was not asked"
    else:
        why = "its token is not valid"
    return {"since": tx.now, "why": why}
