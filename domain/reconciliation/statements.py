"""A peer's month: what it owes for the CDRs that were issued to its parties, and every sum exact.

A CDR is of the month in which it was issued (its last_updated, which never changes), also when
its session was earlier: so the statement of a month that is over is always the same, and a
correction stands in the month in which it was made.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from db_interface.database import Database
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import OwnedObjects
from domain.pricing.local_time import zone_of
from domain.pricing.quantities import PricingInputError
from domain.reconciliation.cdr_totals import DIMENSIONS, SUMMED_FIELDS, CdrTotal

COLUMNS = (
    *("month", "time_zone", "from_party", "to_party", "currency"),
    *("number", "credits", "without_vat", "energy_kwh"),
    *(f"{name}_cost_{vat}" for name in DIMENSIONS for vat in ("excl_vat", "incl_vat")),
    *("total_excl_vat", "vat", "total_incl_vat"),
)


class NotAMonth(ValueError):
    """The month or its time zone cannot be understood; the message says which."""


@dataclass(frozen=True)
class Month:
    """A calendar month in a time zone: `start` <= moment < `end`."""

    name: str
    time_zone: str
    start: datetime
    end: datetime

    @classmethod
    def of(cls, name: str, time_zone: str = "UTC") -> Month:
        """`name` as 2026-11. Raises NotAMonth."""
        found = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", name, re.ASCII)
        if found is None or not 1970 <= int(found[1]) <= 9998:
            raise NotAMonth(f"{name!r} is not a month of the form 2026-11")
        try:
            zone = zone_of(time_zone)
        except PricingInputError as error:
            raise NotAMonth(str(error)) from None
        year, month = int(found[1]), int(found[2])
        following = (year + month // 12, month % 12 + 1)
        return cls(name, time_zone, _first(year, month, zone), _first(*following, zone))


async def statement(db: Database, parties: Iterable[str], month: Month) -> list[JsonObject]:
    """Rows by COLUMNS, for each pair of parties and each currency, of the CDRs issued in the
    month to these parties (folded, as a peer's document has them)."""
    return rows_of([cdr async for cdr in issued(db, parties, month)], month)


async def issued(db: Database, parties: Iterable[str], month: Month) -> AsyncIterator[JsonMapping]:
    """What a statement needs of each of the month's CDRs."""
    wanted = dict.fromkeys(
        (
            *(f"fields.{name}" for name in ("country_code", "party_id", *SUMMED_FIELDS)),
            "fields.cdr_token.country_code",
            "fields.cdr_token.party_id",
        ),
        1,
    )
    match = {
        "audience": {"$in": sorted(parties)},
        "last_updated": {"$gte": month.start, "$lt": month.end},
    }
    async for document in OwnedObjects(db, "cdrs").of(db).stream(match, wanted):
        yield document["fields"]


def rows_of(cdrs: Iterable[JsonMapping], month: Month) -> list[JsonObject]:
    """The statement of these CDRs."""
    sums: dict[tuple[str, str, str], CdrTotal] = {}
    for cdr in cdrs:
        key = _party(cdr), _party(cdr["cdr_token"]), cdr["currency"]
        if key not in sums:
            sums[key] = CdrTotal(cdr["currency"])
        sums[key].add(cdr)
    return [_row(month, *key[:2], total) for key, total in sorted(sums.items())]


def _row(month: Month, from_party: str, to_party: str, total: CdrTotal) -> JsonObject:
    row: JsonObject = {
        "month": month.name,
        "time_zone": month.time_zone,
        "from_party": from_party,
        "to_party": to_party,
        "currency": total.currency,
        "number": total.number,
        "credits": total.credits,
        "without_vat": total.without_vat,
        "energy_kwh": float(total.energy_kwh),
    }
    for name, cost in total.by_dimension.items():
        row[f"{name}_cost_excl_vat"] = float(cost.excl)
        row[f"{name}_cost_incl_vat"] = float(cost.incl)
    row["total_excl_vat"] = float(total.cost.excl)
    row["vat"] = float(total.vat)
    row["total_incl_vat"] = float(total.cost.incl)
    return row


def _party(fields: JsonMapping) -> str:
    return f"{fields['country_code']}*{fields['party_id']}".upper()


def _first(year: int, month: int, zone: ZoneInfo) -> datetime:
    return datetime(year, month, 1, tzinfo=zone).astimezone(timezone.utc)
