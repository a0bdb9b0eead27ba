"""Before there is a connection: path, subprotocol, security profile, who it is; or HTTP's no.

Nothing is looked up for what is no station's path, nor for an address that fails too often.
Refusals are said in the log once a minute each, and never why to whoever asked.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import logging
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import unquote

from cryptography import x509
from cryptography.x509.oid import NameOID
from websockets.datastructures import Headers
from websockets.http11 import Request, Response

from auth.station_access import ClientCertificate, Shown, StationAccess, StationRefused
from auth.throttle import TooManyFailures
from cpo_app.addresses.forwarded import FOR, PROTO, Client, client_of
from cpo_app.addresses.networks import Networks
from cpo_app.ocpp import metrics, schemas
from cpo_app.ocpp.box import OCPP_16
from cpo_app.ocpp.http_answers import answered
from db_interface.database import STORE_ERRORS
from domain.ocpp import quirks
from domain.ocpp.stations import STATION_ID, Station

logger = logging.getLogger("cpo.ocpp")

_PATH = re.compile(rf"/ocpp/({STATION_ID.pattern})/?\Z")
MAX_AUTHORIZATION = 1024


@dataclass(frozen=True)
class Admitted:
    station: Station
    shown: Shown
    protocol: str
    """as we call it"""
    offered: str | None
    """as it was written; None: nothing was"""


class Handshake:
    def __init__(
        self, access: StationAccess, *, plain_networks: str, proxies: Networks | None = None
    ) -> None:
        self._access = access
        self._networks = Networks.of(plain_networks)
        self._proxies = proxies or Networks()

    def client(self, request: Request, address: str) -> Client:
        """Whose request it is that has come from there."""
        headers = request.headers
        return client_of(address, headers.get_all(FOR), headers.get_all(PROTO), self._proxies)

    async def judge(
        self, request: Request, client: Client, tls: ssl.SSLObject | None
    ) -> Admitted | Response:
        """Who it is, or the answer that ends it."""
        address = client.address
        found = _PATH.match(unquote(request.path.partition("?")[0]))
        if found is None:
            return _no(404, "there is no such station here")
        try:
            return await self._admit(found[1], request, client, tls)
        except TooManyFailures as error:
            metrics.REFUSED.labels("throttled").inc()
            return _no(429, "later", {"Retry-After": str(error.retry_after_s)})
        except StationRefused as error:
            metrics.REFUSED.labels(str(error.status)).inc()
            logger.warning("%s at %s is refused: %s", found[1], address, error)
            challenge = {"WWW-Authenticate": 'Basic realm="ocpp"'} if error.status == 401 else {}
            return _no(error.status, "not admitted", challenge)
        except STORE_ERRORS as error:
            metrics.REFUSED.labels("no store").inc()
            logger.warning("no station can be admitted: %s", error)
            return _no(503, "later", {"Retry-After": "5"})

    async def _admit(
        self, station_id: str, request: Request, client: Client, tls: ssl.SSLObject | None
    ) -> Admitted:
        secure = tls is not None or client.secure
        if not secure and not self.may_be_plain(client.address, by_proxy=client.by_proxy):
            raise StationRefused(403, "it connects without TLS (CPO_OCPP_PLAIN_NETWORKS)")
        offered = _offered(request.headers)
        chosen = _chosen(offered)
        if chosen is None and offered:
            named = ", ".join(offered)[:100]
            raise StationRefused(400, f"it offers {named}, not {', '.join(schemas.protocols())}")
        certificate = None if tls is None else _certificate(tls)
        profile = 3 if certificate is not None else 2 if secure else 1
        shown = Shown(
            station_id,
            client.address,
            profile,
            password=_password(request.headers, station_id),
            certificate=certificate,
        )
        station = await self._access.admit(shown)
        if chosen is None:
            if not quirks.has(station, quirks.NO_SUBPROTOCOL):
                raise StationRefused(400, "it names no subprotocol (quirk no_subprotocol)")
            return Admitted(station, shown, OCPP_16, None)
        protocol, written = chosen
        return Admitted(station, shown, protocol, written)

    def may_fill_the_house(self, address: str) -> bool:
        """Whether many stations may come from that address of a connection."""
        return self.may_be_plain(address) or client_of(address, (), (), self._proxies).by_proxy

    def may_be_plain(self, address: str, *, by_proxy: bool = False) -> bool:
        """Whether it is this host's, or one of a network that the operator has named. What a proxy
        calls this host's is its own, or made up."""
        try:
            where = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(where, "ipv4_mapped", None)
        where = mapped or where
        return (where.is_loopback and not by_proxy) or where in self._networks


def _offered(headers: Headers) -> list[str]:
    given = headers.get_all("Sec-WebSocket-Protocol")
    return [name.strip() for value in given for name in value.split(",") if name.strip()]


def _chosen(offered: Sequence[str]) -> tuple[str, str] | None:
    """(ours, as it is written), the best that both speak."""
    written = {name.lower(): name for name in reversed(offered)}
    for protocol in schemas.protocols():
        if protocol in written:
            return protocol, written[protocol]
    return None


def _password(headers: Headers, station_id: str) -> bytes | None:
    """None: it shows none, or another's."""
    given = headers.get_all("Authorization")
    if len(given) != 1 or len(given[0]) > MAX_AUTHORIZATION:
        return None
    scheme, _, encoded = given[0].strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
    except (binascii.Error, ValueError):
        return None
    if not colon or not password or user.lower() != station_id.lower().encode():
        return None
    return password


def _certificate(tls: ssl.SSLObject) -> ClientCertificate | None:
    shown = tls.getpeercert(binary_form=True)
    if not shown:
        return None
    certificate = x509.load_der_x509_certificate(shown)
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    name = str(names[0].value) if names else ""
    fingerprint = hashlib.sha256(shown).hexdigest()
    return ClientCertificate(fingerprint, name, certificate.not_valid_after_utc)


def _no(status: int, text: str, more: dict[str, str] | None = None) -> Response:
    return answered(status, f"{text}\n".encode(), more=more)
