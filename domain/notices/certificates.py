"""Certificates that others show us, and when they end: peers at their own servers, charge points
when they register. Found by where they were shown; a new one replaces the one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypedDict
from urllib.parse import urlsplit

from db_interface.bulk import upsert_each
from db_interface.collection import Collection
from db_interface.database import Database
from domain.charge_points.registration_records import REGISTERED as REGISTERED_THERE
from domain.charge_points.registration_store import REGISTRATIONS
from domain.notices.troubles import Kind, Source, Trouble
from domain.peers.peer_document import PEERS
from domain.peers.statuses import REGISTERED

RENEW_WITHIN = timedelta(days=21)
MAX_NEAR_THEIR_END = 2000
PEER, CHARGE_POINT = "peer", "charge point"


class SeenCertificate(TypedDict):
    """A document of `seen_certificates`."""

    _id: str
    whose: str
    """PEER or CHARGE_POINT"""
    subject: str
    """host:port of the peer's server; the charge point's id"""
    ends: datetime
    seen: datetime


SEEN: Collection[SeenCertificate] = Collection("seen_certificates")


async def note(db: Database, whose: str, ends: dict[str, datetime]) -> None:
    """Keep when the certificates that these subjects have shown end."""
    seen = db.now()
    await upsert_each(
        SEEN.of(db),
        [
            (
                f"{whose} {subject}",
                {"$set": {"whose": whose, "subject": subject, "ends": end, "seen": seen}},
            )
            for subject, end in ends.items()
        ],
    )


def source(db: Database) -> Source:
    """Those near their end, of whom we still have to do with."""

    async def look() -> Sequence[Trouble]:
        now = db.now()
        found = await SEEN.of(db).find(
            {"ends": {"$lt": now + RENEW_WITHIN}}, sort=[("ends", 1)], limit=MAX_NEAR_THEIR_END
        )
        if not found:
            return []
        present = {PEER: await _peers(db), CHARGE_POINT: await _charge_points(db, found)}
        return [
            Trouble(
                Kind.CERTIFICATE_OF_OTHERS,
                row["_id"],
                f"the certificate of {name} "
                f"{'ended' if row['ends'] < now else 'ends'} on {row['ends']:%Y-%m-%d}",
            )
            for row in found
            if (name := present[row["whose"]].get(row["subject"])) is not None
        ]

    return Source("certificates of others", frozenset({Kind.CERTIFICATE_OF_OTHERS}), look)


async def near_their_end(db: Database) -> list[tuple[str, datetime]]:
    """(charge point, end) of those that charge points have shown us, the first to end first."""
    found = await SEEN.of(db).find(
        {"ends": {"$lt": db.now() + RENEW_WITHIN}, "whose": CHARGE_POINT},
        sort=[("ends", 1)],
        limit=MAX_NEAR_THEIR_END,
    )
    there = await _charge_points(db, found) if found else {}
    return [(row["subject"], row["ends"]) for row in found if row["subject"] in there]


async def _peers(db: Database) -> dict[str, str]:
    """The servers of registered peers, and what to call them."""
    wanted = {"name": 1, "versions_url": 1, "endpoints.url": 1}
    found: dict[str, str] = {}
    for peer in await PEERS.of(db).find({"status": {"$in": list(REGISTERED)}}, wanted):
        urls = [
            peer.get("versions_url") or "",
            *(row["url"] for row in peer.get("endpoints") or ()),
        ]
        for place in filter(None, map(place_of, urls)):
            found[place] = f"peer {peer.get('name') or peer['_id']} ({place})"
    return found


async def _charge_points(db: Database, rows: Sequence[SeenCertificate]) -> dict[str, str]:
    ids = [row["subject"] for row in rows if row["whose"] == CHARGE_POINT]
    there = {"_id": {"$in": ids}, "status": REGISTERED_THERE}
    found = await REGISTRATIONS.of(db).find(there, {"_id": 1})
    return {row["_id"]: f"charge point {row['_id']}" for row in found}


def place_of(url: str) -> str | None:
    """host:port of an https URL."""
    try:
        parts = urlsplit(url)
        port = parts.port or 443
    except ValueError:
        return None
    return f"{parts.hostname}:{port}" if parts.scheme == "https" and parts.hostname else None
