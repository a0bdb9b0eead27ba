"""A route whose endpoint is read when the first request comes for it, not when the app is built.

FastAPI reads each endpoint's signature and makes models of it: nearly all of what building an app
of some hundreds of routes takes, of which many are never asked for. A millisecond a route, once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from fastapi.routing import APIRoute
from starlette.routing import compile_path, get_name


class LateRoute(APIRoute):
    """`APIRouter(route_class=LateRoute)`. Until it is read it knows what a route is found by: its
    path, methods and name; whatever else is asked of it has it read."""

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., object],
        *,
        methods: Iterable[str] | None = None,
        name: str | None = None,
        **given: object,
    ) -> None:
        self.methods = {method.upper() for method in methods or ("GET",)}
        self.name = get_name(endpoint) if name is None else name

        def read() -> None:
            APIRoute.__init__(
                *(self, path, endpoint),
                methods=self.methods,
                name=self.name,
                **given,  # type: ignore[arg-type]
            )

        self._read: Callable[[], None] | None = read
        self.path = path
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self.endpoint = endpoint

    def __getattr__(self, name: str) -> object:
        """Asked for what is not there."""
        read = self.__dict__.get("_read")
        if read is None:
            raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
        self._read = None
        read()
        return getattr(self, name)
