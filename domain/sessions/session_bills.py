"""The CDR of a session that is over, and what becomes of it when the truth comes late.

A CDR "cannot be changed or replaced" (mod_cdrs): where one was made before the charge point's
last word, it is credited and the right one is made, in the transaction that takes the word. The
same word again finds the right CDR there and changes nothing.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from typing import Any

from db_interface.transaction import Tx
from domain.objects import OcpiObject
from domain.objects.cdrs import add_cdr, cdrs_of_session
from domain.schemas import SchemaError
from domain.sessions.cdr_making import credit_of, make_cdr
from domain.sessions.session_document import ChargingSession
from domain.sessions.session_object import Course

logger = logging.getLogger("cpo.sessions")

CREDITED_BY_HAND = "its CDR was credited by hand before its charge point's last word came"
_SAYS_NOTHING_NEW = ("id", "last_updated", "remark")


async def bill(tx: Tx, document: ChargingSession, course: Course, *, cdr_zero: bool) -> str | None:
    """Let the CDRs of a COMPLETED session say what its course came to; why they cannot, or None.

    `cdr_zero`: sessions that cost nothing get a CDR, too.
    """
    if course.problem:
        return course.problem
    known = await cdrs_of_session(tx, document["_id"])
    standing = in_force(known)
    if known and not standing:
        return CREDITED_BY_HAND
    right: dict[str, Any] | None = None
    if not _costs_nothing(course) or (document["started"] is not None and cdr_zero):
        try:
            cdr_id = str(uuid.uuid4()) if known else None
            right = make_cdr(document, course, tx.now, cdr_id)
        except SchemaError as error:
            # The session has ended whatever becomes of its bill; the operator is told.
            tx.say(logger.error, "session %s has no CDR: %s", document["_id"], error)
            return str(error)
    if right is not None and any(_same(cdr, right) for cdr in standing):
        return None
    for cdr in standing:
        tx.say(logger.warning, "CDR %s is credited: its session's last word came later", cdr["id"])
        await add_cdr(tx.store, credit_of(cdr, tx.now), tx)
    if right is not None:
        await add_cdr(tx.store, right, tx)
    return None


def in_force(cdrs: Sequence[OcpiObject]) -> list[OcpiObject]:
    """Those of a session's CDRs that are billed and not credited."""
    credited = {cdr["credit_reference_id"] for cdr in cdrs if cdr.get("credit")}
    return [cdr for cdr in cdrs if not cdr.get("credit") and cdr["id"] not in credited]


def _same(one: OcpiObject, other: OcpiObject) -> bool:
    blank = dict.fromkeys(_SAYS_NOTHING_NEW)
    return {**one, **blank} == {**other, **blank}


def _costs_nothing(course: Course) -> bool:
    if course.priced is None:
        return not any(
            d["type"] == "ENERGY" and d["volume"] for p in course.periods for d in p["dimensions"]
        )
    return not course.priced.total_cost.excl and not course.priced.total_cost.incl
