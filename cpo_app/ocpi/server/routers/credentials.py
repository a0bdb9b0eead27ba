"""Credentials, as receiver (OCPI 2.2.1, credentials 7.2)."""

from fastapi import APIRouter, Depends, Request
from py_ocpi.core.crud import Crud
from py_ocpi.core.dependencies import get_crud
from py_ocpi.core.enums import ModuleID
from starlette.responses import Response

from cpo_app.ocpi.server.context import caller_of
from cpo_app.ocpi.server.openapi import body
from cpo_app.ocpi.server.quick_route import QuickRoute
from cpo_app.ocpi.server.serving import CPO, crud_keywords, done, object_of, one
from domain.errors import MethodNotAllowed
from domain.versions import ObjectKind

router = APIRouter(prefix="/credentials", route_class=QuickRoute)
_MODULE = ModuleID.credentials_and_registration
_BODY = body(ObjectKind.CREDENTIALS)


@router.get("", summary="Our credentials for this peer")
async def get_credentials(request: Request, crud: Crud = Depends(get_crud)) -> Response:
    return one(await crud.get(_MODULE, CPO, caller_of(request).token, **crud_keywords(request)))


@router.post("", summary="Register this peer", openapi_extra=_BODY)
async def post_credentials(request: Request, crud: Crud = Depends(get_crud)) -> Response:
    if caller_of(request).kind == "C":
        raise MethodNotAllowed("Already registered: use PUT to update your credentials")
    given = await object_of(request, ObjectKind.CREDENTIALS)
    return one(await crud.create(_MODULE, CPO, given, **crud_keywords(request)))


@router.put("", summary="New credentials of a registered peer", openapi_extra=_BODY)
async def put_credentials(request: Request, crud: Crud = Depends(get_crud)) -> Response:
    _registered(request)
    given = await object_of(request, ObjectKind.CREDENTIALS)
    return one(
        await crud.update(_MODULE, CPO, given, caller_of(request).token, **crud_keywords(request))
    )


@router.delete("", summary="Unregister this peer")
async def delete_credentials(request: Request, crud: Crud = Depends(get_crud)) -> Response:
    _registered(request)
    await crud.delete(_MODULE, CPO, caller_of(request).token, **crud_keywords(request))
    return done()


def _registered(request: Request) -> None:
    if caller_of(request).kind != "C":
        raise MethodNotAllowed("Not registered yet: use POST to register")
