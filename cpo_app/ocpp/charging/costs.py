"""What a transaction costs so far, or in the end, for a station that shows it (2.0.1, I02, I03).

The price is that of the Session and its CDR, with taxes. What is held, or has none, is not told.
"""

from __future__ import annotations

from cpo_app.ocpp.handlers import Incoming
from domain.ocpp.transactions import Transaction
from domain.sessions import session_records
from domain.sessions.session_object import course_of


async def total_cost(incoming: Incoming, transaction: Transaction) -> float | None:
    """None: it is not known, or not to be told."""
    if not transaction["begun"]:
        return None
    session = await session_records.get(incoming.store.db, transaction["session_id"])
    if session is None or session.get("held") is not None:
        return None
    course = course_of(session)
    if course is None or course.priced is None:
        return None
    total = course.priced.total_cost.to_ocpi()
    return float(total.get("incl_vat", total["excl_vat"]))
