"""What is wrong with a query that was issued, if anything is, and not declared."""

from __future__ import annotations

from collections.abc import Iterator

from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo import MongoClient

from db_interface.database import Database
from db_interface.json_data import JsonObject
from db_interface.sharding import SHARDING
from tests.queries.asked import Asked
from tests.queries.declared import ALL_SHARDS, ALLOWED, BY_HAND, FEW, WHOLE
from tests.queries.plans import faults
from tests.queries.spreading import CARRIED, EVERY_SHARD, fields_of, how

_ANY_DATE: CodecOptions[JsonObject] = CodecOptions(
    datetime_conversion=DatetimeConversion.DATETIME_AUTO
)


def objections(asked: Asked, db: Database) -> Iterator[str]:
    """In words, with the file that asks. `db`: has the indexes; what is in it does not matter."""
    collection, said = asked.shape.collection, f"{asked.asked_by}: {asked.shape}"
    if collection not in SHARDING or asked.asked_by.startswith(tuple(BY_HAND)):
        return  # a test's own collection, or nobody waits for it
    allowed, _ = ALLOWED.get(asked.asked_by, ("", ""))
    found = faults(_explained(asked, db)) - {allowed}
    if found and collection not in FEW and asked.shape.text not in WHOLE:
        yield f"{said} {' and '.join(sorted(found))}"
    taken = how(collection, asked.command)
    if taken == EVERY_SHARD and not fields_of(asked.command) & set(ALL_SHARDS.get(collection, {})):
        yield f"{said} {taken}"
    elif taken not in (CARRIED, EVERY_SHARD):
        yield f"{said} {taken} by a store that is spread over shards: it does not name the key"


def _explained(asked: Asked, db: Database) -> JsonObject:
    client: MongoClient[JsonObject] = db.client.delegate
    return client[db.name].command(
        "explain", dict(asked.command), verbosity="queryPlanner", codec_options=_ANY_DATE
    )
