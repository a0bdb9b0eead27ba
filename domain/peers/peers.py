"""Peers: the OCPI platforms that we talk to, and the tokens that open our door to them. Their
documents: peer_document.py.
"""

from __future__ import annotations

import logging
import secrets as random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from db_interface.database import Database
from db_interface.gathered import Gathered
from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.remembered import copied
from db_interface.transaction import Tx
from domain.audit import entries as audit
from domain.log_events import event
from domain.outbox import due_marks
from domain.payments import payments
from domain.peers import calls, hub_clients, parties
from domain.peers.access_points import is_access_point
from domain.peers.peer import DEFAULT_QUIRKS, Peer
from domain.peers.peer_document import (
    PEERS,
    PeerDocument,
    TokenHash,
    UnknownPeer,
)
from domain.peers.peer_tokens import (
    after_handshake,
    is_replaced,
    kind_of,
    token_entry,
    used_invitations,
)
from domain.peers.statuses import CONNECTED, DISCONNECTED, INVITED, SUSPENDED
from domain.peers.terms import Terms
from domain.secrets import Vault, new_token

MAX_FAILED_HANDSHAKES = 10
ROTATED_AGAIN_AFTER = timedelta(hours=1)
"""A rotation by calendar that failed is tried again then."""

logger = logging.getLogger("cpo.peers")

_SAID = ("name", "status", "versions_url", "version", "endpoints", "roles", "waiting", "parties")
"""What the audit log repeats of a handshake."""


async def audiences_of(db: Database, peer_id: str) -> list[str]:
    """What its parties, and a hub's clients, open to a peer; nothing where there is none."""
    found = await PEERS.of(db).find_one({"_id": peer_id})
    peer = None if found is None else Peer.of(found)
    return [] if peer is None else [*peer.audiences, *peer.client_audiences]


class Peers:
    """The peers in the store. `approve_unnamed`: an invitation that names nobody stands for
    whatever party registers with it first (CPO_APPROVE_PEERS)."""

    def __init__(
        self,
        db: Database,
        vault: Vault,
        *,
        approve_unnamed: bool = False,
        invitation_days: float = 7,
    ) -> None:
        self.db = db
        self._asked_for: Gathered[PeerDocument] = Gathered(db, self._some, 0.0)
        """Who asks while another is answered is answered with all that ask then."""
        self._invitations_last = timedelta(days=invitation_days)
        self.store = DbInterface(db)
        self._approve_unnamed = approve_unnamed
        self._documents = PEERS.of(db)
        self._vault = vault

    def now(self) -> datetime:
        """The database's clock."""
        return self.db.now()

    async def invite(
        self,
        name: str,
        now: datetime,
        terms: Terms = Terms(),
        *,
        quirks: JsonMapping | None = None,
        settings: JsonMapping | None = None,
        calling: tuple[str, str] | None = None,
    ) -> tuple[Peer, str]:
        """A new peer and its CREDENTIALS_TOKEN_A, shown this once. What the terms do not name
        waits for the operator's yes.

        `calling`: the versions URL of a platform that we are about to register with, and the
        token A that it gave us.
        """
        token = new_token()
        document: PeerDocument = {
            "_id": f"peer-{random.token_hex(5)}",
            "name": name,
            "status": INVITED,
            "token_hashes": [
                {**token_entry(self._vault, token, "A", now), "until": now + self._invitations_last}
            ],
            "quirks": {**DEFAULT_QUIRKS, **(quirks or {})},
            "settings": dict(settings or {}),
            "terms": terms.document(),
            "created": now,
            "updated": now,
        }
        if calling is not None:
            versions_url, token_a = calling
            document["call"] = calls.kept(self._vault, versions_url, token_a, token, now)

        async def work(tx: Tx) -> None:
            await PEERS.of(tx).insert_one(document)
            after = {"name": name, "status": INVITED, "terms": document["terms"]}
            await audit.record(tx, "peers.invite", audit.peer(document["_id"]), after=after)

        await self.store.transact(work)
        return Peer.of(document), token

    async def answered(
        self, peer_id: str, credentials_url: str, theirs: JsonObject, version: str
    ) -> None:
        """The platform that we call has registered us: its credentials are kept at once."""
        kept = calls.answer(self._vault, credentials_url, theirs, version)
        await self._documents.update_one({"_id": peer_id}, {"$set": kept})

    async def claim_call(self) -> str | None:
        """A peer whose registration by us was broken off, ours to see to for a while, or None."""
        later = {"$add": ["$$NOW", round(calls.TURN_S * 1000)]}
        found = await self._documents.update_and_find(
            {
                "call.until": {"$exists": True},
                "$expr": {"$lte": ["$call.until", "$$NOW"]},
            },
            [{"$set": {"call.until": later}}],
        )
        return None if found is None else found["_id"]

    async def claim_rotation(self, every: timedelta) -> str | None:
        """A connected peer whose token of ours is older than that, ours to rotate, or None. It is
        nobody else's for ROTATED_AGAIN_AFTER."""
        old = {"$lte": self.db.now() - every}
        later = {"$add": ["$$NOW", round(ROTATED_AGAIN_AFTER.total_seconds() * 1000)]}
        found = await self._documents.update_and_find(
            {
                "status": CONNECTED,
                # Who came by letter has none, and no credentials to exchange.
                "versions_url": {"$type": "string"},
                "token_hashes": {
                    "$elemMatch": {"kind": "C", "since": old, "until": {"$exists": False}}
                },
                "$expr": {"$lte": [{"$ifNull": ["$rotation_due", "$$NOW"]}, "$$NOW"]},
            },
            [{"$set": {"rotation_due": later}}],
        )
        return None if found is None else found["_id"]

    async def call_of(self, peer_id: str) -> calls.Call:
        """Raises UnknownPeer, SecretUnusable."""
        call = (await self.get(peer_id)).document.get("call")
        if call is None:
            raise UnknownPeer(peer_id)
        return calls.opened(self._vault, peer_id, call)

    async def by_token(self, token: str) -> tuple[Peer, str] | None:
        """The peer that a token of ours was issued to, and the token's kind; one index look-up.

        A newer token's first use ends the older ones: rotation is complete then. The first use
        of an offered one only makes it lasting: the peer may yet fail to keep it.
        """
        digests = self._vault.digests(token)
        shown = digests[0] if len(digests) == 1 else {"$in": digests}
        document = await self._documents.find_one({"token_hashes.hash": shown})
        if document is None:
            return None
        now = self.db.now()
        entries = document["token_hashes"]
        used = next(entry for entry in entries if entry["hash"] in digests)
        digest = used["hash"]
        if used.get("until") and used["until"] <= now:
            return None
        mine = {"_id": document["_id"], "token_hashes.hash": digest}
        if used.get("offered"):
            await self._documents.update_one(
                mine, {"$unset": {"token_hashes.$.until": "", "token_hashes.$.offered": ""}}
            )
        elif not used.get("until") and any(map(is_replaced, entries)):
            await self._documents.update_one(
                mine,
                {"$pull": {"token_hashes": {"until": {"$exists": True}, "offered": None}}},
            )
        if digest != digests[0] or used.get("kid") != self._vault.kid:
            await self._documents.update_one(
                mine,
                {
                    "$set": {
                        "token_hashes.$.hash": digests[0],
                        "token_hashes.$.kid": self._vault.kid,
                    }
                },
            )
            used["hash"], used["kid"] = digests[0], self._vault.kid
        return Peer.of(document), used["kind"]

    async def get(self, peer_id: str, tx: Tx | None = None) -> Peer:
        """Raises UnknownPeer."""
        if tx is None:
            document = await self._asked_for.get(peer_id)
        else:
            document = await PEERS.of(tx).find_one({"_id": peer_id})
        if document is None:
            raise UnknownPeer(peer_id)
        return Peer.of(copied(document))

    async def _some(self, peer_ids: Sequence[str]) -> Mapping[str, PeerDocument]:
        found = await self._documents.find({"_id": {"$in": list(peer_ids)}})
        return {one["_id"]: one for one in found}

    async def all(self, **query: object) -> list[Peer]:
        found = await self._documents.find(query, sort=[("created", 1)])
        return [Peer.of(document) for document in found]

    async def unreachable_behind(self, peer_id: str) -> frozenset[str]:
        """The (folded) parties that no request reaches through this hub now, by its own word."""
        return await hub_clients.not_connected(self.db, peer_id)

    def their_token(self, peer: Peer) -> str:
        """What we present to the peer; raises SecretUnusable when the key has changed."""
        return self._vault.open(peer.document["their_token"])

    async def connect(
        self,
        peer_id: str,
        *,
        our_token: str | None,
        their_token: str,
        now: datetime,
        grace_s: float = 0,
        presented: str | None = None,
        seen: Sequence[TokenHash] | None = None,
        **facts: Any,
    ) -> bool:
        """Store a completed handshake, and the claims of its parties, in one transaction.

        With `presented`, only while that token of ours is still good: of two registrations
        with one invitation the second finds that the tokens are no longer those that it has
        `seen` when it began, and False is returned. The invitation itself stays good until the
        new token is first used, an hour at most: the answer may be lost, and is asked for again.

        `our_token` becomes the only one that opens our door; with `grace_s` the earlier
        functional ones stay good until it is first used, at most that long.
        A peer that the operator has suspended stays so.
        `facts`: versions_url, version, version_url, endpoints, roles, and a hub's clients where its
        credentials name them. Raises claims.PartyTaken
        when one of its roles' parties is another peer's: nothing is stored then.
        """
        declared: Sequence[JsonMapping] | None = facts.pop("roles", None)
        clients: Sequence[JsonMapping] | None = facts.pop("clients", None)
        common: JsonObject = {
            **facts,
            "their_token": self._vault.seal(their_token),
            "last_error": None,
            "failed_handshakes": 0,
            "updated": now,
        }
        shown = [] if presented is None else self._vault.digests(presented)

        async def work(tx: Tx) -> bool:
            document = (await self.get(peer_id, tx)).document
            held = document.get("token_hashes", [])
            hashes = [entry["hash"] for entry in held]
            if presented is not None and not set(shown).intersection(hashes):
                return False
            if seen is not None and sorted(entry["hash"] for entry in seen) != sorted(hashes):
                return False
            change = dict(common)
            if our_token is not None:
                ours = token_entry(self._vault, our_token, "C", now)
                change["token_hashes"] = after_handshake(held, ours, grace_s=grace_s, now=now)
            if declared is not None:
                change |= await parties.identity(
                    tx,
                    peer_id,
                    Terms.of(document.get("terms")),
                    declared,
                    approve_unnamed=self._approve_unnamed,
                )
                change["token_hashes"] = [
                    *used_invitations(held, shown, now),
                    *change["token_hashes"],
                ]
            if declared is not None and document["status"] == INVITED:
                # Nothing was sent to it yet, which would have to be taken back.
                settings = document.get("settings") or {}
                if is_access_point(declared) and "narrowed" not in settings:
                    change["settings.narrowed"] = True
            change["status"] = SUSPENDED if document["status"] == SUSPENDED else CONNECTED
            stored: JsonObject = {"$set": change, "$unset": {"call": ""}}
            spoken = document.get("version")
            if spoken is not None and change.get("version", spoken) != spoken:
                stored["$addToSet"] = {"moved_from": spoken}
            await PEERS.of(tx).update_one({"_id": peer_id}, stored)
            if clients is not None:
                await hub_clients.named(tx, peer_id, clients)
            if declared is not None:
                await hub_clients.settle(tx, peer_id)
            is_new = document["status"] not in (CONNECTED, SUSPENDED)
            await audit.record(
                tx,
                "peers.register" if is_new else "peers.credentials",
                audit.peer(peer_id),
                before={name: document.get(name) for name in _SAID if name in change},
                after={
                    **{name: change[name] for name in _SAID if name in change},
                    "new_tokens": our_token is not None,
                },
            )
            _say_connected(tx, peer_id, {**document, **change}, is_new=is_new)
            return True

        return await self.store.transact(work)

    def invited_by(self, peer: Peer, token: str) -> bool:
        """Whether the token is the peer's invitation."""
        entries = peer.document.get("token_hashes", ())
        return kind_of(self._vault, entries, token) == "A"

    def is_replaced(self, peer: Peer, token: str) -> bool:
        """Whether a newer token has taken this functional one's place."""
        digests = self._vault.digests(token)
        entries = peer.document.get("token_hashes", ())
        return any(
            entry["hash"] in digests and entry["kind"] == "C" and is_replaced(entry)
            for entry in entries
        )

    async def handshake_failed(self, peer_id: str) -> None:
        """Count it; an invitation ends after MAX_FAILED_HANDSHAKES in a row."""
        counted = await self._documents.update_and_find(
            {"_id": peer_id}, {"$inc": {"failed_handshakes": 1}}
        )
        if counted is not None and counted["failed_handshakes"] >= MAX_FAILED_HANDSHAKES:
            await self._documents.update_one(
                {"_id": peer_id}, {"$pull": {"token_hashes": {"kind": "A"}}}
            )

    async def admit_also(self, peer_id: str, token: str, until: datetime, now: datetime) -> None:
        """Offer a further token of ours, good beside the present one (our rotation): until
        `until`, or for good once it is used."""
        entry: TokenHash = {
            **token_entry(self._vault, token, "C", now),
            "until": until,
            "offered": True,
        }
        await self._documents.update_one({"_id": peer_id}, {"$push": {"token_hashes": entry}})

    async def revoke(self, peer_id: str, token: str) -> None:
        """End one token of ours at once."""
        await self._documents.update_one(
            {"_id": peer_id},
            {"$pull": {"token_hashes": {"hash": {"$in": self._vault.digests(token)}}}},
        )

    async def disconnect(self, peer_id: str, now: datetime) -> None:
        """The peer has unregistered: its tokens die, what we know of it stays for the operator,
        and its parties stay its own until he lets them go."""
        gone = {
            "$set": {"status": DISCONNECTED, "updated": now},
            "$unset": {
                "token_hashes": "",
                "their_token": "",
                "endpoints": "",
                "parties": "",
                "audiences": "",
                "client_audiences": "",
            },
        }

        async def work(tx: Tx) -> None:
            there = await PEERS.of(tx).update_and_find({"_id": peer_id}, gone, before=True)
            if there is not None:
                before = {name: there.get(name) for name in ("status", "parties")}
                after = {"status": DISCONNECTED, "parties": []}
                await audit.record(
                    tx, "peers.unregister", audit.peer(peer_id), before=before, after=after
                )

        await self.store.transact(work)

    async def set(self, peer_id: str, now: datetime, **fields: object) -> None:
        """Change facts or settings; raises UnknownPeer."""
        changed = {"$set": {**fields, "updated": now}}

        async def work(tx: Tx) -> None:
            there = await PEERS.of(tx).update_and_find({"_id": peer_id}, changed, before=True)
            if there is None:
                raise UnknownPeer(peer_id)
            was = dict(there)
            after = {name: value for name, value in fields.items() if value != was.get(name)}
            if after:
                before = {name: was.get(name) for name in after}
                await audit.record(
                    tx, "peers.change", audit.peer(peer_id), before=before, after=after
                )

        await self.store.transact(work)

    async def seen(self, peer_id: str, now: datetime) -> None:
        await self._documents.update_one({"_id": peer_id}, {"$set": {"last_seen": now}})

    async def failed(self, peer_id: str, text: str, now: datetime) -> None:
        """Keep the last error for the operator; `text` must hold no secret."""
        await self._documents.update_one(
            {"_id": peer_id}, {"$set": {"last_error": {"at": now, "text": text[:500]}}}
        )

    async def remove(self, peer_id: str) -> None:
        """Raises UnknownPeer. Its tokens are good for nothing from now on, its parties are
        free."""

        async def work(tx: Tx) -> None:
            there = await PEERS.of(tx).take({"_id": peer_id})
            if there is None:
                raise UnknownPeer(peer_id)
            await parties.release_all(tx, peer_id)
            await hub_clients.forget(tx, peer_id)
            await payments.forget(tx, peer_id)
            before = {name: there.get(name) for name in ("name", "status", "parties")}
            await audit.record(tx, "peers.remove", audit.peer(peer_id), before=before, after={})

        await self.store.transact(work)
        await due_marks.forget(self.db, peer_id)


def _say_connected(tx: Tx, peer_id: str, known: JsonMapping, *, is_new: bool) -> None:
    parties = ", ".join(
        f"{role['country_code']}/{role['party_id']} {role['role']}"
        for role in known.get("roles") or ()
    )
    tx.say(
        event(
            logger,
            "peer.connected" if is_new else "peer.credentials",
            peer_id=peer_id,
            name=known.get("name"),
            parties=parties,
            version=known.get("version"),
            status=known["status"],
        ),
        "peer %s (%s) %s: %s, OCPI %s, %s",
        peer_id,
        known.get("name"),
        "has connected" if is_new else "has new credentials",
        parties or "no party granted",
        known.get("version") or "unknown",
        known["status"],
    )
