"""EV_Registry as a charge point speaks to it: register, authenticate, get_token.

Keeps nothing on disk and logs nothing: where credentials are kept is the caller's business
(registry_login.py, for the monitor).
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx
import jwt

from db_interface.json_data import JsonMapping, JsonObject
from domain.times import parse_datetime, utc_now

RENEW_AT = 0.8
_MIN_LIFE_S = 5.0


class RegistryUnavailable(Exception):
    """No usable answer; the text says why."""


class RegistryRefusal(Exception):
    """EV_Registry said no: HTTP `status` (401, 403), its error's own `word`, and its text."""

    def __init__(self, status: int, word: str, detail: str) -> None:
        super().__init__(f"EV_Registry answers HTTP {status}: {detail}".removesuffix(": "))
        self.status = status
        self.word = word


@dataclass(frozen=True)
class Token:
    """`renew_at`: on the monotonic clock, when 80 % of its life are over."""

    value: str = field(repr=False)
    renew_at: float


@dataclass(frozen=True)
class Registered:
    """`credentials` are shown this once: keep them before anything else is done."""

    credentials: str = field(repr=False)
    token: Token


class RegistryClient:
    """`http` decides on CA and client certificate, and stays the caller's to close."""

    def __init__(
        self,
        url: str,
        http: httpx.AsyncClient,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url.rstrip("/")
        self._http = http
        self._monotonic = monotonic
        self._tokens: dict[tuple[str, str], Token] = {}

    async def register(
        self,
        cp_id: str,
        location: str,
        metadata: JsonMapping | None = None,
        *,
        api_key: str | None = None,
        existing: str | None = None,
        key: str | None = None,
    ) -> Registered:
        """Register, or with its `existing` credentials register again.

        `api_key`: an enrolment token, or the operator's key. `key`: 32 to 128 random characters
        that the caller keeps; where the answer is lost, the same again gets another.
        Raises RegistryRefusal and RegistryUnavailable.
        """
        headers = {
            "X-Registry-API-Key": api_key or "",
            "X-Existing-Credentials": existing or "",
            "Idempotency-Key": key or "",
        }
        body: JsonObject = {"cp_id": cp_id, "location": location}
        if metadata is not None:
            body["metadata"] = dict(metadata)
        shown = {name: value for name, value in headers.items() if value}
        data = await self._post("/cp/register", body, shown, ("credentials", "token"))
        return Registered(data["credentials"], self._token(data))

    async def authenticate(self, cp_id: str, credentials: str) -> Token:
        """A new token. Raises RegistryRefusal and RegistryUnavailable."""
        body: JsonObject = {"cp_id": cp_id, "credentials": credentials}
        return self._token(await self._post("/cp/authenticate", body, {}, ("token",)))

    async def get_token(self, cp_id: str, credentials: str) -> str:
        """The token in force: the last one until 80 % of its life are over, then a new one.

        Raises as `authenticate` does.
        """
        held = self._tokens.get((cp_id, credentials))
        if held is None or self._monotonic() >= held.renew_at:
            held = await self.authenticate(cp_id, credentials)
            self._tokens[cp_id, credentials] = held
        return held.value

    async def _post(
        self, path: str, body: JsonObject, headers: dict[str, str], fields: tuple[str, ...]
    ) -> JsonObject:
        try:
            answer = await self._http.post(self._url + path, json=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            reason = f"EV_Registry cannot be reached ({type(error).__name__})"
            raise RegistryUnavailable(reason) from None
        try:
            data = answer.json()
        except ValueError:
            data = None
        if not isinstance(data, dict):
            data = {}
        detail = data["detail"] if isinstance(data.get("detail"), str) else ""
        if answer.status_code in (401, 403):
            raise RegistryRefusal(answer.status_code, str(data.get("error") or ""), detail)
        if answer.status_code != 200:
            reason = f"EV_Registry answers HTTP {answer.status_code}: {detail}"
            raise RegistryUnavailable(reason.removesuffix(": "))
        if not all(isinstance(data.get(name), str) and data[name] for name in fields):
            raise RegistryUnavailable(f"EV_Registry's answer lacks {' or '.join(fields)}")
        return data

    def _token(self, data: JsonObject) -> Token:
        life_s = _life_s(data["token"], data.get("token_expires_at"))
        return Token(data["token"], self._monotonic() + RENEW_AT * max(life_s, _MIN_LIFE_S))


def _life_s(token: str, expires_at: object) -> float:
    """How long the token lives. Out of its own claims where it has them: two instants of the
    registry's clock, so that a wrong clock here does no harm."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
        return float(claims["exp"]) - float(claims["iat"])
    except (jwt.PyJWTError, KeyError, TypeError, ValueError):
        pass
    if not isinstance(expires_at, str):
        return 3600.0
    try:
        return (parse_datetime(expires_at) - utc_now()).total_seconds()
    except (ValueError, TypeError, AttributeError, OverflowError):
        return 3600.0
