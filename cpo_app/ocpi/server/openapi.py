"""What the docs page says of requests that the routers read themselves.

Routers take bodies and queries as they come, to answer in the text's way; the schemas shown
here are those of `domain.schemas`, so that the docs cannot drift from what is checked.
"""

from __future__ import annotations

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.schema import schema

from db_interface.json_data import JsonObject

_PAGE: list[JsonObject] = [
    {"name": "date_from", "description": "last_updated from this DateTime on (inclusive)"},
    {"name": "date_to", "description": "last_updated before this DateTime (exclusive)"},
    {"name": "offset", "description": "The first object returned, from 0"},
    {"name": "limit", "description": "At most so many objects; the server has a cap (X-Limit)"},
]


def paged() -> JsonObject:
    """The paging parameters, for `openapi_extra`."""
    return {
        "parameters": [
            {**row, "in": "query", "required": False, "schema": {"type": "string"}} for row in _PAGE
        ]
    }


def query(name: str, description: str, *, required: bool = False) -> JsonObject:
    """One query parameter, for `openapi_extra`."""
    return {
        "parameters": [
            {
                "name": name,
                "in": "query",
                "required": required,
                "description": description,
                "schema": {"type": "string"},
            }
        ]
    }


def body(model: type[BaseModel]) -> JsonObject:
    """The body's schema, for `openapi_extra`."""
    definitions = schema([model], ref_prefix="#/components/schemas/")["definitions"]
    shown = definitions[model.__name__]
    _inline(shown, definitions, depth=6)
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": shown}}}}


def say_how_to_authorize(app: FastAPI) -> None:
    """Let the docs page offer a field for the Authorization header."""
    make = app.openapi

    def openapi() -> JsonObject:
        document = make()
        schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
        schemes["Token"] = {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "`Token ` and the credentials token in Base64",
        }
        document["security"] = [{"Token": []}]
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _inline(node: object, definitions: JsonObject, depth: int) -> None:
    """Replace references by what they mean: FastAPI does not know these models."""
    if isinstance(node, list):
        for part in node:
            _inline(part, definitions, depth)
        return
    if not isinstance(node, dict):
        return
    reference = node.pop("$ref", None)
    if reference is not None:
        node.update(definitions[reference.rsplit("/", 1)[1]] if depth else {"type": "object"})
    for part in list(node.values()):
        _inline(part, definitions, depth - 1)
