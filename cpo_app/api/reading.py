"""What can be read: the console's read models, page by page, for every role.

Of drivers' cards the last characters are shown; tokens, keys and hashes never are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from starlette.exceptions import HTTPException

from cpo_app.actions.catalog import all_actions
from cpo_app.actions.house import House
from cpo_app.actions.peer_facts import facts
from cpo_app.actions.readings import party_pair
from cpo_app.api.routes import answered
from cpo_app.notice_settings import target_ids
from cpo_app.settings.showing import shown_settings
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import fold, party_key, plain
from domain.audit.listing import listed
from domain.audit.redaction import shown
from domain.charge_points import dead_letters
from domain.charge_points.evse_states import EvseStatus
from domain.commands.command_queue import COMMANDS
from domain.objects.finding import find_object
from domain.operator import charge_points, hub_clients, money
from domain.operator.notices import notices
from domain.operators.actor import current_actor
from domain.paging import newest
from domain.peers.claims import CLAIMS
from domain.peers.claims import shown as party_shown
from domain.peers.peer_document import PEERS
from domain.peers.peer_listing import newest_peers
from domain.peers.peers import Peer
from domain.platform_facts import default_tariff
from domain.reservations.reservations import RESERVATIONS
from domain.sessions.session_records import SESSIONS

Limit = Annotated[int, Query(ge=1, le=1000, description="At most so many.")]
Cursor = Annotated[
    str | None, Query(max_length=400, description="`next` of the page before; else the first.")
]
Id = Annotated[str, Path(min_length=1, max_length=200)]
OfChargePoint = Annotated[str | None, Query(max_length=64)]
OfParty = Annotated[str | None, Query(max_length=6, description="Of this party (NL/EVC).")]

_SESSION = (
    *("_id", "cp_id", "connector_id", "country_code", "party_id", "status", "running", "source"),
    *("auth_method", "created", "started", "ended", "last_heard", "energy_wh", "power_w"),
    *("end_reason", "closed", "estimated", "suspect", "held", "unbilled", "cdr_problem"),
    *("signature", "by_hand"),
)
_RESERVATION = (
    *("_id", "peer_id", "reservation_id", "status", "active", "owner", "cp_id", "connector_id"),
    *("location_id", "evse_uid", "expiry_date", "command_id", "created", "session_id", "ended"),
)
_COMMAND = (
    *("_id", "kind", "state", "cp_id", "peer_id", "session_id", "created", "deadline"),
    *("attempts", "sent_at", "answered_at", "expired_at", "result", "finished_at"),
)
_MODULES = ("cdrs", "tariffs", "locations", "tokens")


def add_reading(router: APIRouter, house: House) -> None:
    _charge_points(router, house)
    _charging(router, house)
    _objects(router, house)
    _peers(router, house)
    _platform(router, house)


def _charge_points(router: APIRouter, house: House) -> None:
    db = house.store.db

    @router.get("/charge-points", tags=["charge_points"])
    async def charge_point_list(
        limit: Limit = 100, cursor: Cursor = None, status: EvseStatus | None = None
    ) -> Response:
        """By id; with a status, the latest change first, and no further page."""
        if status is not None:
            rows, _ = await charge_points.table(db, status=status.value, search="", after=None)
            return _page(rows[:limit], None)
        found, following = await charge_points.page(db, after=cursor, limit=limit)
        return _page(found, following)

    @router.get("/charge-points/{cp_id}", tags=["charge_points"])
    async def charge_point(cp_id: Id) -> Response:
        found = await charge_points.one(db, cp_id)
        return answered(_there(found, "charge point", cp_id))

    @router.get("/dead-letters", tags=["charge_points"])
    async def dead_letter_list(limit: Limit = 100, charge_point: OfChargePoint = None) -> Response:
        """Telemetry that was not taken: those that failed first, the latest first."""
        rows = await dead_letters.listed(db, charge_point, limit)
        return _page([asdict(row) for row in rows], None)


def _charging(router: APIRouter, house: House) -> None:
    db = house.store.db

    @router.get("/sessions", tags=["sessions"])
    async def session_list(
        limit: Limit = 100, cursor: Cursor = None, charge_point: OfChargePoint = None
    ) -> Response:
        """As EV_Central keeps them, the latest first."""
        rows, following = await newest(
            SESSIONS.of(db),
            _of(charge_point),
            by="created",
            limit=limit,
            cursor=cursor,
            fields=dict.fromkeys(_SESSION, 1),
        )
        return _page([_named(row, _SESSION) for row in rows], following)

    @router.get("/sessions/{session_id}", tags=["sessions"])
    async def session(session_id: Id) -> Response:
        found = await SESSIONS.of(db).find_one({"_id": session_id}, dict.fromkeys(_SESSION, 1))
        return answered(_named(_there(found, "session", session_id), _SESSION))

    @router.get("/money", tags=["sessions"])
    async def money_list(limit: Limit = 100) -> Response:
        """Money that needs a look, at most so many of each kind; what to do with each."""
        counts = await money.counts(db)
        rows = [{**asdict(row), "actions": row.actions} for row in await money.entries(db, limit)]
        return answered({"items": rows, "next": None, "unbilled_wh": counts.unbilled_wh})

    @router.get("/reservations", tags=["reservations"])
    async def reservation_list(
        limit: Limit = 100, cursor: Cursor = None, charge_point: OfChargePoint = None
    ) -> Response:
        """The latest first."""
        rows, following = await newest(
            RESERVATIONS.of(db), _of(charge_point), by="created", limit=limit, cursor=cursor
        )
        return _page([_named(row, _RESERVATION) for row in rows], following)

    @router.get("/commands", tags=["commands"])
    async def command_list(
        limit: Limit = 100, cursor: Cursor = None, charge_point: OfChargePoint = None
    ) -> Response:
        """Of peers and our own, the latest first; kept for 30 days."""
        rows, following = await newest(
            COMMANDS.of(db), _of(charge_point), by="created", limit=limit, cursor=cursor
        )
        return _page([_named(row, _COMMAND) for row in rows], following)


def _objects(router: APIRouter, house: House) -> None:
    for module in _MODULES:
        _objects_of(router, house, module)

    @router.get("/tariffs-default", tags=["tariffs"])
    async def default() -> Response:
        """The tariff of connectors that name none."""
        return answered({"tariff_id": await default_tariff(house.store.db)})


def _objects_of(router: APIRouter, house: House, module: str) -> None:
    objects = house.store.objects(module)

    @router.get(f"/{module}", tags=[module], name=f"{module}.list", operation_id=f"{module}.list")
    async def object_list(
        limit: Limit = 100,
        cursor: Annotated[int | None, Query(ge=0, le=2**63 - 1)] = None,
        party: OfParty = None,
    ) -> Response:
        """As OCPI objects, the latest created first."""
        query: JsonObject = {} if cursor is None else {"seq": {"$lt": cursor}}
        pair = party_pair(party)
        if pair is not None:
            query["owner"] = party_key(*pair)
        rows = await objects.documents(
            query, fields={"raw": 1, "seq": 1}, sort=[("seq", -1)], limit=limit + 1
        )
        following = rows[limit - 1]["seq"] if len(rows) > limit else None
        return _page([_without_card(plain(row)) for row in rows[:limit]], following)

    if module == "tokens":
        return

    @router.get(
        f"/{module}/{{object_id}}",
        tags=[module],
        name=f"{module}.show",
        operation_id=f"{module}.show",
    )
    async def one(object_id: Id, party: OfParty = None) -> Response:
        """One of them, whatever the case of its id."""
        found = await find_object(house.store, module, object_id, party_pair(party))
        return answered(_without_card(plain(found)))


def _peers(router: APIRouter, house: House) -> None:
    db = house.store.db

    @router.get("/peers", tags=["peers"])
    async def peer_list(limit: Limit = 100, cursor: Cursor = None) -> Response:
        """The newest first."""
        found, following = await newest_peers(db, limit=limit, cursor=cursor)
        return _page([shown(facts(one)) for one in found], following)

    @router.get("/peers/{peer_id}", tags=["peers"])
    async def peer(peer_id: Id) -> Response:
        """With a hub's clients."""
        found = await PEERS.of(db).find_one({"_id": peer_id})
        if found is None:
            raise _not_there("peer", peer_id)
        clients = await hub_clients.rows_of(db, peer_id)
        known = {**facts(Peer.of(found)), "clients": clients}
        return answered(shown(known))

    @router.get("/claims", tags=["peers"])
    async def claim_list(limit: Limit = 100, cursor: Cursor = None) -> Response:
        """Which peer holds which party, by party."""
        query = {} if cursor is None else {"_id": {"$gt": cursor}}
        found = await CLAIMS.of(db).find(query, sort=[("_id", 1)], limit=limit + 1)
        rows = [
            {
                "party": party_shown(row["_id"]),
                "peer_id": row["peer_id"],
                "since": row["since"],
                "by": row["by"],
            }
            for row in found[:limit]
        ]
        return _page(rows, found[limit - 1]["_id"] if len(found) > limit else None)


def _platform(router: APIRouter, house: House) -> None:
    @router.get("/notices", tags=["notices"])
    async def notice_list() -> Response:
        """What is in trouble, what lately was, and whether those who are told of it take it."""
        found = await notices(house.store.db, target_ids(house.settings))
        return answered(asdict(found))

    @router.get("/audit", tags=["audit"])
    async def audit_log(
        limit: Limit = 100,
        cursor: Cursor = None,
        about: Annotated[str | None, Query(max_length=200)] = None,
        by: Annotated[str | None, Query(max_length=100)] = None,
        action: Annotated[str | None, Query(max_length=60)] = None,
    ) -> Response:
        """Who did what to what, the latest first."""
        rows, following = await listed(
            house.store.db, about=about, by=by, action=action, limit=limit, cursor=cursor
        )
        return _page(rows, following)

    @router.get("/settings", tags=["settings"])
    async def settings() -> Response:
        """The server's settings, secrets redacted. None may change while it runs: they come from
        the environment, and a restart reads them."""
        return answered({"settings": shown_settings(house.settings), "changeable": []})

    @router.get("/me", tags=["me"])
    async def me() -> Response:
        """Whom the key or password belongs to, and which actions that lets him do."""
        actor = current_actor()
        return answered(
            {
                "kind": actor.kind,
                "name": actor.name,
                "role": actor.role,
                "actions": [one.name for one in all_actions() if actor.may(one.needs)],
            }
        )


def _page(items: object, following: object) -> Response:
    return answered({"items": items, "next": following})


def _of(cp_id: str | None) -> JsonObject:
    return {} if cp_id is None else {"cp_id": cp_id}


def _named(row: Mapping[str, object] | JsonMapping, names: tuple[str, ...]) -> JsonObject:
    known = {name: row[name] for name in names if name in row}
    return {"id": known.pop("_id", None), **known}


def _there(found: JsonMapping | None, kind: str, id_: str) -> JsonMapping:
    if found is None:
        raise _not_there(kind, id_)
    return found


def _not_there(kind: str, id_: str) -> HTTPException:
    return HTTPException(404, f"there is no {kind} {fold(id_)[:80]}")


def _without_card(fields: JsonObject) -> JsonObject:
    """A driver's card number by its last characters: what is needed to recognise it."""
    token = fields.get("cdr_token")
    if isinstance(token, dict):
        fields["cdr_token"] = _without_card(token)
    for name in ("uid", "visual_number"):
        if name in fields and isinstance(fields[name], str) and "evses" not in fields:
            text = fields[name]
            fields[name] = f"…{text[-4:]}" if len(text) > 6 else "…"
    return fields
