"""Files of charging stations: logs that they upload, firmware that they are to run."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from pydantic import Field, validator

from cpo_app.actions.action import Action, Refused
from cpo_app.actions.house import House
from cpo_app.actions.ocpp_asking import ACCEPTED, OfStation, about, said_by, station_of, word_of
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.ocpp import files, transfers
from domain.ocpp.files import StoredFile
from domain.ocpp.stations import Station
from domain.ocpp.transfers import Kind, Transfer
from domain.operators.actor import Role, current_actor
from domain.schemas import parse_datetime
from domain.times import format_datetime

MAX_LOCATION = 512
_SCHEMES = ("http://", "https://", "ftp://", "ftps://", "sftp://")


def _checked(value: str | None) -> str | None:
    if value is not None and not value.lower().startswith(_SCHEMES):
        raise ValueError(f"begins with one of {' '.join(_SCHEMES)}")
    return value


def _time(value: object) -> object:
    return parse_datetime(value) if isinstance(value, str) else value


class Logs(OfStation):
    log: str = Field("diagnostics", title="Which", enum=[kind.value for kind in transfers.LOGS])
    since: datetime | None = Field(None, title="From (2025-05-01T12:00:00Z)")
    until: datetime | None = Field(None, title="Until")
    location: str | None = Field(
        None, max_length=MAX_LOCATION, title="Where to (empty: to this platform)"
    )

    _location = validator("location", allow_reuse=True)(_checked)
    _times = validator("since", "until", pre=True, allow_reuse=True)(_time)

    @validator("log")
    def _known(cls, value: str) -> str:
        return Kind(value).value


class Firmware(OfStation):
    location: str | None = Field(None, max_length=MAX_LOCATION, title="Where it is fetched from")
    file_id: str | None = Field(None, max_length=64, title="Or a file that was put here")
    at: datetime | None = Field(None, title="When to fetch it (empty: now)")
    certificate: str | None = Field(
        None, max_length=5500, title="Its maker's certificate, PEM (signed firmware)"
    )
    signature: str | None = Field(None, max_length=800, title="Its signature, Base64")

    _location = validator("location", allow_reuse=True)(_checked)
    _times = validator("at", pre=True, allow_reuse=True)(_time)


async def _logs(house: House, given: Logs) -> JsonObject:
    station, _ = await station_of(house, given.cp_id)
    kind = Kind(given.log)
    fields: JsonObject = {"log": given.log}
    for name, moment in (("since", given.since), ("until", given.until)):
        if moment is not None:
            fields[name] = format_datetime(moment)
    return await _asked(house, given, station, kind, "logs", fields, location=given.location)


async def _firmware(house: House, given: Firmware) -> JsonObject:
    station, _ = await station_of(house, given.cp_id)
    if (given.location is None) is (given.file_id is None):
        raise Refused(422, "either where it is fetched from, or a file that was put here")
    if (given.certificate is None) is not (given.signature is None):
        raise Refused(422, "certificate and signature belong together")
    file = None if given.file_id is None else await files.get(house.store.db, given.file_id)
    if given.file_id is not None and file is None:
        raise Refused(404, f"{given.file_id}: no such file")
    fields: JsonObject = {"at": format_datetime(given.at or house.store.db.now())}
    if given.signature is not None:
        fields |= {"certificate": given.certificate, "signature": given.signature}
    return await _asked(
        house, given, station, Kind.FIRMWARE, "firmware", fields, location=given.location, file=file
    )


async def _asked(
    house: House,
    given: OfStation,
    station: Station,
    kind: Kind,
    op: str,
    fields: JsonObject,
    *,
    location: str | None,
    file: StoredFile | None = None,
) -> JsonObject:
    """The transfer is there before the station hears of it, for it may be quick."""

    async def begin(tx: Tx) -> tuple[Transfer, str | None]:
        by = current_actor().name
        made = await transfers.add(tx, station["_id"], kind, by=by, location=location, file=file)
        after = {"kind": kind.value, "to": location, "file": None if file is None else file["name"]}
        await audit.record(tx, f"ocpp.{op}", audit.charge_point(given.cp_id), after=after)
        return made

    transfer, token = await house.store.transact(begin)
    url = location or f"{house.settings.ocpp_files_url}/{token}"
    if file is not None and location is None:
        url += f"/{quote(file['name'], safe='')}"
    told = {**fields, "location": url, "request_id": transfer["request_id"]}
    try:
        said = await said_by(house, station, op, told)
    except Refused as error:
        why = str(error)
        await house.store.transact(lambda tx: transfers.refused(tx, transfer, why))
        raise
    if said.get("result") != ACCEPTED:
        word = str(said.get("message") or word_of(said))
        await house.store.transact(lambda tx: transfers.refused(tx, transfer, word))
        raise Refused(424, f"{given.cp_id} would not: {word}")
    name = said.get("file")
    if isinstance(name, str) and name:
        await house.store.transact(lambda tx: transfers.named(tx, transfer, name))
    return {"cp_id": given.cp_id, "transfer": transfer["_id"], "file_name": name}


LOGS = Action(
    name="ocpp.logs",
    title="Fetch its logs",
    meaning="The station uploads its diagnostics, or its security log: to this platform, or where "
    "it is told.",
    done="Asked: the file comes when the station has it.",
    needs=Role.OPERATOR,
    path="/charge-points/{cp_id}/logs",
    parameters=Logs,
    run=_logs,
    about=about,
    refusals={},
)
FIRMWARE = Action(
    name="ocpp.firmware",
    title="Update its firmware",
    meaning="The station fetches that firmware and runs it from then on: it starts again for it, "
    "and does not charge meanwhile.",
    done="Asked: the station says how far it is.",
    needs=Role.ADMIN,
    path="/charge-points/{cp_id}/firmware",
    parameters=Firmware,
    run=_firmware,
    about=about,
    refusals={},
    danger=True,
)
ACTIONS = (LOGS, FIRMWARE)
