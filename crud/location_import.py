"""Taking over OCPI locations from files: real ones hold nulls, wrong case and worse.

What can be understood is taken; a single object that cannot is refused with its id, field and
reason, and the others go in. An object that is the same as the stored one changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from crud.locations import owned_location
from crud.publishing import publish_all
from crud.schemas import Location, SchemaError, tidy_location, validate
from db_interface.database import Session
from db_interface.interface import DbInterface
from db_interface.owned_objects import OwnedObject

BATCH = 200


@dataclass(frozen=True)
class Refused:
    """An object that was left out: which (its id, else its place in the file), and why."""

    what: str
    reason: str


@dataclass
class Report:
    imported: int = 0
    unchanged: int = 0
    refused: list[Refused] = field(default_factory=list)


class NotLocations(ValueError):
    """The file holds something else than locations; the message says what."""


def locations_in(data: Any) -> list[Any]:
    """The locations of an OCPI location, a list, or an envelope; raises NotLocations."""
    if isinstance(data, dict) and "data" in data and "id" not in data:
        data = data["data"]
    if isinstance(data, dict):
        data = [data]
    if not isinstance(data, list):
        raise NotLocations("neither an OCPI location, a list of them, nor an OCPI answer")
    return data


def understood(
    rows: Iterable[Any], report: Report, party: tuple[str, str] | None = None
) -> Iterator[OwnedObject]:
    """The rows that can be taken, as objects; the others go into the report.

    `party`: (country_code, party_id) that takes them over as its own.
    """
    seen: set[str] = set()
    for position, row in enumerate(rows):
        what = f"#{position + 1}"
        if not isinstance(row, dict):
            report.refused.append(Refused(what, f"is {type(row).__name__}, not an object"))
            continue
        if isinstance(row.get("id"), str) and row["id"]:
            what = row["id"]
        owned = row if party is None else {**row, "country_code": party[0], "party_id": party[1]}
        try:
            obj = owned_location(validate(Location, tidy_location(dict(owned))))
        except SchemaError as error:
            report.refused.append(Refused(what, str(error)))
            continue
        if obj.key in seen:
            report.refused.append(Refused(what, "stands twice in the file (ids ignore case)"))
            continue
        seen.add(obj.key)
        yield obj


async def take_over(store: DbInterface, objects: Sequence[OwnedObject], report: Report) -> None:
    """Keep a batch in one transaction and count it in the report."""

    async def work(session: Session) -> list[str]:
        return await publish_all(store, "locations", objects, session)

    outcomes = await store.db.transact(work)
    report.unchanged += outcomes.count("unchanged")
    report.imported += len(outcomes)
