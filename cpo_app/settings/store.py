"""Where the store is, what seals its secrets, and who may sign in."""

from pathlib import Path
from typing import ClassVar

from pydantic import BaseSettings

from cpo_app.setting_fields import Reader, setting


class StoreSettings(BaseSettings):
    """Store and secrets"""

    read_by: ClassVar[Reader] = "all"

    CPO_MONGO_URL: str = setting(
        "",
        "a MongoDB replica set; unset: the embedded server of the data directory",
        secret=True,
    )
    CPO_DATA_DIR: Path = setting(
        Path("cpo-data"),
        "data directory of the embedded server, its password and the keys made with it",
    )
    CPO_EMBEDDED: bool = setting(
        False,
        "set by `cpo up` and `cpo serve` for their children (`CPO_MONGO_URL` is the embedded "
        "server); not for you",
        read_by="serve and commands",
    )
    CPO_ENCRYPTION_KEY: str = setting(
        "",
        "seals peers' tokens, hashes ours; 32 characters or more",
        secret=True,
        default_is="made and kept when embedded",
    )
    CPO_ENCRYPTION_KEYS: str = setting(
        "",
        "keys parted by commas, the newest first: it seals and hashes, the older ones are "
        "accepted, `CPO_ENCRYPTION_KEY` as the last of them "
        "([security.md](security.md#keys-change))",
        secret=True,
    )
    CPO_ADMIN_PASSWORD: str = setting(
        "",
        "the password of user `admin`, who may everything: for the first login, for scripts "
        "(HTTP Basic) and `/metrics`; 12 characters or more. Embedded: made at the first start, "
        "file `admin.password` in the data directory. Without it the people of `cpo operators` "
        "and the keys of `cpo keys` alone get in",
        secret=True,
        read_by="serve, registry and commands",
        default_is="made and kept when embedded",
    )
    CPO_LOGIN_IDLE_S: int = setting(
        3600,
        "a login on the console ends when it was not used for so long; a page that renews "
        "itself is no use",
        unit="s",
        read_by="serve",
        ge=60,
        le=30 * 24 * 3600,
    )
    CPO_LOGIN_MAX_S: int = setting(
        12 * 3600,
        "a login ends so long after it began, used or not",
        unit="s",
        read_by="serve",
        ge=60,
        le=30 * 24 * 3600,
    )
    CPO_OIDC_ISSUER: str = setting(
        "",
        "an OpenID Connect provider by which people may sign in on the console "
        "([console.md](console.md#who-gets-in)); empty: none",
        read_by="serve",
    )
    CPO_OIDC_CLIENT_ID: str = setting(
        "",
        "how this platform is known there; the redirect URI is "
        "`PROTOCOL://OCPI_HOST/login/oidc/back`",
        read_by="serve",
    )
    CPO_OIDC_CLIENT_SECRET: str = setting(
        "",
        "what this platform proves itself with there",
        secret=True,
        read_by="serve",
    )
    CPO_OIDC_ROLE_CLAIM: str = setting(
        "groups",
        "the claim of the ID token by which roles are given",
        read_by="serve",
    )
    CPO_OIDC_ROLES: str = setting(
        "",
        "which value of it has which role: `cpo-staff=operator, cpo-bosses=admin`; the highest "
        "counts, and who has none is not let in",
        read_by="serve",
    )
