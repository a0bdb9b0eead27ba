"""The tariff editor: JSON that is checked as one types, with what a sample session would cost.

It keeps nothing: what is saved goes the way of the action `tariffs.import`.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import orjson
from fastapi import APIRouter, Query, Request, Response
from starlette.responses import RedirectResponse

from cpo_app.actions.action import Refused, check_role, perform
from cpo_app.actions.tariffs import IMPORT, NEW, ImportedTariffs
from cpo_app.console.console import Console
from cpo_app.console.rendering import HEADERS
from cpo_app.console.routes import NotThere
from cpo_app.console.tariff_forms import (
    SAMPLE_FIELDS,
    SIMPLE_FIELDS,
    FieldWrong,
    sample_defaults,
    simple_of,
)
from cpo_app.console.tariff_prices import preview
from cpo_app.console.words import segment
from cpo_app.operator_guard import LIVE, demand
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import OwnedObjects, fold, plain
from domain.imports.tariff_check import Checked, check_tariff
from domain.operator.tariffs import use_of
from domain.operators.actor import Role
from domain.pricing.simple_tariff import SimpleTariff, tariff_of
from domain.pricing.tariff_words import tariff_in_words
from domain.times import format_datetime

_PATH = "/console/tariffs/edit"


def add_tariff_editor(router: APIRouter, console: Console) -> None:
    db = console.db

    @router.get(_PATH)
    async def edit(
        request: Request, key: str = Query("", max_length=200), copy: bool = False
    ) -> Response:
        """Of a tariff that is there, of a copy of it, or of a new one out of a few figures."""
        demand(Role.MONEY)
        given = dict(request.query_params)
        problem, seen = None, NEW
        if key:
            document = await OwnedObjects(db, "tariffs").document(key)
            if document is None:
                raise NotThere("There is no such tariff.")
            tariff = plain(document)
            if copy:
                tariff["id"] = f"{tariff['id'][:31]}-COPY"
            else:
                seen = str(document["fields"]["last_updated"])
        else:
            problem, tariff = _begun(console, given)
        tariff.pop("last_updated")  # the store's to say
        text = orjson.dumps(tariff, option=orjson.OPT_INDENT_2).decode()
        sample = sample_defaults(console.clock(), console.zones.of(request).key)
        return await _page(request, text, seen, sample, problem=problem, figures=_figures(given))

    @router.post(_PATH)
    async def submitted(request: Request) -> Response:
        """Checked, and where that is asked for saved."""
        demand(Role.MONEY)
        fields = await console.submitted(request)
        text, seen = fields.get("tariff", ""), fields.get("seen", NEW)[:40]
        sample = {name: fields.get(name, "")[:64] for name in SAMPLE_FIELDS}
        if LIVE in request.headers:
            checked = _check(text, console)
            return console.page(request, "tariff_check.html", **_judged(checked, sample))
        if fields.get("do") != "save":
            return await _page(request, text, seen, sample)
        try:
            return await _save(text, seen)
        except Refused as error:
            return await _page(request, text, seen, sample, problem=f"Not saved: {error}.")

    async def _save(text: str, seen: str) -> Response:
        """Raises Refused."""
        await check_role(console.house, IMPORT)
        checked = _check(text, console)
        if checked.tariff is None:
            raise Refused(422, "it is not right yet")
        given = ImportedTariffs(objects=[checked.tariff], party=None, force=False, seen=seen)
        result = await perform(console.house, IMPORT, given)
        tariff = checked.tariff
        key = fold(tariff["country_code"], tariff["party_id"], tariff["id"])
        done = f"{IMPORT.name}:{result['outcome']}"
        page = f"/console/objects/tariffs?key={segment(key)}&done={segment(done)}"
        return RedirectResponse(page, 303, headers=HEADERS)

    async def _page(
        request: Request,
        text: str,
        seen: str,
        sample: Mapping[str, str],
        *,
        problem: str | None = None,
        figures: Mapping[str, str] | None = None,
    ) -> Response:
        checked = _check(text, console)
        used = None
        if seen != NEW and checked.tariff is not None:
            key = fold(*(checked.tariff[name] for name in ("country_code", "party_id", "id")))
            there = await OwnedObjects(db, "tariffs").document(key)
            used = None if there is None else await use_of(db, there)
        return console.page(
            request,
            "tariff_edit.html",
            status=409 if problem and request.method == "POST" else 200,
            text=text,
            seen=seen,
            is_new=seen == NEW,
            sample=sample,
            problem=problem,
            used=used,
            figures=figures,
            **_judged(checked, sample),
        )


def _check(text: str, console: Console) -> Checked:
    """As an import judges it; when it was last changed is not the writer's to say."""
    stamp = format_datetime(console.db.now())
    return check_tariff(text, last_updated=stamp)


def _judged(checked: Checked, sample: Mapping[str, str]) -> JsonObject:
    tariff = checked.tariff
    return {
        "checked": checked,
        "words": None if tariff is None else tariff_in_words(tariff).clauses,
        "preview": None if tariff is None else preview(tariff, sample),
    }


def _figures(given: Mapping[str, str]) -> dict[str, str]:
    return {name: given.get(name, "")[:64] for name in SIMPLE_FIELDS}


def _begun(console: Console, given: JsonMapping) -> tuple[str | None, JsonObject]:
    """A new tariff out of the figures in the address, or the plainest one; and what is wrong with
    the figures."""
    party = console.house.settings.parties[0]
    owner = (party.country_code, party.party_id)
    stamp = format_datetime(console.db.now())
    plainest = SimpleTariff(*owner, id="NEW", currency="EUR", per_kwh=Decimal("0.49"))
    if "per_kwh" not in given:
        return None, tariff_of(plainest, stamp)
    try:
        return None, tariff_of(simple_of(_figures(given), *owner), stamp)
    except FieldWrong as error:
        return f"{error}.", tariff_of(plainest, stamp)
