"""A router's routes put onto an app as they are.

`include_router` makes each of them anew, once more for every router that it passes through:
signatures are read and models made again, which was two thirds of what building the app took.
"""

from __future__ import annotations

from fastapi import APIRouter, FastAPI


def add_routes(onto: FastAPI | APIRouter, router: APIRouter) -> None:
    """For a router that has nothing to hand on to its routes but what they got from it when they
    were made (prefix, tags, class): no dependencies, and no handlers of its own."""
    onto.routes.extend(router.routes)
