"""A station that a test holds in its hand: what it was asked, by the library's schemas."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal

from jsonschema import Draft4Validator
from ocpp.messages import MessageType, get_validator

from cpo_app.ocpp.box import OCPP_16, OCPP_21, OCPP_201
from db_interface.json_data import JsonMapping, JsonObject

_VERSIONS = {OCPP_16: "1.6", OCPP_201: "2.0.1", OCPP_21: "2.1"}


class FakeBox:
    """`answers`: by action, what it says, or what it raises. `asked`: [(action, payload)]."""

    def __init__(self, protocol: str, answers: Mapping[str, JsonMapping | Exception]) -> None:
        self.protocol = protocol
        self.answers = dict(answers)
        self.asked: list[tuple[str, JsonMapping]] = []

    async def call(self, action: str, payload: JsonMapping, *, timeout_s: float) -> JsonObject:
        sent = json.loads(json.dumps(payload), parse_float=Decimal)
        _schema(self.protocol, action).validate(sent)
        self.asked.append((action, payload))
        said = self.answers[action]
        if isinstance(said, Exception):
            raise said
        return dict(said)


def _schema(protocol: str, action: str) -> Draft4Validator:
    return get_validator(MessageType.Call, action, _VERSIONS[protocol], parse_float=Decimal)
