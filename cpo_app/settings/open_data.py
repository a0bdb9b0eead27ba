"""What anybody may read of this platform, without a token."""

from typing import ClassVar

from pydantic import BaseSettings, validator

from cpo_app.setting_fields import Reader, setting
from cpo_app.settings.parties import parse_parties


class OpenDataSettings(BaseSettings):
    """Open data"""

    read_by: ClassVar[Reader] = "serve"

    CPO_OPEN_DATA: bool = setting(
        False,
        "give published locations, their status and ad-hoc tariffs to everybody, below "
        "`/open-data` ([open-data.md](open-data.md))",
    )
    CPO_OPEN_DATA_PARTIES: str = setting(
        "",
        "the parties whose locations those are, parted by commas: `NL/EVC, DE/ABC`",
        default_is="all of `CPO_PARTIES`",
    )
    CPO_OPEN_DATA_MAX_MB: int = setting(
        64,
        "memory that one of its documents may take, compressed, in each process; some 150 to 300 "
        "bytes a location, 700 in DATEX II's table. A larger one is not offered",
        unit="MB",
        ge=1,
        le=4000,
    )

    CPO_OPEN_DATA_PUBLISHER: str = setting(
        "",
        "how the national access point calls whoever publishes (DATEX II, nationalIdentifier)",
        default_is="`COUNTRY_CODE-PARTY_ID`",
        max_length=100,
    )
    CPO_OPEN_DATA_LANGUAGE: str = setting(
        "en",
        "the language of names and addresses, of which OCPI does not say it, for DATEX II",
        regex=r"^[a-z]{2}$",
    )
    CPO_OPEN_DATA_SERVICE_TYPE: str = setting(
        "unattended",
        "whether there is staff at the stations, for DATEX II: `unattended`, `selfService`, "
        "`physicalAttendance` or `fullService`",
        regex=r"^(unattended|selfService|physicalAttendance|fullService)$",
    )
    CPO_OPEN_DATA_REQUESTS_PER_MINUTE: int = setting(
        120,
        "requests of one address a minute in one process, a minute's worth of them at once; then "
        "429 with `Retry-After`. `0`: any number",
        ge=0,
    )

    @validator("CPO_OPEN_DATA_PARTIES")
    def _open_parties(cls, value: str) -> str:
        parse_parties(value)
        return value
