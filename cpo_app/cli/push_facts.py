"""How the push to a peer stands, as `cpo peers show` tells it. Reads only."""

from __future__ import annotations

from typing import Any

from cpo_app.backend import Backend
from domain.outbox import due_marks, push_lanes
from domain.outbox.deliveries import delivered_cdrs
from domain.peers.peers import Peer
from domain.peers.statuses import CONNECTED


async def push_facts(backend: Backend, peer: Peer) -> dict[str, Any]:
    """How the push to the peer stands: how far behind it is, since when, and why."""
    lane = await push_lanes.lane_of(backend.db, peer.peer_id)
    behind = await due_marks.backlog(backend.db, peer.peer_id)
    failing = bool(lane.get("failures"))
    if peer.status != CONNECTED:
        state = f"none: the peer is {peer.status}"
    else:
        state = "pausing" if failing else "working"
    return {
        "state": state,
        "backlog": behind["backlog"],
        "oldest": behind["oldest"],
        "failures": lane.get("failures", 0),
        "reason": lane.get("reason") or None if failing else None,
        "next_try": lane.get("retry_at") if failing else None,
        "last_delivered": lane.get("last_delivered"),
        "latency_ms": lane.get("latency_ms"),
        "cdrs_delivered": await delivered_cdrs(backend.db, peer.peer_id),
        "held_back": behind["held_back"],
    }
