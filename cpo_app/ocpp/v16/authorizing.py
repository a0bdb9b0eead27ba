"""OCPP 1.6 Authorize, and the words in which a decision on a card is told."""

from __future__ import annotations

from cpo_app.ocpp.charging.cards import Card, authorize
from cpo_app.ocpp.handlers import Handler, Incoming
from db_interface.json_data import JsonObject
from domain.authorization.whitelist import Allowed
from domain.ocpp.ids import id_tag

STATUS = {
    Allowed.ALLOWED: "Accepted",
    Allowed.BLOCKED: "Blocked",
    Allowed.EXPIRED: "Expired",
    Allowed.NO_CREDIT: "Blocked",
    Allowed.NOT_ALLOWED: "Invalid",
}


async def _authorize(incoming: Incoming, payload: JsonObject) -> JsonObject:
    decision = await authorize(incoming, Card(payload["idTag"]))
    group = (decision.token or {}).get("group_id")
    return {"idTagInfo": id_tag_info(decision.allowed.value, group)}


def id_tag_info(allowed: str | None, group: str | None) -> JsonObject:
    """IdTagInfo; cards of one group stop each other's transactions."""
    info: JsonObject = {"status": STATUS[Allowed(allowed or Allowed.NOT_ALLOWED.value)]}
    return {**info, "parentIdTag": id_tag(group)} if group else info


HANDLERS: dict[str, Handler] = {"Authorize": _authorize}
