"""The list of exchanges with peers, which are found by their keys (domain/exchanges)."""

from __future__ import annotations

from db_interface.database import Database
from db_interface.json_data import JsonObject
from domain.exchanges.exchange import EXCHANGES, MODULES, Direction, Exchange
from domain.exchanges.listing import ROW, row_of, wanted_of
from domain.exchanges.looking_through import bounded_query
from domain.exchanges.search_keys import BadSearch, Wanted, hint_of
from domain.listing.filters import BadFilter, choice, period, text
from domain.listing.listing import Listing, Question, Stored
from domain.paging import Order
from domain.secrets import Vault


def exchanges_of(vault: Vault) -> Listing[Exchange]:
    """`vault`: cards are found by their keyed hash."""

    async def question(db: Database, values: JsonObject) -> Question:
        query = await bounded_query(db, wanted(vault, values))
        return Question(query, hint=hint_of(query))

    return Listing(
        name="exchanges",
        source=Stored(EXCHANGES.of, question, ROW),
        rows=_rows,
        filters=(
            text("peer", "Peer", "With this peer."),
            choice("module", "Module", "About this module.", MODULES),
            text("object", "Object or card", "With this id, or card's UID.", 200, narrow=True),
            text(
                "correlation",
                "Correlation or request id",
                "X-Correlation-ID or X-Request-ID.",
                200,
                narrow=True,
            ),
            text("status", "Status", "failed, refused, or a status that is no success.", 10),
            choice("direction", "Direction", "in or out.", [one.value for one in Direction]),
            *period("Asked"),
        ),
        orders=(
            Order("newest", "newest first", [("_id", -1)]),
            Order("oldest", "oldest first", [("_id", 1)]),
        ),
        columns={
            name: name
            for name in (
                *("at", "direction", "peer_id", "address", "module", "version", "method", "url"),
                *("status", "ocpi_status", "outcome", "error", "took_ms", "request_id"),
                *("correlation_id", "request_size", "response_size", "id"),
            )
        },
    )


def wanted(vault: Vault, values: JsonObject) -> Wanted:
    """What the filters say, as exchanges are asked for. Raises BadFilter."""
    try:
        return wanted_of(
            vault,
            peer=values.get("peer"),
            module=values.get("module"),
            object_id=values.get("object"),
            correlation=values.get("correlation"),
            status=values.get("status"),
            direction=values.get("direction"),
            since=values.get("from"),
            until=values.get("to"),
        )
    except BadSearch as error:
        name, _, why = str(error).partition(": ")
        raise BadFilter(name, why) from None


async def _rows(db: Database, found: list[Exchange]) -> list[JsonObject]:
    return [row_of(one) for one in found]
