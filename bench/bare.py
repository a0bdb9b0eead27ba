"""The upper bound: a bare Starlette app that joins stored bytes out of Motor, and nothing else.

No token, no parameters checked, no count, no headers of OCPI: what is left is the price of one
query, one connection and one answer. It reads the collection that our app reads.
"""

from __future__ import annotations

import os
from typing import Any

from motor.motor_asyncio import AsyncIOMotorClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


def create_app() -> Starlette:
    documents: Any = AsyncIOMotorClient(os.environ["CPO_MONGO_URL"])[os.environ["BENCH_DATABASE"]][
        "locations"
    ]
    shown = {"_id": 0, "raw": 1}

    async def page(request: Request) -> Response:
        """`after` is the seq behind which the page begins."""
        query = {"seq": {"$gt": int(request.query_params["after"])}}
        limit = int(request.query_params["limit"])
        found = documents.find(query, shown).sort("seq", 1).limit(limit).batch_size(limit)
        raws = [document["raw"] for document in await found.to_list(limit)]
        return Response(b'{"data":[' + b",".join(raws) + b"]}", media_type="application/json")

    async def one(request: Request) -> Response:
        document = await documents.find_one({"lid": request.path_params["id"]}, shown)
        return Response(b'{"data":' + document["raw"] + b"}", media_type="application/json")

    return Starlette(routes=[Route("/locations", page), Route("/locations/{id}", one)])
