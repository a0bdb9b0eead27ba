"""What is said of charge points: in or out of service, who may register, whose meters are
believed, what becomes of telemetry that was not taken.
"""

from __future__ import annotations

import re

from pydantic import Field, validator

from cpo_app.actions import stations
from cpo_app.actions.action import Action, Parameters, Refused
from cpo_app.actions.house import House
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.audit.entries import About
from domain.charge_points import dead_letters, enrolments, operator_words, registration_store
from domain.charge_points.charge_points import canonical_id
from domain.charge_points.dead_letters import NoSuchLetter
from domain.charge_points.registration_records import NotRegistered, Record
from domain.metering import meter_keys
from domain.metering.public_keys import MeterKeyError
from domain.operators.actor import Role
from domain.sites import Party
from domain.times import format_datetime

_CP_ID = re.compile(r"[A-Za-z0-9_-]{3,64}")


class OneChargePoint(Parameters):
    cp_id: str = Field(..., min_length=1, max_length=64, title="Charge point")


class Enrolling(Parameters):
    cp_id: str = Field(..., max_length=64, title="Its id (3 to 64 letters, digits, _ or -)")

    @validator("cp_id")
    def _id(cls, value: str) -> str:
        if not _CP_ID.fullmatch(value):
            raise ValueError("an id has 3 to 64 letters, digits, _ or -")
        return value


class Service(OneChargePoint):
    operative: bool = Field(..., title="In service")


class OneMeter(OneChargePoint):
    connector_id: str | None = Field(
        None, max_length=36, title="Connector (empty: all that have no key of their own)"
    )


class MeterKeyGiven(OneMeter):
    public_key: str = Field(..., max_length=10_000, title="Public key (PEM, hex or Base64)")


class OneLetter(Parameters):
    letter_id: str = Field(..., min_length=1, max_length=200, title="Message (CP/BOOT/SEQ)")


def _one(given: OneChargePoint | Enrolling) -> tuple[About, ...]:
    return (audit.charge_point(given.cp_id),)


def _of_letter(given: OneLetter) -> tuple[About, ...]:
    cp_id = given.letter_id.partition("/")[0]
    return audit.charge_point(cp_id), About("message", given.letter_id)


async def _known(tx: Tx, cp_id: str) -> str:
    found = await canonical_id(tx, cp_id)
    if found is None:
        raise Refused(404, f"{cp_id}: no such charge point")
    return found


async def _set_operative(house: House, given: Service) -> JsonObject:
    found = await registration_store.get(house.store.db, given.cp_id, ("_id",))
    if found is None:
        raise Refused(404, f"{given.cp_id}: no such charge point")
    await house.set_operative(found["_id"], given.operative)
    return {
        "cp_id": found["_id"],
        "operative": given.operative,
        "outcome": "in" if given.operative else "out",
    }


async def _enrol(house: House, given: Enrolling) -> JsonObject:
    async def work(tx: Tx) -> JsonObject:
        token, expires_at = await enrolments.enrol(tx, given.cp_id)
        return {"cp_id": given.cp_id, "token": token, "expires_at": format_datetime(expires_at)}

    return await house.store.transact(work)


async def _restore(house: House, given: OneChargePoint) -> JsonObject:
    async def work(tx: Tx) -> JsonObject:
        party = _party(house)
        return await _as_it_is(tx, await operator_words.restore(tx, given.cp_id, party))

    return await house.store.transact(work)


async def _let_in(house: House, given: OneChargePoint) -> JsonObject:
    async def work(tx: Tx) -> JsonObject:
        party = _party(house)
        return await _as_it_is(tx, await operator_words.let_into_site(tx, given.cp_id, party))

    return await house.store.transact(work)


def _party(house: House) -> Party:
    return house.settings.parties[0]


async def _as_it_is(tx: Tx, record: Record) -> JsonObject:
    shown = await registration_store.get(tx, record["_id"], ("status", "site_id", "ocpi"))
    known = {name: value for name, value in dict(shown or {}).items() if name != "_id"}
    return {"cp_id": record["_id"], **known}


async def _set_meter_key(house: House, given: MeterKeyGiven) -> JsonObject:
    async def work(tx: Tx) -> JsonObject:
        known = await _known(tx, given.cp_id)
        await meter_keys.set_key(tx, known, given.connector_id, given.public_key)
        return {"keys": shown_keys(await meter_keys.keys_of(tx, known, given.connector_id))}

    return await house.store.transact(work)


async def _remove_meter_key(house: House, given: OneMeter) -> JsonObject:
    async def work(tx: Tx) -> JsonObject:
        known = await _known(tx, given.cp_id)
        if not await meter_keys.remove_key(tx, known, given.connector_id):
            raise Refused(404, f"{known}: no key is kept for this meter")
        return {"keys": shown_keys(await meter_keys.keys_of(tx, known, given.connector_id))}

    return await house.store.transact(work)


def shown_keys(keys: list[meter_keys.MeterKey]) -> list[JsonObject]:
    names = ("cp_id", "connector_id", "public_key", "set_at")
    return [{name: dict(key)[name] for name in names} for key in keys]


async def _replay(house: House, given: OneLetter) -> JsonObject:
    why = await house.replay(given.letter_id)
    return {
        "letter_id": given.letter_id,
        "taken": why is None,
        "why": why,
        "outcome": "taken" if why is None else "not taken",
    }


async def _drop(house: House, given: OneLetter) -> JsonObject:
    async def work(tx: Tx) -> JsonObject:
        gone = await dead_letters.remove(tx, given.letter_id)
        shown = dead_letters.shown(gone)
        before = {
            "message": shown.kind,
            "session_id": shown.session_id,
            "energy_wh": shown.energy_wh,
            "reason": shown.reason,
        }
        await audit.record(
            tx, "charge_points.drop", *_of_letter(given), before=before, after={"dropped": True}
        )
        return {"letter_id": given.letter_id}

    return await house.store.transact(work)


_REFUSALS: dict[type[Exception], int] = {
    NotRegistered: 404,
    NoSuchLetter: 404,
    MeterKeyError: 422,
}

SET_OPERATIVE = Action(
    name="charge_points.set_operative",
    title="Take out of service, or put back",
    meaning="Taken out of service, it starts no new session, a running one ends first, and peers "
    "see INOPERATIVE until it is put back.",
    done={
        "out": "Taken out of service. A running session ends first; peers see INOPERATIVE.",
        "in": "Back in service.",
    },
    needs=Role.OPERATOR,
    path="/charge-points/{cp_id}/operative",
    parameters=Service,
    run=_set_operative,
    about=_one,
    refusals=_REFUSALS,
)
ENROL = Action(
    name="charge_points.enrol",
    title="Enrol",
    meaning="Makes a token with which this one charge point may register, once, within a day: "
    "CP_MONITOR_ENROLMENT_TOKEN of its monitor. It is shown this once.",
    done="Enrolled: it may register once, within a day.",
    shows="token",
    needs=Role.OPERATOR,
    path="/charge-points/enrol",
    parameters=Enrolling,
    run=_enrol,
    about=_one,
    refusals=_REFUSALS,
)
RESTORE = Action(
    name="charge_points.restore",
    title="Restore",
    meaning="Undoes a deregistration: its own credentials are good again, its earlier tokens are "
    "not.",
    done="Registered again: its own credentials are good, its earlier tokens are not.",
    needs=Role.OPERATOR,
    path="/charge-points/{cp_id}/restore",
    parameters=OneChargePoint,
    run=_restore,
    about=_one,
    refusals=_REFUSALS,
)
LET_IN = Action(
    name="charge_points.let_in",
    title="Let into its site",
    meaning="Lets it stand at a site that holds another's. What the site is, its owner goes on "
    "saying.",
    done="Let into its site.",
    needs=Role.OPERATOR,
    path="/charge-points/{cp_id}/let-in",
    parameters=OneChargePoint,
    run=_let_in,
    about=_one,
    refusals=_REFUSALS,
)
SET_METER_KEY = Action(
    name="charge_points.set_meter_key",
    title="Put a meter's key down",
    meaning="The signatures that this public key verifies are believed: what it signed is billed.",
    done="Put down: what this key has signed is believed.",
    needs=Role.ADMIN,
    path="/charge-points/{cp_id}/meter-key",
    parameters=MeterKeyGiven,
    run=_set_meter_key,
    about=_one,
    refusals=_REFUSALS,
)
REMOVE_METER_KEY = Action(
    name="charge_points.remove_meter_key",
    title="Forget a meter's key",
    meaning="What it signs from now on is not believed any more.",
    done="Forgotten: what this meter signs is not believed any more.",
    needs=Role.ADMIN,
    path="/charge-points/{cp_id}/meter-key/remove",
    parameters=OneMeter,
    run=_remove_meter_key,
    about=_one,
    refusals=_REFUSALS,
    danger=True,
)
REPLAY = Action(
    name="charge_points.replay",
    title="Replay",
    meaning="Takes the message after all, as if it had just come: it may bill, or correct a bill.",
    done={
        "taken": "Taken: the message counts as if it had just come.",
        "not taken": "Not taken again: the reason is shown below.",
    },
    needs=Role.MONEY,
    path="/dead-letters/replay",
    parameters=OneLetter,
    run=_replay,
    about=_of_letter,
    refusals=_REFUSALS,
)
DROP = Action(
    name="charge_points.drop",
    title="Drop",
    meaning="Nothing is to come of it: no bill, no correction.",
    done="Dropped: nothing will come of that message.",
    needs=Role.MONEY,
    path="/dead-letters/drop",
    parameters=OneLetter,
    run=_drop,
    about=_of_letter,
    refusals=_REFUSALS,
    danger=True,
)
ACTIONS = (
    *(SET_OPERATIVE, ENROL, RESTORE, LET_IN),
    *(SET_METER_KEY, REMOVE_METER_KEY, REPLAY, DROP),
    *stations.ACTIONS,
)
