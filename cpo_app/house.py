"""What actions work with, put together on a backend: in a server, or beside the servers.

Composition only, as cpo_app/backend.py: no behaviour lives here.
"""

from __future__ import annotations

from functools import partial

from cpo_app.actions.house import House
from cpo_app.backend import Backend
from cpo_app.central.service import Central
from cpo_app.notifying import Targets
from cpo_app.ocpi.peer_services.payment_terminals import PaymentTerminals
from cpo_app.ocpi.peer_services.realtime_authorization import RealtimeAuthorization
from cpo_app.ocpi.peer_services.token_pull import PullReport, TokenPull
from cpo_app.ocpi.peer_services.unfinished_calls import UnfinishedCalls
from cpo_app.replaying import replay
from db_interface.json_data import JsonMapping
from db_interface.transaction import Tx
from domain.authorization.authorization import Authorizer, Decision
from domain.charge_points import operator_words
from domain.charge_points.charge_points import Applied


def house_of(backend: Backend, central: Central | None = None) -> House:
    """`central` of this process; without it, engines are told by the servers, at the next
    heartbeat."""

    async def set_operative(cp_id: str, operative: bool) -> object:
        if central is not None:
            return await central.set_operative(cp_id, operative)
        party = backend.settings.parties[0]

        async def work(tx: Tx) -> Applied:
            return await operator_words.set_operative(tx, cp_id, party, operative=operative)

        return await backend.store.transact(work)

    async def pull_tokens(peer_id: str, full: bool) -> PullReport:
        pull = TokenPull(
            backend.store,
            backend.settings,
            backend.peers,
            backend.client,
            backend.authenticator.may_speak_for,
        )
        return await pull.pull_now(peer_id, full=full)

    authorizer = Authorizer(
        backend.store,
        RealtimeAuthorization(backend.peers, backend.client, backend.authenticator.may_speak_for),
        timeout_s=backend.settings.CENTRAL_AUTHORIZE_TIMEOUT_S,
        realtime_allowed=backend.settings.CENTRAL_REALTIME_ALLOWED,
    )

    async def authorize(
        uid: str,
        token_type: str,
        location: JsonMapping,
        evse: JsonMapping,
        party: str | None,
    ) -> Decision:
        return await authorizer.at_reader(
            uid, token_type, location, evse, backend.db.now(), party=party
        )

    return House(
        store=backend.store,
        settings=backend.settings,
        peers=backend.peers,
        joining=backend.joining,
        renewal=backend.renewal,
        vault=backend.vault,
        passwords=backend.operator_guard.access.passwords,
        finish_calls=UnfinishedCalls(backend.peers, backend.joining).round,
        pull_tokens=pull_tokens,
        set_operative=set_operative,
        authorize=authorize,
        terminals=PaymentTerminals(backend.store, backend.settings, backend.peers, backend.client),
        wake_commands=backend.intake.wake,
        tell_test=lambda: Targets(backend.settings, backend.db).tell_test(),
        replay=partial(replay, backend) if central is None else central.telemetry.replay,
    )
