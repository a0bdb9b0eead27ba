"""Which of the tariffs that a connector names applies to a driver who starts now, as one tariff:
for versions that know neither dates nor types of tariffs, nor several for a connector.

The rule is the one that prices sessions (domain/pricing/choice.py) for a driver without a
preference who does not pay on the spot: REGULAR first, then one that is for all sessions; of
several the one that became valid last. One that the store does not know is named where no other is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from db_interface.collection import Where
from db_interface.json_data import JsonMapping
from db_interface.owned_objects import OwnedObjects, fold
from db_interface.transaction import Tx
from domain.times import parse_datetime
from domain.versions import ChooseTariff

_REGULAR = "REGULAR"
_WANTED = (_REGULAR, None)
_FIELDS = ("type", "start_date_time", "end_date_time")


def moment(where: Where) -> datetime:
    """Now, by the database's clock."""
    return where.now if isinstance(where, Tx) else where.now()


async def chooser(where: Where, location: JsonMapping) -> ChooseTariff:
    """What names the tariff of a connector of this Location, of those that it names."""
    named = {
        tariff_id
        for evse in location.get("evses") or ()
        for connector in evse["connectors"]
        for tariff_id in connector.get("tariff_ids") or ()
    }
    owner = (location["country_code"], location["party_id"])
    known = await _known(where, owner, named)
    at = moment(where)

    def choose(tariff_ids: Sequence[str]) -> str | None:
        of = [(id_, known[id_.lower()]) for id_ in tariff_ids if id_.lower() in known]
        strangers = (id_ for id_ in tariff_ids if id_.lower() not in known)
        return chosen(of, at) or next(strangers, None)

    return choose


def chosen(tariffs: Iterable[tuple[str, JsonMapping]], at: datetime) -> str | None:
    """The id of the tariff that applies at that moment, or None: none of them does."""
    valid = [(id_, tariff) for id_, tariff in tariffs if is_valid(tariff, at)]
    for kind in _WANTED:
        fitting = [(id_, tariff) for id_, tariff in valid if tariff.get("type") == kind]
        if fitting:
            return max(fitting, key=lambda one: _start(one[1]))[0]
    return None


def is_valid(tariff: JsonMapping, at: datetime) -> bool:
    """Its last moment, end_date_time, is included."""
    start, end = tariff.get("start_date_time"), tariff.get("end_date_time")
    return (start is None or parse_datetime(start) <= at) and (
        end is None or at <= parse_datetime(end)
    )


def _start(tariff: JsonMapping) -> float:
    start = tariff.get("start_date_time")
    return float("-inf") if start is None else parse_datetime(start).timestamp()


async def _known(
    where: Where, owner: tuple[str, str], ids: Iterable[str]
) -> Mapping[str, JsonMapping]:
    """By folded id."""
    keys = [fold(*owner, id_) for id_ in ids]
    if not keys:
        return {}
    found = (
        await OwnedObjects(where if not isinstance(where, Tx) else where.db, "tariffs")
        .of(where)
        .find({"_id": {"$in": keys}}, {"lid": 1, **{f"fields.{name}": 1 for name in _FIELDS}})
    )
    return {row["lid"]: row.get("fields", {}) for row in found}
