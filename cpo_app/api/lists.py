"""What the routes that read have in common: pages, filters, and how a row is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.exceptions import HTTPException

from cpo_app.actions.house import House
from cpo_app.api.routes import answered
from cpo_app.operator_guard import demand
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import fold
from domain.listing.filters import Filter, Kind
from domain.listing.listing import SORT, D, Listing
from domain.operators.actor import Role

Limit = Annotated[int, Query(ge=1, le=1000, description="At most so many.")]
Cursor = Annotated[
    str | None, Query(max_length=1000, description="`next` of the page before; else the first.")
]
Id = Annotated[str, Path(min_length=1, max_length=200)]
OfChargePoint = Annotated[str | None, Query(max_length=64)]
OfParty = Annotated[str | None, Query(max_length=6, description="Of this party (NL/EVC).")]
OfPeer = Annotated[str | None, Query(max_length=64, description="That this peer may see.")]
From = Annotated[
    datetime | None, Query(alias="from", description="From then on (2025-05-01T00:00:00Z).")
]
To = Annotated[datetime | None, Query(description="Before then.")]


def add_list(
    router: APIRouter,
    house: House,
    path: str,
    listing: Listing[D],
    *,
    tag: str,
    meaning: str,
    fields: JsonMapping | None = None,
    row: Callable[[D], JsonObject] | None = None,
    name: str | None = None,
    needs: Role = Role.VIEWER,
) -> None:
    """A list of the operator's as a route: its filters and orders are query parameters. With
    `row`, and the `fields` that it needs, the items are those of the API, else the list's rows."""
    db = house.store.db

    async def answer(request: Request, limit: Limit = 100, cursor: Cursor = None) -> Response:
        demand(needs)
        given = {
            key: value
            for key, value in request.query_params.items()
            if key not in ("limit", "cursor")
        }
        asked = listing.asked(given)
        if row is None:
            shown = await listing.page(db, asked, limit=limit, cursor=cursor)
            return page(shown.rows, shown.following)
        found = await listing.documents(db, asked, limit=limit, cursor=cursor, fields=fields)
        return page([row(one) for one in found.rows], found.following)

    router.add_api_route(
        path,
        answer,
        methods=["GET"],
        name=name,
        operation_id=name,
        description=meaning,
        tags=[tag],
        openapi_extra={"parameters": [*map(_parameter, listing.filters), _sorting(listing)]},
    )


def _parameter(one: Filter) -> JsonObject:
    """Of a filter, for the docs."""
    schema: JsonObject = {"type": "string", "maxLength": one.max_length}
    if one.kind is Kind.YES_OR_NO:
        schema = {"type": "boolean"}
    elif one.kind is Kind.MOMENT:
        schema = {"type": "string", "format": "date-time"}
    elif one.choices:
        schema = {"type": "string", "enum": list(one.choices)}
    return {"name": one.name, "in": "query", "description": one.meaning, "schema": schema}


def _sorting(listing: Listing[D]) -> JsonObject:
    names = [order.name for order in listing.orders]
    said = "; ".join(f"{order.name}: {order.said}" for order in listing.orders)
    schema = {"type": "string", "enum": names, "default": names[0]}
    return {"name": SORT, "in": "query", "description": said, "schema": schema}


def page(items: object, following: object) -> Response:
    return answered({"items": items, "next": following})


def named(row: Mapping[str, object] | JsonMapping, names: tuple[str, ...]) -> JsonObject:
    """Of the row what may be shown, with its id first."""
    known = {name: row[name] for name in names if name in row}
    return {"id": known.pop("_id", None), **known}


def there(found: JsonMapping | None, kind: str, id_: str) -> JsonMapping:
    if found is None:
        raise not_there(kind, id_)
    return found


def not_there(kind: str, id_: str) -> HTTPException:
    return HTTPException(404, f"there is no {kind} {fold(id_)[:80]}")


def without_card(fields: JsonObject) -> JsonObject:
    """A driver's card number by its last characters: what is needed to recognise it."""
    token = fields.get("cdr_token")
    if isinstance(token, dict):
        fields["cdr_token"] = without_card(token)
    for name in ("uid", "visual_number"):
        if name in fields and isinstance(fields[name], str) and "evses" not in fields:
            text = fields[name]
            fields[name] = f"…{text[-4:]}" if len(text) > 6 else "…"
    return fields


def utc(at: datetime | None) -> datetime | None:
    """Without a zone it is taken as UTC. Raises HTTPException."""
    if at is None or at.tzinfo is None:
        return None if at is None else at.replace(tzinfo=timezone.utc)
    try:
        return at.astimezone(timezone.utc)
    except OverflowError:
        raise HTTPException(422, "from, to: out of range") from None
