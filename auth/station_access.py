"""Which OCPP station comes in: by its password, by its client certificate, or held until added.

Security profiles as OCPP has them: 1 is a password in the clear, 2 a password over TLS, 3 a client
certificate. A station that came in by one never comes in by a lower one. An id that nobody knows
takes the steps of a known one, and is refused alike. Knows no HTTP; no password is kept or logged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from auth.charge_point_credentials import CredentialHashes
from auth.throttle import Throttle, digest_of
from db_interface.gathered import Gathered
from db_interface.interface import DbInterface
from db_interface.owned_objects import fold
from db_interface.transaction import Tx
from domain.charge_points import registration_store
from domain.charge_points.registration_records import REGISTERED, Record, matches
from domain.ocpp import stations
from domain.ocpp.stations import Station, Status, TooManyHeld

LOOKED_UP_WITHIN_S = 0.02
_OF_RECORDS = ("folded_id", "status", "credentials_hash")


class StationRefused(Exception):
    """`why` is for the log; the station hears the status alone."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True)
class ClientCertificate:
    """One of a CA that we trust, whose key the station has proven to hold."""

    fingerprint: str
    common_name: str
    ends: datetime


@dataclass(frozen=True)
class Shown:
    """What a station shows when it connects. `profile`: 1, 2, or 3 with a certificate."""

    station_id: str
    address: str
    profile: int
    password: bytes | None = field(default=None, repr=False)
    certificate: ClientCertificate | None = None


class StationAccess:
    def __init__(
        self, store: DbInterface, hashes: CredentialHashes, throttle: Throttle, *, onboarding: bool
    ) -> None:
        """`onboarding`: keep boxes that nobody has added, held."""
        self._store = store
        self._hashes = hashes
        self._throttle = throttle
        self._onboarding = onboarding
        # Thousands come at once when a gateway starts again.
        self._known: Gathered[tuple[Station, Record | None]] = Gathered(
            store.db, self._look_up, LOOKED_UP_WITHIN_S
        )

    async def admit(self, shown: Shown) -> Station:
        """The station as it is kept. Raises TooManyFailures and StationRefused."""
        proof = _proof(shown)
        if not self._throttle.knows(shown.address, proof):
            self._throttle.check(shown.address, shown.station_id)
        digests = self._digests(shown.password)
        known = await self._known.get(fold(shown.station_id))
        station, record = known or (None, None)
        if station is None:
            return await self._unknown(shown, digests)
        if not self._is_it(shown, digests, station, record):
            raise self._failed(shown, "wrong password" if shown.password else "no password")
        if station["status"] == Status.HELD.value:
            return station
        if station["status"] == Status.REFUSED.value:
            raise StationRefused(403, "refused by the operator")
        if record is None or record["status"] != REGISTERED:
            raise StationRefused(403, "deregistered")
        if shown.profile < station["security_profile"]:
            raise StationRefused(
                403,
                f"security profile {shown.profile}, after {station['security_profile']} before",
            )
        self._throttle.succeeded(shown.address, shown.station_id)
        self._throttle.succeeded(shown.address, proof)
        await self._renew_hash(station, digests)
        return station

    async def _look_up(
        self, station_ids: Sequence[str]
    ) -> Mapping[str, tuple[Station, Record | None]]:
        db = self._store.db
        found = await stations.some(db, station_ids)
        records = await registration_store.some(db, station_ids, _OF_RECORDS)
        by_id = {record["folded_id"]: record for record in records}
        return {one["folded_id"]: (one, by_id.get(one["folded_id"])) for one in found}

    async def _renew_hash(self, station: Station, digests: tuple[str, ...]) -> None:
        """A hash under an older key is found by it, and kept under the newest from now on."""
        kept = station.get("password_hash")
        older = digests[1 : len(digests) // 2]
        if kept is not None and kept in older:
            await stations.keep_hash(self._store.db, station, kept, digests[0])

    def _is_it(
        self,
        shown: Shown,
        digests: tuple[str, ...],
        station: Station,
        record: Record | None,
    ) -> bool:
        by_password = stations.matches(station, digests) or matches(record, digests)
        if shown.certificate is None:
            return by_password
        kept = station.get("certificate_fingerprint")
        if kept is not None and kept == shown.certificate.fingerprint:
            return True
        # A new certificate of the same name replaces the one before; one of another name is bound
        # to the station by the password.
        name = shown.certificate.common_name.casefold()
        names = {station["folded_id"], station.get("serial", "").casefold()}
        return (name != "" and name in names) or by_password

    async def _unknown(self, shown: Shown, digests: tuple[str, ...]) -> Station:
        if not self._onboarding or not digests:
            raise self._failed(shown, "no such station")

        async def work(tx: Tx) -> Station:
            return await stations.hold(tx, shown.station_id, digests[0])

        try:
            return await self._store.transact(work)
        except TooManyHeld:
            raise StationRefused(403, "too many stations wait to be added") from None

    def _failed(self, shown: Shown, why: str) -> StationRefused:
        self._throttle.failed(shown.address, shown.station_id)
        return StationRefused(401, why)

    def _digests(self, password: bytes | None) -> tuple[str, ...]:
        """Of the password as text; and as hex digits, which is how the first edition of OCPP 1.6's
        security paper writes keys down that boxes then send as bytes."""
        if password is None:
            return ()
        text = password.decode("utf-8", "replace")
        return (*self._hashes.of(text), *self._hashes.of(password.hex()))


def _proof(shown: Shown) -> str:
    """What this station shows, as the throttle may keep it: right once at an address, it is no
    guess there, however many neighbours guess."""
    certificate = "" if shown.certificate is None else shown.certificate.fingerprint
    password = "" if shown.password is None else shown.password.hex()
    return digest_of(f"{fold(shown.station_id)} {certificate} {password}")


def came_in_with(shown: Shown) -> str | None:
    """The fingerprint to remember."""
    return None if shown.certificate is None else shown.certificate.fingerprint
