"""Diagnostics brought to where the central system says, and firmware fetched. HTTP(S) only."""

from __future__ import annotations

import logging

import httpx

logger = logging.getLogger(__name__)

WITHIN_S = 60.0
MAX_FIRMWARE_BYTES = 64 * 1024 * 1024


async def upload(url: str, content: bytes) -> bool:
    """Whether it was taken."""
    try:
        async with httpx.AsyncClient(timeout=WITHIN_S, trust_env=False) as http:
            answer = await http.put(url, content=content)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        logger.warning("diagnostics could not be uploaded: %s", type(error).__name__)
        return False
    return answer.is_success


async def download(url: str) -> bool:
    """Whether it came, whole; what it holds is nothing to a simulated charge point."""
    size = 0
    try:
        async with (
            httpx.AsyncClient(timeout=WITHIN_S, trust_env=False, follow_redirects=True) as http,
            http.stream("GET", url) as answer,
        ):
            async for part in answer.aiter_bytes():
                size += len(part)
                if size > MAX_FIRMWARE_BYTES:
                    return False
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        logger.warning("firmware could not be fetched: %s", type(error).__name__)
        return False
    return answer.is_success and size > 0
