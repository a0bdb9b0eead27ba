"""Tokens, receiver interface (OCPI 2.2.1, mod_tokens 12.2.1)."""

from fastapi import APIRouter, Depends, Request
from py_ocpi.core.crud import Crud
from py_ocpi.core.dependencies import get_crud
from py_ocpi.core.enums import ModuleID
from starlette.responses import Response

from cpo_app.ocpi.server.context import context_of
from cpo_app.ocpi.server.openapi import body, query
from cpo_app.ocpi.server.quick_route import QuickRoute
from cpo_app.ocpi.server.serving import (
    CPO,
    body_of,
    crud_keywords,
    done,
    object_of,
    one,
    own_party,
    same_as_url,
)
from db_interface.json_data import JsonObject
from domain.errors import InvalidParameters, UnknownToken
from domain.versions import ObjectKind

router = APIRouter(prefix="/tokens", route_class=QuickRoute)
_PATH = "/{country_code}/{party_id}/{token_uid}"
_TYPE = query("type", "TokenType, RFID when left out")
_BODY = {**body(ObjectKind.TOKEN), **_TYPE}
_DEFAULT_TYPE = "RFID"


@router.get(_PATH, summary="A Token of this peer as we have it", openapi_extra=_TYPE)
async def get_token(
    request: Request,
    country_code: str,
    party_id: str,
    token_uid: str,
    crud: Crud = Depends(get_crud),
) -> Response:
    token = await crud.get(
        ModuleID.tokens, CPO, token_uid, **await _named(request, country_code, party_id)
    )
    if token is None:
        raise UnknownToken(f"Unknown Token {token_uid}")
    return one(token)


@router.put(_PATH, summary="Keep a Token of this peer", openapi_extra=_BODY)
async def put_token(
    request: Request,
    country_code: str,
    party_id: str,
    token_uid: str,
    crud: Crud = Depends(get_crud),
) -> Response:
    named = await _named(request, country_code, party_id)
    token = await object_of(request, ObjectKind.TOKEN)
    same_as_url(token, country_code=country_code, party_id=party_id, uid=token_uid)
    if named["token_type"] is not None:
        same_as_url(token, type=named["token_type"])
    outcome = await crud.create(ModuleID.tokens, CPO, token, **named)
    return done(created=outcome == "created")


@router.patch(_PATH, summary="Change a Token of this peer", openapi_extra=_BODY)
async def patch_token(
    request: Request,
    country_code: str,
    party_id: str,
    token_uid: str,
    crud: Crud = Depends(get_crud),
) -> Response:
    named = await _named(request, country_code, party_id)
    await crud.update(ModuleID.tokens, CPO, await body_of(request), token_uid, **named)
    return done()


async def _named(request: Request, country_code: str, party_id: str) -> JsonObject:
    """The Crud keywords with the token's party and type, once both are found right; the type is
    None in a version whose URLs do not name it."""
    await own_party(request, country_code, party_id)
    return {
        **crud_keywords(request),
        "country_code": country_code,
        "party_id": party_id,
        "token_type": _type_of(request),
    }


def _type_of(request: Request) -> str | None:
    version = context_of(request).version
    if not version.description.tokens_have_types_in_urls:
        return None
    text = request.query_params.get("type", _DEFAULT_TYPE)
    _, unknown = version.models[ObjectKind.TOKEN].__fields__["type"].validate(text, {}, loc="type")
    if unknown:
        raise InvalidParameters(f"type: {text[:30]!r} is not a TokenType")
    return text
