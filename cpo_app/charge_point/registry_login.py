"""How a monitor gets its token from EV_Registry: with kept credentials, else by registering.

Newly issued credentials are kept before they are used. An answer that is lost on the way is asked
for again with the key of the request, which was kept before it was made; else the charge point
could not come back without its operator. Never logs a token or credentials.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Callable

import httpx

from cpo_app.charge_point.credentials_store import CredentialsStore, StoredCredentials
from cpo_app.charge_point.registry_client import (
    RegistryClient,
    RegistryRefusal,
    RegistryUnavailable,
    Token,
)
from cpo_app.charge_point.settings import MonitorSettings

logger = logging.getLogger(__name__)


class LoginFailed(Exception):
    """No token this time; the text says why and, where a person must act, what to do."""


class RegistryLogin:
    def __init__(
        self,
        settings: MonitorSettings,
        http: httpx.AsyncClient,
        store: CredentialsStore,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._registry = RegistryClient(settings.registry_url, http, monotonic)
        self._store = store
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
        key = settings.registry_api_key or (None if known else settings.enrolment_token)
        logger.info("Registering %s with EV_Registry...", settings.cp_id)
        try:
            done = await self._registry.register(
                settings.cp_id,
                settings.location,
                settings.registered_metadata,
                api_key=key.get_secret_value() if key else None,
                existing=known.credentials if known else None,
                key=self._request_key(),
            )
        except RegistryUnavailable as error:
            raise LoginFailed(str(error)) from None
        except RegistryRefusal as refusal:
            if known:
                return await self._authenticate(known, or_register=False)
            raise LoginFailed(
                f"EV_Registry does not let {settings.cp_id} register (HTTP {refusal.status}): "
                "it is registered already and its credentials are not here, or the registry asks "
                f"for an enrolment token. Set CP_MONITOR_ENROLMENT_TOKEN to what `cpo "
                f"charge-points enrol {settings.cp_id}` says, or put the credentials into "
                f"{self._store.path}"
            ) from None
        await self._keep(StoredCredentials(done.credentials, self._facts()))
        logger.info("✓ CP %s registered with EV_Registry", settings.cp_id)
        return done.token

    async def _authenticate(self, stored: StoredCredentials, *, or_register: bool) -> Token:
        cp_id = self._settings.cp_id
        try:
            token = await self._registry.authenticate(cp_id, stored.credentials)
        except RegistryUnavailable as error:
            raise LoginFailed(str(error)) from None
        except RegistryRefusal as refusal:
            if refusal.status == 401 and or_register:
                # Rotated elsewhere, or a registry that has lost its records: one more way is open.
                return await self._register(stored)
            raise LoginFailed(self._why_not(refusal)) from None
        # Renewals are no news.
        logger.log(
            logging.DEBUG if self._announced else logging.INFO,
            "✓ CP %s authenticated with EV_Registry",
            cp_id,
        )
        self._announced = True
        return token

    def _why_not(self, refusal: RegistryRefusal) -> str:
        """What a person must do about it."""
        cp_id = self._settings.cp_id
        if refusal.status == 401:
            return (
                f"EV_Registry refuses the kept credentials of {cp_id}: put the valid ones into "
                f"{self._store.path}, or remove it and set CP_MONITOR_ENROLMENT_TOKEN to what "
                f"`cpo charge-points enrol {cp_id}` says"
            )
        if refusal.word == "certificate":
            return (
                f"EV_Registry wants the client certificate that {cp_id} registered with: set "
                "CP_MONITOR_TLS_CERT_FILE and _KEY_FILE, or register the new one with an enrolment "
                f"token (remove {self._store.path}; CP_MONITOR_ENROLMENT_TOKEN)"
            )
        # Coming back by itself would overrule the operator who deregistered it.
        return (
            f"{cp_id} is deregistered in EV_Registry: its operator must restore it "
            f"(cpo charge-points restore {cp_id})"
        )

    async def _keep(self, stored: StoredCredentials) -> None:
        self._unsaved = stored
        try:
            await self._store.save(stored)
        except OSError as error:
            raise LoginFailed(
                f"new credentials cannot be kept in {self._store.path}: {error.strerror}"
            ) from None
        self._unsaved = None
        self._store.answer_is_kept()

    def _request_key(self) -> str:
        try:
            return self._store.request_key()
        except OSError as error:
            raise LoginFailed(
                f"nothing can be kept in {self._store.path.parent}: {error.strerror}"
            ) from None

    def _facts(self) -> str:
        known = json.dumps([self._settings.location, self._settings.metadata], sort_keys=True)
        return hashlib.sha256(known.encode()).hexdigest()
