"""The gateway of charge points over OCPP: its settings and certificate, whether stations find it,
and which of them are here.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import httpx

from auth.station_authority import AuthorityUnusable, StationAuthority
from cpo_app.addresses.networks import Networks
from cpo_app.doctor.findings import Finding, fail, ok, warn
from cpo_app.front_door.tls import ServerTls
from cpo_app.host_facts import certificate_end
from cpo_app.settings import Settings, SettingsError
from db_interface.database import Database
from domain.notices import certificates
from domain.notices.certificates import RENEW_WITHIN
from domain.ocpp import connections, stations
from domain.ocpp.stations import Status

TIMEOUT_S = 5.0
_SECURE = {"ws": "http", "wss": "https"}


def check_gateway(settings: Settings, now: datetime) -> Iterator[Finding]:
    """The settings and the files that they name."""
    plain = Networks.of(settings.CPO_OCPP_PLAIN_NETWORKS).networks
    public = [str(network) for network in plain if not network.is_private]
    if public:
        yield warn(
            "CPO_OCPP_PLAIN_NETWORKS",
            f"{', '.join(public)}: passwords and bills cross public networks in the clear",
            "name private networks alone, and let the others come by CPO_OCPP_TLS_PORT",
        )
    if settings.CPO_OCPP_TLS_PORT:
        yield from _certificate(settings, now)
        yield from _authority(settings, now)
    elif settings.CPO_OCPP_HOST not in ("127.0.0.1", "::1", "localhost") and not plain:
        yield warn(
            "CPO_OCPP_TLS_PORT",
            "is not set: OCPP stations of other hosts cannot connect",
            "set CPO_OCPP_TLS_PORT with a certificate, or CPO_OCPP_PLAIN_NETWORKS",
        )
    scheme = urlsplit(settings.ocpp_url).scheme
    if scheme not in _SECURE:
        yield fail("CPO_OCPP_URL", "is no ws:// or wss:// URL", "correct it")


def _certificate(settings: Settings, now: datetime) -> Iterator[Finding]:
    name = "CPO_OCPP_TLS_CERT_FILE"
    try:
        ServerTls.of_ocpp(settings).context()
    except SettingsError as error:
        yield fail(name, str(error), "name the PEM files, or leave CPO_OCPP_TLS_PORT out")
        return
    ends = certificate_end(settings.CPO_OCPP_TLS_CERT_FILE)
    if ends < now:
        yield fail(name, f"ended on {ends:%Y-%m-%d}", "renew it: no station can connect")
    elif ends - now < RENEW_WITHIN:
        yield warn(name, f"ends on {ends:%Y-%m-%d}", "renew it")
    else:
        yield ok(name, f"is good until {ends:%Y-%m-%d}")


def _authority(settings: Settings, now: datetime) -> Iterator[Finding]:
    """The CA that signs stations' certificates."""
    name = "CPO_OCPP_CA_CERT_FILE"
    certificate, key = settings.CPO_OCPP_CA_CERT_FILE, settings.CPO_OCPP_CA_KEY_FILE
    if not certificate and not key:
        return
    try:
        ends = StationAuthority.of_files(certificate, key, settings.CPO_OCPP_CA_DAYS).ends
    except AuthorityUnusable as error:
        yield fail(name, str(error), "name the PEM files of the CA and of its key, or neither")
        return
    if ends < now:
        yield fail(name, f"ended on {ends:%Y-%m-%d}", "make a new CA, and have stations ask anew")
    elif ends - now < timedelta(days=settings.CPO_OCPP_CA_DAYS):
        said = f"ends on {ends:%Y-%m-%d}: what it signs is good for less than CPO_OCPP_CA_DAYS"
        yield warn(name, said, "make a new CA in time, and have stations ask anew")
    else:
        yield ok(name, f"signs stations' certificates until {ends:%Y-%m-%d}")


async def check_reachable(settings: Settings) -> Finding:
    """Whether the gateway answers where stations are told that it is, with a certificate that is
    good there."""
    check = "OCPP gateway"
    parts = urlsplit(settings.ocpp_url)
    url = f"{_SECURE.get(parts.scheme, 'http')}://{parts.netloc}/healthz"
    do = "start it (cpo up, cpo ocpp); else check CPO_OCPP_URL, DNS, proxy and firewall"
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
            answer = await client.get(url)
        body: object = answer.json()
    except httpx.ConnectError as error:
        if isinstance(error.__cause__, ssl.SSLError) or "CERTIFICATE" in str(error):
            said = f"{url} shows a certificate that is not good there"
            return fail(check, said, "boxes refuse it, too: name its host in the certificate")
        return warn(check, f"{settings.ocpp_url} cannot be reached from here", do)
    except (httpx.HTTPError, httpx.InvalidURL, ValueError):
        body = None
    if isinstance(body, dict) and body.get("status") == "ok":
        return ok(check, f"{settings.ocpp_url} answers")
    return fail(check, f"another program than the gateway answers at {url}", do)


async def check_stations(db: Database) -> AsyncIterator[Finding]:
    """Which are here, and who waits to be added."""
    here = sum(one.get("connections", 0) for one in await connections.gateways(db))
    approved = await stations.number(db, Status.APPROVED)
    if approved:
        check = "OCPP stations"
        if not here:
            do = "is a gateway running (cpo ocpp), and does it find the store?"
            yield warn(check, f"none of {approved} is connected", do)
        else:
            yield ok(check, f"{here} of {approved} are connected")
    ending = await certificates.near_their_end(db)
    if ending:
        few = ", ".join(f"{one} ({ends:%Y-%m-%d})" for one, ends in ending[:5])
        more = f" and {len(ending) - 5} more" if len(ending) > 5 else ""
        do = "have them ask anew: cpo charge-points trigger ID SignChargingStationCertificate"
        yield warn("certificates of charge points", f"end soon or have ended: {few}{more}", do)
    held = await stations.number(db, Status.HELD)
    if held:
        yield warn("held stations", f"{held} wait", "add them: cpo charge-points add ID --ocpp")
