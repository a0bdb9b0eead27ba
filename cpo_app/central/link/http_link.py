"""The link of the guide: Central calls the engine's HTTP face with the charge point's key.

`POST https://host:port/command` and `GET /active_profile`, `Authorization: Bearer <key>`, to the
very certificate that the monitor told of; plain HTTP on this host, else by setting. Every
call is bounded in time and size, follows no redirect and uses no proxy: the key goes to the
registered host alone, and into no log and no error text.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx
from pydantic import ValidationError

from cpo_app.central.link.engine_network import (
    EngineAddressRefused,
    EngineNetwork,
    check_in_the_clear,
)
from cpo_app.central.link.engine_profile import from_engine, to_engine
from cpo_app.central.link.link import (
    ChargePointLink,
    LinkAnswer,
    LinkCommand,
    LinkResult,
    LinkUnreachable,
    SessionEnd,
)
from cpo_app.central.wire import SessionEnded
from cpo_app.log_ids import CORRELATION_HEADER, bound_id
from cpo_app.otlp.spans import span
from cpo_app.pinned_tls import pinned_context
from db_interface.json_data import JsonMapping, JsonObject

CONNECT_TIMEOUT_S = 3.0
DEFAULT_TIMEOUT_S = 10.0
MAX_CONNECTIONS = 500
MAX_ANSWER_BYTES = 256 * 1024
_MESSAGE_LENGTH = 256


@dataclass(frozen=True)
class Endpoint:
    """Where an engine listens, and the key it listens to."""

    host: str
    port: int
    command_key: str
    fingerprint: str | None = None
    """Of the certificate that the engine has to show; None: it speaks plain HTTP."""

    def url(self, path: str, address: str | None = None) -> str:
        """The URL of the engine; at `address`, where its host was resolved already."""
        host = _bracketed(address or self.host)
        scheme = "http" if self.fingerprint is None else "https"
        return f"{scheme}://{host}:{self.port}{path}"

    @property
    def netloc(self) -> str:
        return f"{_bracketed(self.host)}:{self.port}"

    def __repr__(self) -> str:
        return f"Endpoint({self.host}:{self.port})"


FindEndpoint = Callable[[str], Awaitable[Endpoint | None]]
"""cp_id to endpoint; None for a charge point that never registered at Central."""


_SAID = {"set_limit": "limit"}
"""Kinds that the engine calls otherwise."""


class HttpLink(ChargePointLink):
    """One pooled client for all charge points; `find` is asked at every call."""

    def __init__(
        self,
        find: FindEndpoint,
        *,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        network: EngineNetwork | None = None,
        plain_http: bool = False,
    ) -> None:
        self._find = find
        self._network = network or EngineNetwork("", loopback=True)
        self._plain_http = plain_http
        self._timeout_s = timeout_s
        self._http: httpx.AsyncClient | None = None

    async def knows(self, cp_id: str) -> bool:
        return await self._find(cp_id) is not None

    async def start_up(self) -> None:
        self._client()

    async def close(self) -> None:
        client, self._http = self._http, None
        if client is not None:
            await client.aclose()

    async def carry_out(self, command: LinkCommand) -> LinkAnswer:
        cp_id, command_id = command.cp_id, command.command_id
        given = {name: value for name, value in command.fields.items() if value is not None}
        if "limit" in given:
            given["limit"] = to_engine(given["limit"])
        kind = _SAID.get(command.kind, command.kind)
        body = {"command_id": command_id, "kind": kind, **given}
        status, answer = await self._call(cp_id, "POST", "/command", command.timeout_s, json=body)
        if 400 <= status < 500:
            # It refused to listen (another key, a body it does not understand): nothing was done.
            raise LinkUnreachable(f"{cp_id}: the engine answers HTTP {status}", sent=False)
        if status != 200 or answer.get("command_id") != command_id:
            raise LinkUnreachable(f"{cp_id}: the engine answers HTTP {status}", sent=True)
        return _read(cp_id, answer)

    async def active_profile(
        self, cp_id: str, *, session_id: str, duration_s: int, timeout_s: float | None = None
    ) -> JsonMapping | None:
        query = {"session_id": session_id, "duration_s": str(duration_s)}
        status, answer = await self._call(cp_id, "GET", "/active_profile", timeout_s, params=query)
        if status == 404 and answer.get("error") == "UNKNOWN_SESSION":
            return None
        if status != 200:
            raise LinkUnreachable(f"{cp_id}: the engine answers HTTP {status}", sent=False)
        try:
            return from_engine(answer)
        except ValueError as error:
            raise LinkUnreachable(f"{cp_id}: no usable profile: {error}", sent=True) from None

    async def _call(
        self, cp_id: str, method: str, path: str, timeout_s: float | None, **content: Any
    ) -> tuple[int, JsonObject]:
        """HTTP status and JSON object ({} where the body is none) of one call to the engine."""
        endpoint = await self._find(cp_id)
        if endpoint is None:
            raise LinkUnreachable(f"{cp_id} has not registered at Central", sent=False)
        headers = {"Authorization": f"Bearer {endpoint.command_key}", "Host": endpoint.netloc}
        correlation_id = bound_id("correlation_id")
        if correlation_id is not None:
            headers[CORRELATION_HEADER] = correlation_id
        attributes = {"http.request.method": method, "cpo.cp_id": cp_id}
        try:
            with span(f"{method} engine {path}", "client", attributes) as under_way:
                headers.update(under_way.headers())
                call = self._resolved(endpoint, method, path, headers=headers, **content)
                return await asyncio.wait_for(call, timeout_s or self._timeout_s)
        except asyncio.TimeoutError:
            raise LinkUnreachable(f"{cp_id}: no answer in time", sent=None) from None
        except EngineAddressRefused as error:
            raise LinkUnreachable(f"{cp_id}: its engine's address {error}", sent=False) from None
        except ssl.SSLCertVerificationError:
            raise LinkUnreachable(
                f"{cp_id}: its engine shows another certificate than its monitor told of",
                sent=False,
            ) from None
        except ssl.SSLError as error:
            raise LinkUnreachable(f"{cp_id}: TLS: {type(error).__name__}", sent=None) from None
        except OSError:
            raise LinkUnreachable(f"{cp_id}: the name does not resolve", sent=False) from None
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise LinkUnreachable(f"{cp_id}: {type(error).__name__}", sent=False) from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise LinkUnreachable(f"{cp_id}: {type(error).__name__}", sent=False) from None
        except httpx.HTTPError as error:
            raise LinkUnreachable(f"{cp_id}: {type(error).__name__}", sent=None) from None

    async def _resolved(
        self, endpoint: Endpoint, method: str, path: str, **content: Any
    ) -> tuple[int, JsonObject]:
        """The name is resolved once: what was judged is what is connected to."""
        address = await self._network.address_of(endpoint.host)
        url = endpoint.url(path, address)
        if endpoint.fingerprint is None:
            check_in_the_clear(address, allowed=self._plain_http)
            return await self._try_twice(self._client(), method, url, **content)
        # A connection of its own: none that was made to another certificate is used again.
        async with _new_client(verify=pinned_context(endpoint.fingerprint)) as client:
            return await _exchange(client, method, url, **content)

    async def _try_twice(
        self, client: httpx.AsyncClient, method: str, url: str, **content: Any
    ) -> tuple[int, JsonObject]:
        """A kept-alive connection may just have been closed; a command_id counts once anyway."""
        try:
            return await _exchange(client, method, url, **content)
        except (httpx.ReadError, httpx.WriteError, httpx.RemoteProtocolError):
            return await _exchange(client, method, url, **content)

    def _client(self) -> httpx.AsyncClient:
        if self._http is None:
            self._http = _new_client()
        return self._http


def _new_client(verify: ssl.SSLContext | bool = True) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        verify=verify,
        timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT_S, pool=CONNECT_TIMEOUT_S),
        limits=httpx.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=100),
        follow_redirects=False,
        trust_env=False,
        headers={"Accept-Encoding": "identity"},
    )


async def _exchange(
    client: httpx.AsyncClient, method: str, url: str, **content: Any
) -> tuple[int, JsonObject]:
    async with client.stream(method, url, **content) as answer:
        raw = b""
        async for chunk in answer.aiter_raw():
            raw += chunk
            if len(raw) > MAX_ANSWER_BYTES:
                return answer.status_code, {}
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError):
        return answer.status_code, {}
    return answer.status_code, data if isinstance(data, dict) else {}


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _read(cp_id: str, answer: JsonMapping) -> LinkAnswer:
    try:
        result = LinkResult(answer.get("result"))
    except ValueError:
        raise LinkUnreachable(f"{cp_id}: an answer without a known result", sent=True) from None
    message, status = answer.get("message"), answer.get("status")
    ended = _ended(cp_id, answer.get("ended"))
    if result is LinkResult.UNKNOWN_SESSION and ended is not None:
        # On the wire it stays what it was, for a Central that does not know the difference.
        result = LinkResult.SESSION_ENDED
    return LinkAnswer(
        result,
        message[:_MESSAGE_LENGTH] if isinstance(message, str) else None,
        status if isinstance(status, dict) else {},
        ended,
    )


def _ended(cp_id: str, told: object) -> SessionEnd | None:
    if told is None:
        return None
    try:
        return SessionEnd(**SessionEnded.parse_obj(told).dict())
    except ValidationError:
        raise LinkUnreachable(f"{cp_id}: an end of a session that is none", sent=True) from None
