"""A card holder asks to be forgotten: what is kept of his card goes, but for what the law has kept.

Gone at once: the Token with its number, contract and language, whoever sent it; the copies in
commands and reservations that are over; what exchanges with peers tell of it, but for that they
took place (exchanges/forgetting.py). What stays: sessions and CDRs. They are bills, which have
to be kept for as long as tax law says (the GDPR's Art. 17(3)(b)); they bear the uid and the
contract id that the eMSP settles by, and nothing else of the person. A session under way is a bill
to be.

The eMSP is the one who knows the person: while it has the contract, its next push or pull brings
the Token back. It has to forget him first.
"""

from __future__ import annotations

from dataclasses import dataclass

from db_interface.interface import DbInterface
from db_interface.json_data import JsonObject
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.audit.entries import record
from domain.commands.command_queue import COMMANDS
from domain.commands.command_states import FINAL
from domain.exchanges.forgetting import forget_card
from domain.ocpp.authorizations import AUTHORIZATIONS
from domain.reservations.reservations import RESERVATIONS
from domain.secrets import Vault
from domain.sessions.session_records import SESSIONS

ERASED = "ERASED"
NOBODY = {"uid": ERASED, "contract_id": ERASED}
_SHOWN_DIGITS = 4
_WHOSE = {name: f"$token.{name}" for name in ("country_code", "party_id", "type")}
"""Of a reservation that is over: which eMSP's it was."""


@dataclass(frozen=True)
class Erased:
    """How many of each are gone, and how many charging sessions stay, as bills, with their CDRs."""

    tokens: int
    commands: int
    reservations: int
    exchanges: int
    sessions_kept: int

    @property
    def nothing(self) -> bool:
        return not any(vars(self).values())


async def erase_card(store: DbInterface, vault: Vault, uid: str) -> Erased:
    """Whatever its type and whoever its party; case does not matter, as everywhere. `vault`:
    exchanges know a card by its hash."""
    # They can be many, and nothing depends on them: by themselves. Who is broken off asks again.
    exchanges = await forget_card(store.db, vault.digests(uid.lower()))

    async def work(tx: Tx) -> Erased:
        tokens = await store.objects("tokens").documents({"lid": uid.lower()}, tx)
        for token in tokens:
            await store.objects("tokens").remove(token["_id"], tx)
        commands = await COMMANDS.of(tx).update_many(
            {**_is("content.token.uid", uid), "state": {"$in": list(FINAL)}},
            {"$set": {"content.token": NOBODY}, "$unset": {"idempotency_key": ""}},
        )
        reservations = await RESERVATIONS.of(tx).update_many(
            {**_is("token.uid", uid), "active": False},
            [{"$set": {"token": {"$mergeObjects": [_WHOSE, NOBODY]}}}],
        )
        await AUTHORIZATIONS.of(tx).delete_many(_is("token.uid", uid))
        kept = await SESSIONS.of(tx).count(_is("token.uid", uid))
        erased = Erased(len(tokens), commands, reservations, exchanges, kept)
        if not erased.nothing:
            # The log is never changed: it must not repeat what was to be forgotten.
            await record(tx, "tokens.erase", about_card(uid), after=dict(vars(erased)))
        return erased

    return await store.transact(work)


def about_card(uid: str) -> audit.About:
    """As the audit log names it: by its last digits."""
    return audit.About("card", f"…{uid[-_SHOWN_DIGITS:]}")


def _is(field: str, uid: str) -> JsonObject:
    """No index: nobody waits for it."""
    return {"$expr": {"$eq": [{"$toLower": f"${field}"}, uid.lower()]}}
