"""What charge points send to Central: the bodies, checked field by field. No behaviour.

Units stand in the names; times are ISO 8601, without a zone taken as UTC.
"""

import ipaddress
import re
from collections.abc import Callable, Generator
from datetime import datetime, timezone
from itertools import pairwise
from typing import Any, Literal

from pydantic import BaseModel, ConstrainedFloat, ConstrainedStr, Field, validator
from pydantic.datetime_parse import parse_datetime

from db_interface.json_data import JsonObject
from domain.authorization.token_types import TOKEN_TYPES
from domain.charge_points.evse_states import ConnectorState

MAX_MESSAGES = 500
_HOST_NAME = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
    r"(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*\.?\Z"
)
_ALL_DIGITS_AND_DOTS = re.compile(r"[0-9.]+\Z")


class CpId(ConstrainedStr):
    regex = re.compile(r"^[A-Za-z0-9_-]{3,64}\Z")


class Id(ConstrainedStr):
    min_length = 1
    max_length = 128


class ConnectorId(ConstrainedStr):
    min_length = 1
    max_length = 36


class Text(ConstrainedStr):
    max_length = 256
    curtail_length = 256


class Code(ConstrainedStr):
    min_length = 1
    max_length = 64


class Amount(ConstrainedFloat):
    """Finite and not negative. pydantic's comparisons refuse NaN, the bound infinity."""

    ge = 0
    le = 1e12


class Interval(ConstrainedFloat):
    gt = 0
    le = 3600


class RegistrationBody(BaseModel):
    """POST /cp/register."""

    cp_id: CpId
    cp_e_host: str = Field(min_length=1, max_length=255)
    cp_e_port: int = Field(ge=1, le=65535)
    cp_e_fingerprint: str | None = Field(None, regex=r"^[0-9a-f]{64}\Z")
    """SHA-256 of the certificate with which the engine serves https; None: plain HTTP."""

    @validator("cp_e_host")
    def _a_host(cls, host: str) -> str:
        return usable_host(host)


class Fault(BaseModel):
    code: Code
    message: Text = Text("")


class EngineReport(BaseModel):
    """What the monitor sees of its engine; no state where the engine gave none."""

    state: Code | None = None
    faults: list[Fault] = Field(default_factory=list, max_items=50)


class HeartbeatBody(BaseModel):
    """POST /cp/heartbeat."""

    cp_id: CpId
    interval_s: Interval
    engine: EngineReport = Field(default_factory=EngineReport)


class Instant(datetime):
    """An instant in UTC."""

    @classmethod
    def __get_validators__(cls) -> Generator[Callable[..., Any], None, None]:
        yield parse_datetime
        yield in_utc


def in_utc(at: datetime) -> datetime:
    """Raises ValueError for what lies beyond all time there."""
    try:
        return (at if at.tzinfo else at.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    except OverflowError:
        raise ValueError("is out of range") from None


class _Message(BaseModel):
    seq: int = Field(ge=1, le=2**53)
    at: Instant


class StateMessage(_Message):
    kind: Literal["state"]
    connector_id: ConnectorId
    state: ConnectorState
    ev_state: Literal["plugged", "unplugged"]
    error_code: Code | None = None
    session_id: Id | None = None


class MeterMessage(_Message):
    kind: Literal["meter"]
    connector_id: ConnectorId
    session_id: Id
    energy_wh: Amount
    register_wh: Amount
    power_w: Amount
    current_a: Amount
    voltage_v: Amount
    phases: int = Field(ge=1, le=3)
    soc: float | None = Field(None, ge=0, le=100)
    limit_w: Amount | None = None


class SessionStartedMessage(_Message):
    kind: Literal["session_started"]
    session_id: Id
    connector_id: ConnectorId
    register_wh: Amount
    id_tag: Id | None = None
    source: Code


class SessionStoppedMessage(_Message):
    kind: Literal["session_stopped"]
    session_id: Id
    connector_id: ConnectorId
    register_wh: Amount
    energy_wh: Amount
    reason: Code
    signed_data: Any | None = None


class SessionEnded(BaseModel):
    """`ended` in the answer to a stop: how the session ended at the engine."""

    energy_wh: Amount
    at: Instant
    reason: Code
    boot_id: Id
    seq: int = Field(ge=1, le=2**53)


KINDS: dict[str, type[_Message]] = {
    "state": StateMessage,
    "meter": MeterMessage,
    "session_started": SessionStartedMessage,
    "session_stopped": SessionStoppedMessage,
}


class TelemetryMessage(BaseModel):
    """One of KINDS by its `kind`, so that an error names the field of that kind alone."""

    @classmethod
    def __get_validators__(cls) -> Generator[Callable[..., Any], None, None]:
        yield cls._read

    @classmethod
    def __modify_schema__(cls, schema: JsonObject) -> None:
        schema.update(
            type="object",
            required=["seq", "kind", "at"],
            properties={
                "seq": {"type": "integer", "minimum": 1},
                "kind": {"type": "string", "enum": list(KINDS)},
                "at": {"type": "string", "format": "date-time"},
            },
        )

    @classmethod
    def _read(cls, value: Any) -> BaseModel:
        kind = value.get("kind") if isinstance(value, dict) else None
        if not isinstance(kind, str) or kind not in KINDS:
            raise ValueError(f"kind is none of {', '.join(KINDS)}")
        return KINDS[kind].parse_obj(value)


class TelemetryBody(BaseModel):
    """POST /cp/telemetry: messages of one start of the engine, in order.

    `sent_at`: now, by the clock that the messages' `at` go by; older engines do not tell."""

    cp_id: CpId
    boot_id: Id
    sent_at: Instant | None = None
    messages: list[TelemetryMessage] = Field(min_items=1, max_items=MAX_MESSAGES)

    @validator("boot_id")
    def _can_be_kept(cls, boot_id: str) -> str:
        # JSON can escape half of a character, and no message of such a start could be acknowledged.
        if not boot_id.isprintable():
            raise ValueError("has a character that cannot be printed")
        return boot_id

    @validator("messages", pre=True)
    def _not_too_many(cls, messages: Any) -> Any:
        # Before its items are looked at: each of them costs.
        if isinstance(messages, list) and len(messages) > MAX_MESSAGES:
            raise ValueError(f"has more than {MAX_MESSAGES} items")
        return messages

    @validator("messages")
    def _in_order(cls, messages: list[Any]) -> list[Any]:
        for before, after in pairwise(messages):
            if after.seq <= before.seq:
                raise ValueError(f"seq {after.seq} comes after seq {before.seq}")
        return messages


class AuthorizeBody(BaseModel):
    """POST /cp/authorize: a card at the reader."""

    cp_id: CpId
    connector_id: ConnectorId
    token_uid: ConnectorId
    token_type: str = "RFID"

    @validator("token_type")
    def _a_type(cls, token_type: str) -> str:
        if token_type not in TOKEN_TYPES:
            raise ValueError(f"is none of {', '.join(TOKEN_TYPES)}")
        return token_type


class OperativeBody(BaseModel):
    """PUT /cp/{cp_id}/operative."""

    operative: bool


def usable_host(host: str) -> str:
    """A host name, or an address that can be an engine's (IPv6 without brackets).

    Raises ValueError for anything else: URLs, user info, ports, and addresses that reach
    nobody or everybody.
    """
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        if not _HOST_NAME.match(host) or _ALL_DIGITS_AND_DOTS.match(host):
            raise ValueError("is neither a host name nor an IP address") from None
        return host
    if address.is_unspecified or address.is_multicast or address.is_link_local:
        raise ValueError("is not an address that an engine can be reached at")
    if str(address) == "255.255.255.255" or getattr(address, "scope_id", None):
        raise ValueError("is not an address that an engine can be reached at")
    return bare
