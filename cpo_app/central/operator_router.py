"""The operator's routes under `/cp`: what stands where, what happened, in and out of service.

Never shows a key, a token, or where an engine listens.
"""

from dataclasses import asdict
from datetime import datetime, timedelta, timezone

from fastapi import APIRouter, Query, Request

from auth.operator_access import Door
from cpo_app.central.errors import Admitted, looking_first
from cpo_app.central.service import Central, UnknownChargePoint
from cpo_app.central.wire import OperativeBody
from cpo_app.http_errors import HttpError
from cpo_app.operator_guard import demand
from db_interface.json_data import JsonMapping, JsonObject
from domain.charge_points import charge_points, evse_history
from domain.operator import charge_points as operator_view
from domain.operators.actor import Role

DEFAULT_HISTORY = timedelta(days=1)
DEFAULT_UPTIME = timedelta(days=30)


def build_operator_router(central: Central) -> APIRouter:
    async def operator_only(request: Request) -> Admitted:
        return Admitted(await central.operators.actor(request, Door.CENTRAL))

    router = APIRouter(
        prefix="/cp",
        tags=["EV_Central"],
        route_class=looking_first(operator_only),
    )

    @router.get("")
    async def charge_point_list(
        limit: int = Query(100, ge=1, le=1000), after: str | None = Query(None, max_length=64)
    ) -> JsonObject:
        """Charge points by id; `next` is the `after` of the next page, null on the last."""
        rows, following = await operator_view.page(central.db, after=after, limit=limit)
        return {"charge_points": [_shown(row) for row in rows], "next": following}

    @router.get("/{cp_id}/history")
    async def history(
        cp_id: str,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = Query(evse_history.MAX_ENTRIES, ge=1, le=evse_history.MAX_ENTRIES),
    ) -> JsonObject:
        """Every change of the EVSE's status in [since, until), the last day by default."""
        key = await _known(central, cp_id)
        begin, end = _period(since, until, central.db.now(), DEFAULT_HISTORY)
        changes = await evse_history.history(central.db, key, begin, end, limit)
        return {"cp_id": key, "since": begin, "until": end, "changes": changes}

    @router.get("/{cp_id}/uptime")
    async def uptime(
        cp_id: str, since: datetime | None = None, until: datetime | None = None
    ) -> JsonObject:
        """Seconds in each status in [since, until), the last 30 days by default."""
        key = await _known(central, cp_id)
        begin, end = _period(since, until, central.db.now(), DEFAULT_UPTIME)
        figures = await evse_history.uptime(central.db, key, begin, end)
        return {"cp_id": key, "since": begin, "until": end, **asdict(figures)}

    @router.put("/{cp_id}/operative")
    async def operative(cp_id: str, body: OperativeBody) -> JsonObject:
        """Take a charge point out of service (a running session ends first), or put it back."""
        demand(Role.OPERATOR)
        try:
            charge_point = await central.set_operative(cp_id, body.operative)
        except UnknownChargePoint:
            raise HttpError(404, "no such charge point") from None
        return {
            "cp_id": charge_point["_id"],
            "operative": charge_point["operative"],
            "ocpi_status": charge_point["ocpi_status"],
        }

    return router


async def _known(central: Central, cp_id: str) -> str:
    key = await charge_points.canonical_id(central.db, cp_id)
    if key is None:
        raise HttpError(404, "no such charge point")
    return key


def _shown(row: JsonMapping) -> JsonObject:
    return {
        "id": row["id"],
        "location": row["place"],
        "ocpi_status": row["status"],
        "state": row["state"],
        "operative": row["operative"],
        "last_seen": row["last_seen"],
        "session": row["session"],
        "fault": next(iter(row["faults"]), None),
        "clock_offset_s": row["clock_offset_s"],
    }


def _period(
    since: datetime | None, until: datetime | None, now: datetime, usual: timedelta
) -> tuple[datetime, datetime]:
    """[since, until) in UTC, not beyond now; raises HttpError 400 where it is empty."""
    try:
        end = min(_utc(until), now) if until else now
        begin = _utc(since) if since else end - usual
    except OverflowError:
        raise HttpError(400, "since, until: out of range") from None
    if begin >= end:
        raise HttpError(400, "since: is not before until (or not before now)")
    return begin, end


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return moment.astimezone(timezone.utc)
