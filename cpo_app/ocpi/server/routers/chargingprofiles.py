"""ChargingProfiles, receiver interface (OCPI 2.2.1, mod_charging_profiles 15.3.1)."""

from fastapi import APIRouter, Depends, Request
from py_ocpi.core.crud import Crud
from py_ocpi.core.dependencies import get_crud
from py_ocpi.core.enums import Action, ModuleID
from starlette.responses import Response

from cpo_app.ocpi.server.openapi import body, query
from cpo_app.ocpi.server.quick_route import QuickRoute
from cpo_app.ocpi.server.serving import CPO, crud_keywords, object_of, one
from domain.errors import InvalidParameters
from domain.schemas.types import Url
from domain.versions import ObjectKind

router = APIRouter(prefix="/chargingprofiles", route_class=QuickRoute)
_RESPONSE_URL = query("response_url", "Where the result is to be sent", required=True)


@router.get(
    "/{session_id}",
    summary="The ActiveChargingProfile of a session, for a duration",
    openapi_extra={
        "parameters": [
            *query("duration", "Seconds, from now on", required=True)["parameters"],
            *_RESPONSE_URL["parameters"],
        ]
    },
)
async def get_charging_profile(
    request: Request, session_id: str, crud: Crud = Depends(get_crud)
) -> Response:
    return await _do(
        request,
        crud,
        Action.send_get_chargingprofile,
        session_id,
        response_url=_response_url(request),
        duration=_duration(request),
    )


@router.put(
    "/{session_id}",
    summary="Limit the power of a session",
    openapi_extra=body(ObjectKind.SET_CHARGING_PROFILE),
)
async def put_charging_profile(
    request: Request, session_id: str, crud: Crud = Depends(get_crud)
) -> Response:
    data = await object_of(request, ObjectKind.SET_CHARGING_PROFILE)
    return await _do(
        request,
        crud,
        Action.send_update_charging_profile,
        session_id,
        response_url=data["response_url"],
        charging_profile=data["charging_profile"],
    )


@router.delete(
    "/{session_id}", summary="Take the limit of a session back", openapi_extra=_RESPONSE_URL
)
async def delete_charging_profile(
    request: Request, session_id: str, crud: Crud = Depends(get_crud)
) -> Response:
    return await _do(
        request,
        crud,
        Action.send_delete_chargingprofile,
        session_id,
        response_url=_response_url(request),
    )


async def _do(
    request: Request, crud: Crud, action: Action, session_id: str, **named: object
) -> Response:
    return one(
        await crud.do(
            ModuleID.charging_profile,
            CPO,
            action,
            data=None,
            session_id=session_id,
            **named,
            **crud_keywords(request),
        )
    )


def _response_url(request: Request) -> str:
    try:
        return Url.check(request.query_params["response_url"])
    except KeyError as error:
        raise InvalidParameters("response_url: is required") from error
    except ValueError as error:
        raise InvalidParameters(f"response_url: {error}") from error


def _duration(request: Request) -> int:
    text = request.query_params.get("duration", "")
    if not (text.isascii() and text.isdigit()) or not 0 < len(text) < 9 or int(text) < 1:
        raise InvalidParameters("duration: is required, whole seconds from 1 on")
    return int(text)
