"""SignCertificate: a station's request is signed by our CA, and what comes of it is brought to it.

The answer says that it is signed; the certificate follows by CertificateSigned, as soon as the
station is asked anything, again at its next connection if need be (OCPP 2.0.1 A02, A03; 1.6's
security extension). Without a CA, and for what it may not have: Rejected.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from auth.station_authority import RequestRefused, SignedCertificate, StationAuthority
from cpo_app.ocpp.box import OCPP_16, CallRefused, NotAnswered
from cpo_app.ocpp.connection import Connection
from cpo_app.ocpp.handlers import Handler, Incoming
from db_interface.interface import DbInterface
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.ocpp import certificates
from domain.ocpp.certificates import MAX_A_DAY, StationCertificate
from domain.rounds import Rounds

logger = logging.getLogger("cpo.ocpp")

STATION_KINDS = (None, "ChargingStationCertificate")
"""Those of ISO 15118 are another CA's."""
LOOKED_EVERY_S = 1.0
LOOKED_AT_ONCE, AT_ONCE = 1000, 20
TIMEOUT_S = 30.0


async def sign_certificate(incoming: Incoming, payload: JsonObject) -> JsonObject:
    station = incoming.connection.station_id
    try:
        signed = await _signed(incoming, payload)
    except RequestRefused as refused:
        logger.warning("%s: its certificate is not signed: %s", station, refused)
        return _rejected(incoming, str(refused))
    kept: StationCertificate = {
        "_id": signed.fingerprint,
        "station": station,
        "kind": payload.get("certificateType"),
        "request_id": payload.get("requestId"),
        "chain": signed.chain_pem,
        "serial": signed.serial,
        "common_name": signed.common_name,
        "ends": signed.ends,
    }
    await incoming.transact(lambda tx: certificates.keep(tx, kept))
    logger.info("%s: a certificate is signed, good until %s", station, f"{signed.ends:%Y-%m-%d}")
    incoming.certifying.look_for(station)
    return {"status": "Accepted"}


async def _signed(incoming: Incoming, payload: JsonObject) -> SignedCertificate:
    """Raises RequestRefused."""
    authority, db = incoming.certifying.authority, incoming.store.db
    if authority is None:
        raise RequestRefused("there is no CA (CPO_OCPP_CA_CERT_FILE)")
    if payload.get("certificateType") not in STATION_KINDS:
        raise RequestRefused(f"{payload['certificateType']}: certificates of stations alone")
    station = incoming.connection.station
    if await certificates.lately(db, station["_id"]) >= MAX_A_DAY:
        raise RequestRefused(f"it has had {MAX_A_DAY} within a day")
    names = [station["_id"]]
    serial = station.get("serial", "")
    # A serial number is what a station says of itself: it is nobody else's name.
    if serial and not await certificates.is_anothers(db, station["_id"], serial):
        names.append(serial)
    request = payload["csr"]
    return await asyncio.to_thread(authority.sign, request, names, incoming.received_at)


def _rejected(incoming: Incoming, why: str) -> JsonObject:
    if incoming.connection.protocol == OCPP_16:
        return {"status": "Rejected"}
    return {
        "status": "Rejected",
        "statusInfo": {"reasonCode": "InvalidCSR", "additionalInfo": why[:500]},
    }


HANDLERS: Mapping[str, Handler] = {"SignCertificate": sign_certificate}


class Certifying:
    """Our CA, where there is one, and what it has signed on its way to the stations of this
    process. `held`: the connections, as they come and go."""

    def __init__(
        self,
        store: DbInterface,
        held: Mapping[str, Connection],
        authority: StationAuthority | None,
    ) -> None:
        self.authority = authority
        self._store = store
        self._held = held
        self._waiting: set[str] = set()
        """Stations for which there may be one."""
        self.rounds = Rounds("OCPP certificates", self.look, LOOKED_EVERY_S, logger=logger)

    def look_for(self, station: str) -> None:
        """It has connected, or has been promised one."""
        if self.authority is not None:
            self._waiting.add(station)

    async def look(self) -> None:
        """Bring those that are due."""
        self._waiting &= self._held.keys()
        if not self._waiting:
            return
        some = list(self._waiting)[:LOOKED_AT_ONCE]
        found = await certificates.issued(self._store.db, some)
        self._waiting -= set(some) - {one["station"] for one in found}
        now = self._store.db.now()
        due = [one for one in found if one["due"] <= now][:AT_ONCE]
        await asyncio.gather(*(self._bring(one) for one in due))

    async def _bring(self, certificate: StationCertificate) -> None:
        connection = self._held.get(certificate["station"])
        if connection is None or connection.held:
            return
        payload: JsonObject = {"certificateChain": certificate["chain"]}
        if certificate.get("kind"):
            payload["certificateType"] = certificate["kind"]
        if certificate.get("request_id") is not None:
            payload["requestId"] = certificate["request_id"]
        try:
            said = await connection.call("CertificateSigned", payload, timeout_s=TIMEOUT_S)
        except (CallRefused, NotAnswered) as error:
            why = str(error)
            logger.warning("%s: its certificate is not there yet: %s", connection.station_id, why)
            await self._store.transact(lambda tx: certificates.not_brought(tx, certificate, why))
            return
        await self._store.transact(lambda tx: self._answered(tx, certificate, said))

    async def _answered(self, tx: Tx, certificate: StationCertificate, said: JsonObject) -> None:
        status = str(said["status"])
        taken = status == "Accepted"
        await certificates.brought(tx, certificate, taken=taken, said=status)
        say = logger.info if taken else logger.warning
        tx.say(say, "%s: the certificate signed for it: %s", certificate["station"], status)
