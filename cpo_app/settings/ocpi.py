"""Who we are to OCPI peers, and what each of them may cost."""

from typing import ClassVar

from pydantic import BaseSettings, validator

from cpo_app.addresses.networks import Networks
from cpo_app.setting_fields import Reader, setting
from cpo_app.setting_values import (
    check_country_code,
    check_host,
    check_party_id,
    check_prefix,
)
from cpo_app.settings.parties import parse_parties


class OcpiSettings(BaseSettings):
    """OCPI"""

    read_by: ClassVar[Reader] = "serve"

    OCPI_HOST: str = setting(
        "",
        "host (and port) under which peers reach us; stands in every URL that we hand out",
        read_by="all",
        default_is="`127.0.0.1:CENTRAL_PORT`",
    )
    PROTOCOL: str = setting(
        "http",
        "`https` behind a TLS-terminating proxy. With a public `OCPI_HOST` (no private address, "
        "no name without a dot) nothing starts on `http`",
        read_by="all",
    )
    CPO_ALLOW_PLAIN_HTTP: bool = setting(
        False,
        "development only: `http` although `OCPI_HOST` is public",
        read_by="serve and registry",
    )
    OCPI_PREFIX: str = setting(
        "ocpi",
        "first part of the path",
        read_by="all",
    )
    COUNTRY_CODE: str = setting(
        "DE",
        "the country of our party: two letters (ISO 3166-1)",
        read_by="all",
    )
    PARTY_ID: str = setting(
        "CPO",
        "our party in it: three letters or digits",
        read_by="all",
    )
    PROJECT_NAME: str = setting(
        "OCPI CPO backend",
        "our name in credentials and on pages",
        read_by="all",
    )
    CPO_PARTIES: str = setting(
        "",
        "several parties on this platform: `NL/EVC=Name, DE/ABC=Name` or a JSON list of "
        "`{country_code, party_id, name}`; the first is the platform's own, and has the charge "
        "points that name none (`metadata.party`, [registry.md](registry.md))",
        read_by="all",
    )
    CPO_OCPI_VERSIONS: str = setting(
        "2.1.1, 2.2.1, 2.3.0",
        "the versions of OCPI that are offered to peers, parted by commas "
        "([ocpi.md](ocpi.md#versions))",
        read_by="serve and commands",
    )
    CPO_PAGE_LIMIT: int = setting(
        50,
        "objects on a page when a peer names no limit",
        ge=1,
        le=1000,
    )
    CPO_PAGE_LIMIT_MAX: int = setting(
        250,
        "the cap, shown in `X-Limit`",
        ge=1,
        le=10000,
    )
    CPO_MAX_BODY_BYTES: int = setting(
        1_000_000,
        "larger bodies get 413",
        unit="bytes",
        ge=10_000,
    )
    CPO_MAX_CONNECTIONS: int = setting(
        4000,
        "open connections of one process; fewer where it may not open so many files. Idle ones "
        "make room for new ones. At the gateway: those that are no station's yet",
        read_by="serve, registry and ocpp",
        ge=16,
    )
    CPO_MAX_CONNECTIONS_PER_ADDRESS: int = setting(
        1000,
        "of them from one address (a trusted proxy may take all, and at the gateway whoever "
        "needs no TLS)",
        read_by="serve, registry and ocpp",
        ge=8,
    )
    CPO_TRUSTED_PROXIES: str = setting(
        "",
        "addresses and networks (`10.0.0.5, 192.168.1.0/24`) whose `X-Forwarded-For` and "
        "`X-Forwarded-Proto` are believed; empty: nobody's",
        read_by="serve, registry and ocpp",
    )
    CPO_CLIENT_CERTIFICATE_HEADER: str = setting(
        "",
        "the header in which those proxies name the client certificate that they verified "
        "([registry.md](registry.md#tls-and-certificates))",
        read_by="serve and registry",
        regex=r"^[A-Za-z0-9-]*\Z",
    )
    CPO_MAX_FAILURES_PER_MINUTE: int = setting(
        30,
        "wrong tokens, passwords and credentials from one address, at each of console, OCPI, "
        "EV_Registry and EV_Central; then 429 until the minute is over. `0`: any number",
        read_by="serve and registry",
        ge=0,
    )
    CPO_PEER_REQUESTS_AT_ONCE: int = setting(
        8,
        "requests of one peer that one process works on at once; there are four times as many "
        "places, shared evenly by the peers that ask. More wait (200 of a peer, 10 s), then 429",
        ge=1,
        le=1000,
    )
    CPO_PEER_REQUESTS_PER_MINUTE: int = setting(
        0,
        "requests of one peer a minute in one process, a minute's worth of them at once; then "
        "429 with `Retry-After`. `0`: any number",
        ge=0,
    )
    CPO_PEER_TIMEOUT_S: float = setting(
        10.0,
        "for a request to a peer during handshakes",
        unit="s",
        read_by="serve and commands",
        gt=0,
        le=120,
    )
    CPO_ALLOW_PRIVATE_URLS: bool = setting(
        False,
        "development only: peers may name private addresses and plain http",
        read_by="serve and commands",
    )
    CPO_ROTATION_GRACE_S: int = setting(
        3600,
        "how long a replaced token may still read, unless the new one is used first",
        unit="s",
        read_by="serve",
        ge=0,
        le=3600,
    )
    CPO_ROTATE_TOKENS_DAYS: float = setting(
        0,
        "exchange the tokens with a connected peer (as `cpo peers rotate` does) when ours is so "
        "many days old; `0`: never by itself",
        unit="days",
        ge=0,
        le=3650,
    )
    CPO_INVITATION_DAYS: float = setting(
        7,
        "an invitation that nobody has used ends then",
        unit="days",
        read_by="serve and commands",
        gt=0,
        le=365,
    )
    CPO_APPROVE_PEERS: bool = setting(
        False,
        "an invitation that names no party or role stands for whatever free party registers "
        "with it, in every role but HUB; `false`: what it declares waits for `cpo peers "
        "approve`",
        read_by="serve and commands",
        default_is="`false` (`cpo up`: `true`)",
    )
    CPO_PUSH: bool = setting(
        True,
        "push changes to peers",
    )
    CPO_PUSH_ON_CONNECT: bool = setting(
        False,
        "push everything to a newly connected peer (it can pull instead)",
    )
    CPO_TOKEN_PULL_INTERVAL_S: float = setting(
        6 * 3600,
        "how often each eMSP's tokens are fetched, give or take a tenth; 0: never",
        unit="s",
        ge=0,
    )
    CPO_MAX_TOKENS_PER_PEER: int = setting(
        1_000_000,
        "of one peer in one pull; a peer that has more is not pulled on, and the operator sees "
        "why; 0: any number",
        ge=0,
    )
    COMMAND_AWAIT_TIME: int = setting(
        30,
        "the timeout that a command's answer promises",
        unit="s",
        ge=1,
        le=300,
    )
    CPO_PROFILE_REQUESTS_PER_MINUTE: int = setting(
        60,
        "charging profile requests on one session, then `TOO_OFTEN`; 0: any number",
        ge=0,
    )
    CPO_EXCHANGES: bool = setting(
        True,
        "keep every exchange with a peer for a while ([exchanges.md](exchanges.md))",
        read_by="serve and commands",
    )
    CPO_EXCHANGES_EXCEPT: str = setting(
        "",
        "ids of peers (parted by commas) whose exchanges are not kept",
        read_by="serve and commands",
    )
    CPO_EXCHANGES_DAYS: float = setting(
        14,
        "how long an exchange is kept; `0`: until there are too many",
        unit="days",
        read_by="serve",
        ge=0,
        le=3650,
    )
    CPO_EXCHANGES_MAX: int = setting(
        1_000_000,
        "exchanges that are kept, the latest ones; some 2 to 5 GB a million. `0`: any number",
        read_by="serve",
        ge=0,
    )
    CPO_EXCHANGES_PER_SECOND: float = setting(
        50,
        "of what is routine (a page that was read, a location or session that was pushed, all "
        "well) so many a second are kept, in each process; what failed, CDRs that were sent and "
        "what is about commands or credentials always is. `0`: all",
        read_by="serve and commands",
        ge=0,
    )
    CPO_EXCHANGES_BODY_BYTES: int = setting(
        16_000,
        "of a body so much is kept of an exchange",
        unit="bytes",
        read_by="serve and commands",
        ge=0,
        le=100_000,
    )
    CPO_EXCHANGES_PAGE_BYTES: int = setting(
        1_000,
        "of a page of objects (a list that was read) so much is kept of an exchange",
        unit="bytes",
        read_by="serve and commands",
        ge=0,
        le=100_000,
    )
    NO_AUTH: bool = setting(
        False,
        "the library's switch; set to true, the server refuses to start",
        read_by="serve",
    )

    @validator("CPO_TRUSTED_PROXIES")
    def _trusted_proxies(cls, value: str) -> str:
        return str(Networks.of(value))

    @validator("COUNTRY_CODE")
    def _country_code(cls, value: str) -> str:
        return check_country_code(value)

    @validator("PARTY_ID")
    def _party_id(cls, value: str) -> str:
        return check_party_id(value)

    @validator("OCPI_HOST")
    def _host(cls, value: str) -> str:
        return check_host(value) if value else value

    @validator("OCPI_PREFIX")
    def _prefix(cls, value: str) -> str:
        return check_prefix(value)

    @validator("CPO_PARTIES")
    def _parties(cls, value: str) -> str:
        parse_parties(value)
        return value

    @validator("PROTOCOL")
    def _protocol(cls, value: str) -> str:
        if value not in ("http", "https"):
            raise ValueError("is http or https")
        return value
