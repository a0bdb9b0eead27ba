"""When the certificates end that peers' servers show this process: noted, once for each.

The handshake only leaves word; what is new is written in the background, and a peer never waits
for it.
"""

from __future__ import annotations

import logging
from datetime import datetime

from cryptography import x509

from db_interface.database import Database
from domain.notices.certificates import PEER, note
from domain.rounds import Rounds

logger = logging.getLogger("cpo.notices")

PAUSE_S = 5.0
MAX_PLACES = 10_000


class PeerCertificates:
    """`rounds.start` and `rounds.stop` the background work."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._known: dict[str, datetime] = {}
        self._new: dict[str, datetime] = {}
        self.rounds = Rounds("peers' certificates", self.round, PAUSE_S, logger=logger)

    def shown(self, host: str, port: int, der: bytes) -> None:
        """A server has shown it in a handshake that succeeded."""
        place = f"{host}:{port}"
        ends = x509.load_der_x509_certificate(der).not_valid_after_utc
        if self._known.get(place) != ends and len(self._new) < MAX_PLACES:
            self._new[place] = ends

    async def round(self) -> None:
        """Write what is new."""
        new, self._new = self._new, {}
        if not new:
            return
        try:
            await note(self._db, PEER, new)
        except BaseException:
            self._new = {**new, **self._new}
            raise
        if len(self._known) > MAX_PLACES:
            self._known.clear()
        self._known |= new
