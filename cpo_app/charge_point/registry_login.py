"""How a monitor gets its token from EV_Registry: with kept credentials, else by registering.

Newly issued credentials are kept before they are used: were they lost in between, the charge
point could not come back without its operator. Never logs a token or credentials.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import jwt

from cpo_app.charge_point.credentials_store import CredentialsStore, StoredCredentials
from cpo_app.charge_point.settings import MonitorSettings
from db_interface.json_data import JsonObject
from domain.times import parse_datetime, utc_now

logger = logging.getLogger(__name__)

RENEW_AT = 0.8
_MIN_LIFE_S = 5.0


class LoginFailed(Exception):
    """No token this time; the text says why and, where a person must act, what to do."""


@dataclass(frozen=True)
class Token:
    """`renew_at`: on the monotonic clock, when 80 % of its life are over."""

    value: str
    renew_at: float


class RegistryLogin:
    def __init__(
        self,
        settings: MonitorSettings,
        http: httpx.AsyncClient,
        store: CredentialsStore,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._http = http
        self._store = store
        self._monotonic = monotonic
        self._unsaved: StoredCredentials | None = None
        self._announced = False

    async def login(self) -> Token:
        """Raises LoginFailed."""
        if self._unsaved is not None:
            await self._keep(self._unsaved)
        stored = await self._store.load()
        if stored is None:
            return await self._register(None)
        if stored.facts and stored.facts != self._facts():
            # Location or metadata were changed in the settings: the registry has to know.
            return await self._register(stored)
        return await self._authenticate(stored, or_register=True)

    async def _register(self, known: StoredCredentials | None) -> Token:
        settings = self._settings
        headers = {}
        key = settings.registry_api_key or (None if known else settings.enrolment_token)
        if key and key.get_secret_value():
            headers["X-Registry-API-Key"] = key.get_secret_value()
        if known:
            headers["X-Existing-Credentials"] = known.credentials
        body: JsonObject = {"cp_id": settings.cp_id, "location": settings.location}
        body["metadata"] = settings.registered_metadata
        logger.info("Registering %s with EV_Registry...", settings.cp_id)
        answer = await self._post("/cp/register", body, headers)
        if answer.status_code in (401, 403):
            if known:
                return await self._authenticate(known, or_register=False)
            raise LoginFailed(
                f"EV_Registry does not let {settings.cp_id} register (HTTP {answer.status_code}): "
                "it is registered already and its credentials are not here, or the registry asks "
                f"for an enrolment token. Set CP_MONITOR_ENROLMENT_TOKEN to what `cpo "
                f"charge-points enrol {settings.cp_id}` says, or put the credentials into "
                f"{self._store.path}"
            )
        data = self._usable(answer, "credentials", "token")
        await self._keep(StoredCredentials(data["credentials"], self._facts()))
        logger.info("✓ CP %s registered with EV_Registry", settings.cp_id)
        return self._token(data)

    async def _authenticate(self, stored: StoredCredentials, *, or_register: bool) -> Token:
        cp_id = self._settings.cp_id
        body = {"cp_id": cp_id, "credentials": stored.credentials}
        answer = await self._post("/cp/authenticate", body, {})
        if answer.status_code == 401 and or_register:
            # Rotated elsewhere, or a registry that has lost its records: one more way is open.
            return await self._register(stored)
        if answer.status_code == 401:
            raise LoginFailed(
                f"EV_Registry refuses the kept credentials of {cp_id}: put the valid ones into "
                f"{self._store.path}, or remove it and set CP_MONITOR_ENROLMENT_TOKEN to what "
                f"`cpo charge-points enrol {cp_id}` says"
            )
        if answer.status_code == 403 and _word(answer) == "certificate":
            raise LoginFailed(
                f"EV_Registry wants the client certificate that {cp_id} registered with: set "
                "CP_MONITOR_TLS_CERT_FILE and _KEY_FILE, or register the new one with an enrolment "
                f"token (remove {self._store.path}; CP_MONITOR_ENROLMENT_TOKEN)"
            )
        if answer.status_code == 403:
            # Coming back by itself would overrule the operator who deregistered it.
            raise LoginFailed(
                f"{cp_id} is deregistered in EV_Registry: its operator must restore it "
                f"(cpo charge-points restore {cp_id})"
            )
        data = self._usable(answer, "token")
        # Renewals are no news.
        logger.log(
            logging.DEBUG if self._announced else logging.INFO,
            "✓ CP %s authenticated with EV_Registry",
            cp_id,
        )
        self._announced = True
        return self._token(data)

    async def _post(self, path: str, body: JsonObject, headers: dict[str, str]) -> Any:
        url = self._settings.registry_url.rstrip("/") + path
        try:
            return await self._http.post(url, json=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise LoginFailed(f"EV_Registry cannot be reached ({type(error).__name__})") from None

    def _usable(self, answer: httpx.Response, *fields: str) -> JsonObject:
        try:
            data = answer.json()
        except ValueError:
            data = None
        if not isinstance(data, dict):
            data = {}
        if answer.status_code != 200:
            detail = f": {data['detail']}" if isinstance(data.get("detail"), str) else ""
            raise LoginFailed(f"EV_Registry answers HTTP {answer.status_code}{detail}")
        if not all(isinstance(data.get(field), str) and data[field] for field in fields):
            raise LoginFailed(f"EV_Registry's answer lacks {' or '.join(fields)}")
        return data

    async def _keep(self, stored: StoredCredentials) -> None:
        self._unsaved = stored
        try:
            await self._store.save(stored)
        except OSError as error:
            raise LoginFailed(
                f"new credentials cannot be kept in {self._store.path}: {error.strerror}"
            ) from None
        self._unsaved = None

    def _token(self, data: JsonObject) -> Token:
        life_s = _life_s(data["token"], data.get("token_expires_at"))
        return Token(data["token"], self._monotonic() + RENEW_AT * max(life_s, _MIN_LIFE_S))

    def _facts(self) -> str:
        known = json.dumps([self._settings.location, self._settings.metadata], sort_keys=True)
        return hashlib.sha256(known.encode()).hexdigest()


def _word(answer: httpx.Response) -> str | None:
    """The error's own word."""
    try:
        data = answer.json()
    except ValueError:
        return None
    return data.get("error") if isinstance(data, dict) else None


def _life_s(token: str, expires_at: Any) -> float:
    """How long the token lives. Out of its own claims where it has them: two instants of the
    registry's clock, so that a wrong clock here does no harm."""
    try:
        claims = jwt.decode(token, options={"verify_signature": False})
        return float(claims["exp"]) - float(claims["iat"])
    except (jwt.PyJWTError, KeyError, TypeError, ValueError):
        pass
    try:
        return (parse_datetime(expires_at) - utc_now()).total_seconds()
    except (ValueError, TypeError, AttributeError, OverflowError):
        return 3600.0
