"""What actions on peers are told."""

from __future__ import annotations

from pydantic import Field, validator

from cpo_app.actions.action import Parameters
from cpo_app.actions.readings import words
from domain.objects.location_fields import FIELDS, PROFILES
from domain.outbox.marks import PUSHED
from domain.peers.peer import DEFAULT_QUIRKS
from domain.versions import VERSIONS

MAX_NAME_LENGTH = 100
_ID = Field(..., min_length=1, max_length=64, title="Peer")


class OnePeer(Parameters):
    peer_id: str = _ID


class Granting(Parameters):
    """Who a peer may be."""

    parties: list[str] = Field(
        [],
        max_items=100,
        title="Parties that it may be (NL/TNM, …); empty: what it says waits for your yes",
    )
    roles: list[str] = Field(
        [], max_items=10, title="Roles that it may have (EMSP, …); empty: all but HUB"
    )
    hub: bool = Field(False, title="It may be a HUB")
    any_party: bool = Field(False, title="It may be whatever free party it says it is")
    modules: list[str] = Field(
        [],
        max_items=20,
        title="Modules that it has to offer (tokens:SENDER, …); empty: credentials alone",
    )
    raw_token: bool = Field(False, title="It does not Base64-encode tokens (a quirk)")

    @validator("parties", "roles", "modules", pre=True)
    def _words(cls, value: object) -> object:
        return words(value)


def _readable(value: str | None) -> str | None:
    if value is None:
        return None
    value = " ".join(value.split())
    if not value or not value.isprintable():
        raise ValueError(f"has 1 to {MAX_NAME_LENGTH} readable characters")
    return value


class Inviting(Granting):
    name: str = Field(..., max_length=MAX_NAME_LENGTH, title="What to call the peer")

    _name = validator("name", allow_reuse=True)(_readable)


class Connecting(Granting):
    versions_url: str = Field(..., min_length=1, max_length=2000, title="Its versions URL")
    token: str = Field(
        ..., min_length=1, max_length=1000, title="The token A that it gave us", format="password"
    )
    name: str | None = Field(
        None, max_length=MAX_NAME_LENGTH, title="What to call the peer (empty: what it says)"
    )

    _name = validator("name", allow_reuse=True)(_readable)


class AddingAccessPoint(Parameters):
    name: str = Field(..., max_length=MAX_NAME_LENGTH, title="What to call the access point")
    party: str = Field(..., min_length=6, max_length=6, title="Its party (NL/NDW)")
    locations_url: str = Field(
        ..., min_length=1, max_length=2000, title="Where it takes locations (…/locations)"
    )
    tariffs_url: str | None = Field(
        None, max_length=2000, title="Where it takes tariffs (…/tariffs); empty: nowhere"
    )
    token: str = Field(
        ..., min_length=1, max_length=1000, title="The token that it gave us", format="password"
    )
    raw_token: bool = Field(False, title="It does not Base64-encode tokens (a quirk)")

    _name = validator("name", allow_reuse=True)(_readable)


class OneParty(Parameters):
    party: str = Field(..., min_length=6, max_length=6, title="Party (NL/TNM)")


class Releasing(OneParty):
    peer_id: str | None = Field(
        None, max_length=64, title="Only if this peer holds it (empty: whoever does)"
    )


class Moving(OneParty):
    peer_id: str = _ID


class Resyncing(OnePeer):
    module: str | None = Field(
        None, title="Only one module (empty: all)", enum=["", *PUSHED], max_length=40
    )
    object_id: str | None = Field(
        None, max_length=200, title="Only the object of this id, of that module"
    )


class Switching(OnePeer):
    on: bool = Field(..., title="On")


class Requiring(OnePeer):
    fields_: list[str] = Field([], alias="fields", max_items=50, title="Fields", enum=list(FIELDS))
    profile: str | None = Field(
        None, title="And all that such a platform asks for", enum=["", *PROFILES], max_length=40
    )

    @validator("fields_", pre=True)
    def _words(cls, value: object) -> object:
        return words(value)


class RequiringModules(OnePeer):
    modules: list[str] = Field(
        [],
        max_items=20,
        title="Modules (tokens:SENDER, cdrs:RECEIVER, …); empty: what the specification requires",
    )

    @validator("modules", pre=True)
    def _words(cls, value: object) -> object:
        return words(value)


class OfferingVersions(OnePeer):
    versions: list[str] = Field(
        [],
        max_items=20,
        title="Versions of OCPI; none: whatever the platform offers",
        enum=list(VERSIONS),
    )
    lock_out: bool = Field(
        False, title="Also when it speaks another one now, and is not served any more"
    )

    @validator("versions", pre=True)
    def _words(cls, value: object) -> object:
        return words(value)


class GivingGroups(OnePeer):
    groups: list[str] = Field([], max_items=100, title="Groups; empty: all locations")

    @validator("groups", pre=True)
    def _words(cls, value: object) -> object:
        return words(value)


class Quirk(OnePeer):
    name: str = Field(..., title="Quirk", enum=list(DEFAULT_QUIRKS), max_length=40)
    value: str = Field(..., title="on, off, or a number for page_size", max_length=10)


class Clients(OnePeer):
    parties: list[str] = Field(
        ..., max_items=1000, title="Clients (FR/CLI, …), or all", min_items=1
    )

    @validator("parties", pre=True)
    def _words(cls, value: object) -> object:
        return words(value)


class Pulling(OnePeer):
    full: bool = Field(False, title="All of them, not only what changed")
