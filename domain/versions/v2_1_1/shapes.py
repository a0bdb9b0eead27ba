"""What of an object needs thought before it is OCPI 2.1.1's: locations, tariffs, credentials."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

from db_interface.json_data import JsonObject
from domain.times import parse_datetime
from domain.versions.fitting import LeftOut, Notes
from domain.versions.ocpi_version import Context, Party
from domain.versions.taxes import prices_without_taxes

INTO = "OCPI 2.1.1"
NO_POSTAL_CODE = "-"
_SIX_DECIMALS = Decimal("0.000001")
_CONDITIONS_UNKNOWN = ("min_current", "max_current")
_FREE_OF_CHARGE = {"price_components": [{"type": "FLAT", "price": 0, "step_size": 1}]}


def location(given: JsonObject, notes: Notes, context: Context) -> JsonObject:
    """2.1.1 knows no location that is not to be published: such a one must not be sent at all."""
    if given.pop("publish", True) is False:
        raise LeftOut(f"publish: is false, and {INTO} cannot say that")
    return location_of_bill(given, notes, context)


def location_of_bill(given: JsonObject, notes: Notes, _context: Context) -> JsonObject:
    given.pop("publish", None)
    given.setdefault("parking_type", "UNKNOWN")
    if "postal_code" not in given:
        notes.lost("postal_code", f"{INTO} must have it: {NO_POSTAL_CODE}")
        given["postal_code"] = NO_POSTAL_CODE
    return given


def coordinates(given: JsonObject, notes: Notes, _context: Context) -> JsonObject:
    """Exactly 6 decimals, a ninth of a metre."""
    for name in ("latitude", "longitude"):
        exact = Decimal(given[name])
        rounded = exact.quantize(_SIX_DECIMALS, rounding=ROUND_HALF_EVEN)
        if rounded != exact:
            notes.lost(name, f"{INTO} has 6 decimals")
        given[name] = str(rounded)
    return given


def connector(given: JsonObject, notes: Notes, context: Context) -> JsonObject:
    """One tariff: the one that applies now ("the current charging tariff", Connector), else the
    first."""
    tariffs = given.pop("tariff_ids", None) or []
    first = tariffs[0] if tariffs else None
    shown = first if context.choose_tariff is None else context.choose_tariff(tariffs)
    for number, tariff_id in enumerate(tariffs):
        if tariff_id != shown:
            notes.at("tariff_ids").lost(str(number), f"{INTO} has one tariff for each connector")
    if shown is not None:
        given["tariff_ids"] = shown
    return given


def tariff(given: JsonObject, notes: Notes, context: Context) -> JsonObject:
    """One that is not valid at the moment of the context is not told: it would be taken for one
    that is."""
    at, start, end = context.at, given.get("start_date_time"), given.get("end_date_time")
    if at is not None and start is not None and at < parse_datetime(start):
        raise LeftOut(f"start_date_time: {INTO} cannot say that it is not valid before")
    if at is not None and end is not None and parse_datetime(end) < at:
        raise LeftOut(f"end_date_time: {INTO} cannot say that it is no longer valid")
    return tariff_of_bill(given, notes, context)


def tariff_of_bill(given: JsonObject, notes: Notes, _context: Context) -> JsonObject:
    """Its prices without taxes, its elements for reservations left out.

    An element that applies under a condition which 2.1.1 cannot say would apply always, or if it
    were left out never: either way drivers would be told of prices that are not the CPO's. So such
    a tariff is not told at all. What only reservations cost is another matter: to charge under a
    tariff of nothing else is free.
    """
    given = prices_without_taxes(given, notes, INTO)
    restrictions = [element.get("restrictions") or {} for element in given["elements"]]
    for number, restriction in enumerate(restrictions):
        for name in _CONDITIONS_UNKNOWN:
            if name in restriction:
                path = f"elements.{number}.restrictions.{name}"
                raise LeftOut(f"{path}: {INTO} has no such condition, and the price hangs on it")
    if all("reservation" in restriction for restriction in restrictions):
        notes.lost("elements", f"{INTO} has no prices for reservations: charging is free")
        return {**given, "elements": [_FREE_OF_CHARGE]}
    return given


def tariff_element(given: JsonObject, _notes: Notes, _context: Context) -> JsonObject:
    if "reservation" in (given.get("restrictions") or {}):
        raise LeftOut(f"left out: {INTO} has no prices for reservations")
    return given


def reserve_now(given: JsonObject, _notes: Notes, _context: Context) -> JsonObject:
    if not str(given["reservation_id"]).isdecimal():
        raise LeftOut(f"reservation_id: in {INTO} it is an integer")
    return {**given, "reservation_id": int(given["reservation_id"])}


def credentials(given: JsonObject, notes: Notes, context: Context) -> JsonObject:
    """Of several parties the one that is asked for, else the first."""
    roles = given.pop("roles")
    chosen = next(
        (
            number
            for number, role in enumerate(roles)
            if context.party == Party(role["country_code"], role["party_id"])
        ),
        0,
    )
    for number in range(len(roles)):
        at = notes.at("roles")
        if number != chosen:
            at.lost(str(number), f"{INTO} has one party in credentials")
        else:
            at.at(number).lost("role", f"{INTO} has no roles in credentials")
    role = roles[chosen]
    names = ("business_details", "party_id", "country_code")
    return {**given, **{name: role[name] for name in names}}
