"""What every server and command does first: find the store and the secrets.

`CPO_MONGO_URL` set: that database. Unset: the embedded mongod of `CPO_DATA_DIR`, started by
whoever comes first and used by everybody else; secrets are then made and kept beside it, in
files that only this user can read. With a database of one's own the secrets have to be given.
The operator's first password is made like them: nobody is let in because of where he is.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from types import TracebackType

from cpo_app.settings import Settings, SettingsError
from cpo_app.unsafe_settings import refuse_unsafe
from db_interface.database import Database
from db_interface.embedded import DataDirectoryInUse, EmbeddedMongo
from domain.operators.passwords import generated
from domain.secrets import MIN_KEY_LENGTH, Vault, kept_secret

logger = logging.getLogger("cpo")

_WAIT_FOR_OWNER_S = 30.0
ADMIN_PASSWORD_FILE = "admin.password"
"""In the data directory; emptied, nobody gets in as `admin`."""


@dataclass
class Prepared:
    """Settings with everything filled in, and the embedded server if it is ours to stop."""

    settings: Settings
    embedded: EmbeddedMongo | None = None
    first_password: bool = False
    """The operator's password was made just now: he has not seen it yet."""

    def database(self) -> Database:
        return Database.connect(self.settings.CPO_MONGO_URL)

    def vault(self) -> Vault:
        return Vault(*self.settings.encryption_keys)

    def close(self) -> None:
        if self.embedded is not None:
            self.embedded.stop()
            self.embedded = None

    def __enter__(self) -> Prepared:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def prepare(
    settings: Settings, *, must_own: bool = False, seals: bool = True, people: bool = False
) -> Prepared:
    """Find or start the store and fill in the secrets.

    `must_own`: refuse a data directory that another process serves (`cpo up`). `seals`: the
    caller keeps peers' tokens and so needs CPO_ENCRYPTION_KEY. `people`: the caller lets the
    operator in, and so makes his password where there is none. Raises StoreUnavailable or
    SettingsError, each with one line that says what to do.
    """
    refuse_unsafe(settings)
    if settings.CPO_MONGO_URL:
        if seals:
            _demand(settings.encryption_keys, "CPO_ENCRYPTION_KEY")
        _demand(settings.central_secrets, "REGISTRY_SECRET_KEY")
        return _with_password(Prepared(settings), people) if must_own else Prepared(settings)
    url, embedded = _embedded(settings, must_own)
    directory = settings.CPO_DATA_DIR
    registry_key = settings.REGISTRY_SECRET_KEY or kept_secret(directory / "registry.key")
    filled = settings.copy(
        update={
            "CPO_MONGO_URL": url,
            "CPO_EMBEDDED": True,
            "CPO_ENCRYPTION_KEY": settings.CPO_ENCRYPTION_KEY
            or kept_secret(directory / "encryption.key"),
            "REGISTRY_SECRET_KEY": registry_key,
        }
    )
    try:
        _demand(filled.encryption_keys, "CPO_ENCRYPTION_KEY")
        _demand(filled.central_secrets, "REGISTRY_SECRET_KEY")
    except SettingsError:
        if embedded is not None:
            embedded.stop()
        raise
    return _with_password(Prepared(filled, embedded), people)


def _with_password(ground: Prepared, make: bool) -> Prepared:
    """With CPO_ADMIN_PASSWORD filled in from the data directory."""
    settings = ground.settings
    if settings.CPO_ADMIN_PASSWORD:
        return ground
    path = settings.CPO_DATA_DIR / ADMIN_PASSWORD_FILE
    there = path.exists()
    if not there and not make:
        return ground
    ground.first_password = not there
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    password = kept_secret(path, make=generated)
    ground.settings = settings.copy(update={"CPO_ADMIN_PASSWORD": password})
    return ground


def _embedded(settings: Settings, must_own: bool) -> tuple[str, EmbeddedMongo | None]:
    """The URL of the data directory's server, and the server if this process runs it now."""
    deadline = time.monotonic() + _WAIT_FOR_OWNER_S
    while True:
        server = EmbeddedMongo(settings.CPO_DATA_DIR)
        if not must_own:
            url = server.running_url()
            if url is not None:
                return url, None
        try:
            return server.start(), server
        except DataDirectoryInUse:
            # The other owner may just be starting up, or stopping.
            if must_own or time.monotonic() > deadline:
                raise
        time.sleep(0.2)


def _demand(keys: tuple[str, ...], name: str) -> None:
    if not keys:
        raise SettingsError(
            f"{name} is not set; with CPO_MONGO_URL it has to be given (openssl rand -hex 32)"
        )
    if any(len(key.encode()) < MIN_KEY_LENGTH for key in keys):
        raise SettingsError(f"{name} is shorter than {MIN_KEY_LENGTH} bytes")
