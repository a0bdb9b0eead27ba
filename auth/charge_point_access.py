"""Whether a charge point may speak to EV_Central: the registration of EV_Registry stands, and the
token is its own, in force, and of the registration's present version.

Looked up in the store for every request (those that come close together, at once): a deregistration
or new credentials count from the next request on.
No token and no part of one may reach a log or an error text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from auth.charge_point_tokens import Claims, Secret, TokenRefused, verify
from db_interface.database import Database
from db_interface.gathered import PAUSE_S, Gathered
from db_interface.owned_objects import fold
from domain.charge_points import registration_store
from domain.charge_points.registration_records import (
    REGISTERED,
    Record,
    WrongCertificate,
    check_certificate,
)

NOT_REGISTERED = "CP not registered in EV_Registry or is deregistered"
WRONG_CERTIFICATE = "needs the client certificate that the charge point registered with"


LEISURE = 4
"""So many times as long one may wait for others who is not in a hurry."""
_JUDGED = ("status", "token_version", "certificate_fingerprint")


class ChargePointRefused(Exception):
    """Not let in: 401 where a right token would help, 403 where none would."""

    def __init__(self, http_status: int, message: str) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.message = message


def look_at_token(
    secret: Secret, token: str | None, now: datetime, *, required: bool
) -> Claims | None:
    """What the token says of itself, before anything is read or looked up for whoever shows it.

    None where there is none and none is `required`. Raises ChargePointRefused (401), and
    domain.secrets.SecretUnusable as `Admission.admit` does.
    """
    if token is None:
        if required:
            raise ChargePointRefused(401, "the charge point's token is missing")
        return None
    try:
        return verify(secret, token, now)
    except TokenRefused as refused:
        raise ChargePointRefused(401, str(refused)) from None


class Admission:
    """One per process.

    `secret` is EV_Registry's signing key. `unregistered` (CENTRAL_ALLOW_UNREGISTERED): one that
    EV_Registry never knew may speak as well, where no token is required and it shows none.
    """

    def __init__(
        self, db: Database, secret: Secret, *, unregistered: bool = False, gather_s: float = PAUSE_S
    ) -> None:
        self._db = db
        self._secret = secret
        self._unregistered = unregistered
        self._registrations: Gathered[Record] = Gathered(db, self._read, gather_s)
        self._at_leisure: Gathered[Record] = Gathered(db, self._read, LEISURE * gather_s)

    async def admit(
        self,
        token: str | None,
        cp_id: str,
        *,
        required: bool,
        certificate: str | None = None,
        at_leisure: bool = False,
    ) -> None:
        """Return if the charge point may speak as `cp_id`; ids compare ignoring case.

        `token`: the JWT without its scheme, None for none. `required` False
        (CENTRAL_REQUIRE_CP_TOKEN=false): the token is checked only if there is one; the
        registration always. `certificate`: the fingerprint of the client certificate whose key it
        proved to hold; needed where it registered with one. `at_leisure`: nobody waits for the
        answer, and more look-ups may become one.

        Raises ChargePointRefused: 403 not registered, deregistered, another certificate than it
        registered with, or another charge point's token; 401 token missing, invalid, expired or
        outdated. Raises domain.secrets.SecretUnusable when a token is to be checked and the secret
        is missing or too short.
        """
        looked_up = self._at_leisure if at_leisure else self._registrations
        _judge(
            await looked_up.get(fold(cp_id)),
            self._secret,
            token,
            cp_id,
            self._db.now(),
            required=required,
            unregistered=self._unregistered,
            certificate=certificate,
        )

    async def _read(self, folded_ids: Sequence[str]) -> Mapping[str, Record]:
        found = await registration_store.some(self._db, folded_ids, _JUDGED)
        return {fold(record["_id"]): record for record in found}


def _judge(
    registration: Record | None,
    secret: Secret,
    token: str | None,
    cp_id: str,
    now: datetime,
    *,
    required: bool,
    unregistered: bool,
    certificate: str | None,
) -> None:
    if registration is None and unregistered and not required and token is None:
        return
    if registration is None or registration.get("status") != REGISTERED:
        raise ChargePointRefused(403, NOT_REGISTERED)
    try:
        check_certificate(registration, certificate)
    except WrongCertificate:
        raise ChargePointRefused(403, WRONG_CERTIFICATE) from None
    claims = look_at_token(secret, token, now, required=required)
    if claims is None:
        return
    if fold(claims.cp_id) != fold(cp_id):
        raise ChargePointRefused(403, "the token is another charge point's")
    if claims.token_version != registration.get("token_version"):
        raise ChargePointRefused(401, "charge point token outdated: authenticate again")
