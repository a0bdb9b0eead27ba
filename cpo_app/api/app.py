"""The API as an app of its own, to be mounted at /api: its OpenAPI lists it alone."""

from __future__ import annotations

from functools import cached_property

import orjson
from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from cpo_app.actions.house import House
from cpo_app.add_routes import add_routes
from cpo_app.api.doing import add_actions
from cpo_app.api.examples import READ
from cpo_app.api.problems import MEDIA_TYPE, PROBLEM, body_of, problem_of
from cpo_app.api.put_files import add_files
from cpo_app.api.reading import add_reading
from cpo_app.api.routes import Identify, route_class
from cpo_app.docs_page import add_docs
from db_interface.json_data import JsonObject

MOUNTED_AT = "/api"
_ALWAYS = {
    "400": "A query parameter that the path does not know",
    "401": "No key or password, or not a good one",
    "429": "Too many wrong keys or passwords: Retry-After",
    "503": "The store cannot be reached: Retry-After",
}
"""What every path may answer."""
_ABOUT = (
    "Everything that is done here is one of the actions that the console and the command line "
    "offer, too. Authenticate with `Authorization: Bearer KEY` (`cpo keys add`), or as a person by "
    "HTTP Basic. Lists come in pages: `{items, next}`; `next` is the `cursor` of the page that "
    "follows. Errors are problems (RFC 9457)."
)


def build_api(house: House, identify: Identify) -> FastAPI:
    """`identify` says who asks, or raises NotTheOperator."""
    app = _Api(
        title="Operator API",
        version="1",
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    router = APIRouter(prefix="/v1", route_class=route_class(identify))
    add_actions(router, house)
    add_reading(router, house)
    add_routes(app, router)
    streaming = APIRouter(prefix="/v1", route_class=route_class(identify, streaming=True))
    add_files(streaming, house)
    add_routes(app, streaming)
    add_docs(app, "/docs", "/openapi.json", "Operator API", mounted_at=MOUNTED_AT)

    @app.get("/openapi.json", include_in_schema=False)
    async def schema() -> Response:
        return Response(app.rendered, media_type="application/json")

    @app.exception_handler(HTTPException)
    async def no_such_path(request: Request, error: Exception) -> Response:
        return problem_of(error)

    return app


def _show_answers(path: str, method: str, answers: JsonObject) -> None:
    if method == "get":
        answers["200"]["content"] = {"application/json": {"example": READ[path]}}
    for status, text in _ALWAYS.items():
        answers.setdefault(status, {"description": text})
    for status, answer in answers.items():
        if status != "200":
            shown = {"$ref": "#/components/schemas/Problem"}
            example = body_of(int(status), answer["description"])
            answer["content"] = {MEDIA_TYPE: {"schema": shown, "example": example}}


class _Api(FastAPI):
    @cached_property
    def rendered(self) -> bytes:
        """Once: anybody may ask for it, as often as he likes."""
        return orjson.dumps(self.openapi())

    def openapi(self) -> JsonObject:
        """With both ways of saying who asks, for the docs' Authorize button, with examples, and
        with every error as the problem that it is."""
        if self.openapi_schema:
            return self.openapi_schema
        schema: JsonObject = super().openapi()
        schema["components"] = {"schemas": {"Problem": PROBLEM}}
        for path, methods in schema["paths"].items():
            for method, operation in methods.items():
                _show_answers(path.removeprefix("/v1"), method, operation["responses"])
        schema["components"]["securitySchemes"] = {
            "key": {"type": "http", "scheme": "bearer"},
            "person": {"type": "http", "scheme": "basic"},
        }
        schema["security"] = [{"key": []}, {"person": []}]
        return schema
