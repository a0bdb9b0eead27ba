"""Central and its engines speak TLS: to the very certificate that the monitor told of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from cpo_app.central.link.engine_network import EngineNetwork
from cpo_app.central.link.http_link import Endpoint, HttpLink
from cpo_app.central.link.link import LinkUnreachable
from cpo_app.pinned_tls import fingerprint_of
from tests.conftest import Loop
from tests.cpo_app.central.conftest import World
from tests.cpo_app.registry.pki import Pair, self_signed
from tests.serving import running

KEY = "k" * 40


class TlsEngine:
    """Answers every command; remembers what it was sent."""

    def __init__(self, folder: Path) -> None:
        self.heard: list[dict[str, Any]] = []
        self._folder = folder

    @contextmanager
    def serving(self, pair: Pair, loop: Loop) -> Iterator[int]:
        path = self._folder / "engine.pem"
        path.write_text(pair.key_pem + pair.certificate_pem)
        app = Starlette(routes=[Route("/command", self._command, methods=["POST"])])
        config = uvicorn.Config(app, log_config=None, ssl_certfile=str(path), lifespan="off")
        with running(config, loop) as url:
            yield int(url.rsplit(":", 1)[1])

    async def _command(self, request: Request) -> Response:
        body = await request.json()
        self.heard.append({"key": request.headers["authorization"], **body})
        return JSONResponse({"command_id": body["command_id"], "result": "ACCEPTED"})


def unlock(loop: Loop, endpoint: Endpoint, **options: Any) -> bool:
    async def find(_cp_id: str) -> Endpoint:
        return endpoint

    async def ask() -> bool:
        link = HttpLink(find, timeout_s=5, **options)
        try:
            return (await link.unlock("CP-001", "c-1")).accepted
        finally:
            await link.close()

    return loop.run(ask())


def test_a_command_reaches_the_certificate_that_was_told(loop: Loop, tmp_path: Path) -> None:
    engine, pair = TlsEngine(tmp_path), self_signed("CP-001")

    with engine.serving(pair, loop) as port:
        pinned = Endpoint("127.0.0.1", port, KEY, fingerprint_of(pair.certificate_pem))
        assert unlock(loop, pinned)

    assert [heard["key"] for heard in engine.heard] == [f"Bearer {KEY}"]


def test_another_certificate_is_told_nothing(loop: Loop, tmp_path: Path) -> None:
    engine, other = TlsEngine(tmp_path), fingerprint_of(self_signed("CP-001").certificate_pem)

    with (
        engine.serving(self_signed("CP-001"), loop) as port,
        pytest.raises(LinkUnreachable, match="another certificate") as refused,
    ):
        unlock(loop, Endpoint("127.0.0.1", port, KEY, other))

    assert refused.value.sent is False
    assert engine.heard == []


def test_an_engine_elsewhere_is_not_commanded_in_the_clear(loop: Loop) -> None:
    async def resolve(_host: str) -> Sequence[str]:
        return ["10.1.2.3"]

    network = EngineNetwork("10.0.0.0/8", loopback=False, resolve=resolve)

    with pytest.raises(LinkUnreachable, match="in the clear") as refused:
        unlock(loop, Endpoint("engine.example", 8001, KEY), network=network)

    assert refused.value.sent is False


def test_central_takes_an_engine_elsewhere_with_a_certificate_only(world: World) -> None:
    token = world.enrol("CP-001")
    body = {"cp_id": "CP-001", "cp_e_host": "10.1.2.3", "cp_e_port": 8001}
    fingerprint = "ab" * 32

    strict = world.api(world.central(CENTRAL_ENGINE_PLAIN_HTTP=False))
    refused = strict.post("/cp/register", token, body)
    first = strict.post("/cp/register", token, {**body, "cp_e_fingerprint": fingerprint})
    again = strict.post("/cp/register", token, {**body, "cp_e_fingerprint": fingerprint})
    another = strict.post("/cp/register", token, {**body, "cp_e_fingerprint": "cd" * 32})
    by_setting = world.api(world.central(CENTRAL_ENGINE_PLAIN_HTTP=True)).post(
        "/cp/register", token, body
    )

    assert refused.status_code == 400
    assert "CENTRAL_ENGINE_PLAIN_HTTP" in refused.json()["detail"]
    assert first.json()["command_key"] == again.json()["command_key"]
    assert another.json()["command_key"] != first.json()["command_key"]
    assert by_setting.status_code == 200


@pytest.mark.parametrize("fingerprint", ["", "AB" * 32, "ab" * 31, "zz" * 32])
def test_what_is_no_fingerprint_is_refused_by_field(world: World, fingerprint: str) -> None:
    body = {"cp_id": "CP-001", "cp_e_host": "10.1.2.3", "cp_e_port": 8001}

    answer = world.api().post(
        "/cp/register", world.enrol("CP-001"), {**body, "cp_e_fingerprint": fingerprint}
    )

    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("cp_e_fingerprint: ")
