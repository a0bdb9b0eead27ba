"""The collection `ocpp_templates`: how stations are to be configured, by vendor, model or name.

A template wants values of keys; where several apply to a station, the more particular one has the
last word. Secrets are not templates' matter: every station has its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from db_interface.collection import Collection, Where
from db_interface.json_data import JsonMapping
from db_interface.owned_objects import fold
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.audit.entries import About
from domain.ocpp import variables
from domain.ocpp.configurations import Drift, Entry, is_secret

MAX_TEMPLATES = 500
MAX_VALUES = 200
VERSIONS = ("1.6", "2")
"""2.0.1 and 2.1 have the same device model."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,49}")


class Wanted(TypedDict):
    key: str
    value: str


class Template(TypedDict):
    """A document of `ocpp_templates`. `vendor`, `model`: of which stations (None: of any);
    `stations`: these alone, if any are named."""

    _id: str
    version: str
    vendor: str | None
    model: str | None
    stations: list[str]
    values: list[Wanted]
    updated: datetime


TEMPLATES: Collection[Template] = Collection("ocpp_templates")


class TemplateRefused(ValueError):
    """It is no template; the message says why."""


class NoSuchTemplate(Exception):
    def __init__(self, name: str) -> None:
        super().__init__(f"{name}: no such template")


@dataclass(frozen=True)
class Choice:
    """A value that a station is to have, and the template that says so."""

    value: str
    template: str


async def put(
    tx: Tx,
    name: str,
    *,
    version: str,
    values: Mapping[str, str],
    vendor: str | None = None,
    model: str | None = None,
    stations: Sequence[str] = (),
) -> Template:
    """Write, or replace. Raises TemplateRefused."""
    _check(name, version, values)
    before = await TEMPLATES.of(tx).find_one({"_id": name})
    if before is None and await TEMPLATES.of(tx).count({}) >= MAX_TEMPLATES:
        raise TemplateRefused(f"there are {MAX_TEMPLATES} templates already")
    template: Template = {
        "_id": name,
        "version": version,
        "vendor": vendor,
        "model": model,
        "stations": list(stations),
        "values": [{"key": key, "value": value} for key, value in values.items()],
        "updated": tx.now,
    }
    await TEMPLATES.of(tx).replace_one({"_id": name}, template, upsert=True)
    told = {"before": shown(before)} if before is not None else {}
    await audit.record(
        tx, "ocpp.put_template", About("template", name), after=shown(template), **told
    )
    return template


async def remove(tx: Tx, name: str) -> None:
    """Stations keep what they were told. Raises NoSuchTemplate."""
    before = await TEMPLATES.of(tx).find_one({"_id": name})
    if before is None:
        raise NoSuchTemplate(name)
    await TEMPLATES.of(tx).delete_one({"_id": name})
    await audit.record(tx, "ocpp.remove_template", About("template", name), before=shown(before))


async def all_of(where: Where) -> list[Template]:
    return await TEMPLATES.of(where).find({}, sort=[("_id", 1)])


async def changed_at(where: Where) -> tuple[int, datetime] | None:
    """Another one as soon as a template is written or removed; None: there is none."""
    newest = await TEMPLATES.of(where).find({}, {"updated": 1}, sort=[("updated", -1)], limit=1)
    if not newest:
        return None
    return await TEMPLATES.of(where).count({}), newest[0]["updated"]


def wanted_of(templates: Sequence[Template], station: JsonMapping) -> dict[str, Choice]:
    """What a station is to have, by key. `station`: its document."""
    wanted: dict[str, Choice] = {}
    applying = [one for one in templates if _applies(one, station)]
    for template in sorted(applying, key=_particular):
        for row in template["values"]:
            wanted[row["key"]] = Choice(row["value"], template["_id"])
    return wanted


def names_of(templates: Sequence[Template], station: JsonMapping) -> list[str]:
    """Of the templates that apply to it."""
    return [one["_id"] for one in templates if _applies(one, station)]


def drift_of(wanted: Mapping[str, Choice], entries: Sequence[Entry]) -> list[Drift]:
    """What is not as it is wanted, `status` empty; what the station does not show cannot be
    held against anything, and is told it anyway."""
    has = {entry["key"]: entry.get("value") for entry in entries}
    return [
        {
            "key": key,
            "wanted": choice.value,
            "has": has.get(key),
            "template": choice.template,
            "status": "",
        }
        for key, choice in wanted.items()
        if not _same(choice.value, has.get(key))
    ]


def shown(template: Template) -> dict[str, object]:
    return {"name": template["_id"], **{k: v for k, v in template.items() if k != "_id"}}


def _applies(template: Template, station: JsonMapping) -> bool:
    old = station.get("protocol") == "ocpp1.6"
    if old is not (template["version"] == "1.6"):
        return False
    for field in ("vendor", "model"):
        asked = template[field]
        if asked is not None and fold(asked) != fold(station.get(field) or ""):
            return False
    named = [fold(one) for one in template["stations"]]
    return not named or fold(station["_id"]) in named


def _particular(template: Template) -> tuple[bool, bool, bool, str]:
    """The more particular, the later; by name where two are alike."""
    return (
        bool(template["stations"]),
        template["model"] is not None,
        template["vendor"] is not None,
        template["_id"],
    )


def _same(wanted: str, has: str | None) -> bool:
    """Stations write "True" for "true", and lists with or without blanks."""
    return has is not None and _plain(wanted) == _plain(has)


def _plain(value: str) -> str:
    return ",".join(part.strip() for part in value.casefold().split(","))


def _check(name: str, version: str, values: Mapping[str, str]) -> None:
    if not _NAME.fullmatch(name):
        raise TemplateRefused("name: up to 50 letters, digits, blanks, dots, _ or -")
    if version not in VERSIONS:
        raise TemplateRefused(f"version: one of {', '.join(VERSIONS)}")
    if not 1 <= len(values) <= MAX_VALUES:
        raise TemplateRefused(f"values: 1 to {MAX_VALUES}")
    for key, value in values.items():
        if is_secret(key):
            raise TemplateRefused(f"{key}: every station has its own")
        if version != "1.6":
            try:
                variables.parse(key)
            except variables.NoSuchVariable as error:
                raise TemplateRefused(str(error)) from None
        elif not 1 <= len(key) <= 50:
            raise TemplateRefused(f"{key[:50]}: a key has 1 to 50 characters")
        if len(value) > (500 if version == "1.6" else 1000):
            raise TemplateRefused(f"{key}: the value is too long")
