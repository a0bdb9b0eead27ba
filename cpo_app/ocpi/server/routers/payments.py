"""Payments, receiver interface (OCPI 2.3.0, mod_payments): a provider's terminals, and what it has
captured for sessions."""

from fastapi import APIRouter, Depends, Request
from py_ocpi.core.crud import Crud
from py_ocpi.core.dependencies import get_crud
from starlette.responses import Response

from cpo_app.ocpi.server.openapi import body
from cpo_app.ocpi.server.quick_route import QuickRoute
from cpo_app.ocpi.server.serving import CPO, crud_keywords, done, object_in, one
from domain.errors import NotFound
from domain.versions import ObjectKind

router = APIRouter(prefix="/payments", route_class=QuickRoute)
_MODULE = "payments"
_TERMINALS, _CONFIRMATIONS = "/terminals", "/financial-advice-confirmations"


@router.get(f"{_TERMINALS}/{{terminal_id}}", summary="A Terminal of this peer as we have it")
async def get_terminal(
    request: Request, terminal_id: str, crud: Crud = Depends(get_crud)
) -> Response:
    return await _one(request, crud, ObjectKind.TERMINAL, terminal_id)


@router.post(
    _TERMINALS,
    summary="Keep a Terminal of this peer; its id alone will do",
    openapi_extra=body(ObjectKind.TERMINAL),
)
async def post_terminal(request: Request, crud: Crud = Depends(get_crud)) -> Response:
    return await _keep(request, crud, ObjectKind.TERMINAL)


@router.get(
    f"{_CONFIRMATIONS}/{{confirmation_id}}",
    summary="A FinancialAdviceConfirmation of this peer as we have it",
)
async def get_confirmation(
    request: Request, confirmation_id: str, crud: Crud = Depends(get_crud)
) -> Response:
    return await _one(request, crud, ObjectKind.FINANCIAL_ADVICE_CONFIRMATION, confirmation_id)


@router.post(
    _CONFIRMATIONS,
    summary="Keep what this peer has captured for a session",
    openapi_extra=body(ObjectKind.FINANCIAL_ADVICE_CONFIRMATION),
)
async def post_confirmation(request: Request, crud: Crud = Depends(get_crud)) -> Response:
    return await _keep(request, crud, ObjectKind.FINANCIAL_ADVICE_CONFIRMATION)


async def _one(request: Request, crud: Crud, kind: ObjectKind, object_id: str) -> Response:
    found = await crud.get(_MODULE, CPO, object_id, kind=kind, **crud_keywords(request))
    if found is None:
        raise NotFound(f"Unknown {kind.value.replace('_', ' ')}")
    return one(found)


async def _keep(request: Request, crud: Crud, kind: ObjectKind) -> Response:
    given = await object_in(request)
    outcome = await crud.create(_MODULE, CPO, given, kind=kind, **crud_keywords(request))
    return done(created=outcome == "created")
