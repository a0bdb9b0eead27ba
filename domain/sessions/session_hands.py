"""What an operator does to a session by hand: end it, release it, write it off.

Each is recorded on the session: who, when, what. A session that was ended by hand goes on when
its charge point's own word comes after all (charging_sessions).
"""

from __future__ import annotations

from datetime import datetime

from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.sessions.charging_sessions import finish, session_began
from domain.sessions.session_document import ByHand, ChargingSession
from domain.sessions.session_records import get, save, set_beside
from domain.sessions.session_rules import Rules
from domain.sessions.session_segments import Segment
from domain.sessions.session_states import FINAL, Closed, Status
from domain.times import to_milliseconds

_SAID = ("status", "energy_wh", "ended", "held", "estimated", "unbilled", "cdr_problem")
"""What the audit log repeats of a session."""


class NotByHand(ValueError):
    """It cannot be done to this session; why, and what can be done, in one line."""


class NoSession(NotByHand):
    """There is none of that id."""


async def end_by_hand(
    tx: Tx,
    session_id: str,
    *,
    by: str,
    energy_wh: float | None = None,
    at: datetime | None = None,
    rules: Rules,
) -> ChargingSession:
    """Close an open session, or correct a held one, and bill it: with `energy_wh` (else what was
    measured) until `at` (else its latest meter value). What never began needs `energy_wh` to be
    billed. Raises NotByHand."""
    document = before = await _known(tx, session_id)
    held = document.get("held") is not None
    if document["status"] == Status.RESERVATION and not (
        document["running"] or document.get("suspect")
    ):
        raise NotByHand("it is a reservation: cancel that")
    if Status(document["status"]) in FINAL and not held:
        if document["status"] == Status.COMPLETED:
            raise NotByHand("it is over: correct its bill with cpo cdrs credit")
        if not energy_wh:
            raise NotByHand("it never began: say --energy to bill it all the same")
    if energy_wh is not None and energy_wh < 0:
        raise NotByHand("the energy cannot be negative")
    if at is not None and not document["created"] <= at <= tx.now:
        raise NotByHand("the end must lie between the session's start and now")
    what = "ended" + ("" if energy_wh is None else f" with {energy_wh / 1000:g} kWh")
    await _record(tx, document, by, what)
    if document["started"] is None and energy_wh:
        await session_began(tx, session_id, at=document["created"], rules=rules)
        document = await _known(tx, session_id)
    if document["started"] is None:
        ended = max(tx.now, document["created"])
        changes: ChargingSession = {"held": None}
    else:
        ended = max(to_milliseconds(at or document["last_at"]), document["segments"][0]["start"])
        billed_wh = document["energy_wh"] if energy_wh is None else energy_wh
        changes = {
            "held": None,
            "measured": document.get("measured")
            or {
                "energy_wh": document["energy_wh"],
                "last_at": document["last_at"],
                "segments": document["segments"],
            },
            "energy_wh": billed_wh,
            "last_at": ended,
            "segments": _within(document["segments"], ended, billed_wh),
        }
    await finish(tx, document, changes, ended, f"by hand ({by})", Closed.HAND, rules)
    return await _noted(tx, "sessions.end", before)


async def release(tx: Tx, session_id: str, *, by: str, rules: Rules) -> ChargingSession:
    """A held session is right as it is: it is published, and billed when it is over. So is an
    estimate: nobody needs to look at it any more. Raises NotByHand."""
    document = await _known(tx, session_id)
    if document.get("estimated"):
        await _record(tx, document, by, "accepted the estimate")
        await set_beside(tx, session_id, {"estimated": False})
        return await _noted(tx, "sessions.release", document)
    if document.get("held") is None:
        raise NotByHand("it is not held")
    await _record(tx, document, by, "released")
    await save(tx, document, {"held": None}, rules, at_once=True)
    return await _noted(tx, "sessions.release", document)


async def write_off(tx: Tx, session_id: str, *, by: str, rules: Rules) -> ChargingSession:
    """Nobody is billed for a held session, or for energy that came to light beside a bill.
    Raises NotByHand."""
    document = await _known(tx, session_id)
    if document.get("held") is None:
        if document.get("unbilled") is None and document.get("cdr_problem") is None:
            raise NotByHand("there is nothing to write off")
        noted = document.get("unbilled")
        lost_wh = document["energy_wh"] if noted is None else noted["energy_wh"]
        await _record(tx, document, by, f"wrote off {lost_wh / 1000:g} kWh")
        await save(tx, document, {"unbilled": None, "cdr_problem": None}, rules, at_once=False)
        return await _noted(tx, "sessions.write_off", document)
    if Status(document["status"]) not in FINAL:
        raise NotByHand("it still runs: end it first")
    await _record(tx, document, by, f"wrote off {document['energy_wh'] / 1000:g} kWh")
    # INVALID: "will not be billed". What peers have seen of it, they see the end of.
    changes: ChargingSession = {"status": Status.INVALID.value, "held": None}
    await save(tx, document, changes, rules, at_once=True)
    return await _noted(tx, "sessions.write_off", document)


async def _noted(tx: Tx, action: str, before: ChargingSession) -> ChargingSession:
    """The session as it is now, and what became of it in the audit log."""
    after = await _known(tx, before["_id"])
    about = audit.session(before["_id"]), audit.charge_point(before["cp_id"])
    was, now = dict(before), dict(after)
    await audit.record(
        tx,
        action,
        *about,
        before={name: was.get(name) for name in _SAID},
        after={name: now.get(name) for name in _SAID},
    )
    return after


async def _known(tx: Tx, session_id: str) -> ChargingSession:
    document = await get(tx, session_id)
    if document is None:
        raise NoSession("there is no such session")
    if "trimmed" in document:
        raise NotByHand("it was settled long ago, and its details are gone: correct its bill")
    return document


async def _record(tx: Tx, document: ChargingSession, by: str, what: str) -> None:
    done: ByHand = {"by": by, "at": tx.now, "what": what}
    document["by_hand"] = [*document.get("by_hand", []), done]
    await set_beside(tx, document["_id"], {"by_hand": document["by_hand"]})


def _within(segments: list[Segment], ended: datetime, energy_wh: float) -> list[Segment]:
    """The segments until `ended`, none of them with more energy before it than there was."""
    kept = [one for one in segments if one["start"] < ended] or segments[:1]
    return [{**one, "energy_wh": min(one["energy_wh"], energy_wh)} for one in kept]
