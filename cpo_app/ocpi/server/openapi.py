"""What the docs page says of requests that the routers read themselves, and of their answers.

Routers take bodies and queries as they come, to answer in the text's way; the schemas shown
here are those of `domain.schemas`, so that the docs cannot drift from what is checked.
"""

from __future__ import annotations

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.schema import schema

from cpo_app.ocpi.server.examples import EXAMPLES
from db_interface.json_data import JsonObject
from domain.schemas import (
    CDR,
    EVSE,
    ChargingPreferencesResponse,
    ChargingProfileResponse,
    ClientInfo,
    CommandResponse,
    Connector,
    Credentials,
    Location,
    Session,
    SetChargingProfile,
    Tariff,
    Token,
    Version,
    VersionDetails,
)
from domain.schemas.commands import COMMAND_REQUESTS
from domain.schemas.sessions import ChargingPreferences

_REF = "#/components/schemas/"
_MODELS: tuple[type[BaseModel], ...] = (
    Version,
    VersionDetails,
    Credentials,
    Location,
    EVSE,
    Connector,
    Session,
    CDR,
    Tariff,
    Token,
    CommandResponse,
    ChargingPreferences,
    SetChargingProfile,
    ChargingProfileResponse,
    ClientInfo,
    *COMMAND_REQUESTS.values(),
)
_ANSWERS: dict[str, type[BaseModel] | list[type[BaseModel]]] = {
    "get versions": [Version],
    "get details": VersionDetails,
    "get credentials": Credentials,
    "post credentials": Credentials,
    "put credentials": Credentials,
    "get locations": [Location],
    "get locations/{location_id}": Location,
    "get locations/{location_id}/{evse_uid}": EVSE,
    "get locations/{location_id}/{evse_uid}/{connector_id}": Connector,
    "get sessions": [Session],
    "get cdrs": [CDR],
    "get tariffs": [Tariff],
    "get tokens/{country_code}/{party_id}/{token_uid}": Token,
    "get hubclientinfo/{country_code}/{party_id}": ClientInfo,
}
"""The `data` of an answer, by method and path below the version; one in a list: a list of them."""
_OF_MODULES: dict[str, type[BaseModel]] = {
    "commands": CommandResponse,
    "chargingprofiles": ChargingProfileResponse,
}
_PREFERENCES = "put sessions/{session_id}/charging_preferences"

_PAGE: list[JsonObject] = [
    {"name": "date_from", "description": "last_updated from this DateTime on (inclusive)"},
    {"name": "date_to", "description": "last_updated before this DateTime (exclusive)"},
    {"name": "offset", "description": "The first object returned, from 0"},
    {"name": "limit", "description": "At most so many objects; the server has a cap (X-Limit)"},
]
_INTRODUCTION = """\
The OCPI 2.2.1 interface of a charge point operator, as eMSPs, NSPs and hubs call it.

**Tokens.** The operator invites you and gives you a CREDENTIALS_TOKEN_A: it opens versions,
version details and credentials, no more. You POST your credentials, with a token of yours by
which we call you, and the answer holds the CREDENTIALS_TOKEN_C that opens everything else. Token
A is good for nothing from then on.

A token is sent as `Authorization: Token ` and its **Base64**. To try requests on this page,
choose *Authorize* and enter all of that: `Token dG9rZW4=` for the token `token`. Without an OCPI
server of your own, `cpo emsp --stay --show-token` shakes hands and lends you its token C.

Every answer is one envelope: `status_code` 1000 to 1999 is success, 2000 to 2999 is the request's
fault, 3000 to 3999 ours. Lists come in pages: follow the `Link` header until there is none.
"""


def paged(*, from_date: bool = False) -> JsonObject:
    """The paging parameters, for `openapi_extra`; `from_date`: date_from is required."""
    return {
        "parameters": [
            {
                **row,
                "in": "query",
                "required": from_date and row["name"] == "date_from",
                "schema": {"type": "string"},
            }
            for row in _PAGE
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
    """The body's schema, for `openapi_extra`; `model` is one that `describe` shows."""
    if model not in _MODELS:
        raise ValueError(f"{model.__name__} is not among the models of the docs")
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _reference(model)}},
        }
    }


def describe(app: FastAPI, prefix: str) -> None:
    """Let the docs page speak of OCPI alone: grouped by module, with schemas, examples, and a
    field for the Authorization header."""
    make = app.openapi

    def openapi() -> JsonObject:
        document = make()
        document["info"]["description"] = _INTRODUCTION
        document["paths"] = {
            path: _operations(path.removeprefix(f"/{prefix}/"), operations)
            for path, operations in document["paths"].items()
            if path.startswith(f"/{prefix}/")
        }
        shown = schema(_MODELS, ref_prefix=_REF)["definitions"]
        for name, example in EXAMPLES.items():
            shown[name]["example"] = example
        document["components"] = {
            "schemas": shown,
            "securitySchemes": {
                "Token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "`Token ` and the credentials token in Base64",
                }
            },
        }
        document["security"] = [{"Token": []}]
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _operations(path: str, operations: JsonObject) -> JsonObject:
    """The operations of a path, "cpo/2.2.1/locations" or "versions", with what they answer."""
    below = path.removeprefix("cpo/2.2.1/").removeprefix("2.2.1/")
    module = below.partition("/")[0]
    for method, operation in operations.items():
        operation["tags"] = ["versions" if module == "details" else module]
        operation["responses"] = {
            "200": _answer("Success", _data(method, below, module)),
            "401": _answer("No token, or one that is not good for this", None),
        }
    return operations


def _data(method: str, below: str, module: str) -> JsonObject | None:
    """The schema of an answer's `data`; None where it has none."""
    called = f"{method} {below}"
    if called == _PREFERENCES:
        return {"type": "string", "enum": [value.value for value in ChargingPreferencesResponse]}
    answer = _ANSWERS.get(called, _OF_MODULES.get(module))
    if isinstance(answer, list):
        return {"type": "array", "items": _reference(answer[0])}
    return None if answer is None else _reference(answer)


def _answer(description: str, data: JsonObject | None) -> JsonObject:
    envelope: JsonObject = {
        "type": "object",
        "required": ["status_code", "timestamp"],
        "properties": {
            **({} if data is None else {"data": data}),
            "status_code": {"type": "integer", "example": 1000 if data else 2001},
            "status_message": {"type": "string"},
            "timestamp": {"type": "string", "format": "date-time"},
        },
    }
    return {"description": description, "content": {"application/json": {"schema": envelope}}}


def _reference(model: type[BaseModel]) -> JsonObject:
    return {"$ref": f"{_REF}{model.__name__}"}
