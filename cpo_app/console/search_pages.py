"""Search everywhere: what is found by an id, a card or a name; one exact hit is gone to at once."""

from __future__ import annotations

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import RedirectResponse

from cpo_app.console.console import Console
from cpo_app.console.rendering import HEADERS
from cpo_app.console.words import segment
from domain.operator.search import MAX_LENGTH, Found, Hit, search
from domain.operators.actor import Role, current_actor

_LISTS = {
    "charge point": "/console/charge-points?q=",
    "location": "/console/locations?q=",
}
"""Where all of a kind that begin so are listed."""


def add_search_pages(router: APIRouter, console: Console) -> None:
    db = console.db

    @router.get("/console/search")
    async def results(request: Request, q: str = Query("", max_length=200)) -> Response:
        said = q.strip()
        is_operator = current_actor().may(Role.OPERATOR)
        found = await search(db, said, exchanges=is_operator)
        pages = [(hit, _page_of(hit, is_operator)) for hit in found.hits]
        if found.exact and len(pages) == 1 and pages[0][1] is not None:
            return RedirectResponse(pages[0][1], 303, headers=HEADERS)
        return console.page(
            request,
            "search.html",
            q=said,
            too_long=len(said) > MAX_LENGTH,
            found=found,
            kinds=_kinds(found, dict(pages)),
            lists=_LISTS,
        )


def _kinds(found: Found, pages: dict[Hit, str | None]) -> dict[str, list[tuple[Hit, str | None]]]:
    return {kind: [(hit, pages[hit]) for hit in hits] for kind, hits in found.by_kind().items()}


def _page_of(hit: Hit, is_operator: bool) -> str | None:
    """None: whoever looks may not see it."""
    id_ = segment(hit.id)
    if hit.kind in ("charge point", "EVSE"):
        return f"/console/charge-points/{id_}"
    if hit.kind == "reservation":
        return f"/console/reservations?charge_point={id_}"
    if hit.kind == "station":
        return f"/console/stations?q={id_}"
    if hit.kind == "session":
        return f"/console/sessions/{id_}"
    if hit.kind == "CDR":
        return f"/console/cdrs/{id_}"
    if hit.kind in ("location", "tariff"):
        return f"/console/objects/{hit.kind}s?key={segment(hit.key or '')}"
    if hit.kind == "card":
        return f"/console/tokens?contract={id_}"
    if hit.kind == "peer":
        return f"/console/peers/{id_}"
    if not is_operator:
        return None
    if hit.kind == "command":
        return f"/console/commands/{id_}"
    return f"/console/exchanges?correlation={id_}"
