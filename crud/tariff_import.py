"""Taking over OCPI tariffs from files: what can be understood is taken, the rest refused by name.

A tariff whose restrictions contradict each other, or that cannot be priced, is refused: it would
bill what nobody meant. What merely looks odd goes in with a warning. One contradiction is so
common in the field that it only warns: the day-ahead tariffs of 2025 and 2026 whose elements have
one day as start_date and as end_date, which is exclusive, so that they never apply.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from crud.pricing import tariff_problems
from crud.publishing import publish_all
from crud.schemas import SchemaError, Tariff, tidy_tariff, validate
from crud.tariffs import owned_tariff
from db_interface.database import Session
from db_interface.interface import DbInterface
from db_interface.owned_objects import OwnedObject

BATCH = 200
_WARNING = "warning: "
_ONE_DAY = re.compile(r"(elements\[\d+\])\S* start_date (\S+) is not below end_date \2: never true")
_LONGEST = 400


@dataclass(frozen=True)
class Remark:
    """Of a tariff (its id, else its place in the file): why it was refused, or what is odd."""

    what: str
    text: str


@dataclass
class Report:
    imported: int = 0
    unchanged: int = 0
    refused: list[Remark] = field(default_factory=list)
    warnings: list[Remark] = field(default_factory=list)


class NotTariffs(ValueError):
    """The file holds something else than tariffs; the message says what."""


def tariffs_in(data: Any) -> list[Any]:
    """The tariffs of an OCPI tariff, a list, or an envelope; raises NotTariffs."""
    if isinstance(data, dict) and "data" in data and "id" not in data:
        data = data["data"]
    if isinstance(data, dict):
        data = [data]
    if not isinstance(data, list):
        raise NotTariffs("neither an OCPI tariff, a list of them, nor an OCPI answer")
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
            report.refused.append(Remark(what, f"is {type(row).__name__}, not an object"))
            continue
        if isinstance(row.get("id"), str) and row["id"]:
            what = row["id"]
        owned = row if party is None else {**row, "country_code": party[0], "party_id": party[1]}
        try:
            tariff = validate(Tariff, tidy_tariff(dict(owned)))
        except SchemaError as error:
            report.refused.append(Remark(what, str(error)))
            continue
        wrong, odd = _judged(tariff_problems(tariff))
        if wrong:
            report.refused.append(Remark(what, _cut("; ".join(wrong))))
            continue
        obj = owned_tariff(tariff)
        if obj.key in seen:
            report.refused.append(Remark(what, "stands twice in the file (ids ignore case)"))
            continue
        seen.add(obj.key)
        report.warnings += [Remark(what, text) for text in odd]
        yield obj


def _judged(problems: Iterable[str]) -> tuple[list[str], list[str]]:
    """What speaks against a tariff, and what is only odd in it."""
    wrong: list[str] = []
    odd: list[str] = []
    never: list[str] = []
    for text in problems:
        one_day = _ONE_DAY.match(text)
        if one_day:
            never.append(one_day[1])
        elif text.startswith(_WARNING):
            odd.append(text.removeprefix(_WARNING))
        else:
            wrong.append(text)
    if never:
        odd.append(
            f"{len(never)} elements from {never[0]} on never apply: their end_date, which is "
            "exclusive, is their start_date"
        )
    return wrong, odd


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 4]} ..."


async def take_over(store: DbInterface, objects: Sequence[OwnedObject], report: Report) -> None:
    """Keep a batch in one transaction and count it in the report."""

    async def work(session: Session) -> list[str]:
        return await publish_all(store, "tariffs", objects, session)

    outcomes = await store.db.transact(work)
    report.unchanged += outcomes.count("unchanged")
    report.imported += len(outcomes)
