"""What an OCPI version is, and what it says of the objects that it converts.

The inner model is OCPI 2.2.1's with the fields that later versions add, under their names.
Converting says what it loses, as data; it never guesses in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from db_interface.json_data import JsonMapping, JsonObject
from domain.schemas import OcpiModel, validate, validate_patch


class ObjectKind(str, Enum):
    """The objects that pass between parties, by one name each in all versions."""

    LOCATION = "location"
    EVSE = "evse"
    CONNECTOR = "connector"
    SESSION = "session"
    CDR = "cdr"
    TARIFF = "tariff"
    TOKEN = "token"
    AUTHORIZATION_INFO = "authorization_info"
    LOCATION_REFERENCES = "location_references"
    CREDENTIALS = "credentials"
    VERSION = "version"
    VERSION_DETAILS = "version_details"
    CANCEL_RESERVATION = "cancel_reservation"
    RESERVE_NOW = "reserve_now"
    START_SESSION = "start_session"
    STOP_SESSION = "stop_session"
    UNLOCK_CONNECTOR = "unlock_connector"
    COMMAND_RESPONSE = "command_response"
    COMMAND_RESULT = "command_result"
    CHARGING_PREFERENCES = "charging_preferences"
    SET_CHARGING_PROFILE = "set_charging_profile"
    CHARGING_PROFILE_RESPONSE = "charging_profile_response"
    CHARGING_PROFILE_RESULT = "charging_profile_result"
    CLEAR_PROFILE_RESULT = "clear_profile_result"
    ACTIVE_CHARGING_PROFILE = "active_charging_profile"
    ACTIVE_CHARGING_PROFILE_RESULT = "active_charging_profile_result"
    CLIENT_INFO = "client_info"
    TERMINAL = "terminal"
    FINANCIAL_ADVICE_CONFIRMATION = "financial_advice_confirmation"


class Party(NamedTuple):
    country_code: str
    party_id: str


ChooseTariff = Callable[[Sequence[str]], str | None]
"""Of the ids of a connector's tariffs the one that applies; None: none of them does."""


@dataclass(frozen=True)
class Context:
    """What a conversion may have to know besides the object; each is None where it is not known."""

    party: Party | None = None
    """whose object it is, for versions whose objects do not say it: the owner of a token that is
    read, the party of ours that credentials are rendered for"""
    location: JsonMapping | None = None
    """the inner Location at which a session or CDR took place"""
    token: JsonMapping | None = None
    """the inner Token that an authorization was asked for, or that a session or CDR was begun with,
    for versions that do not say it"""
    time_zone: str | None = None
    """of a Location that does not say its own"""
    at: datetime | None = None
    """the moment that it is rendered for, for versions whose Tariffs do not say when they are
    valid"""
    choose_tariff: ChooseTariff | None = None
    """which of the tariffs that a connector names applies now, for versions that have one"""


NO_CONTEXT = Context()


class Loss(NamedTuple):
    """Something of the object that the other form cannot say."""

    path: str
    """in the object that was converted, such as "evses.0.connectors.1.standard" """
    reason: str


class Converted(NamedTuple):
    object: JsonObject
    losses: tuple[Loss, ...] = ()


Convert = Callable[[JsonMapping, Context], Converted]
"""The rendering or reading of one kind of object. Never changes what it is given."""


def as_it_is(given: JsonMapping, _context: Context) -> Converted:
    return Converted(dict(given))


class ModuleEndpoint(NamedTuple):
    """An endpoint in the version details of ours."""

    identifier: str
    role: str
    """SENDER or RECEIVER: which interface of the module a CPO has"""


@dataclass(frozen=True)
class Description:
    """What a version looks like on the wire, apart from its objects."""

    modules: tuple[ModuleEndpoint, ...]
    """the modules that a CPO offers, in the order of its version details"""
    endpoints_have_roles: bool
    """version details name each endpoint's interface, and one module may stand there twice"""
    encodes_tokens: bool
    """`Authorization: Token` carries the token in Base64; else as it is"""
    has_message_routing: bool
    """messages carry OCPI-to and OCPI-from headers and can pass a hub"""
    has_parties: bool
    """credentials list several parties and objects name their owner; else a peer is one party"""
    patches_need_last_updated: bool
    """the body of a PATCH must have last_updated"""
    tokens_have_types_in_urls: bool = True
    """a Token's URL names its type, RFID when left out; else it is known there by its uid alone"""
    status_codes: frozenset[int] | None = None
    """those it has, where it lacks some of 2.2.1; for these the generic one is said"""

    shows_only_published: bool = False
    """its Locations cannot say that they are not to be published: those are not there in it"""

    def status_code(self, code: int) -> int:
        """The code that says it in this version."""
        known = self.status_codes is None or code in self.status_codes
        return code if known else code // 1000 * 1000


@dataclass(frozen=True)
class OcpiVersion:
    number: str
    models: Mapping[ObjectKind, type[OcpiModel]]
    """the version's own schemas; a kind that is missing is not in the version at all"""
    description: Description
    renderers: Mapping[ObjectKind, Convert]
    """how an inner object becomes one of the version"""
    readers: Mapping[ObjectKind, Convert]
    """how an object of the version becomes an inner one"""
    with_whole_location: frozenset[ObjectKind] = frozenset()
    """kinds that hold a whole Location here: to be rendered they need it as context"""
    with_current_tariffs: frozenset[ObjectKind] = frozenset()
    """kinds that show but the tariffs that apply now: to be rendered they need the moment, and of
    those of a connector the choice. They change with time (domain/views/tariff_turns.py)"""
    revision: int = 1
    """raised when it renders stored objects otherwise than it did: they are made anew then (a test
    holds the fingerprints of what it makes: tests/domain/views/test_revisions.py)"""
    patch_names: Mapping[ObjectKind, Mapping[str, str]] = field(default_factory=dict)
    """the inner names of fields that the version calls otherwise, for its PATCHes"""

    cdr_id: Callable[[str], str] = str
    """a CDR's inner id as the version has it"""

    @property
    def key(self) -> str:
        """The number as a field's name in the store, where a dot would mean a path."""
        return "v" + self.number.replace(".", "_")

    def has(self, kind: ObjectKind) -> bool:
        return kind in self.models

    def render(
        self, kind: ObjectKind, inner: JsonMapping, context: Context = NO_CONTEXT
    ) -> Converted:
        """The inner object as this version has it.

        Raises LookupError where the version has no such object, Unconvertible where it could say
        nothing true of this one.
        """
        return self._converter(self.renderers, kind)(inner, context)

    def read(self, kind: ObjectKind, theirs: object, context: Context = NO_CONTEXT) -> Converted:
        """A peer's object, checked by this version's text, as an inner one.

        Raises SchemaError, LookupError and Unconvertible.
        """
        convert = self._converter(self.readers, kind)
        return convert(validate(self.models[kind], theirs), context)

    def token_type(self, inner_type: str) -> str:
        """The type of a Token, where it is said beside one; OTHER for one that it lacks."""
        field = self.models[ObjectKind.TOKEN].__fields__["type"]
        _, unknown = field.validate(inner_type, {}, loc="type")
        return _NO_SUCH_TOKEN_TYPE if unknown else inner_type

    def may_stand_for_others(self, token_type: str) -> bool:
        """Whether this is what Tokens of the types that it lacks have here."""
        return token_type == _NO_SUCH_TOKEN_TYPE

    def lacks_token_type(self, inner_type: str) -> bool:
        """Whether a Token of that type has another one here."""
        return self.token_type(inner_type) != inner_type

    def _converter(self, converters: Mapping[ObjectKind, Convert], kind: ObjectKind) -> Convert:
        if kind not in self.models or kind not in converters:
            raise LookupError(f"OCPI {self.number} has no {kind.value}")
        return converters[kind]

    def read_patch(self, kind: ObjectKind, theirs: object) -> JsonObject:
        """The fields of a PATCH, each checked by this version's text, under their inner names.

        None marks a field to be cleared. Raises SchemaError.
        """
        names = self.patch_names.get(kind, {})
        clean = validate_patch(
            self.models[kind],
            theirs,
            needs_last_updated=self.description.patches_need_last_updated,
        )
        return {names.get(name, name): value for name, value in clean.items()}


_NO_SUCH_TOKEN_TYPE = "OTHER"


class Unconvertible(ValueError):
    """The object cannot be said in the other form at all; `str()` is one line that says why."""
