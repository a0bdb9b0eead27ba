"""Sessions, sender interface (OCPI 2.2.1, mod_sessions 9.2.1)."""

from fastapi import APIRouter, Depends, Request
from py_ocpi.core.crud import Crud
from py_ocpi.core.dependencies import get_crud
from py_ocpi.core.enums import ModuleID
from starlette.responses import Response

from cpo_app.ocpi.server.direct_route import DirectRoute
from cpo_app.ocpi.server.openapi import body, paged
from cpo_app.ocpi.server.serving import CPO, crud_keywords, object_of, one, page_of
from domain.errors import InvalidParameters, NotFound
from domain.versions import ObjectKind

router = APIRouter(prefix="/sessions", route_class=DirectRoute)


@router.get(
    "", summary="Sessions of this peer's drivers, in pages", openapi_extra=paged(from_date=True)
)
async def get_sessions(request: Request, crud: Crud = Depends(get_crud)) -> Response:
    if "date_from" not in request.query_params:
        raise InvalidParameters("date_from: is required for sessions")
    return await page_of(request, crud, ModuleID.sessions)


@router.put(
    "/{session_id}/charging_preferences",
    summary="How a driver wants to charge",
    openapi_extra=body(ObjectKind.CHARGING_PREFERENCES),
)
async def put_charging_preferences(
    request: Request, session_id: str, crud: Crud = Depends(get_crud)
) -> Response:
    preferences = await object_of(request, ObjectKind.CHARGING_PREFERENCES)
    result = await crud.update(
        ModuleID.sessions, CPO, preferences, session_id, **crud_keywords(request)
    )
    if result is None:
        raise NotFound(f"Unknown Session {session_id}")
    return one(result)
