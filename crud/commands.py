"""Commands (mod_commands): what we answer at once, and what we take on.

Reads and decides; `command_intake` keeps the document, Central's worker carries it out. Choices
where the specification leaves room:

- Not there, or not for the asker's eyes: location, EVSE and connector 2003; session
  UNKNOWN_SESSION; reservation: ACCEPTED, then UNKNOWN_RESERVATION.
- The token must be one of the asker's parties' and valid, else REJECTED. It is not looked up:
  "the CPO should assume that the eMSP only sends valid Tokens".
- An EVSE that another token has reserved: REJECTED. Occupied, faulted, out of service: the
  CommandResult says EVSE_OCCUPIED or EVSE_INOPERATIVE, for CommandResponse has no word for it.
- A charge point whose monitor is silent is asked nevertheless; it may answer, else TIMEOUT.
- UNLOCK_CONNECTOR ends a session at the charge point: refused where another party's car is.
"""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from py_ocpi.core.enums import Action

from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import party_key
from domain.commands.command_intake import (
    NOT_SUPPORTED,
    REJECTED,
    UNKNOWN_SESSION,
    AcceptedCommand,
    CommandRequest,
    Intake,
    Rejection,
    result_body,
)
from domain.commands.command_targets import (
    OUT_OF_USE,
    Place,
    location_of,
    place_of,
    places_of,
    plugged_in_by_another,
    running_session_of,
)
from domain.commands.evse_choice import (
    REMOTE_START,
    RESERVABLE,
    choose_for_reservation,
    choose_for_start,
    none_free,
)
from domain.errors import InvalidParameters
from domain.objects import OcpiObject
from domain.reservations import reservations
from domain.schemas import CommandResponse, parse_datetime, validate
from domain.versions import INNER_VERSION, Context, ObjectKind, OcpiVersion, Party
from domain.visibility import Reader, audiences

UNLOCK = "UNLOCK_CAPABLE"

_NOT_YOURS = "The token is not one of your parties'"
_NOT_VALID = "The token is not valid"


class Commands:
    """`do` is the Crud contract's; make one per process, on an Intake."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._store = intake.store
        self._deciders: dict[
            str, Callable[[CommandRequest], Awaitable[Rejection | AcceptedCommand]]
        ] = {
            "START_SESSION": self._start,
            "STOP_SESSION": self._stop,
            "RESERVE_NOW": self._reserve,
            "CANCEL_RESERVATION": self._cancel,
            "UNLOCK_CONNECTOR": self._unlock,
        }

    async def do(
        self,
        action: Action,
        *,
        data: JsonMapping | None,
        command: str,
        response_url: str,
        reader: Reader,
        peer_id: str,
        owners: Sequence[str] | None = None,
        correlation_id: str | None = None,
        form: OcpiVersion = INNER_VERSION,
        **_: object,
    ) -> JsonObject:
        """`data` is the request object, the answer the CommandResponse as fields, both as the
        version `form` has them.

        Raises InvalidParameters, UnknownLocationInCommand.
        """
        name = str(getattr(command, "value", command))
        given = form.read(ObjectKind(name.lower()), data or {}, Context(party=_sender(reader)))
        request = CommandRequest(
            kind=name,
            content=given.object,
            response_url=response_url,
            reader=reader,
            owners=owners,
            peer_id=peer_id,
            correlation_id=correlation_id,
            version=form.number,
        )
        answer = validate(CommandResponse, await self._intake.take(request, self._deciders[name]))
        return form.render(ObjectKind.COMMAND_RESPONSE, answer).object

    async def _start(self, request: CommandRequest) -> Rejection | AcceptedCommand:
        asked = request.content
        if rejection := _bad_token(asked["token"], request.reader):
            return rejection
        places = await self._places(request)
        able = [place for place in places if place.can(REMOTE_START)]
        if not able:
            return Rejection(NOT_SUPPORTED, "No remote start here")
        connector_id = able[0].connector(asked.get("connector_id"))["id"]
        content = {
            "token": asked["token"],
            "authorization_reference": asked.get("authorization_reference"),
            "location_id": able[0].location["id"],
            "any_evse": asked.get("evse_uid") is None,
        }
        if content["any_evse"]:
            chosen = choose_for_start(able, asked["token"], tried=())
            if chosen is None:
                return _accepted(request, able, result=none_free(able))
        else:
            chosen = able[0]
            if chosen.held_against(asked["token"]):
                return Rejection(REJECTED, "The EVSE is reserved for another driver")
            if chosen.status in OUT_OF_USE:
                return _accepted(request, able, result=none_free(able))
            content["connector_id"] = connector_id
        return _accepted(
            request,
            able,
            cp_id=chosen.cp_id,
            session_id=str(uuid.uuid4()),
            content={**content, "evse_uid": chosen.evse["uid"], "tried": []},
        )

    async def _reserve(self, request: CommandRequest) -> Rejection | AcceptedCommand:
        asked = request.content
        if rejection := _bad_token(asked["token"], request.reader):
            return rejection
        expiry = parse_datetime(asked["expiry_date"])
        places = await self._places(request)
        able = [place for place in places if place.can(RESERVABLE)]
        if not able:
            return Rejection(NOT_SUPPORTED, "No reservations here")
        if expiry <= self._store.db.now():
            return Rejection(REJECTED, "expiry_date has passed")
        holder = party_key(asked["token"]["country_code"], asked["token"]["party_id"])
        key = reservations.inner_id(request.peer_id, holder, asked["reservation_id"])
        before = await reservations.get_active(self._store.db, key)
        if before is not None and before["location_id"] != able[0].location["id"]:
            return Rejection(REJECTED, "That reservation_id is in use at another Location")
        if asked.get("evse_uid") is not None:
            chosen: Place | None = able[0]
            if able[0].reservation is not None and able[0].reservation["_id"] != key:
                return Rejection(REJECTED, "The EVSE is reserved already")
            if able[0].status in OUT_OF_USE:
                return _accepted(request, able, result=none_free(able))
        else:
            chosen = choose_for_reservation(able, before, tried=())
            if chosen is None:
                return _accepted(request, able, result=none_free(able))
        assert chosen is not None  # noqa: S101 (both branches have one)
        return _accepted(
            request,
            able,
            cp_id=chosen.cp_id,
            content={
                "token": asked["token"],
                "authorization_reference": asked.get("authorization_reference"),
                "reservation_id": asked["reservation_id"],
                "reservation": key,
                "expiry_date": expiry,
                "location_id": chosen.location["id"],
                "evse_uid": chosen.evse["uid"],
                "any_evse": asked.get("evse_uid") is None,
                "tried": [],
            },
        )

    async def _cancel(self, request: CommandRequest) -> Rejection | AcceptedCommand:
        held = await reservations.held_by(
            self._store.db,
            request.peer_id,
            request.reader.parties,
            request.content["reservation_id"],
        )
        if held is None or not _addressed(held["owner"], request.owners):
            # No reservation names the parties: the one addressed, and the asker's first.
            ours = _fields(request.owners[0]) if request.owners else self._intake.party
            return AcceptedCommand(ours, _asker(request), result=result_body("UNKNOWN_RESERVATION"))
        return AcceptedCommand(
            ours=_fields(held["owner"]),
            theirs=held["token"],
            cp_id=held["cp_id"],
            content={"reservation": held["_id"]},
        )

    async def _stop(self, request: CommandRequest) -> Rejection | AcceptedCommand:
        asked = request.content["session_id"]
        shown, inner = await running_session_of(self._store, asked, request.reader, request.owners)
        if shown is None:
            return Rejection(UNKNOWN_SESSION, "Unknown Session")
        if inner is None or not (inner.get("running") or inner.get("suspect")):
            return Rejection(REJECTED, "The Session has ended")
        place = await place_of(self._store.db, shown["evse_uid"])
        if place is not None and not place.can(REMOTE_START):
            return Rejection(NOT_SUPPORTED, "No remote stop here")
        return AcceptedCommand(
            ours=shown,
            theirs=shown["cdr_token"],
            cp_id=inner["cp_id"],
            session_id=inner["_id"],
        )

    async def _unlock(self, request: CommandRequest) -> Rejection | AcceptedCommand:
        [place] = await self._places(request)
        connector = place.connector(request.content["connector_id"])
        if not place.can(UNLOCK):
            return Rejection(NOT_SUPPORTED, "No unlocking here")
        if await plugged_in_by_another(self._store.db, place, connector["id"], request.reader):
            return Rejection(REJECTED, "The connector is in use by another party's driver")
        return _accepted(
            request,
            [place],
            cp_id=place.cp_id,
            content={
                "evse_uid": place.evse["uid"],
                "connector_id": connector["id"],
                "parties": list(request.reader.parties),
                "audiences": list(audiences("sessions", request.reader)),
            },
        )

    async def _places(self, request: CommandRequest) -> list[Place]:
        location = await location_of(
            self._store, request.content["location_id"], request.reader, request.owners
        )
        return await places_of(self._store.db, location, request.content.get("evse_uid"))


def _bad_token(token: OcpiObject, reader: Reader) -> Rejection | None:
    if party_key(token["country_code"], token["party_id"]) not in reader.parties:
        return Rejection(REJECTED, _NOT_YOURS)
    return None if token["valid"] else Rejection(REJECTED, _NOT_VALID)


def _accepted(request: CommandRequest, places: Sequence[Place], **fields: Any) -> AcceptedCommand:
    theirs = request.content.get("token") or _asker(request)
    return AcceptedCommand(ours=places[0].location, theirs=theirs, **fields)


def _addressed(owner: str, owners: Sequence[str] | None) -> bool:
    return owners is None or owner in owners


def _asker(request: CommandRequest) -> dict[str, str]:
    """Whom the result is for, where nothing else says it."""
    if not request.reader.parties:
        raise InvalidParameters("The request names no party")
    return _fields(request.reader.parties[0])


def _sender(reader: Reader) -> Party | None:
    """Whose a token is in a version whose tokens do not say it: the asker's one party."""
    return Party(*_fields(reader.parties[0]).values()) if reader.parties else None


def _fields(party: str) -> dict[str, str]:
    """A folded party key as the fields of a party; codes are written in capitals."""
    country_code, _, party_id = party.partition("*")
    return {"country_code": country_code.upper(), "party_id": party_id.upper()}
