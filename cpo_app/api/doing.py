"""The actions (cpo_app/actions), each as a POST: the path's fields and a JSON object of the others.

The answer is what came of it, with `said`: the same words as on the console.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import orjson
from fastapi import APIRouter, Request, Response

from cpo_app.actions.action import AnyAction, Refused, check_role, named_by_path, perform
from cpo_app.actions.catalog import all_actions
from cpo_app.actions.house import House
from cpo_app.api.examples import PARAMETERS, done, told
from cpo_app.api.routes import answered
from db_interface.json_data import JsonObject

_IN_PATH = re.compile(r"\{(\w+)\}")
_ANSWERS = {
    403: "Not for this role",
    404: "What it is about is not there",
    409: "Not possible as things are",
    422: "A parameter is wrong",
    424: "A peer would not",
}


def add_actions(router: APIRouter, house: House) -> None:
    for action in all_actions():
        router.add_api_route(
            action.path,
            _endpoint(house, action),
            methods=["POST"],
            name=action.name,
            operation_id=action.name,
            summary=action.title,
            description=f"{action.meaning}\n\nNeeds the role **{action.needs.value}**.",
            tags=[action.name.partition(".")[0]],
            openapi_extra=_shape(action),
            responses={
                200: {
                    "description": "Done",
                    "content": {"application/json": {"example": done(action)}},
                },
                **{code: {"description": text} for code, text in _ANSWERS.items()},
            },
        )


def _endpoint(house: House, action: AnyAction) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        # Before anything is read: who may not do it hears that alone.
        await check_role(house, action, named_by_path(request.path_params))
        given = {**await _body(request), **request.path_params}
        result = await perform(house, action, action.parameters.parse_obj(given))
        return answered({**result, "said": action.said(result.get("outcome"))})

    return endpoint


async def _body(request: Request) -> JsonObject:
    raw = await request.body()
    if not raw.strip():
        return {}
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise Refused(422, "body: not valid JSON") from None
    if not isinstance(found, dict):
        raise Refused(422, "body: not an object")
    return found


def _shape(action: AnyAction) -> JsonObject:
    """Of the parameters, for the docs."""
    schema = action.parameters.schema()
    in_path = _IN_PATH.findall(action.path)
    fields = schema["properties"]
    body = {
        "type": "object",
        "properties": {name: field for name, field in fields.items() if name not in in_path},
        "required": [name for name in schema.get("required", ()) if name not in in_path],
    }
    shape: JsonObject = {
        "x-action": action.name,
        "x-role": action.needs.value,
        "parameters": [
            {
                "name": name,
                "in": "path",
                "required": True,
                "schema": {"type": "string"},
                "example": PARAMETERS[name],
            }
            for name in in_path
        ],
    }
    if body["properties"]:
        if not body["required"]:
            del body["required"]
        example = {name: value for name, value in told(action).items() if name not in in_path}
        content = {"schema": body, "example": example}
        shape["requestBody"] = {"content": {"application/json": content}}
    return shape
