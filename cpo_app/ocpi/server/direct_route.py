"""A route that calls its endpoint straight, for endpoints that take only what we hand them.

FastAPI works out an endpoint's arguments afresh for every request, and runs the library's plain
`get_crud` override in a thread: more than all the rest of a read. An endpoint whose parameters
are the request, texts of the path and the Crud needs none of that; any other kind of endpoint is
left to FastAPI. The route stands in the docs as every other does.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine

from py_ocpi.core.dependencies import get_crud
from starlette.requests import Request
from starlette.responses import Response

from cpo_app.ocpi.server.quick_route import QuickRoute
from db_interface.json_data import JsonObject

_Handler = Callable[[Request], Coroutine[object, object, Response]]


class DirectRoute(QuickRoute):
    """`APIRouter(route_class=DirectRoute)`; endpoints return a Response."""

    is_straight = False
    """Whether its endpoint is called so, or left to FastAPI."""

    def get_route_handler(self) -> _Handler:
        parameters = inspect.signature(self.endpoint).parameters
        crud_names = [
            name
            for name, parameter in parameters.items()
            if getattr(parameter.default, "dependency", None) is get_crud
        ]
        rest = set(parameters) - set(crud_names) - {"request"}
        if "request" not in parameters or rest != set(self.param_convertors):
            return super().get_route_handler()
        endpoint = self.endpoint
        self.is_straight = True

        async def handle(request: Request) -> Response:
            arguments: JsonObject = dict(request.path_params)
            if crud_names:
                # The library's contract: get_application() puts the Crud behind this override.
                crud = request.app.dependency_overrides[get_crud]()
                arguments.update(dict.fromkeys(crud_names, crud))
            response: Response = await endpoint(request, **arguments)
            return response

        return handle
