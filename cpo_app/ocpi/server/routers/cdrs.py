"""CDRs, sender interface (OCPI 2.2.1, mod_cdrs)."""

from fastapi import APIRouter, Depends, Request
from py_ocpi.core.crud import Crud
from py_ocpi.core.dependencies import get_crud
from py_ocpi.core.enums import ModuleID
from starlette.responses import Response

from cpo_app.ocpi.server.direct_route import DirectRoute
from cpo_app.ocpi.server.openapi import paged
from cpo_app.ocpi.server.serving import page_of

router = APIRouter(prefix="/cdrs", route_class=DirectRoute)


@router.get("", summary="CDRs of this peer's drivers, in pages", openapi_extra=paged())
async def get_cdrs(request: Request, crud: Crud = Depends(get_crud)) -> Response:
    return await page_of(request, crud, ModuleID.cdrs)
