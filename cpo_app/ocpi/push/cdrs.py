"""CDRs: each is POSTed once, exactly as it is (mod_cdrs 10.3.2).

That a POST goes out is noted before it does; that it has arrived, with the Location that the
peer returned, before its mark goes. Where neither is known the peer is asked (GET) before
anything is sent again: not before the first try can have ended, and twice. The repeat bears the
X-Request-ID of the first. Where the peer cannot tell, the CDR waits and the operator sees why.

After a restore the CDR of a session of before may be a twin of a lost one that the peer has: it is
asked for, too, and never sent beside another one of its id.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import orjson

from cpo_app.ocpi.peer_client.client import PeerUnusable
from cpo_app.ocpi.push.cdr_urls import CdrPlace, cdr_places, is_cdr
from cpo_app.ocpi.push.failures import says_not_there
from cpo_app.ocpi.push.requests import Request
from cpo_app.ocpi.push.sending import PeerChannel
from db_interface.database import Database
from db_interface.json_data import JsonMapping
from domain.outbox.crash_points import crash_point
from domain.outbox.deliveries import keep_proof, proof_of
from domain.outbox.due_marks import Mark, Present, announce_post, disproved, look_again
from domain.outbox.push_lanes import LEASE_S
from domain.reconciliation.cdr_totals import bill_alike


class AskedLater(Exception):
    """Whether the peer has the CDR cannot be known yet: its mark has been put off."""


class TwinAtPeer(ValueError):
    """The peer has another CDR of this id: nothing about the peer is wrong, and nothing is sent."""

    def __str__(self) -> str:
        return (
            "the peer has a CDR of this id with other energy or cost, of before the store was "
            "restored: settle it with the peer"
        )


async def deliver_cdr(
    db: Database,
    channel: PeerChannel,
    mark: Mark,
    state: Present | None,
    still_ours: Callable[[], None],
) -> None:
    """See to it that the peer has the CDR. Raises PeerUnusable, AskedLater, TwinAtPeer.

    `still_ours` raises where another process may have the peer's lane by now.
    """
    endpoint = channel.peer.endpoint("cdrs", "RECEIVER")
    if endpoint is None or state is None or not channel.sees("cdrs", state):
        return
    if await proof_of(db, mark) is not None:
        return
    if state.raw is None:
        raise ValueError(f"OCPI {channel.peer.form.number} has no way to say this CDR")
    cdr_id = state.id
    if mark.posting is not None:
        await _wait_until(db, mark, ask_at(mark, channel.timeout_s))
        there = await _found(db, channel, endpoint, mark, state)
        if there is not None:
            await keep_proof(db, mark, there.cdr_id, there.url, db.now())
            return
        if mark.missed is None:
            now = db.now()
            await look_again(db, mark, now + timedelta(seconds=channel.timeout_s), missed=now)
            raise AskedLater
    request_id = await announce_post(db, mark, db.now())
    crash_point("cdr-announced")
    still_ours()
    location = await _post(db, channel, endpoint, mark, state, request_id)
    crash_point("cdr-posted")
    await keep_proof(db, mark, cdr_id, location, db.now())
    crash_point("cdr-proven")


def ask_at(mark: Mark, timeout_s: float) -> datetime:
    """When the peer may be asked whether it has what was POSTed: once the request has ended, also
    in a process that was stopped in the middle, or `timeout_s` after it has denied it once."""
    assert mark.posting is not None  # noqa: S101
    first = mark.posting + timedelta(seconds=timeout_s + LEASE_S)
    return first if mark.missed is None else mark.missed + timedelta(seconds=timeout_s)


async def _wait_until(db: Database, mark: Mark, at: datetime) -> None:
    """Not here: a sender that slept would be missed by the peer's other objects."""
    if db.now() < at:
        await look_again(db, mark, at, missed=None)
        raise AskedLater


async def _post(
    db: Database,
    channel: PeerChannel,
    endpoint: str,
    mark: Mark,
    state: Present,
    request_id: str,
) -> str | None:
    """The Location that the peer gave the CDR."""
    try:
        answer = await channel.ask(
            Request("POST", endpoint, state.raw),
            channel.headers(mark, state),
            request_id=request_id,
        )
    except PeerUnusable as error:
        decided = error.sent is True and error.ocpi_status_code is not None
        if error.sent is False or decided:
            await disproved(db, mark, answered=decided)
        raise
    return answer.location


def _same(state: Present, shown: JsonMapping) -> bool:
    """Whether the peer's CDR bills what ours does."""
    return bill_alike(orjson.loads(state.raw or b"{}"), shown)


async def _found(
    db: Database, channel: PeerChannel, endpoint: str, mark: Mark, state: Present
) -> CdrPlace | None:
    """Where the peer has the CDR, or None if it has it nowhere."""
    for there in await cdr_places(db, channel.peer, endpoint, state.fields):
        try:
            answer = await channel.ask(Request("GET", there.url), channel.headers(mark, state))
        except PeerUnusable as error:
            if says_not_there(error):
                continue
            raise
        shown = answer.data()
        if is_cdr(shown, there.cdr_id):
            if mark.before_restore and not _same(state, shown):
                raise TwinAtPeer
            return there
        raise PeerUnusable(
            "it is unclear whether the peer has this CDR: its GET shows something else",
            "not_ocpi",
            sent=True,
        )
    return None
