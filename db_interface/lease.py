"""A lease: a document is one worker's for a while, by the database's clock alone.

MongoDB compares and sets the time inside the update (`$$NOW`), so hosts whose clocks differ
never both hold one. Who dies lets go when the time has passed. These are parts of queries and of
changes; each collection's owner adds what else it asks for.

    found = await THINGS.of(db).update_and_find(
        {"_id": id_, **LEASE.free}, [{"$set": LEASE.taken(owner, 4.0)}]
    )
"""

from __future__ import annotations

from dataclasses import dataclass

from db_interface.json_data import JsonObject


@dataclass(frozen=True)
class Lease:
    """The fields of a document that hold it: who, and until when."""

    owner: str
    until: str

    @property
    def free(self) -> JsonObject:
        """Query: nobody holds it now."""
        ended = {"$expr": {"$lte": [f"${self.until}", "$$NOW"]}}
        return {"$or": [{self.owner: None}, ended]}

    def free_for(self, owner: str) -> JsonObject:
        """Query: nobody else holds it now."""
        return {"$or": [self.held_by(owner), *self.free["$or"]]}

    def held_by(self, owner: str) -> JsonObject:
        """Query: nobody has taken it since this owner did."""
        return {self.owner: owner}

    def taken(self, owner: str, for_s: float) -> JsonObject:
        """What `$set` of a pipeline writes: it is the owner's for so long from now."""
        return {self.owner: {"$literal": owner}, **self.prolonged(for_s)}

    def prolonged(self, for_s: float) -> JsonObject:
        """What `$set` of a pipeline writes: held for so long from now."""
        return {self.until: {"$add": ["$$NOW", round(for_s * 1000)]}}
