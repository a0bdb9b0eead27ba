"""EV_CP_M: registers its charge point, keeps it known to Central, watches its engine.

Goes on trying for ever: whatever is not there yet, or no more, is waited for. No globals and no
signal handlers: several monitors may run in one process, cancelling stops each cleanly.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable

import httpx

from cpo_app.charge_point.central_link import KEPT_OPEN
from cpo_app.charge_point.credentials_store import CredentialsStore, real_keyring
from cpo_app.charge_point.engine_door import EngineDoor
from cpo_app.charge_point.engine_watch import EngineWatch
from cpo_app.charge_point.registry_client import Token
from cpo_app.charge_point.registry_login import LoginFailed, RegistryLogin
from cpo_app.charge_point.settings import MonitorSettings, certificate_files
from cpo_app.charge_point.state_dir import link_key
from db_interface.backoff import Backoff
from db_interface.json_data import JsonObject

logger = logging.getLogger(__name__)

_REQUEST_TIMEOUT_S = 10.0
_DEFAULT_INTERVAL_S = 5.0
LOGIN_BACKOFF = Backoff(first_s=2.0, max_s=10.0, factor=1.5)

Sleep = Callable[[float], Awaitable[None]]


class MonitorError(Exception):
    """The monitor cannot start; the text is one line for the operator."""


class _Unsettled(Exception):
    """Central does not take us this time; the text says why."""


class Monitor:
    """Raises MonitorError from the constructor where its state directory is not usable."""

    def __init__(
        self,
        settings: MonitorSettings,
        *,
        backoff: Backoff = LOGIN_BACKOFF,
        sleep: Sleep = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        phase: Callable[[], float] = random.random,
    ) -> None:
        self._settings = settings
        self._cp_id = settings.cp_id
        self._backoff = backoff
        self._sleep = sleep
        self._monotonic = monotonic
        self._phase = phase
        try:
            key = link_key(settings.link_key, settings.state_dir, settings.cp_id)
            backend = real_keyring() if settings.keyring else None
            store = CredentialsStore(settings.cp_id, settings.state_dir, backend)
            # Proxies of the environment are for browsers; our servers are named in the settings.
            self._http = httpx.AsyncClient(
                timeout=_REQUEST_TIMEOUT_S,
                trust_env=False,
                limits=KEPT_OPEN,
                verify=str(settings.ca_file) if settings.ca_file else True,
                cert=certificate_files(settings),
            )
        except (OSError, ValueError) as error:
            raise MonitorError(f"monitor {settings.cp_id} cannot start: {error}") from None
        self._login = RegistryLogin(settings, self._http, store, monotonic)
        self._door = EngineDoor(settings)
        self._watch = EngineWatch(self._cp_id, self._door, key)
        self._told_fingerprint: str | None = None
        self._token: Token | None = None
        self._link: JsonObject | None = None
        self._interval_s = settings.health_interval or _DEFAULT_INTERVAL_S
        self._said: str | None = None

    async def run(self) -> None:
        """Until cancelled."""
        logger.info("Starting CP Monitor for %s", self._cp_id)
        try:
            while True:
                await self._settle_in()
                await self._keep_watch()
                # A Central that takes the registration and refuses the heartbeat must not be
                # asked in a tight loop.
                await self._sleep(self._backoff.after(1))
        finally:
            await self._http.aclose()
            await self._door.close()

    async def _settle_in(self) -> None:
        """Get a token, then register with Central; over and over until both have worked."""
        for delay in self._backoff.delays():
            try:
                if self._token is None:
                    await self._renew()
                await self._register_with_central()
                return
            except (LoginFailed, _Unsettled) as error:
                self._say(f"CP {self._cp_id}: {error}")
            await self._sleep(delay)

    async def _keep_watch(self) -> None:
        """Watch, report, renew; returns when we are to register with Central again: it wants us to,
        or our engine has another certificate."""
        # A fleet that was switched on, or let in again, at one moment must not beat in step for
        # ever: the first pause is a random part of the interval.
        part = self._phase()
        while True:
            if self._token and self._monotonic() >= self._token.renew_at:
                await self._try_to_renew()
            report = await self._watch.look(self._link)
            status = await self._heartbeat(report)
            if status == 401 or self._watch.token_refused:
                # Reported again at once, so that a fault is not a whole interval late.
                if await self._try_to_renew():
                    report = await self._watch.look(self._link)
                    status = await self._heartbeat(report)
                if status == 401:
                    self._token = None
                    return
            if status in (403, 404):
                # Deregistered, or a Central that has lost its records: ask the registry first.
                self._token = None
                return
            if self._engine_changed():
                return
            await self._sleep(self._until_next() * part)
            part = 1.0

    def _until_next(self) -> float:
        if self._token is None:
            return self._interval_s
        left = self._token.renew_at - self._monotonic()
        # A renewal that failed just now is tried again at the next look, not in a tight loop.
        return min(self._interval_s, left) if left > 0 else self._interval_s

    async def _renew(self) -> None:
        """Raises LoginFailed. Without a registry there is no token (and no link change)."""
        if not self._settings.registry_enabled:
            return
        self._token = await self._login.login()
        if self._link is not None:
            self._link = {**self._link, "token": self._token.value}

    async def _try_to_renew(self) -> bool:
        try:
            await self._renew()
        except LoginFailed as error:
            self._say(f"CP {self._cp_id}: token not renewed: {error}")
            return False
        return self._token is not None

    async def _register_with_central(self) -> None:
        body: JsonObject = {
            "cp_id": self._cp_id,
            "cp_e_host": self._settings.cp_e_host,
            "cp_e_port": self._settings.cp_e_port,
        }
        fingerprint = self._engine_fingerprint()
        if fingerprint is not None:
            body["cp_e_fingerprint"] = fingerprint
        status, data = await self._post_to_central("/cp/register", body)
        if status in (401, 403):
            # The next attempt asks the registry for a new token first.
            self._token = None
        if status != 200:
            detail = data.get("detail") or data.get("message") or ""
            raise _Unsettled(f"Central answers {status or 'nothing'} {detail}".rstrip())
        command_key = data.get("command_key")
        if not isinstance(command_key, str) or not command_key:
            raise _Unsettled("Central's answer lacks the command key")
        if self._settings.health_interval is None:
            wanted = data.get("heartbeat_interval_s")
            if isinstance(wanted, (int, float)) and 0 < wanted <= 3600:
                self._interval_s = float(wanted)
        self._link = {
            "cp_id": self._cp_id,
            "central_url": self._settings.central_url,
            "token": self._token.value if self._token else None,
            "command_key": command_key,
        }
        self._told_fingerprint = fingerprint
        self._said = None
        logger.info("CP %s registered with Central successfully", self._cp_id)

    def _engine_fingerprint(self) -> str | None:
        """Of the certificate that Central is to expect of the engine; None: plain HTTP."""
        try:
            return self._door.fingerprint()
        except (OSError, ValueError) as error:
            raise _Unsettled(f"the engine's certificate cannot be used: {error}") from None

    def _engine_changed(self) -> bool:
        try:
            return self._door.fingerprint() != self._told_fingerprint
        except (OSError, ValueError):
            return False  # the watch reports it

    async def _heartbeat(self, report: JsonObject) -> int | None:
        body = {"cp_id": self._cp_id, "interval_s": self._interval_s, "engine": report}
        status, _ = await self._post_to_central("/cp/heartbeat", body)
        if status == 200:
            if self._said is not None:
                logger.info("CP %s: Central hears us again", self._cp_id)
                self._said = None
        else:
            self._say(f"CP {self._cp_id}: Central answers {status or 'nothing'} to the heartbeat")
        return status

    async def _post_to_central(self, path: str, body: JsonObject) -> tuple[int | None, JsonObject]:
        """The HTTP status (None: no answer) and the JSON object of the answer ({}: none)."""
        headers = {"Authorization": f"Bearer {self._token.value}"} if self._token else {}
        url = self._settings.central_url + path
        try:
            answer = await self._http.post(url, json=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            return None, {}
        try:
            data = answer.json()
        except ValueError:
            data = {}
        return answer.status_code, data if isinstance(data, dict) else {}

    def _say(self, line: str) -> None:
        """Log a trouble once, not at every attempt."""
        if line != self._said:
            logger.error(line)
            self._said = line


async def run(settings: MonitorSettings) -> None:
    """EV_CP_M until cancelled. Raises MonitorError where it cannot start."""
    logging.getLogger("cpo_app.charge_point").setLevel(settings.log_level)
    await Monitor(settings).run()
