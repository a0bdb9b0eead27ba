"""OCPP 2.0.1 and 2.1 Authorize, and the words in which a decision on a card is told."""

from __future__ import annotations

from cpo_app.ocpp.charging.cards import OTHER, TOKEN_TYPES, Card, authorize
from cpo_app.ocpp.handlers import Handler, Incoming
from db_interface.json_data import JsonMapping, JsonObject
from domain.authorization.whitelist import Allowed

STATUS = {
    Allowed.ALLOWED: "Accepted",
    Allowed.BLOCKED: "Blocked",
    Allowed.EXPIRED: "Expired",
    Allowed.NO_CREDIT: "NoCredit",
    Allowed.NOT_ALLOWED: "Invalid",
}
NO_AUTHORIZATION = "NoAuthorization"
_MAX_MESSAGE = 512
_MAX_GROUP = 36


async def _authorize(incoming: Incoming, payload: JsonObject) -> JsonObject:
    card = card_of(payload["idToken"])
    if card is None:
        return {"idTokenInfo": id_token_info(None, None)}
    decision = await authorize(incoming, card)
    group = (decision.token or {}).get("group_id")
    return {"idTokenInfo": id_token_info(decision.allowed.value, group, decision.info)}


def card_of(id_token: JsonMapping | None) -> Card | None:
    """None: there is no token, or one that stands for nobody."""
    if not id_token or not id_token["idToken"] or id_token["type"] == NO_AUTHORIZATION:
        return None
    return Card(id_token["idToken"], TOKEN_TYPES.get(id_token["type"], OTHER))


def id_token_info(allowed: str | None, group: str | None, message: str | None = None) -> JsonObject:
    """IdTokenInfo; cards of one group stop each other's transactions."""
    info: JsonObject = {"status": STATUS[Allowed(allowed or Allowed.NOT_ALLOWED.value)]}
    if group:
        info["groupIdToken"] = {"idToken": group[:_MAX_GROUP], "type": "Central"}
    if message:
        info["personalMessage"] = {"format": "UTF8", "content": message[:_MAX_MESSAGE]}
    return info


HANDLERS: dict[str, Handler] = {"Authorize": _authorize}
