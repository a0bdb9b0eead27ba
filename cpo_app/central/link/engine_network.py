"""Which addresses an engine may have, as its monitor may say anything.

Metadata services, link-local and disguised IPv4 addresses never; private networks by setting;
this host only where Central serves this host alone. A name is resolved at each call, and the call
goes to the very address that was judged.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from ipaddress import ip_address

from cpo_app.addresses.ip_rules import IPAddress, refusal
from cpo_app.addresses.networks import Networks
from cpo_app.addresses.resolver import SystemResolver

Resolver = Callable[[str], Awaitable[Sequence[str]]]


class EngineAddressRefused(ValueError):
    """Not an address that Central connects to; the message says what it is."""


class EngineNetwork:
    """`networks`: the private ones where engines live, as "10.0.0.0/8, fc00::/7".

    Raises ValueError for what is no list of networks.
    """

    def __init__(self, networks: str, *, loopback: bool, resolve: Resolver | None = None) -> None:
        self._networks = Networks.of(networks)
        self._loopback = loopback
        self._resolve = resolve or SystemResolver()

    def check(self, host: str) -> None:
        """Judge what is an address already; a name is judged when it is called.

        Raises EngineAddressRefused.
        """
        literal = _literal(host)
        if literal is not None:
            self._check(literal)

    async def address_of(self, host: str) -> str:
        """The address to connect to. Raises EngineAddressRefused, and OSError for a name that
        does not resolve.
        """
        literal = _literal(host)
        if literal is not None:
            self._check(literal)
            return str(literal)
        refused: EngineAddressRefused | None = None
        for text in await self._resolve(host):
            address = ip_address(text)
            try:
                self._check(address)
            except EngineAddressRefused as error:
                refused = refused or error
            else:
                return str(address)
        raise refused or OSError("the name has no addresses")

    def _check(self, address: IPAddress) -> None:
        kind = refusal(address, allow_private=True)
        if kind is None and address.is_link_local:
            kind = "a link-local address"
        if kind is None and address not in self._networks:
            if address.is_loopback and self._loopback:
                return
            kind = refusal(address, allow_private=False)
        if kind is not None:
            raise EngineAddressRefused(f"is {kind}: EV_Central connects to no engine there")


def check_in_the_clear(host: str, *, allowed: bool) -> None:
    """Judge an engine without a certificate by its address; a name is judged when it is called.

    Raises EngineAddressRefused unless it is this host's, or plain HTTP is `allowed`.
    """
    literal = _literal(host)
    if literal is not None and not literal.is_loopback and not allowed:
        raise EngineAddressRefused(
            "has no certificate (cp_e_fingerprint): EV_Central commands no engine in the clear "
            "unless CENTRAL_ENGINE_PLAIN_HTTP is set"
        )


def _literal(host: str) -> IPAddress | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
