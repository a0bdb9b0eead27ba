"""The one guard for every URL that a peer gives us (versions, details, endpoints, response_url).

`check_url` judges the text of a URL, `UrlGuard.addresses` the addresses that its host resolves
to; the connection is then made to exactly those (guarded_network.py), so that a name cannot
mean one host when it is checked and another when it is used. Nothing here connects, and no
message repeats the URL: it may hold secrets in its query.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address, ip_address

from cpo_app.addresses.ip_rules import IPAddress, refusal

Resolver = Callable[[str], Awaitable[Sequence[str]]]
"""Host name in, textual IP addresses out; raises OSError if there are none."""

# The text's URL type has 255 characters; links with filters and cursors are longer.
MAX_URL_LENGTH = 4096

_PARTS = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*)://([^/?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?")
_AUTHORITY = re.compile(r"(?:\[([^\[\]]*)\]|([^:\[\]]*))(?::([0-9]{0,5}))?")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_\-]{0,61}[a-z0-9_])?")
_NUMERIC_LABEL = re.compile(r"[0-9]+|0x[0-9a-f]*")
_DEFAULT_PORTS = {"https": 443, "http": 80}
_HOME_DOMAINS = frozenset(
    ("localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan")
)


class UrlRefused(ValueError):
    """A URL that we do not fetch; the message says what is wrong with it, without its text."""


@dataclass(frozen=True)
class PeerUrl:
    """A URL that passed `check_url`, in the parts that a connection needs.

    `host` is in lower case, without trailing dot or brackets; `target` is path and query as
    they were written. The fragment, which is never sent, is gone.
    """

    scheme: str
    host: str
    port: int
    target: str

    @property
    def netloc(self) -> str:
        """The value of the Host header: the port only if it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.target}"


def check_url(url: str, *, allow_private: bool = False) -> PeerUrl:
    """The parts of a URL that may be fetched as far as its text can tell.

    `allow_private` (CPO_ALLOW_PRIVATE_URLS, development only) lets http, private addresses and
    local names through. Raises UrlRefused.
    """
    if not isinstance(url, str) or not url:
        raise UrlRefused("the URL is empty")
    if len(url) > MAX_URL_LENGTH:
        raise UrlRefused(f"the URL is longer than {MAX_URL_LENGTH} characters")
    if any(not "\x21" <= char <= "\x7e" or char == "\\" for char in url):
        raise UrlRefused("the URL holds blanks, control characters, backslashes or non-ASCII")
    parts = _PARTS.fullmatch(url)
    if parts is None:
        raise UrlRefused("the URL is not absolute (https://host/path)")
    scheme = parts[1].lower()
    if scheme != "https" and not (scheme == "http" and allow_private):
        raise UrlRefused("the URL does not use https")
    host, port = _host_and_port(parts[2], scheme)
    _check_host(host, allow_private)
    path = parts[3] or "/"
    return PeerUrl(scheme, host, port, path + (parts[4] or ""))


def same_place(first: PeerUrl, second: PeerUrl) -> bool:
    """Whether a token meant for `first` may also go to `second`: the same host and port, and
    no step from https down to http. (From http on 80 up to https on 443 is fine.)"""
    if first.host != second.host:
        return False
    if (first.scheme, second.scheme) == ("http", "https"):
        return first.port == second.port or (first.port, second.port) == (80, 443)
    return first.scheme == second.scheme and first.port == second.port


class UrlGuard:
    """Both judgements with their settings; one for the process.

    resolve: how names become addresses (resolver.py, or a fake in tests).
    """

    def __init__(self, resolve: Resolver, *, allow_private: bool = False) -> None:
        self._resolve = resolve
        self._allow_private = allow_private

    def check(self, url: str) -> PeerUrl:
        """`check_url` with this guard's settings. Raises UrlRefused."""
        return check_url(url, allow_private=self._allow_private)

    async def addresses(self, host: str) -> list[str]:
        """The addresses of a host, resolved once, each of them fit to be connected to.

        One bad address among good ones refuses them all: that is the mark of a rebinding
        attack, not of an honest zone. Raises UrlRefused; OSError if the name does not resolve.
        """
        literal = _literal(host)
        if literal is not None:
            return [str(_checked(literal, self._allow_private))]
        found: dict[str, None] = {}
        for text in await self._resolve(host):
            try:
                address = ip_address(text)
            except ValueError:
                raise UrlRefused(
                    "the URL's host resolves to something that is no address"
                ) from None
            found[str(_checked(address, self._allow_private))] = None
        if not found:
            raise OSError("the name has no addresses")
        return list(found)


def _checked(address: IPAddress, allow_private: bool) -> IPAddress:
    kind = refusal(address, allow_private=allow_private)
    if kind is not None:
        raise UrlRefused(f"the URL's host is {kind}")
    return address


def _host_and_port(authority: str, scheme: str) -> tuple[str, int]:
    if "@" in authority:
        raise UrlRefused("the URL holds a user name or password")
    match = _AUTHORITY.fullmatch(authority)
    if match is None:
        raise UrlRefused("the URL's host or port is malformed")
    if match[1] is not None:
        try:
            if "%" in match[1]:
                raise UrlRefused("the URL's address names a network interface")
            host = str(IPv6Address(match[1]))
        except AddressValueError:
            raise UrlRefused("the URL's host or port is malformed") from None
    else:
        host = match[2].lower()
        host = host[:-1] if host.endswith(".") else host
    port = int(match[3]) if match[3] else _DEFAULT_PORTS[scheme]
    if not 1 <= port <= 65535:
        raise UrlRefused("the URL's port is not between 1 and 65535")
    return host, port


def _literal(host: str) -> IPAddress | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _check_host(host: str, allow_private: bool) -> None:
    literal = _literal(host)
    if literal is not None:
        _checked(literal, allow_private)
        return
    labels = host.split(".")
    # Resolvers take 2130706433, 0x7f.1 and 0177.0.0.1 for 127.0.0.1. Whatever ends in a number
    # and is no dotted quad is such a disguise (WHATWG URL, "ends in a number").
    if _NUMERIC_LABEL.fullmatch(labels[-1]):
        raise UrlRefused("the URL's host is a number that is not a plain IPv4 address")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise UrlRefused("the URL's host or port is malformed")
    if allow_private:
        return
    if len(labels) == 1 or labels[-1] in _HOME_DOMAINS or host.endswith(".home.arpa"):
        raise UrlRefused("the URL's host is a local name")
