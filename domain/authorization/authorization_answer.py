"""Reading an eMSP's AuthorizationInfo (OCPI 2.2.1, mod_tokens 12.3.1). No I/O.

A refusal is a refusal however badly it is written; an ALLOWED counts only if everything that
could restrict it can be read. What came from the peer is never put into an error text.
"""

from __future__ import annotations

from dataclasses import dataclass

from db_interface.json_data import JsonMapping, JsonObject
from domain.authorization.token_types import is_said_as
from domain.authorization.whitelist import Allowed
from domain.schemas import DisplayText, LocationReferences, SchemaError, validate
from domain.versions.inner import AuthorizationInfo
from domain.versions.inner import Token as TokenModel

Token = JsonMapping


@dataclass(frozen=True)
class Question:
    """A card at an EVSE of ours; the party of ours that asks is the location's."""

    uid: str
    token_type: str
    location_id: str
    evse_uid: str
    country_code: str
    party_id: str

    def body(self) -> JsonObject:
        """The LocationReferences of the request."""
        return {"location_id": self.location_id, "evse_uids": [self.evse_uid]}


@dataclass(frozen=True)
class EmspAnswer:
    """What the eMSP has said. `token`: the one asked for, as the eMSP has it; None: unreadable."""

    allowed: Allowed
    token: Token | None
    authorization_reference: str | None = None
    info: str | None = None


def answer_of(data: object, question: Question) -> EmspAnswer:
    """The answer, with its location restriction applied to the EVSE that was asked for.

    Raises SchemaError for an answer that must not be taken for a decision.
    """
    if not isinstance(data, dict):
        raise SchemaError([("", "value is not an object")])
    info = _text(data.get("info"))
    data = {name: value for name, value in data.items() if name != "info"}
    try:
        said = validate(AuthorizationInfo, data)
    except SchemaError as error:
        return _in_part(data, info, question, error)
    token = said["token"] if _is_asked_for(said["token"], question) else None
    if token is None and said["allowed"] == Allowed.ALLOWED:
        raise SchemaError([("token", "is not the one that was asked for")])
    return EmspAnswer(
        allowed=_here(Allowed(said["allowed"]), said.get("location"), question),
        token=token,
        authorization_reference=said.get("authorization_reference"),
        info=info,
    )


def _in_part(
    data: JsonMapping, info: str | None, question: Question, error: SchemaError
) -> EmspAnswer:
    """An answer with faults: good for a refusal, and for an ALLOWED whose fault is
    the token alone (whoever knows the token may go on with what he has)."""
    try:
        allowed = Allowed(data.get("allowed"))
    except ValueError:
        raise error from None
    if allowed is not Allowed.ALLOWED:
        return EmspAnswer(allowed, _readable_token(data.get("token"), question), None, info)
    if any(path.split(".")[0] != "token" for path, _ in error.errors):
        raise error
    if isinstance(data.get("token"), dict) and not _says_same_card(data["token"], question):
        raise error
    location = data.get("location")
    references = None if location is None else validate(LocationReferences, location)
    return EmspAnswer(
        _here(allowed, references, question), None, data.get("authorization_reference"), info
    )


def _here(allowed: Allowed, location: JsonMapping | None, question: Question) -> Allowed:
    """ALLOWED only if it is for this EVSE: "only the EVSEs the EV driver is allowed to charge at
    are returned". None named (left out, or the list is empty): the whole location."""
    if allowed is not Allowed.ALLOWED or location is None:
        return allowed
    if location["location_id"].lower() != question.location_id.lower():
        return Allowed.NOT_ALLOWED
    uids = [uid.lower() for uid in location.get("evse_uids") or ()]
    if uids and question.evse_uid.lower() not in uids:
        return Allowed.NOT_ALLOWED
    return allowed


def _is_asked_for(token: Token, question: Question) -> bool:
    same_uid: bool = token["uid"].lower() == question.uid.lower()
    return same_uid and is_said_as(token["type"], question.token_type)


def _says_same_card(token: JsonMapping, question: Question) -> bool:
    """Whether a token with faults says nothing of another card, or of one that is not valid."""
    return (
        str(token.get("uid", question.uid)).lower() == question.uid.lower()
        and is_said_as(token.get("type", question.token_type), question.token_type)
        and token.get("valid", True) is not False
    )


def _readable_token(data: object, question: Question) -> Token | None:
    try:
        token = validate(TokenModel, data)
    except SchemaError:
        return None
    return token if _is_asked_for(token, question) else None


def _text(info: object) -> str | None:
    """The DisplayText's text; one with faults is not shown."""
    try:
        return None if info is None else validate(DisplayText, info)["text"]
    except SchemaError:
        return None
