"""May this card charge here? By the whitelist rules, and by the eMSP's word where they ask for it.

The rules are whitelist.RULES. Which token a card is: those with its uid and type that a party
with a registered peer behind it has given us, the one known longest first, so that no party can
take another's card over by pushing the same uid later. The first that is allowed counts; a card
that is known is never asked for elsewhere. An unknown one is asked for, within bounds
(unknown_cards.py), at the eMSPs that the operator has marked for it, at once; the first that
allows it wins.

Who can be asked, and how, is handed in (`Emsps`): no HTTP here. What is returned is for Central
alone: no peer ever sees a token of another party's by this way.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from db_interface.interface import DbInterface
from db_interface.json_data import JsonMapping, JsonObject
from db_interface.owned_objects import party_key
from domain.authorization import unknown_cards
from domain.authorization.authorization_answer import EmspAnswer, Question, Token, answer_of
from domain.authorization.emsps import Emsp, Emsps, Reply
from domain.authorization.token_sync import keep_if_newer
from domain.authorization.token_types import issuer_of, names_of
from domain.authorization.whitelist import Allowed, AuthMethod, Rule, rule_of
from domain.counters import AUTHORIZATIONS
from domain.peers import claims
from domain.schemas import SchemaError

logger = logging.getLogger("cpo.authorization")

MAX_HOLDERS = 20
"""Parties that may claim one and the same uid before the later ones are ignored."""
UNKNOWN_CARD = "Unknown card"


@dataclass(frozen=True)
class Decision:
    """`allowed` and why: the token (a full OCPI Token where ALLOWED), how it was authorized, the
    eMSP's reference for Session and CDR, its text for the driver, and the peer behind it."""

    allowed: Allowed
    token: Token | None = None
    auth_method: AuthMethod = AuthMethod.WHITELIST
    authorization_reference: str | None = None
    info: str | None = None
    peer_id: str | None = None

    @property
    def charges(self) -> bool:
        return self.allowed is Allowed.ALLOWED and self.token is not None


@dataclass(frozen=True)
class _Card:
    """A token of ours that the card may be."""

    token: Token
    emsp: Emsp
    rule: Rule
    asks: bool


class Authorizer:
    """`timeout_s`: how long eMSPs have for their answer, all together (the driver waits).
    `realtime_allowed`: ask for tokens with whitelist ALLOWED, too."""

    def __init__(
        self,
        store: DbInterface,
        emsps: Emsps,
        *,
        timeout_s: float,
        realtime_allowed: bool = False,
    ) -> None:
        self._store = store
        self._emsps = emsps
        self._timeout_s = timeout_s
        self._realtime_allowed = realtime_allowed

    async def at_reader(
        self,
        uid: str,
        token_type: str,
        location: JsonMapping,
        evse: JsonMapping,
        now: datetime,
        *,
        party: str | None = None,
    ) -> Decision:
        """A card at an EVSE. `party` (folded): only a token of that party will do."""
        question = _question(uid, token_type, location, evse)
        cards = await self._cards(uid, token_type, party)
        decision = await (
            self._by_the_rules(cards, question) if cards else self._at_all_emsps(question, party)
        )
        if decision.auth_method is AuthMethod.AUTH_REQUEST and decision.peer_id is not None:
            await self._keep(decision.token, decision.peer_id)
        return _counted(decision)

    async def unasked(self, uid: str, token_type: str) -> Decision:
        """What its whitelist alone allows a card that a charge point let charge while it could ask
        nobody."""
        decisions = [_unasked(card) for card in await self._cards(uid, token_type, None)]
        refusal = decisions[0] if decisions else _refused(Allowed.NOT_ALLOWED, UNKNOWN_CARD, None)
        return _counted(next((one for one in decisions if one.charges), refusal))

    async def in_group(
        self,
        uid: str,
        token_type: str,
        holder: Token,
        location: JsonMapping,
        evse: JsonMapping,
    ) -> bool:
        """Whether a card belongs to the group of `holder`'s token: same party, same group_id,
        and valid. Its party is asked where it has not told us of the card."""
        group = holder.get("group_id")
        if not group:
            return False
        party = party_key(holder["country_code"], holder["party_id"])
        cards = await self._cards(uid, token_type, party)
        tokens: list[Token | None] = [card.token for card in cards]
        if not cards:
            question = _question(uid, token_type, location, evse)
            emsp = await self._emsps.behind(holder["country_code"], holder["party_id"])
            asks = emsp is not None and await unknown_cards.may_ask(self._store.db, question)
            said = await self._ask(emsp, question) if emsp is not None and asks else Reply()
            if isinstance(said, EmspAnswer) and emsp is not None:
                await self._keep(said.token, emsp.peer_id)
                tokens = [said.token]
        return any(
            token is not None
            and token["valid"]
            and party_key(token["country_code"], token["party_id"]) == party
            and (token.get("group_id") or "").lower() == group.lower()
            for token in tokens
        )

    async def _cards(self, uid: str, token_type: str, party: str | None) -> list[_Card]:
        """The tokens that the card may be, the one known longest first."""
        query: JsonObject = {"lid": uid.lower(), "fields.type": {"$in": names_of(token_type)}}
        if party is not None:
            query["owner"] = party
        found = await self._store.objects("tokens").documents(
            query, fields={"fields": 1, "audience": 1}, sort=[("seq", 1)], limit=MAX_HOLDERS
        )
        cards = []
        for document in found:
            token: Token = document["fields"]
            held = await claims.audiences_of(self._store.db, _party_of(token))
            if document["audience"] not in held:
                continue  # left behind by an earlier holder of the party
            emsp = await self._emsps.behind(token["country_code"], token["party_id"])
            if emsp is not None:
                rule = rule_of(token["whitelist"], token["valid"])
                cards.append(_Card(token, emsp, rule, rule.asks(self._realtime_allowed)))
        # What is said outright goes before what only may be meant.
        return sorted(cards, key=lambda card: card.token["type"] != token_type)

    async def _by_the_rules(self, cards: Sequence[_Card], question: Question) -> Decision:
        if not cards[0].asks and cards[0].rule.unasked is Allowed.ALLOWED:
            return _unasked(cards[0])
        decisions = await asyncio.gather(*(self._on(card, question) for card in cards))
        return next((one for one in decisions if one.charges), decisions[0])

    async def _on(self, card: _Card, question: Question) -> Decision:
        if not card.asks:
            return _unasked(card)
        return self._decided(card, await self._ask(card.emsp, question))

    def _decided(self, card: _Card, said: EmspAnswer | Reply) -> Decision:
        peer_id = card.emsp.peer_id
        if isinstance(said, Reply):
            if said.unknown:
                return _refused(Allowed.NOT_ALLOWED, UNKNOWN_CARD, peer_id)
            return _unasked(card)
        token = card.token if said.token is None else said.token
        allowed = said.allowed
        if not _same_party(token, card.token):
            logger.warning("peer %s answered with a token of another party", peer_id)
            return _refused(Allowed.NOT_ALLOWED, None, peer_id)
        if allowed is Allowed.ALLOWED and not token["valid"]:
            allowed = Allowed.BLOCKED
        return _spoken(said, allowed, token, peer_id)

    async def _at_all_emsps(self, question: Question, party: str | None) -> Decision:
        """`party`: of that one alone; else at the issuer, where the token names it."""
        issuer = None if party else issuer_of(question.uid, question.token_type)
        emsps = await self._asked_for_unknown(party or issuer)
        if issuer is not None and not emsps:
            emsps = await self._asked_for_unknown(None)
        if not emsps or not await unknown_cards.may_ask(self._store.db, question):
            return _refused(Allowed.NOT_ALLOWED, UNKNOWN_CARD, None)
        silent = False
        waiting = {asyncio.ensure_future(self._foreign(emsp, question)) for emsp in emsps}
        refusals: list[Decision] = []
        try:
            while waiting:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for decision in (task.result() for task in done):
                    if isinstance(decision, Reply):
                        silent = silent or not decision.unknown
                    elif decision.charges:
                        return decision
                    else:
                        refusals.append(decision)
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        if not silent:
            await unknown_cards.nobody_knows(self._store.db, question)
        # Whichever came first must not decide what the driver reads.
        refusals.sort(key=lambda one: (one.allowed is Allowed.NOT_ALLOWED, one.peer_id or ""))
        return refusals[0] if refusals else _refused(Allowed.NOT_ALLOWED, UNKNOWN_CARD, None)

    async def _asked_for_unknown(self, party: str | None) -> Sequence[Emsp]:
        if party is None:
            return await self._emsps.offering()
        country_code, _, party_id = party.partition("*")
        emsp = await self._emsps.behind(country_code.upper(), party_id.upper())
        return [emsp] if emsp is not None and emsp.can_be_asked else []

    async def _foreign(self, emsp: Emsp, question: Question) -> Decision | Reply:
        """An eMSP's decision on a card that nobody has told us of; a Reply: it has made none."""
        said = await self._ask(emsp, question)
        if isinstance(said, Reply):
            return said
        none = Reply(unknown=True)
        token, allowed = said.token, said.allowed
        if allowed is Allowed.ALLOWED:
            if token is None:
                return none
            if emsp.party is not None and party_key(*emsp.party) != _party_of(token):
                return none
            if not await self._emsps.may_issue(emsp.peer_id, _party_of(token)):
                return none
            if not token["valid"]:
                allowed = Allowed.BLOCKED
        return _spoken(said, allowed, token, emsp.peer_id)

    async def _ask(self, emsp: Emsp, question: Question) -> EmspAnswer | Reply:
        """The eMSP's word within the time, or why there is none."""
        if not emsp.can_be_asked:
            return Reply()
        try:
            reply = await asyncio.wait_for(
                self._emsps.ask(emsp, question, self._timeout_s), self._timeout_s
            )
        except asyncio.TimeoutError:
            return Reply()
        if reply.data is None or reply.unknown:
            return reply
        try:
            return answer_of(reply.data, question)
        except SchemaError as error:
            logger.warning("peer %s: its AuthorizationInfo is unusable: %s", emsp.peer_id, error)
            return Reply()

    async def _keep(self, token: Token | None, peer_id: str) -> None:
        """The answer's token is the complete one: it is as good as a pushed one."""
        if token is not None and await self._emsps.may_issue(peer_id, _party_of(token)):
            await keep_if_newer(self._store, token)


def _counted(decision: Decision) -> Decision:
    unknown = decision.info == UNKNOWN_CARD and not decision.charges
    said = "emsp" if decision.auth_method is AuthMethod.AUTH_REQUEST else "whitelist"
    AUTHORIZATIONS.labels("UNKNOWN" if unknown else decision.allowed.value, said).inc()
    return decision


def _question(uid: str, token_type: str, location: JsonMapping, evse: JsonMapping) -> Question:
    return Question(
        uid=uid,
        token_type=token_type,
        location_id=location["id"],
        evse_uid=evse["uid"],
        country_code=location["country_code"],
        party_id=location["party_id"],
    )


def _unasked(card: _Card) -> Decision:
    if card.rule.unasked is Allowed.ALLOWED:
        return Decision(Allowed.ALLOWED, card.token, peer_id=card.emsp.peer_id)
    return _refused(card.rule.unasked, None, card.emsp.peer_id)


def _spoken(said: EmspAnswer, allowed: Allowed, token: Token | None, peer_id: str) -> Decision:
    return Decision(
        allowed=allowed,
        token=token,
        auth_method=AuthMethod.AUTH_REQUEST,
        authorization_reference=said.authorization_reference,
        info=said.info,
        peer_id=peer_id,
    )


def _refused(allowed: Allowed, info: str | None, peer_id: str | None) -> Decision:
    return Decision(allowed, info=info, peer_id=peer_id)


def _party_of(token: Token) -> str:
    return party_key(token["country_code"], token["party_id"])


def _same_party(one: Token, other: Token) -> bool:
    return _party_of(one) == _party_of(other)
