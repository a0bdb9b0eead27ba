"""What all routers share: a page, one object, a body, the keywords of the Crud contract.

Objects that are already rendered pass as bytes; whatever another Crud returns is made plain.
"""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import orjson
from py_ocpi.core.crud import Crud
from py_ocpi.core.enums import ModuleID, RoleEnum
from py_ocpi.modules.versions.enums import VersionNumber
from starlette.requests import Request
from starlette.responses import Response

from auth.authenticator import OcpiAuthenticator
from cpo_app.ocpi.server.context import caller_of, context_of
from cpo_app.ocpi.server.envelope import answer
from cpo_app.paging import page_headers, page_parameters
from cpo_app.settings import Settings
from db_interface.json_data import JsonMapping, JsonObject
from domain.errors import InvalidParameters, MalformedJson, UnknownParty
from domain.rendered import Listing
from domain.schemas import SchemaError, validate
from domain.versions import ObjectKind
from domain.visibility import Reader

CPO = RoleEnum.cpo
_UTC = orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z


def settings_of(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


def query_of(request: Request) -> dict[str, str]:
    """The query's parameters; of a repeated one the last counts."""
    text = request.scope["query_string"].decode("latin-1")
    if "%" in text or "+" in text:
        return dict(parse_qsl(text, keep_blank_values=True))
    # Nothing is escaped, as in the Links that we hand out: the same, without looking for it.
    pairs = (part.partition("=") for part in text.split("&") if part)
    return {name: value for name, _, value in pairs}


@cache
def library_number(number: str) -> str:
    """The version as the library names it; one that it does not know by its number."""
    try:
        known: str = VersionNumber(number)
    except ValueError:
        return number
    return known


def crud_keywords(request: Request) -> JsonObject:
    """What every Crud call gets: the library's keywords, and ours: who asks for what, and `form`,
    the version that objects come and go in."""
    caller, context = caller_of(request), context_of(request)
    return {
        "auth_token": caller.token,
        "version": library_number(context.version.number),
        "form": context.version,
        "reader": Reader.of(
            caller.peer.settings, context.senders, context.audiences, context.version
        ),
        "owners": context.owners,
        "peer_id": caller.peer.peer_id,
        "correlation_id": context.correlation_id,
    }


async def page_of(request: Request, crud: Crud, module: ModuleID) -> Response:
    """One page of a module's list, with its paging headers."""
    settings = settings_of(request)
    cap = caller_of(request).peer.quirks.get("page_size") or settings.CPO_PAGE_LIMIT_MAX
    parameters = page_parameters(query_of(request), settings.CPO_PAGE_LIMIT, cap)
    objects, total, is_last = await crud.list(
        module, CPO, parameters.filters(), **crud_keywords(request)
    )
    headers = page_headers(
        parameters,
        url=settings.base_url + request.scope["path"],
        total=total,
        cap=cap,
        is_last=is_last,
        last_seq=objects.last_seq if isinstance(objects, Listing) else None,
        as_of=objects.as_of if isinstance(objects, Listing) else None,
    )
    # A Listing is rendered already; another Crud's list is not.
    ready = objects if isinstance(objects, Listing) else [rendered(each) for each in objects]
    return answer(ready, message="Success", headers=headers)


def one(data: object) -> Response:
    """A single object."""
    return answer(rendered(data), message="Success")


def done(created: bool = False) -> Response:
    """A write that was carried out: 201 for a new object; the specification advises no data."""
    return answer(http_status=201 if created else 200, message="Success")


def rendered(data: object) -> bytes:
    """JSON bytes of anything a Crud returns; fields without value are left out."""
    if isinstance(data, bytes):
        return data
    if hasattr(data, "dict"):
        data = data.dict()
    return orjson.dumps(_without_nulls(data), default=str, option=_UTC)


async def body_of(request: Request) -> Any:
    """The request's body as plain data; raises MalformedJson."""
    try:
        return orjson.loads(await request.body())
    except orjson.JSONDecodeError as error:
        raise MalformedJson(f"The body is not valid JSON: {error}") from error


async def object_in(request: Request) -> JsonObject:
    """The body as an object, whatever its fields. Raises MalformedJson, SchemaError."""
    given = await body_of(request)
    if not isinstance(given, dict):
        raise SchemaError([("", "value is not an object")])
    return given


async def object_of(request: Request, kind: ObjectKind) -> JsonObject:
    """The body as an object of the request's version. Raises MalformedJson, SchemaError."""
    return validate(context_of(request).version.models[kind], await body_of(request))


async def own_party(request: Request, country_code: str, party_id: str) -> None:
    """Raises UnknownParty unless the party in the URL is one of the caller's."""
    authenticator: OcpiAuthenticator = request.app.state.authenticator
    party = f"{country_code}*{party_id}".lower()
    if not await authenticator.may_speak_for(caller_of(request).peer, party):
        raise UnknownParty(f"{country_code}/{party_id} is none of your credentials' roles")


def same_as_url(data: JsonMapping, **url: str) -> None:
    """Raises InvalidParameters when a field is unlike the URL's (ids ignore case). What the object
    does not have in this version, it cannot say otherwise."""
    for name, value in url.items():
        if name in data and str(data.get(name)).lower() != value.lower():
            raise InvalidParameters(f"{name}: is not the one in the URL")


def _without_nulls(data: object) -> Any:
    if isinstance(data, dict):
        return {name: _without_nulls(value) for name, value in data.items() if value is not None}
    if isinstance(data, list):
        return [_without_nulls(value) for value in data]
    return data
