"""Crediting a CDR, and the corrected one in its place, in one step; nothing is ever edited.

The credit CDR repeats the original with a negative total_cost (mod_cdrs, Credit CDRs); its id is
the original's with "-C", so that a CDR is credited once however often it is asked. A corrected
CDR is priced anew from its charging periods; its own totals are never believed.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.objects import OcpiObject
from domain.objects.cdrs import CdrExists, add_cdr, find_cdr, reprice
from domain.pricing import PricingInputError
from domain.schemas import format_datetime, validate
from domain.sessions.cdr_making import credit_of
from domain.sessions.cdr_time_zone import time_zone_of
from domain.versions.inner import CDR

_GRID_KWH = Decimal("0.0001")
# What a corrected CDR may not say differently: it is of the same session, for the same party.
_SAME = ("country_code", "party_id", "session_id", "cdr_token", "currency")
_NOT_OF_A_NEW_ONE = ("credit", "credit_reference_id", "invoice_reference_id")


class CreditRefused(ValueError):
    """The CDR cannot be credited or corrected so; the message says why."""


@dataclass(frozen=True)
class Credited:
    credit: OcpiObject
    corrected: OcpiObject | None


async def credit_cdr(
    store: DbInterface,
    cdr_id: str,
    *,
    party: tuple[str, str] | None = None,
    corrected: OcpiObject | None = None,
    kwh: Decimal | None = None,
) -> Credited:
    """Credit a CDR; with `corrected` (fields that replace the original's) or `kwh` (the energy it
    should have had) also make the corrected one, in the same transaction.

    Raises UnknownCdr, CreditRefused, and SchemaError for a corrected CDR that is none.
    """
    original = await find_cdr(store, cdr_id, party)
    if original.get("credit"):
        raise CreditRefused(f"{original['id']} is a credit CDR itself")
    if kwh is not None:
        corrected = {**(corrected or {}), "charging_periods": with_energy(original, kwh)}
    time_zone = await time_zone_of(store, original)

    async def work(tx: Tx) -> Credited:
        credit = credit_of(original, tx.now)
        anew = None
        if corrected is not None:
            anew = _corrected(original, corrected, time_zone, tx.now)
        try:
            await add_cdr(store, credit, tx)
        except CdrExists as error:
            raise CreditRefused(f"{original['id']} is credited already") from error
        if anew is not None:
            await add_cdr(store, anew, tx)
        await audit.record(
            tx,
            "cdrs.credit",
            audit.cdr(original["id"]),
            *([audit.session(original["session_id"])] if original.get("session_id") else []),
            before=_amounts(original),
            after={
                "credit": credit["id"],
                "corrected": None if anew is None else {"id": anew["id"], **_amounts(anew)},
            },
        )
        return Credited(credit, anew)

    return await store.transact(work)


def _amounts(cdr: OcpiObject) -> dict[str, Any]:
    return {name: cdr.get(name) for name in ("total_cost", "currency", "total_energy")}


def with_energy(cdr: OcpiObject, kwh: Decimal) -> list[dict[str, Any]]:
    """The CDR's charging periods with `kwh` in all, divided among them as it was.

    Raises CreditRefused where there was no energy to divide by.
    """
    periods = [
        {**period, "dimensions": [dict(d) for d in period["dimensions"]]}
        for period in cdr["charging_periods"]
    ]
    energies = [d for period in periods for d in period["dimensions"] if d["type"] == "ENERGY"]
    total = sum(Decimal(repr(d["volume"])) for d in energies)
    if kwh < 0:
        raise CreditRefused("the energy cannot be negative")
    if not total:
        raise CreditRefused("it has no energy to correct; give the corrected CDR as a file")
    until_here = given = Decimal(0)
    for dimension in energies:
        until_here += Decimal(repr(dimension["volume"]))
        # Cumulated, so that the rounded parts add up to the whole.
        upto = (kwh * until_here / total).quantize(_GRID_KWH)
        dimension["volume"] = float(upto - given)
        given = upto
    return periods


def _corrected(
    original: OcpiObject, given: OcpiObject, time_zone: str, now: datetime
) -> dict[str, Any]:
    for name in _SAME:
        if name in given and given[name] != original.get(name):
            raise CreditRefused(f"the corrected CDR has another {name}")
    fields = {
        name: value
        for name, value in {**original, **given}.items()
        if not name.startswith("total_") and name not in _NOT_OF_A_NEW_ONE
    }
    new_id = given.get("id")
    if new_id is None or str(new_id).lower() == original["id"].lower():
        new_id = str(uuid.uuid4())
    fields |= {"id": new_id, "last_updated": format_datetime(now)}
    try:
        priced = reprice(fields, time_zone)
    except PricingInputError as error:
        raise CreditRefused(f"the corrected CDR cannot be priced: {error}") from error
    if priced is None:
        raise CreditRefused("the corrected CDR has no tariffs to be priced by")
    return validate(CDR, {**fields, **priced.totals()})
