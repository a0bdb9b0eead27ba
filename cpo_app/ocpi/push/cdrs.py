"""CDRs: each is POSTed once, exactly as it is (mod_cdrs 10.3.2).

That a POST goes out is noted before it does; that it has arrived, with the Location that the
peer returned, before its mark goes. Where neither is known the peer is asked (GET) before
anything is sent again. Where it cannot tell, the CDR waits and the operator sees why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from cpo_app.ocpi.peer_client.client import PeerUnusable
from cpo_app.ocpi.push.addressing import object_url, owner_of
from cpo_app.ocpi.push.failures import says_not_there
from cpo_app.ocpi.push.requests import Request
from cpo_app.ocpi.push.sending import PeerChannel
from db_interface.database import Database
from domain.outbox.crash_points import crash_point
from domain.outbox.deliveries import keep_proof, proof_of, usual_location
from domain.outbox.due_marks import Mark, Present, announce_post, disproved

SETTLE_S = 2.0
"""How long after an unclear POST the peer is asked at the earliest."""


async def deliver_cdr(
    db: Database, channel: PeerChannel, mark: Mark, state: Present | None
) -> None:
    """See to it that the peer has the CDR. Raises PeerUnusable."""
    endpoint = channel.peer.endpoint("cdrs", "RECEIVER")
    if endpoint is None or state is None or not channel.sees("cdrs", state):
        return
    if await proof_of(db, mark) is not None:
        return
    cdr_id = state.fields["id"]
    if mark.posting is not None:
        # A POST that was cut off may still be on its way through the peer's house.
        await asyncio.sleep(SETTLE_S - (db.now() - mark.posting).total_seconds())
        url = await _found(db, channel, endpoint, mark, state)
        if url is not None:
            await keep_proof(db, mark, cdr_id, url, db.now())
            return
    else:
        await announce_post(db, mark, db.now())
        crash_point("cdr-announced")
    location = await _post(db, channel, endpoint, mark, state)
    crash_point("cdr-posted")
    await keep_proof(db, mark, cdr_id, location, db.now())
    crash_point("cdr-proven")


async def _post(
    db: Database, channel: PeerChannel, endpoint: str, mark: Mark, state: Present
) -> str | None:
    """The Location that the peer gave the CDR."""
    try:
        answer = await channel.ask(
            Request("POST", endpoint, state.raw), channel.headers(mark, state)
        )
    except PeerUnusable as error:
        decided = error.sent is True and error.ocpi_status_code is not None
        if error.sent is False or decided:
            await disproved(db, mark)
        raise
    return answer.location


async def _found(
    db: Database, channel: PeerChannel, endpoint: str, mark: Mark, state: Present
) -> str | None:
    """The URL under which the peer has the CDR, or None if it has it under none.

    The text leaves that URL to the peer and only tells it in the answer that we have not got:
    it is taken from how the peer has built the last one, else from the usual two ways.
    """
    for url in await _candidates(db, endpoint, mark, state):
        try:
            answer = await channel.ask(Request("GET", url), channel.headers(mark, state))
        except PeerUnusable as error:
            if says_not_there(error):
                continue
            raise
        if _is_cdr(answer.data(), state.fields["id"]):
            return url
        raise PeerUnusable(
            "it is unclear whether the peer has this CDR: its GET shows something else",
            "not_ocpi",
            sent=True,
        )
    return None


async def _candidates(db: Database, endpoint: str, mark: Mark, state: Present) -> list[str]:
    cdr_id = state.fields["id"]
    usual = await usual_location(db, mark.peer_id)
    if usual is not None:
        last_id, last_url = usual
        return [last_url[: -len(last_id)] + quote(cdr_id, safe="")]
    return [
        object_url(endpoint, cdr_id),
        object_url(endpoint, *owner_of(state.fields), cdr_id),
    ]


def _is_cdr(data: Any, cdr_id: str) -> bool:
    return isinstance(data, Mapping) and str(data.get("id", "")).lower() == cdr_id.lower()
