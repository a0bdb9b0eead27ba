"""How a peer's wish becomes a document: checked where its result goes to, taken once, answered.

The same for commands and charging profiles; what each wish means is decided by its own module.
"The same request again" (same peer, response_url and content) is the same command while its
result is outstanding, and until its deadline if it was accepted: a repetition by a client that
did not see the answer changes nothing, and a driver who tries again after a failure is heard.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson

from db_interface.interface import DbInterface
from db_interface.transaction import Tx
from domain.commands import command_queue as queue
from domain.commands.command_states import OPEN, State
from domain.visibility import Reader

ACCEPTED, REJECTED = "ACCEPTED", "REJECTED"
NOT_SUPPORTED, UNKNOWN_SESSION = "NOT_SUPPORTED", "UNKNOWN_SESSION"

GRACE_S = 60.0
"""How long after its deadline a result is still offered to a peer that does not take it."""

MAX_WAITING = 32
"""Open commands of one charge point: they are carried out one after another."""

CheckUrl = Callable[[str, str], Awaitable[None]]
"""(peer_id, response_url): raises InvalidParameters for a place that is not the peer's."""

Fields = Mapping[str, Any]
"""Of anything with country_code and party_id."""


@dataclass(frozen=True)
class CommandRequest:
    """A request as it came: what, by whom, in answer to what."""

    kind: str
    content: Mapping[str, Any]
    response_url: str
    reader: Reader
    owners: Sequence[str] | None
    peer_id: str
    correlation_id: str | None
    now: datetime

    @property
    def idempotency_key(self) -> str:
        same = [self.peer_id, self.kind, self.response_url, self.content]
        text = orjson.dumps(same, option=orjson.OPT_SORT_KEYS, default=str)
        return hashlib.sha256(text).hexdigest()


@dataclass(frozen=True)
class Rejection:
    """The synchronous answer is no; nothing is kept."""

    result: str
    message: str


@dataclass(frozen=True)
class AcceptedCommand:
    """The synchronous answer is yes: what is to be kept. With `result` it is decided already.

    ours, theirs: the parties for the routing headers of the result.
    """

    ours: Fields
    theirs: Fields
    cp_id: str | None = None
    session_id: str | None = None
    content: Mapping[str, Any] = field(default_factory=dict)
    result: Mapping[str, Any] | None = None


class Intake:
    """`party`: ours, where a request names none. `timeout_s`: what peers are promised. `wake` is
    called when there is something to do."""

    def __init__(
        self,
        store: DbInterface,
        *,
        party: Fields,
        timeout_s: float,
        check_url: CheckUrl,
        clock: Callable[[], datetime] | None = None,
        grace_s: float = GRACE_S,
    ) -> None:
        self.store = store
        self.clock = clock or store.db.now
        self.check_url = check_url
        self.party = party
        self.wake: Callable[[], None] = lambda: None
        self._timeout_s = timeout_s
        self._grace_s = grace_s

    async def take(
        self,
        request: CommandRequest,
        decide: Callable[[CommandRequest], Awaitable[Rejection | AcceptedCommand]],
    ) -> dict[str, Any]:
        """The synchronous answer {result, timeout, message?}; durable once it is returned.

        Raises OcpiError for requests that cannot be understood.
        """
        await self.check_url(request.peer_id, request.response_url)
        earlier = await queue.same_request(self.store.db, request.idempotency_key)
        if earlier is not None and _counts_still(earlier, request.now):
            return earlier["answer"]
        decision = await decide(request)
        if isinstance(decision, Rejection):
            return answer(decision.result, 0, decision.message)
        accepted = decision
        if accepted.cp_id is not None and await self._crowded(accepted.cp_id):
            return answer(REJECTED, 0, "Too many commands wait for this charge point")

        async def keep(tx: Tx) -> dict[str, Any]:
            return await self._keep(request, accepted, tx)

        kept = await self.store.transact(keep)
        self.wake()
        return kept["answer"]

    async def _crowded(self, cp_id: str) -> bool:
        return await queue.waiting(self.store.db, cp_id, MAX_WAITING) >= MAX_WAITING

    async def _keep(
        self, request: CommandRequest, accepted: AcceptedCommand, tx: Tx
    ) -> dict[str, Any]:
        earlier = await queue.same_request(self.store.db, request.idempotency_key, tx)
        if earlier is not None:
            if _counts_still(earlier, request.now):
                return earlier
            await queue.free_idempotency_key(self.store.db, request.idempotency_key, tx)
        # The result must be there before the peer stops waiting for it.
        margin_s = min(1.0, self._timeout_s / 10)
        deadline = request.now + timedelta(seconds=self._timeout_s - margin_s)
        return await queue.add(
            self.store.db,
            request.kind,
            cp_id=accepted.cp_id,
            now=request.now,
            deadline=deadline,
            tx=tx,
            result=accepted.result,
            delivery={
                "peer_id": request.peer_id,
                "method": "POST",
                "url": request.response_url,
                "correlation_id": request.correlation_id,
                "from_party": _party(accepted.ours),
                "to_party": _party(accepted.theirs),
                "until": deadline + timedelta(seconds=self._grace_s),
            },
            idempotency_key=request.idempotency_key,
            peer_id=request.peer_id,
            answer=answer(ACCEPTED, int(self._timeout_s)),
            session_id=accepted.session_id,
            content=dict(accepted.content),
        )


def answer(result: str, timeout_s: int, message: str | None = None) -> dict[str, Any]:
    """A CommandResponse or ChargingProfileResponse (the latter has no message)."""
    body: dict[str, Any] = {"result": result, "timeout": timeout_s}
    if message is not None:
        body["message"] = [{"language": "en", "text": message}]
    return body


def result_body(result: str, message: str | None = None) -> dict[str, Any]:
    """A CommandResult."""
    body: dict[str, Any] = {"result": result}
    if message is not None:
        body["message"] = [{"language": "en", "text": message[:512]}]
    return body


def _counts_still(earlier: Mapping[str, Any], now: datetime) -> bool:
    if earlier["state"] in (*OPEN, State.RESULT.value):
        return True
    return earlier["result"]["result"] == ACCEPTED and now < earlier["deadline"]


def _party(party: Fields) -> list[str]:
    return [party["country_code"], party["party_id"]]
