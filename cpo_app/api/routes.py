"""How every request to the API is answered: somebody's whom the guard knows, bounded, in time."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Set

import orjson
from fastapi import Request, Response
from fastapi.dependencies.utils import get_flat_dependant
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from cpo_app.api.problems import problem, problem_of
from cpo_app.bounded_body import bounded_body, replayed
from cpo_app.front_door.kept_connections import LONG_BODY_WITHIN_S
from cpo_app.late_route import LateRoute
from cpo_app.log_ids import CORRELATION_HEADER, bound, usable_id
from domain.operators.actor import Actor, acting_as

MAX_BODY_BYTES = 4_000_000
ANSWER_WITHIN_S = 60.0
"""An action may ask a peer, and mark many objects."""

Identify = Callable[[Request], Awaitable[Actor]]
"""Who asks. Raises NotTheOperator."""
Handler = Callable[[Request], Coroutine[object, object, Response]]


def route_class(identify: Identify, *, streaming: bool = False) -> type[APIRoute]:
    """`streaming`: what it is told is read by the endpoint itself, and may take its time."""
    within_s = LONG_BODY_WITHIN_S if streaming else ANSWER_WITHIN_S

    class ApiRoute(LateRoute):
        def get_route_handler(self) -> Handler:
            handle = super().get_route_handler()
            known = _query_names(self)

            async def answer(request: Request) -> Response:
                ids = usable_id(request.headers.get(CORRELATION_HEADER)) or str(uuid.uuid4())
                with bound(correlation_id=ids):
                    response = await in_one_shape(request)
                response.headers[CORRELATION_HEADER] = ids
                response.headers["Cache-Control"] = "no-store"
                return response

            async def in_one_shape(request: Request) -> Response:
                try:
                    with acting_as(await identify(request)):
                        _look_at_query(request, known)
                        if not streaming:
                            body = await bounded_body(request, MAX_BODY_BYTES)
                            request = Request(request.scope, replayed(body))
                        return await asyncio.wait_for(handle(request), within_s)
                except ClientDisconnect:
                    return problem(400, "the request broke off")
                except Exception as error:
                    return problem_of(error)

            return answer

    return ApiRoute


def _query_names(route: APIRoute) -> Set[str]:
    """Those that its function takes, and those that it is documented to read by itself."""
    taken = {field.alias for field in get_flat_dependant(route.dependant).query_params}
    documented = (route.openapi_extra or {}).get("parameters", ())
    return taken | {one["name"] for one in documented if one["in"] == "query"}


def _look_at_query(request: Request, known: Set[str]) -> None:
    """Raises HTTPException for a name that is not known: a filter that was misspelt would filter
    nothing, and nobody would see it."""
    names = [name for name, _ in request.query_params.multi_items()]
    for name in names:
        if name not in known:
            said = f"known are {', '.join(sorted(known))}" if known else "none is known here"
            raise HTTPException(400, f"{name[:40]}: is no query parameter of this path; {said}")
        if names.count(name) > 1:
            raise HTTPException(400, f"{name}: is given more than once")


def answered(data: object, status: int = 200) -> Response:
    """JSON; times in UTC with Z."""
    options = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC | orjson.OPT_NON_STR_KEYS
    return Response(
        orjson.dumps(data, default=str, option=options), status, media_type="application/json"
    )
