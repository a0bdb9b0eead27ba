"""HubClientInfo, receiver interface (OCPI 2.2.1, mod_hub_client_info 14.3.1)."""

from fastapi import APIRouter, Depends, Request
from py_ocpi.core.crud import Crud
from py_ocpi.core.dependencies import get_crud
from py_ocpi.core.enums import ModuleID
from starlette.responses import Response

from cpo_app.ocpi.server.context import caller_of
from cpo_app.ocpi.server.openapi import body
from cpo_app.ocpi.server.quick_route import QuickRoute
from cpo_app.ocpi.server.serving import CPO, crud_keywords, done, object_of, one, same_as_url
from domain.errors import InvalidParameters, NotFound
from domain.versions import ObjectKind

router = APIRouter(prefix="/hubclientinfo", route_class=QuickRoute)
_PATH = "/{country_code}/{party_id}"


@router.get(_PATH, summary="What we hold of a party connected to this hub")
async def get_client_info(
    request: Request, country_code: str, party_id: str, crud: Crud = Depends(get_crud)
) -> Response:
    info = await crud.get(
        ModuleID.hub_client_info,
        CPO,
        None,
        country_code=country_code,
        party_id=party_id,
        **crud_keywords(request),
    )
    if info is None:
        raise NotFound(f"No ClientInfo of {country_code}/{party_id}")
    return one(info)


@router.put(
    _PATH,
    summary="Keep what the hub says of a party",
    openapi_extra=body(ObjectKind.CLIENT_INFO),
)
async def put_client_info(
    request: Request, country_code: str, party_id: str, crud: Crud = Depends(get_crud)
) -> Response:
    if not caller_of(request).peer.is_hub:
        raise InvalidParameters("ClientInfo is a hub's to send, and your roles name no HUB")
    info = await object_of(request, ObjectKind.CLIENT_INFO)
    same_as_url(info, country_code=country_code, party_id=party_id)
    outcome = await crud.create(ModuleID.hub_client_info, CPO, info, **crud_keywords(request))
    return done(created=outcome == "created")
