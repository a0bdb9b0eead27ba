"""How sessions end, what is billed, and for how long what is kept."""

from typing import ClassVar

from pydantic import BaseSettings, validator

from cpo_app.setting_fields import Reader, setting

MIN_SESSION_DETAILS_DAYS = 30
"""Until then news of a session may come, and correct its bill."""
MIN_CARDS_DAYS = 400
"""Until then a bill may be disputed, and settled between us and the eMSP."""


class ChargingSettings(BaseSettings):
    """Charging and billing"""

    read_by: ClassVar[Reader] = "serve"

    CENTRAL_AUTHORIZE_TIMEOUT_S: float = setting(
        5.0,
        "how long eMSPs have for a real-time authorization",
        unit="s",
        gt=0,
    )
    CENTRAL_REALTIME_ALLOWED: bool = setting(
        False,
        "ask in real time for tokens with whitelist `ALLOWED`, too",
    )
    CENTRAL_ESTIMATE_AFTER_DAYS: float = setting(
        7.0,
        "a session that has been suspect for so long is closed on what was measured, marked as "
        "estimated",
        unit="days",
        gt=0,
        le=365,
    )
    CENTRAL_MAX_POWER_FACTOR: float = setting(
        1.1,
        "a session with more energy than so many times what its connector can give in the time "
        "is held for the operator; 0: not looked at. Simulations that run faster than time need "
        "more",
        read_by="serve and commands",
        ge=0,
        le=1_000_000,
    )
    CENTRAL_PENDING_TIMEOUT_S: int = setting(
        180,
        "a session that has not begun by then is suspect",
        unit="s",
        ge=1,
    )
    CENTRAL_SWEEP_AFTER_S: int = setting(
        600,
        "a running session of which nothing was heard for so long is suspect",
        unit="s",
        ge=1,
    )
    CPO_SESSION_UPDATE_S: float = setting(
        10.0,
        "a running session that merely grows is published no more often",
        unit="s",
        read_by="serve and commands",
        ge=0,
        le=3600,
    )
    CPO_TRANSPARENCY_URL: str = setting(
        "https://transparenz.software/",
        "where drivers can check signed meter data (`url` of the SignedData in CDRs); empty: none",
        read_by="serve and commands",
    )
    CPO_CDR_ZERO: bool = setting(
        True,
        "make a CDR of a session that cost nothing, too",
        read_by="serve and commands",
    )
    CPO_AUDIT_DAYS: float = setting(
        3650,
        "for so long entries of the [audit log](security.md#the-audit-log) are kept; `0`: for ever",
        unit="days",
        ge=0,
    )
    CPO_RECONCILE_REGISTERS_S: int = setting(
        3600,
        "how often registers are held against sessions and CDRs; `0`: only by `cpo reconcile "
        "registers`",
        unit="s",
        ge=0,
    )
    CPO_RECONCILE_CDRS_HOUR: int = setting(
        3,
        "at this hour (UTC) it is proven that peers have their CDRs; `-1`: only by `cpo "
        "reconcile cdrs`",
        ge=-1,
        le=23,
    )
    CPO_RECONCILE_DAYS: int = setting(
        35,
        "how far back reconciliation looks, unless it is told",
        unit="days",
        read_by="serve and commands",
        ge=1,
        le=3660,
    )
    CPO_KEEP_STATUS_HISTORY_DAYS: int = setting(
        400,
        "changes of EVSEs' status (uptime) are kept for so long; `0`: for ever. What is kept at "
        "all, and what grows: [operations.md](operations.md#what-is-kept-and-what-grows)",
        unit="days",
        ge=0,
        le=36_600,
    )
    CPO_KEEP_SESSION_DETAILS_DAYS: int = setting(
        400,
        "how a settled session ran, beside its CDR, is kept for so long, 30 days or more; `0`: "
        "for ever",
        unit="days",
        ge=0,
        le=36_600,
    )
    CPO_KEEP_RESERVATIONS_DAYS: int = setting(
        90,
        "reservations that are over are kept for so long; `0`: for ever",
        unit="days",
        ge=0,
        le=36_600,
    )
    CPO_KEEP_COMMANDS_DAYS: int = setting(
        30,
        "commands that are final (they name the driver's card) are kept for so long, 30 days at "
        "most",
        unit="days",
        ge=1,
        le=30,
    )
    CPO_KEEP_TOKENS_DAYS: int = setting(
        400,
        "cards that their eMSP has ended (`valid` is false), or whose eMSP is no peer any more, "
        "are kept for so long after its last word; `0`: for ever",
        unit="days",
        ge=0,
        le=36_600,
    )
    CPO_KEEP_CARDS_DAYS: int = setting(
        0,
        "the card's uid and contract id in sessions and CDRs that are settled are kept for so "
        "long, 400 days or more; then the bills stay without them. `0`: for ever. The law says "
        "how long bills are kept whole: [security.md](security.md#personal-data)",
        unit="days",
        ge=0,
        le=36_600,
    )
    CPO_STATEMENT_TIME_ZONE: str = setting(
        "",
        "where the months of `cpo statements` begin and end: an IANA name, as `Europe/Amsterdam`",
        read_by="commands",
        default_is="`CPO_TIME_ZONE`, else UTC",
    )

    @validator("CPO_KEEP_CARDS_DAYS")
    def _until_it_is_undisputed(cls, days: int, values: dict[str, object]) -> int:
        back = values.get("CPO_RECONCILE_DAYS", 0)
        if 0 < days < MIN_CARDS_DAYS:
            raise ValueError(f"is 0 (for ever) or at least {MIN_CARDS_DAYS}")
        if isinstance(back, int) and 0 < days <= back:
            raise ValueError("is longer than CPO_RECONCILE_DAYS: CDRs are compared for that time")
        return days

    @validator("CPO_KEEP_SESSION_DETAILS_DAYS")
    def _until_it_is_settled(cls, days: int) -> int:
        if 0 < days < MIN_SESSION_DETAILS_DAYS:
            raise ValueError(f"is 0 (for ever) or at least {MIN_SESSION_DETAILS_DAYS}")
        return days
