"""RESERVE_NOW, CANCEL_RESERVATION, and what brings a charge point back in line with our books.

The books change when the charge point has said yes. Whatever got TIMEOUT did not happen: the
charge point is told again what stands, as soon as it can be reached.
"""

from __future__ import annotations

from cpo_app.central.commands.command_steps import (
    INNER_RELEASE,
    INNER_RESERVE,
    TRY_NEXT,
    Ask,
    Body,
    Decided,
    Elsewhere,
    Kind,
    body_of,
    cp_id_of,
    timed_out,
)
from cpo_app.central.link.link import LinkAnswer, LinkResult
from db_interface.owned_objects import party_key
from db_interface.transaction import Tx
from domain.commands.command_intake import result_body
from domain.commands.command_queue import Command
from domain.commands.command_states import State
from domain.commands.command_targets import place_of
from domain.commands.evse_choice import choose_for_reservation, none_free
from domain.reservations import reservations
from domain.reservations.cancelling import tell_canceled
from domain.reservations.reservations import Reservation, Status

_NO_SUCH = (LinkResult.REJECTED, LinkResult.UNKNOWN_RESERVATION)
"""A charge point's ways to say that it knows no such reservation."""


class Reserve(Kind):
    async def prepare(self, tx: Tx, command: Command) -> Ask | Decided | Elsewhere:
        content = command["content"]
        place = await place_of(tx, content["evse_uid"])
        if place is None or place.cp_id != command["cp_id"]:
            return Decided(result_body("EVSE_INOPERATIVE", "The EVSE is gone"))
        if place.reservation is not None and place.reservation["_id"] != content["reservation"]:
            refused = result_body("REJECTED", "The EVSE is reserved already")
            return await self._next_or(tx, refused, command)
        return Ask({"content.connector_id": place.evse["connectors"][0]["id"]})

    async def ask(self, command: Command, timeout_s: float) -> LinkAnswer:
        content = command["content"]
        return await self.context.link.reserve(
            cp_id_of(command),
            command["_id"],
            reservation_id=content["reservation"],
            id_tag=content["token"]["uid"],
            expiry=content["expiry_date"],
            connector_id=content["connector_id"],
            timeout_s=timeout_s,
        )

    async def conclude(self, tx: Tx, command: Command, said: LinkAnswer) -> Decided | Elsewhere:
        if said.accepted:
            await self._hold(tx, command)
            return Decided(body_of(said))
        if said.result in TRY_NEXT:
            return await self._next_or(tx, body_of(said), command)
        return Decided(body_of(said))

    async def expired(self, tx: Tx, command: Command, *, surely_unsent: bool) -> Body:
        if command["state"] == State.SENT.value and not surely_unsent:
            key = command["content"]["reservation"]
            held = await reservations.get_active(tx, key)
            same = held is not None and held["cp_id"] == command["cp_id"]
            kind = INNER_RESERVE if same else INNER_RELEASE
            await self.owe(tx, kind, command, {"content": {"reservation": key}})
        return timed_out()

    async def _hold(self, tx: Tx, command: Command) -> None:
        content = command["content"]
        place = await place_of(tx, content["evse_uid"])
        party = self.context.party
        owner = party_key(party.country_code, party.party_id)
        if place is not None:
            owner = party_key(place.location["country_code"], place.location["party_id"])
        reservation: Reservation = {
            "_id": content["reservation"],
            "peer_id": command.get("peer_id") or content.get("behind"),
            "reservation_id": content["reservation_id"],
            "owner": owner,
            "cp_id": cp_id_of(command),
            "connector_id": content["connector_id"],
            "location_id": content["location_id"],
            "evse_uid": content["evse_uid"],
            "token": content["token"],
            "authorization_reference": content["authorization_reference"],
            "expiry_date": content["expiry_date"],
            "command_id": command["_id"],
        }
        if "delivery" in command:
            reservation["answer_to"] = command["delivery"]
        left = await reservations.hold(tx, self.context.party, reservation, self.context.billing)
        if left is not None:
            also: Command = {"content": {"reservation": content["reservation"]}}
            await self.owe(tx, INNER_RELEASE, {"cp_id": left}, also)

    async def _next_or(self, tx: Tx, refused: Body, command: Command) -> Decided | Elsewhere:
        content = command["content"]
        if not content["any_evse"]:
            return Decided(refused)
        tried = [*content["tried"], command["cp_id"]]
        places = await self.places(tx, command)
        before = await reservations.get_active(tx, content["reservation"])
        chosen = choose_for_reservation(places, before, tried)
        if chosen is None or chosen.cp_id is None:
            return Decided(none_free(places) if places else refused)
        return Elsewhere(
            chosen.cp_id, {"content.evse_uid": chosen.evse["uid"], "content.tried": tried}
        )


class Cancel(Kind):
    async def ask(self, command: Command, timeout_s: float) -> LinkAnswer:
        return await self.context.link.cancel_reservation(
            cp_id_of(command),
            command["_id"],
            reservation_id=command["content"]["reservation"],
            timeout_s=timeout_s,
        )

    async def conclude(self, tx: Tx, command: Command, said: LinkAnswer) -> Decided | Elsewhere:
        if not said.accepted and said.result not in _NO_SUCH:
            return Decided(body_of(said))
        held = await reservations.get_active(tx, command["content"]["reservation"])
        ended = await reservations.end(
            tx,
            self.context.party,
            command["content"]["reservation"],
            cp_id_of(command),
            Status.CANCELED,
            self.context.billing,
        )
        if ended and held is not None and "by" in command:
            await tell_canceled(tx, held)
        # A charge point that has lost the reservation keeps nobody out: it is canceled all the
        # same. One that we do not hold any more either has been used, or has expired.
        return Decided(result_body("ACCEPTED" if ended else "UNKNOWN_RESERVATION"))

    async def expired(self, tx: Tx, command: Command, *, surely_unsent: bool) -> Body:
        if command["state"] == State.SENT.value and not surely_unsent:
            key = command["content"]["reservation"]
            await self.owe(tx, INNER_RESERVE, command, {"content": {"reservation": key}})
        return timed_out()


class InnerRelease(Kind):
    """The charge point may hold a reservation that we do not: let it go there."""

    async def ask(self, command: Command, timeout_s: float) -> LinkAnswer | None:
        held = await reservations.get_active(self.db, command["content"]["reservation"])
        if held is not None and held["cp_id"] == command["cp_id"]:
            return None
        return await self.context.link.cancel_reservation(
            cp_id_of(command),
            command["_id"],
            reservation_id=command["content"]["reservation"],
            timeout_s=timeout_s,
        )

    async def conclude(
        self, tx: Tx, command: Command, said: LinkAnswer | None
    ) -> Decided | Elsewhere:
        return Decided(result_body("CANCELED_RESERVATION") if said is None else body_of(said))

    async def expired(self, tx: Tx, command: Command, *, surely_unsent: bool) -> Body:
        return timed_out()


class InnerReserve(InnerRelease):
    """The charge point may have let a reservation go that we hold: it is to hold it again."""

    async def ask(self, command: Command, timeout_s: float) -> LinkAnswer | None:
        held = await reservations.get_active(self.db, command["content"]["reservation"])
        if held is None or held["cp_id"] != command["cp_id"]:
            return None
        return await self.context.link.reserve(
            cp_id_of(command),
            command["_id"],
            reservation_id=held["_id"],
            id_tag=held["token"]["uid"],
            expiry=held["expiry_date"],
            connector_id=held["connector_id"],
            timeout_s=timeout_s,
        )
