"""The product's own mock hub as a test's double: on a real server, in the tests' loop.

with hub_on(loop) as hub:
    loop.run(hub.register(face.ocpi + "/versions", token_a))
    loop.run(hub.mailbox.until(lambda: hub.mailbox.of("cdrs", ("FR", "CLI"))))
    hub.faults.coming.extend(["500", None])
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from cpo_app.mock_hub.app import build_hub_app
from cpo_app.mock_hub.hub import Hub
from tests.conftest import Loop
from tests.serving import served


@contextmanager
def hub_on(loop: Loop, **options: Any) -> Iterator[Hub]:
    """A hub on a server of its own; options as `Hub` takes them."""

    async def made() -> Hub:
        return Hub("", httpx.AsyncClient(timeout=20, trust_env=False), **options)

    hub = loop.run(made())
    with served(build_hub_app(hub), loop) as base_url:
        hub.base_url = base_url
        yield hub
    loop.run(hub.http.aclose())
