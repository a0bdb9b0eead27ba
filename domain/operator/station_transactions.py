"""What the station of a charge point calls its charging sessions, as an operator sees it: what it
told of each, and whose it is.
"""

from __future__ import annotations

from db_interface.database import Database
from db_interface.json_data import JsonObject
from domain.ocpp import stations, transactions
from domain.ocpp.energy_counter import energy_wh
from domain.ocpp.transactions import Transaction

WAITS, RUNS, LEFT, ENDED = "waits for a card", "runs", "its end was not heard", "ended"


async def of_charge_point(db: Database, cp_id: str, *, limit: int = 100) -> list[JsonObject] | None:
    """The latest first; None: it speaks no OCPP."""
    seat = await stations.of_charge_point(db, cp_id)
    station = await stations.get(db, cp_id) if seat is None else seat[0]
    return None if station is None else await of_station(db, station["_id"], limit)


async def of_station(db: Database, station_id: str, limit: int) -> list[JsonObject]:
    return [shown(one) for one in await transactions.latest(db, station_id, limit)]


def shown(one: Transaction) -> JsonObject:
    counter, end = one["counter"], one.get("end")
    whose = one["begun"] and not one.get("nobodys")
    return {
        "transaction_id": one["transaction_id"],
        "cp_id": one["cp_id"],
        "connector_id": one["connector_id"],
        "state": _state(one),
        "session_id": one["session_id"] if whose else None,
        "nobodys": bool(one.get("nobodys")),
        "first_heard": one["created"],
        "started": one.get("started_at"),
        "ended": None if end is None else end["at"],
        "reason": None if end is None else end["reason"],
        "energy_wh": energy_wh(counter),
        "register_start_wh": counter["start_wh"],
        "register_wh": counter["register_wh"],
        "register_restarts": counter["restarts"],
        "doubt": counter["doubt"],
        "dead_letters": one.get("letters", []),
    }


def _state(one: Transaction) -> str:
    if one["ended"]:
        return ENDED
    if one["superseded"]:
        return LEFT
    return RUNS if one["begun"] else WAITS
