"""What happened last, of all kinds together: changes of status that matter, sessions, bills,
notices, what people did. A few of each, so that none drowns the others."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from db_interface.database import Database
from db_interface.owned_objects import OwnedObjects
from domain.audit import listing
from domain.charge_points.evse_history import HISTORY
from domain.notices import matters
from domain.notices.matters import MATTERS
from domain.operator.charge_points import TROUBLE
from domain.operator.peer_events import DID
from domain.sessions.session_records import SESSIONS

OF_EACH = 5
MOST = 15
LOOKED_AT = 200
"""Changes of status among which those that matter are looked for."""
_OF_A_CDR = ("id", "total_energy", "total_cost", "currency", "credit")
_TROUBLE = frozenset(status.value for status in TROUBLE)


class About(str, Enum):
    """What an event's page is about."""

    CHARGE_POINT = "charge point"
    SESSION = "session"
    CDR = "CDR"
    NOTICE = "notice"
    AUDIT = "audit"


@dataclass(frozen=True)
class Happened:
    """`said` goes after the link to what it is about. `tone`: an OCPI status or ""."""

    at: datetime
    about: About
    id: str
    said: str
    status: str | None = None


async def newest(db: Database) -> list[Happened]:
    """At most MOST, the newest first."""
    found = await asyncio.gather(
        _statuses(db), _sessions(db), _cdrs(db), _notices(db), _actions(db)
    )
    events = [event for kind in found for event in kind]
    return sorted(events, key=lambda event: event.at, reverse=True)[:MOST]


async def _statuses(db: Database) -> list[Happened]:
    """Into trouble, and out of it."""
    changes = await HISTORY.of(db).find({}, sort=[("at", -1)], limit=LOOKED_AT)
    weighty = [
        change for change in changes if change["from"] and {change["from"], change["to"]} & _TROUBLE
    ]
    return [
        Happened(
            change["at"],
            About.CHARGE_POINT,
            change["cp_id"],
            f"was {change['from']}",
            change["to"],
        )
        for change in weighty[:OF_EACH]
    ]


async def _sessions(db: Database) -> list[Happened]:
    rows = await SESSIONS.of(db).find(
        {}, {"cp_id": 1, "created": 1}, sort=[("created", -1), ("_id", -1)], limit=OF_EACH
    )
    return [
        Happened(row["created"], About.SESSION, row["_id"], f"began at {row['cp_id']}")
        for row in rows
        if "created" in row
    ]


async def _cdrs(db: Database) -> list[Happened]:
    wanted = ("last_updated", *(f"fields.{name}" for name in _OF_A_CDR))
    rows = await OwnedObjects(db, "cdrs").documents(
        {},
        fields=dict.fromkeys(wanted, 1),
        sort=[("seq", -1)],
        limit=OF_EACH,
    )
    events = []
    for row in rows:
        fields = row["fields"]
        cost = fields.get("total_cost") or {}
        amount = cost.get("incl_vat", cost.get("excl_vat", 0))
        made = "takes back another" if fields.get("credit") else "was made"
        events.append(
            Happened(
                row["last_updated"],
                About.CDR,
                fields["id"],
                f"{made}: {fields['total_energy']:.2f} kWh, {amount:.2f} {fields['currency']}",
            )
        )
    return events


async def _notices(db: Database) -> list[Happened]:
    opened = await MATTERS.of(db).find({"open": True}, sort=[("opened", -1)], limit=OF_EACH)
    over = await matters.lately_over(db, OF_EACH)
    return [Happened(row["opened"], About.NOTICE, row["_id"], row["said"]) for row in opened] + [
        Happened(row["over"], About.NOTICE, row["_id"], f"over: {row['said']}") for row in over
    ]


async def _actions(db: Database) -> list[Happened]:
    rows, _ = await listing.listed(db, limit=OF_EACH)
    events = []
    for row in rows:
        named = ", ".join(one["id"] for one in row["about"][:2])
        refused = "was refused: " if row["result"] == "refused" else ""
        said = f"{refused}{_did(row['action'])}{': ' if named else ''}{named}"
        events.append(Happened(row["at"], About.AUDIT, row["by"]["name"], said))
    return events


def _did(action: str) -> str:
    """Of what is done to peers in their own words; of the rest "charge points, add"."""
    group, _, what = action.replace("_", " ").replace("-", " ").partition(".")
    return DID.get(action, f"{group}, {what}" if what else group)
