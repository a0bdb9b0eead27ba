"""What is said of OCPP stations before they speak: that they are ours, and their password."""

from __future__ import annotations

import secrets

from pydantic import Field, validator

from cpo_app.actions.action import Action, Parameters, Refused
from cpo_app.actions.house import House
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.audit.entries import About
from domain.charge_points.registration_records import Metadata, NotRegistered
from domain.ocpp import adding, connections, quirks, stations
from domain.ocpp.adding import AlreadyAdded
from domain.ocpp.quirks import QUIRKS
from domain.ocpp.stations import Station, Status
from domain.operators.actor import Role
from domain.places import geonames

PASSWORD_BYTES = 20
"""As hex digits 40 characters, the most that OCPP lets a password have."""


class OneStation(Parameters):
    cp_id: str = Field(..., title="Its id (3 to 60 letters, digits, _ or -)")

    @validator("cp_id")
    def _id(cls, value: str) -> str:
        if not stations.STATION_ID.fullmatch(value):
            raise ValueError("an id has 3 to 60 letters, digits, _ or -")
        return value


class Adding(OneStation):
    location: str | None = Field(
        None, min_length=2, max_length=256, title="Where it stands: a city or address"
    )
    power_rating: str | None = Field(None, max_length=20, title="Power of an EVSE, as 22kW")
    current: str | None = Field(None, regex="^(AC|DC)$", title="AC or DC")
    one_evse: bool = Field(
        False, title="OCPP 1.6: its connectors are of one EVSE, only one of them charges at a time"
    )


class Quirk(OneStation):
    quirk: str = Field(..., title="Quirk", enum=list(QUIRKS), max_length=40)
    on: bool = Field(..., title="It does so")

    @validator("quirk")
    def _known(cls, value: str) -> str:
        if value not in QUIRKS:
            raise ValueError(f"is none of {', '.join(QUIRKS)}")
        return value


def _about(given: OneStation) -> tuple[About, ...]:
    return (audit.charge_point(given.cp_id),)


async def _add(house: House, given: Adding) -> JsonObject:
    password = secrets.token_hex(PASSWORD_BYTES)
    told = {"power_rating": given.power_rating, "type": given.current}
    metadata: Metadata = {name: value for name, value in told.items() if value is not None}

    async def work(tx: Tx) -> JsonObject:
        known = await stations.get(tx, given.cp_id)
        waits = known is not None and known["status"] == Status.HELD.value
        station = await adding.add_station(
            tx,
            given.cp_id,
            party=house.settings.parties[0],
            location=given.location,
            metadata=metadata or None,
            password_hash=None if waits else house.vault.digest(password),
            one_evse=given.one_evse,
        )
        return {
            **_reached(house, station["_id"]),
            "password": None if waits else password,
            "outcome": "waited" if waits else "new",
        }

    await geonames.loaded()
    return await house.store.transact(work)


async def _password(house: House, given: OneStation) -> JsonObject:
    password = secrets.token_hex(PASSWORD_BYTES)

    async def work(tx: Tx) -> JsonObject:
        station = await adding.set_password(tx, given.cp_id, house.vault.digest(password))
        return {**_reached(house, station["_id"]), "password": password}

    try:
        return await house.store.transact(work)
    except NotRegistered:
        raise Refused(404, f"{given.cp_id}: no such OCPP station") from None


def _reached(house: House, station_id: str) -> JsonObject:
    return {
        "cp_id": station_id,
        "url": f"{house.settings.ocpp_url}/{station_id}",
        "user": station_id,
    }


async def _quirk(house: House, given: Quirk) -> JsonObject:
    async def work(tx: Tx) -> JsonObject:
        station = await stations.get(tx, given.cp_id)
        if station is None:
            raise Refused(404, f"{given.cp_id}: no such OCPP station")
        before = quirks.in_force(station)
        noted = {one for one in station.get("quirks", []) if one != given.quirk}
        off = {one for one in station.get("quirks_off", []) if one != given.quirk}
        (noted if given.on else off).add(given.quirk)
        changes: Station = {"quirks": sorted(noted), "quirks_off": sorted(off)}
        await stations.update(tx, station["_id"], changes)
        after = quirks.in_force({**station, **changes})
        await audit.record(
            tx,
            "charge_points.ocpp_quirk",
            audit.charge_point(station["_id"]),
            before={"quirks": before},
            after={"quirks": after},
        )
        return {"cp_id": station["_id"], "quirks": after}

    return await house.store.transact(work)


async def _refuse_box(house: House, given: OneStation) -> JsonObject:
    async def work(tx: Tx) -> JsonObject:
        station = await stations.get(tx, given.cp_id)
        if station is None:
            raise Refused(404, f"{given.cp_id}: no such OCPP station")
        if station["status"] != Status.HELD.value:
            raise Refused(409, f"{station['_id']} does not wait to be added")
        await stations.refuse(tx, station)
        await connections.cut(tx, station["_id"])
        await audit.record(tx, "charge_points.refuse_box", audit.charge_point(station["_id"]))
        return {"cp_id": station["_id"]}

    return await house.store.transact(work)


ADD = Action(
    name="charge_points.add",
    title="Add an OCPP charge point",
    meaning="Registers a charge point that speaks OCPP, or lets one in that waits: its URL, and "
    "its password, which is shown this once. A box with several EVSEs is added once.",
    done={
        "new": "Added: put URL, user and password into the box.",
        "waited": "Added: it waited, and comes in with the password that it has.",
    },
    shows="password",
    needs=Role.OPERATOR,
    path="/charge-points/add",
    parameters=Adding,
    run=_add,
    about=_about,
    refusals={AlreadyAdded: 409},
)
OCPP_PASSWORD = Action(
    name="charge_points.ocpp_password",
    title="Another OCPP password",
    meaning="Makes another password for an OCPP charge point, shown this once. The one before is "
    "good no more: the box needs the new one to connect again.",
    done="Made: the box needs it to connect again.",
    shows="password",
    needs=Role.OPERATOR,
    path="/charge-points/{cp_id}/ocpp-password",
    parameters=OneStation,
    run=_password,
    about=_about,
    refusals={},
    danger=True,
)
OCPP_QUIRK = Action(
    name="charge_points.ocpp_quirk",
    title="Note how a box departs from OCPP",
    meaning="Notes how the box of an OCPP charge point departs from OCPP; for it alone we do "
    "otherwise, from its next connection on.",
    done="Noted: it counts from its next connection on.",
    needs=Role.OPERATOR,
    path="/charge-points/{cp_id}/ocpp-quirk",
    parameters=Quirk,
    run=_quirk,
    about=_about,
    refusals={},
)
REFUSE_BOX = Action(
    name="charge_points.refuse_box",
    title="Refuse an OCPP box that waits",
    meaning="A box that waits to be added is sent away, and not let wait again for a year; adding "
    "it lets it in all the same.",
    done="Refused: it waits no more.",
    needs=Role.OPERATOR,
    path="/charge-points/{cp_id}/refuse-box",
    parameters=OneStation,
    run=_refuse_box,
    about=_about,
    refusals={},
)
ACTIONS = (ADD, OCPP_PASSWORD, OCPP_QUIRK, REFUSE_BOX)
