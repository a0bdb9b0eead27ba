"""OCPI objects brought in as JSON, whatever their kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import orjson
from pydantic import Field, validator

from cpo_app.actions.action import Parameters, Refused
from cpo_app.actions.house import House
from cpo_app.actions.readings import party_pair
from db_interface.json_data import JsonObject
from db_interface.owned_objects import OwnedObject, party_key
from domain.imports.file_import import (
    BATCH,
    Amend,
    Guard,
    Importing,
    Read,
    as_they_are,
    nothing_guarded,
)
from domain.imports.report import Report

MAX_OBJECTS = 1000
OUR_PARTY = Field(None, max_length=6, title="Party of ours (NL/EVC), where several have one")


class Imported(Parameters):
    objects: list[JsonObject] = Field(
        ..., max_items=MAX_OBJECTS, title="One OCPI object, or a list of them, as JSON"
    )
    party: str | None = Field(None, max_length=6, title="Make them this party's of ours (NL/EVC)")
    force: bool = Field(False, title="Take objects of parties that we do not host, too")

    @validator("objects", pre=True)
    def _json(cls, value: object) -> object:
        if isinstance(value, str):
            try:
                value = orjson.loads(value)
            except orjson.JSONDecodeError as error:
                raise ValueError(f"not valid JSON: {error}") from error
        return [value] if isinstance(value, dict) else value


async def import_objects(
    house: House,
    given: Imported,
    module: str,
    read: Read,
    guard: Guard = nothing_guarded,
    amend: Amend = as_they_are,
) -> JsonObject:
    """Take them over, those that can be; how many, and why not the others."""
    hosted = {ours.key: f"{ours.country_code}/{ours.party_id}" for ours in house.settings.parties}
    owner = party_pair(given.party)
    if owner is not None and party_key(*owner) not in hosted and not given.force:
        raise Refused(
            422,
            f"{'/'.join(owner)} is not a party of this platform, which hosts "
            f"{', '.join(hosted.values())}",
        )
    report = Report()
    importing = Importing(module, read, frozenset(hosted), owner, given.force, guard, amend)
    objects = list(importing.understood(given.objects, report))
    for batch in _batches(objects):
        await importing.take_over(house.store, batch, report)
    foreign = [
        {"what": party, "text": f"{number} of a party that this platform does not host"}
        for party, number in report.foreign.most_common()
    ]
    refused = [*map(asdict, report.first_refused), *([] if given.force else foreign)]
    return {
        "created": report.created,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "refused": refused,
        "number_refused": report.refused,
        "warnings": list(map(asdict, report.first_warnings)),
        "outcome": "refused" if report.refused else "taken",
    }


def _batches(objects: Sequence[OwnedObject]) -> list[Sequence[OwnedObject]]:
    return [objects[start : start + BATCH] for start in range(0, len(objects), BATCH)]


IMPORTED = {
    "taken": "Taken over.",
    "refused": "Not all were taken over: the answer, or the import on the command line, says why.",
}
