"""`/healthz` (the process lives) and `/readyz` (it can do its work; if not, what is missing).

Open to all: names what is missing, never a value, an address or an error text of the store.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from auth.charge_point_tokens import check_secret
from cpo_app.central.service import Central
from db_interface.json_data import JsonObject
from domain.charge_points.charge_point_documents import CHARGE_POINTS
from domain.secrets import SecretUnusable

logger = logging.getLogger("cpo.central")

CHECK_WITHIN_S = 1.5

Check = Callable[[], Awaitable[bool]]
"""True: it is there. Raising, or taking longer than CHECK_WITHIN_S, counts as missing."""


def build_health_router(checks: Mapping[str, Check]) -> APIRouter:
    """`checks` by the name under which `/readyz` reports what fails."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz() -> Response:
        passed = await asyncio.gather(*(_passes(name, check) for name, check in checks.items()))
        missing = [name for name, good in zip(checks, passed, strict=True) if not good]
        body: JsonObject = {"ready": not missing, "missing": missing}
        return JSONResponse(body, 503 if missing else 200)

    return router


def central_checks(central: Central) -> dict[str, Check]:
    """What Central needs: the store with its indexes, EV_Registry's secret, its own watch, and a
    host that knows the time."""

    async def store() -> bool:
        await central.db.ping()
        return True

    async def indexes() -> bool:
        return "heartbeat_due_1" in await CHARGE_POINTS.of(central.db).driver.index_information()

    async def registry_secret() -> bool:
        try:
            check_secret(central.settings.central_secrets)
        except SecretUnusable:
            return False
        return True

    async def watch() -> bool:
        return central.watching

    async def clock() -> bool:
        return central.db.host_clock_is_right

    return {
        "store": store,
        "indexes": indexes,
        "REGISTRY_SECRET_KEY": registry_secret,
        "watch": watch,
        "clock": clock,
    }


async def _passes(name: str, check: Check) -> bool:
    try:
        return await asyncio.wait_for(check(), CHECK_WITHIN_S)
    except Exception as error:
        logger.warning("not ready: %s: %s", name, type(error).__name__)
        return False
