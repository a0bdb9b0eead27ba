"""What the docs page says of requests that the routers read themselves, and of their answers.

Routers take bodies and queries as they come, to answer in the text's way; the schemas shown
here are the versions' own models, so that the docs cannot drift from what is checked.
"""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from fastapi import FastAPI
from pydantic.schema import schema

from cpo_app.ocpi.server.examples import EXAMPLES
from db_interface.json_data import JsonObject
from domain.schemas import ChargingPreferencesResponse
from domain.versions import INNER_VERSION, Context, ObjectKind, OcpiVersion, Unconvertible

_COMPONENTS = "#/components/schemas/"
_KIND = "kind:"
"""A reference to an object of whatever version the operation is of, until it is known."""
_ANSWERS: dict[str, ObjectKind | list[ObjectKind]] = {
    "get versions": [ObjectKind.VERSION],
    "get details": ObjectKind.VERSION_DETAILS,
    "get credentials": ObjectKind.CREDENTIALS,
    "post credentials": ObjectKind.CREDENTIALS,
    "put credentials": ObjectKind.CREDENTIALS,
    "get locations": [ObjectKind.LOCATION],
    "get locations/{location_id}": ObjectKind.LOCATION,
    "get locations/{location_id}/{evse_uid}": ObjectKind.EVSE,
    "get locations/{location_id}/{evse_uid}/{connector_id}": ObjectKind.CONNECTOR,
    "get sessions": [ObjectKind.SESSION],
    "get cdrs": [ObjectKind.CDR],
    "get tariffs": [ObjectKind.TARIFF],
    "get tokens/{country_code}/{party_id}/{token_uid}": ObjectKind.TOKEN,
    "get hubclientinfo/{country_code}/{party_id}": ObjectKind.CLIENT_INFO,
    "get payments/terminals/{terminal_id}": ObjectKind.TERMINAL,
    "get payments/financial-advice-confirmations/{confirmation_id}": (
        ObjectKind.FINANCIAL_ADVICE_CONFIRMATION
    ),
}
"""The `data` of an answer, by method and path below the version; one in a list: a list of them."""
_OF_MODULES: dict[str, ObjectKind] = {
    "commands": ObjectKind.COMMAND_RESPONSE,
    "chargingprofiles": ObjectKind.CHARGING_PROFILE_RESPONSE,
}
_PREFERENCES = "put sessions/{session_id}/charging_preferences"
_SHOWN = frozenset(
    {
        ObjectKind.VERSION,
        ObjectKind.VERSION_DETAILS,
        ObjectKind.CREDENTIALS,
        ObjectKind.LOCATION,
        ObjectKind.EVSE,
        ObjectKind.CONNECTOR,
        ObjectKind.SESSION,
        ObjectKind.CDR,
        ObjectKind.TARIFF,
        ObjectKind.TOKEN,
        ObjectKind.RESERVE_NOW,
        ObjectKind.CANCEL_RESERVATION,
        ObjectKind.START_SESSION,
        ObjectKind.STOP_SESSION,
        ObjectKind.UNLOCK_CONNECTOR,
        ObjectKind.COMMAND_RESPONSE,
        ObjectKind.CHARGING_PREFERENCES,
        ObjectKind.SET_CHARGING_PROFILE,
        ObjectKind.CHARGING_PROFILE_RESPONSE,
        ObjectKind.CLIENT_INFO,
        ObjectKind.TERMINAL,
        ObjectKind.FINANCIAL_ADVICE_CONFIRMATION,
    }
)
"""What passes at our own endpoints."""

_PAGE: list[JsonObject] = [
    {"name": "date_from", "description": "last_updated from this DateTime on (inclusive)"},
    {"name": "date_to", "description": "last_updated before this DateTime (exclusive)"},
    {"name": "offset", "description": "The first object returned, from 0"},
    {"name": "limit", "description": "At most so many objects; the server has a cap (X-Limit)"},
]
_INTRODUCTION = """\
The OCPI interface of a charge point operator, as eMSPs, NSPs and hubs call it.

**Tokens.** The operator invites you and gives you a CREDENTIALS_TOKEN_A: it opens versions,
version details and credentials, no more. You POST your credentials, with a token of yours by
which we call you, and the answer holds the CREDENTIALS_TOKEN_C that opens everything else. Token
A is good for nothing from then on.

A token is sent as `Authorization: Token ` and its **Base64** (in OCPI 2.1.1: the token as it is).
To try requests on this page, choose *Authorize* and enter all of that: `Token dG9rZW4=` for the
token `token`. Without an OCPI server of your own, `cpo emsp --stay --show-token` shakes hands and
lends you its token C.

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


def body(kind: ObjectKind) -> JsonObject:
    """The body's schema, for `openapi_extra`: the object as the route's version has it. A version
    that has no such object has no such route."""
    if kind not in _SHOWN:
        raise ValueError(f"{kind.value} is not among the objects of the docs")
    return {
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": f"{_KIND}{kind.value}"}}},
        }
    }


def kind_of_body(route: object) -> ObjectKind | None:
    """What `body` has said of a route."""
    said: JsonObject = getattr(route, "openapi_extra", None) or {}
    if "requestBody" not in said:
        return None
    reference: str = said["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    return ObjectKind(reference.removeprefix(_KIND))


def describe(app: FastAPI, prefix: str, offered: Sequence[OcpiVersion]) -> None:
    """Let the docs page speak of OCPI alone: grouped by version and module, with schemas, examples,
    and a field for the Authorization header."""
    make = app.openapi

    def openapi() -> JsonObject:
        if app.openapi_schema:
            return app.openapi_schema  # made before: FastAPI keeps the very object that we change
        document = make()
        document["info"]["description"] = _INTRODUCTION
        document["paths"] = {
            path: _operations(path.removeprefix(f"/{prefix}/"), operations, offered)
            for path, operations in document["paths"].items()
            if path.startswith(f"/{prefix}/")
        }
        shown: JsonObject = {}
        for version in offered:
            shown |= _schemas(version)
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


def _schemas(version: OcpiVersion) -> JsonObject:
    """The schemas of a version's objects with an example of each, by their names in the docs."""
    models = {
        kind: version.models[kind] for kind in ObjectKind if kind in _SHOWN & {*version.models}
    }
    prefix = _prefix(version)
    found = schema(list(models.values()), ref_prefix=f"{_COMPONENTS}{prefix}")["definitions"]
    for kind, model in models.items():
        example = example_of(version, kind)
        if example is not None:
            found[model.__name__]["example"] = example
    return {f"{prefix}{name}": definition for name, definition in found.items()}


def example_of(version: OcpiVersion, kind: ObjectKind) -> JsonObject | None:
    """The example of an object in that version; None where there is nothing to be said in it."""
    shown = orjson.dumps(EXAMPLES[version.models[kind].__name__]).decode()
    inner: JsonObject = orjson.loads(shown.replace(INNER_VERSION.number, version.number))
    try:
        return version.render(kind, inner, Context(location=EXAMPLES["Location"])).object
    except Unconvertible:
        return None


def _prefix(version: OcpiVersion) -> str:
    return "" if version is INNER_VERSION else f"{version.key}_"


def _operations(path: str, operations: JsonObject, offered: Sequence[OcpiVersion]) -> JsonObject:
    """The operations of a path, "cpo/2.2.1/locations" or "versions", with what they answer."""
    version = next((each for each in offered if each.number in path.split("/")[:2]), INNER_VERSION)
    below = path.removeprefix("cpo/").removeprefix(f"{version.number}/")
    module = below.partition("/")[0]
    tag = "versions" if module == "details" else module
    if len(offered) > 1 and tag != "versions":
        tag = f"{version.number} {tag}"
    for method, operation in operations.items():
        operation["tags"] = [tag]
        if "requestBody" in operation:
            content = operation["requestBody"]["content"]["application/json"]
            kind = ObjectKind(content["schema"]["$ref"].removeprefix(_KIND))
            operation["requestBody"]["content"] = {
                "application/json": {"schema": _reference(version, kind)}
            }
        operation["responses"] = {
            "200": _answer("Success", _data(version, method, below, module)),
            "401": _answer("No token, or one that is not good for this", None),
        }
    return operations


def _data(version: OcpiVersion, method: str, below: str, module: str) -> JsonObject | None:
    """The schema of an answer's `data`; None where it has none."""
    called = f"{method} {below}"
    if called == _PREFERENCES:
        return {"type": "string", "enum": [value.value for value in ChargingPreferencesResponse]}
    answer = _ANSWERS.get(called, _OF_MODULES.get(module))
    if isinstance(answer, list):
        return {"type": "array", "items": _reference(version, answer[0])}
    return None if answer is None else _reference(version, answer)


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


def _reference(version: OcpiVersion, kind: ObjectKind) -> JsonObject:
    return {"$ref": f"{_COMPONENTS}{_prefix(version)}{version.models[kind].__name__}"}
