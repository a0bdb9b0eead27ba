"""Taking over OCPI objects from files: the same for every module that can be imported.

What can be understood is taken; a single object that cannot is refused with its id, field and
reason, and the others go in. An object that is the same as the stored one changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from db_interface.interface import DbInterface
from db_interface.owned_objects import OwnedObject
from db_interface.transaction import Tx
from domain.outbox.publishing import publish_all
from domain.schemas import SchemaError

BATCH = 200


@dataclass(frozen=True)
class Remark:
    """Of an object (its id, else its place in the file): why it was refused, or what is odd."""

    what: str
    text: str


@dataclass
class Report:
    imported: int = 0
    unchanged: int = 0
    refused: list[Remark] = field(default_factory=list)
    warnings: list[Remark] = field(default_factory=list)


class NotOcpi(ValueError):
    """The file holds something else than OCPI objects; the message says what it should."""


class Refused(ValueError):
    """Valid, but not to be taken; the message says why."""


Read = Callable[[dict[str, Any]], tuple[OwnedObject, list[str]]]
"""An object out of a row, and what is odd in it. Raises SchemaError or Refused."""


def rows_in(data: Any) -> list[Any]:
    """The objects of a single OCPI object, a list, or an envelope; raises NotOcpi."""
    if isinstance(data, dict) and "data" in data and "id" not in data:
        data = data["data"]
    if isinstance(data, dict):
        data = [data]
    if not isinstance(data, list):
        raise NotOcpi("neither an OCPI object, a list of them, nor an OCPI answer")
    return data


def understood(
    rows: Iterable[Any], read: Read, report: Report, party: tuple[str, str] | None = None
) -> Iterator[OwnedObject]:
    """The rows that can be taken, as objects; the others go into the report.

    `party`: (country_code, party_id) that takes them over as its own.
    """
    seen: set[str] = set()
    for position, row in enumerate(rows):
        what = f"#{position + 1}"
        if not isinstance(row, dict):
            report.refused.append(Remark(what, f"is {type(row).__name__}, not an object"))
            continue
        if isinstance(row.get("id"), str) and row["id"]:
            what = row["id"]
        owned = (
            {**row} if party is None else {**row, "country_code": party[0], "party_id": party[1]}
        )
        try:
            obj, odd = read(owned)
        except (SchemaError, Refused) as error:
            report.refused.append(Remark(what, str(error)))
            continue
        if obj.key in seen:
            report.refused.append(Remark(what, "is listed twice in the file (ids ignore case)"))
            continue
        seen.add(obj.key)
        report.warnings += [Remark(what, text) for text in odd]
        yield obj


async def take_over(
    store: DbInterface, module: str, objects: Sequence[OwnedObject], report: Report
) -> None:
    """Keep a batch in one transaction and count it in the report."""

    async def work(tx: Tx) -> list[str]:
        return await publish_all(store, module, objects, tx)

    outcomes = await store.transact(work)
    report.unchanged += outcomes.count("unchanged")
    report.imported += len(outcomes)
