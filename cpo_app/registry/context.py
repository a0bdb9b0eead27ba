"""What EV_Registry's routes work with: the store once it answers, and the keys.

Refuses unusable settings here, before a port is opened; nothing in it may be shown or logged.
"""

from __future__ import annotations

import hmac
import math
from datetime import datetime, timedelta

from auth import charge_point_tokens
from auth.charge_point_credentials import CredentialHashes
from auth.charge_point_tokens import TokenRefused
from auth.throttle import Throttle
from cpo_app.http_errors import HttpError
from cpo_app.registry.errors import unauthorized
from cpo_app.settings import Party, Settings, SettingsError
from db_interface.interface import DbInterface
from domain.charge_points.registration_records import NamedParty
from domain.charge_points.registrations import Record
from domain.charge_points.site_keys import OwnParty
from domain.secrets import SecretUnusable
from domain.times import utc_now

MAX_TOKEN_LIFE_HOURS = 10 * 366 * 24


class Registry:
    """EV_Registry's settings in use. Raises SettingsError for those that cannot be."""

    def __init__(self, settings: Settings, store: DbInterface | None = None) -> None:
        self.settings = settings
        self.store = store
        """None until the database answered and has its indexes."""
        self.throttle = Throttle("registry", settings.CPO_MAX_FAILURES_PER_MINUTE)
        self._secret = settings.registry_secrets
        try:
            charge_point_tokens.check_secret(self._secret)
            self.hashes = CredentialHashes(*settings.encryption_keys, *self._secret)
        except SecretUnusable as error:
            raise SettingsError(str(error)) from None
        sees_certificates = settings.REGISTRY_TLS_CLIENT_CA_FILE or (
            settings.CPO_CLIENT_CERTIFICATE_HEADER and settings.CPO_TRUSTED_PROXIES
        )
        if settings.REGISTRY_REQUIRE_CERTIFICATE and not sees_certificates:
            raise SettingsError(
                "REGISTRY_REQUIRE_CERTIFICATE needs REGISTRY_TLS_CLIENT_CA_FILE, or "
                "CPO_CLIENT_CERTIFICATE_HEADER with CPO_TRUSTED_PROXIES"
            )
        hours = settings.REGISTRY_TOKEN_EXPIRATION_HOURS
        if not math.isfinite(hours) or hours > MAX_TOKEN_LIFE_HOURS:
            raise SettingsError("REGISTRY_TOKEN_EXPIRATION_HOURS is longer than ten years")
        self._token_life = timedelta(hours=hours)

    def now(self) -> datetime:
        """The database's clock; before it has answered, this host's."""
        return utc_now() if self.store is None else self.store.db.now()

    @property
    def party(self) -> Party:
        """The party whose charge points those are that name none: the platform's own."""
        return self.settings.parties[0]

    def named_party(self, text: object) -> NamedParty | None:
        """Which party of ours `metadata.party` names ("NL/EVC"); None: it names none.

        Raises HttpError for one that is not ours.
        """
        if text is None:
            return None
        parties = self.settings.parties
        for party in parties:
            if isinstance(text, str) and text.strip().lower().replace("/", "*") == party.key:
                return NamedParty(None if party == parties[0] else _own(party))
        ours = ", ".join(f"{party.country_code}/{party.party_id}" for party in parties)
        raise HttpError.bad_field("metadata.party", f"not a party of this platform ({ours})")

    @property
    def open_to_new(self) -> bool:
        """Whether anybody may register a charge point that is not known yet."""
        return not self.settings.REGISTRY_ADMIN_API_KEY

    def is_admin(self, api_key: str | None) -> bool:
        key = self.settings.REGISTRY_ADMIN_API_KEY
        # Header values arrive as Latin-1, the setting as UTF-8.
        return bool(key and api_key) and hmac.compare_digest(
            key.encode(), (api_key or "").encode("latin-1", "replace")
        )

    def issue_token(self, record: Record) -> tuple[str, datetime]:
        """A token for a registered charge point, and when it expires."""
        return charge_point_tokens.issue(
            self._secret,
            cp_id=record["_id"],
            location=record["location"],
            token_version=record["token_version"],
            lifetime=self._token_life,
            now=self.now(),
        )

    def check_own_token(self, authorization: str | None, cp_id: str) -> None:
        """Return for the charge point's own bearer token.

        Raises HttpError: 401 without a token in force, 403 with another charge point's.
        """
        scheme, _, token = (authorization or "").strip().partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise unauthorized("needs the admin key or the charge point's own token")
        try:
            claims = charge_point_tokens.verify(self._secret, token.strip(), self.now())
        except TokenRefused as refusal:
            raise unauthorized(str(refusal)) from None
        if claims.cp_id.lower() != cp_id.lower():
            raise HttpError(403, "the token is another charge point's")


def _own(party: Party) -> OwnParty:
    return {
        "country_code": party.country_code,
        "party_id": party.party_id,
        "name": party.name,
    }
