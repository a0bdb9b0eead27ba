"""The requests that bring a peer to an object's present state, by module. Pure.

Locations: PUT, or PATCH of the EVSEs whose status alone has changed (PUT of the EVSE for peers
without PATCH). Sessions: PUT, or PATCH of numbers in a session that goes on. Tariffs: PUT and
DELETE. What the peer may no longer see: EVSEs REMOVED, tariffs deleted. CDRs: see cdrs.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import orjson

from cpo_app.ocpi.push.addressing import object_url, owner_of
from db_interface.json_data import JsonMapping
from domain.outbox.due_marks import Mark, Present
from domain.outbox.mark_parts import EVSE, FIELD
from domain.peers.peer import Peer
from domain.sites.last_updated import MIN_STEP
from domain.times import format_datetime, parse_datetime
from domain.versions import INNER_VERSION, ObjectKind, OcpiVersion, Unconvertible

_ENDED = ("COMPLETED", "INVALID")


@dataclass(frozen=True)
class Request:
    method: str
    url: str
    body: bytes | None = None


def whole(endpoint: str, mark: Mark, state: Present) -> Request:
    """PUT of the object as it is."""
    return Request("PUT", _url(endpoint, state), state.raw)


def parts(endpoint: str, mark: Mark, state: Present, peer: Peer) -> list[Request] | None:
    """Requests for the changed parts only, or None where the whole object has to go."""
    if mark.whole or not mark.parts:
        return None
    no_patch = bool(peer.quirks.get("no_patch"))
    if mark.module == "locations":
        return _evse_requests(endpoint, mark, state, no_patch)
    if mark.module == "sessions" and not no_patch:
        return _session_patch(endpoint, mark, state)
    return None


def removal(
    endpoint: str, mark: Mark, state: Present | None, form: OcpiVersion = INNER_VERSION
) -> Request | None:
    """What a peer is sent once that may no longer see the object; None if the text has nothing."""
    identity = _identity(mark, state)
    if identity is None:
        return None
    if mark.module == "tariffs":
        return Request("DELETE", object_url(endpoint, *identity))
    if mark.module == "locations" and state is not None:
        raw = state.raw or _as_published(state.inner, form)
        if raw is not None:
            return Request("PUT", _url(endpoint, state), _with_evses_removed(raw, mark.changed))
    return None


def look(endpoint: str, mark: Mark, state: Present | None) -> Request:
    """GET of the object as the peer has it, for validation (mod_locations, mod_tariffs)."""
    return Request("GET", object_url(endpoint, *(_identity(mark, state) or ())))


def _url(endpoint: str, state: Present, *below: str) -> str:
    return object_url(endpoint, *owner_of(state.fields), state.id, *below)


def _identity(mark: Mark, state: Present | None) -> tuple[str, str, str] | None:
    """Owner and id of the object, also of one that is gone."""
    if state is not None:
        return (*owner_of(state.fields), state.id)
    fields = mark.identity
    return None if fields is None else (*owner_of(fields), fields["id"])


def _evse_requests(
    endpoint: str, mark: Mark, state: Present, no_patch: bool
) -> list[Request] | None:
    evses = {evse["uid"]: evse for evse in orjson.loads(state.raw or b"{}").get("evses", ())}
    uids = [part.removeprefix(EVSE) for part in mark.parts]
    if not all(uid in evses for uid in uids):
        return None
    return [
        Request("PUT", _url(endpoint, state, uid), orjson.dumps(evses[uid]))
        if no_patch
        else Request("PATCH", _url(endpoint, state, uid), _only(evses[uid], "status"))
        for uid in uids
    ]


def _session_patch(endpoint: str, mark: Mark, state: Present) -> list[Request] | None:
    session = orjson.loads(state.raw or b"{}")
    names = [part.removeprefix(FIELD) for part in mark.parts]
    if session.get("status") in _ENDED or not all(name in session for name in names):
        return None
    return [Request("PATCH", _url(endpoint, state), _only(session, *names))]


def _only(fields: JsonMapping, *names: str) -> bytes:
    """A PATCH SHALL contain last_updated."""
    return orjson.dumps({name: fields[name] for name in (*names, "last_updated")})


def _as_published(inner: bytes, form: OcpiVersion) -> bytes | None:
    """A location that a version has no way to say, for one who has it from before: most likely
    it is not to be published any more. None: nothing can be said of it."""
    try:
        location = {**orjson.loads(inner), "publish": True}
        return orjson.dumps(form.render(ObjectKind.LOCATION, location).object)
    except Unconvertible:
        return None


def _with_evses_removed(raw: bytes, at: datetime) -> bytes:
    """The location for one who shall forget it. `at`, when it was taken away, moves last_updated,
    by the finest step at least: a receiver may ignore a state that does not claim to be newer."""
    location = orjson.loads(raw)
    moment = format_datetime(max(at, parse_datetime(location["last_updated"]) + MIN_STEP))
    location["last_updated"] = moment
    location["evses"] = [
        {**evse, "status": "REMOVED", "last_updated": moment} for evse in location.get("evses", ())
    ]
    return orjson.dumps(location)
