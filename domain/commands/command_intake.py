"""How a peer's request becomes a command: checked where its result goes to, taken once, answered.

The same for commands and charging profiles; what each request means is decided by its own module.
"The same request again" (same peer, response_url and content) is the same command while its
result is outstanding, and until its deadline if it was accepted: a repetition by a client that
did not see the answer changes nothing, and a driver who tries again after a failure is heard.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import orjson

from db_interface.collection import Where, time_of
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.transaction import Tx
from domain.commands import command_queue as queue
from domain.commands.command_queue import Command
from domain.commands.command_states import OPEN, State
from domain.objects import OcpiObject
from domain.schemas import CommandResult, validate
from domain.versions import INNER_VERSION
from domain.visibility import Reader

ACCEPTED, REJECTED = "ACCEPTED", "REJECTED"
NOT_SUPPORTED, UNKNOWN_SESSION = "NOT_SUPPORTED", "UNKNOWN_SESSION"

GRACE_S = 60.0
"""How long after its deadline a result is still offered to a peer that does not take it."""

MAX_WAITING = 32
"""Open commands of one charge point: they are carried out one after another."""

CheckUrl = Callable[[str, str], Awaitable[None]]
"""(peer_id, response_url): raises InvalidParameters for a place that is not the peer's."""


@dataclass(frozen=True)
class CommandRequest:
    """A request as it came: what, by whom, in answer to what."""

    kind: str
    content: JsonMapping
    response_url: str
    reader: Reader
    owners: Sequence[str] | None
    peer_id: str
    correlation_id: str | None
    version: str = INNER_VERSION.number
    """the OCPI version that it came in: its result goes out in the same"""

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

    ours, theirs: whatever has the country_code and party_id for the routing headers of the
    result.
    """

    ours: OcpiObject
    theirs: OcpiObject
    cp_id: str | None = None
    session_id: str | None = None
    content: JsonMapping = field(default_factory=dict)
    result: JsonMapping | None = None


class Intake:
    """`party`: ours, where a request names none. `timeout_s`: what peers are promised."""

    def __init__(
        self,
        store: DbInterface,
        *,
        party: OcpiObject,
        timeout_s: float,
        check_url: CheckUrl,
        grace_s: float = GRACE_S,
    ) -> None:
        self.store = store
        self.check_url = check_url
        self.party = party
        self._wakes: list[Callable[[], None]] = []
        self._timeout_s = timeout_s
        self._grace_s = grace_s

    def on_command(self, wake: Callable[[], None]) -> None:
        """Let `wake` be called whenever there is a new command."""
        self._wakes.append(wake)

    async def take(
        self,
        request: CommandRequest,
        decide: Callable[[CommandRequest], Awaitable[Rejection | AcceptedCommand]],
    ) -> JsonObject:
        """The synchronous answer {result, timeout, message?}; durable once it is returned.

        Raises OcpiError for requests that cannot be understood.
        """
        await self.check_url(request.peer_id, request.response_url)
        earlier = await queue.same_request(self.store.db, request.idempotency_key)
        if earlier is not None and _counts_still(self.store.db, earlier):
            return dict(earlier["answer"])
        decision = await decide(request)
        if isinstance(decision, Rejection):
            return answer(decision.result, 0, decision.message)
        accepted = decision
        if accepted.cp_id is not None and await self._crowded(accepted.cp_id):
            return answer(REJECTED, 0, "Too many commands wait for this charge point")

        async def keep(tx: Tx) -> Command:
            return await self._keep(request, accepted, tx)

        key = accepted.cp_id or request.idempotency_key
        kept = await self.store.transact_jointly(keep, key, brief=True)
        self.wake()
        return dict(kept["answer"])

    def wake(self) -> None:
        """There is a new command."""
        for wake in self._wakes:
            wake()

    async def _crowded(self, cp_id: str) -> bool:
        return await queue.waiting(self.store.db, cp_id, MAX_WAITING) >= MAX_WAITING

    async def _keep(self, request: CommandRequest, accepted: AcceptedCommand, tx: Tx) -> Command:
        earlier = await queue.same_request(tx, request.idempotency_key)
        if earlier is not None:
            if _counts_still(tx, earlier):
                return earlier
            await queue.free_idempotency_key(tx, request.idempotency_key)
        # The result must be there before the peer stops waiting for it.
        margin_s = min(1.0, self._timeout_s / 10)
        deadline = tx.now + timedelta(seconds=self._timeout_s - margin_s)
        also: Command = {
            "delivery": {
                "peer_id": request.peer_id,
                "method": "POST",
                "url": request.response_url,
                "correlation_id": request.correlation_id,
                "from_party": _party(accepted.ours),
                "to_party": _party(accepted.theirs),
                "version": request.version,
                "until": deadline + timedelta(seconds=self._grace_s),
            },
            "idempotency_key": request.idempotency_key,
            "peer_id": request.peer_id,
            "answer": answer(ACCEPTED, int(self._timeout_s)),
            "session_id": accepted.session_id,
            "content": accepted.content,
        }
        if accepted.result is not None:
            also["result"] = accepted.result
        return await queue.add(tx, request.kind, cp_id=accepted.cp_id, deadline=deadline, also=also)


def answer(result: str, timeout_s: int, message: str | None = None) -> JsonObject:
    """A CommandResponse or ChargingProfileResponse (the latter has no message)."""
    body: JsonObject = {"result": result, "timeout": timeout_s}
    if message is not None:
        body["message"] = [{"language": "en", "text": message}]
    return body


def result_body(result: str, message: str | None = None) -> JsonObject:
    """A CommandResult."""
    body: JsonObject = {"result": result}
    if message is not None:
        body["message"] = [{"language": "en", "text": message[:512]}]
    return validate(CommandResult, body)


def _counts_still(where: Where, earlier: Command) -> bool:
    if earlier["state"] in (*OPEN, State.RESULT.value):
        return True
    return earlier["result"]["result"] == ACCEPTED and time_of(where) < earlier["deadline"]


def _party(party: OcpiObject) -> list[str]:
    return [party["country_code"], party["party_id"]]
