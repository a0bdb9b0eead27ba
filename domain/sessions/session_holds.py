"""A session is held for the operator by whoever knows that its energy cannot be told."""

from __future__ import annotations

import logging

from db_interface.transaction import Tx
from domain.sessions.session_document import Hold
from domain.sessions.session_records import get, save
from domain.sessions.session_rules import Rules

logger = logging.getLogger("cpo.sessions")


async def hold(tx: Tx, session_id: str, why: str, rules: Rules) -> None:
    """It is neither published nor billed until somebody has looked at it; the first reason
    stands, and one that has been billed is not touched."""
    document = await get(tx, session_id)
    if document is None or document.get("held") is not None or document.get("frozen"):
        return
    tx.say(logger.error, "session %s is held: %s", session_id, why)
    held: Hold = {"since": tx.now, "why": why}
    await save(tx, document, {"held": held}, rules, at_once=False)


async def settle(tx: Tx, session_id: str, why: str, rules: Rules) -> None:
    """What it was held for is known now; a hold for anything else stays."""
    document = await get(tx, session_id)
    held = None if document is None else document.get("held")
    if document is None or held is None or held["why"] != why:
        return
    tx.say(logger.info, "session %s is no longer held: what was missing has come", session_id)
    await save(tx, document, {"held": None}, rules, at_once=False)
