"""Commands, receiver interface (OCPI 2.2.1, mod_commands 13.2.1)."""

from fastapi import APIRouter, Depends, Request
from py_ocpi.core.crud import Crud
from py_ocpi.core.dependencies import get_crud
from py_ocpi.core.enums import Action, ModuleID
from starlette.responses import Response

from cpo_app.ocpi.server.openapi import body
from cpo_app.ocpi.server.quick_route import QuickRoute
from cpo_app.ocpi.server.serving import CPO, crud_keywords, object_of, one
from domain.schemas import COMMAND_REQUESTS
from domain.versions import ObjectKind

router = APIRouter(prefix="/commands", route_class=QuickRoute)


def _add(command: str) -> None:
    kind = ObjectKind(command.lower())

    @router.post(f"/{command}", summary=f"{command} at one of our EVSEs", openapi_extra=body(kind))
    async def post_command(request: Request, crud: Crud = Depends(get_crud)) -> Response:
        data = await object_of(request, kind)
        return one(
            await crud.do(
                ModuleID.commands,
                CPO,
                Action.send_command,
                data=data,
                command=command,
                response_url=data["response_url"],
                **crud_keywords(request),
            )
        )


for _command in COMMAND_REQUESTS:
    _add(_command)
