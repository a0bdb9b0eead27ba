"""The collections of sessions that the operator's room reads; each is described by its owner."""

from __future__ import annotations

from db_interface.collection import Collection
from db_interface.json_data import JsonObject

SESSIONS: Collection[JsonObject] = Collection("charging_sessions")
SESSION_OBJECTS: Collection[JsonObject] = Collection("sessions")
