"""Whether a request is a person's at this very host: for what is open to him without a password.

Not a proxy's on this host, which says so or names another Host; nor a web page's whose name was
made to point here (DNS rebinding), which names its own.
"""

from __future__ import annotations

from starlette.requests import Request

from cpo_app.addresses.host_names import is_loopback, name_in

_OF_PROXIES = (
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
)


def is_from_this_host(request: Request) -> bool:
    client = request.client.host if request.client else ""
    host = request.headers.get("host", "")
    forwarded = any(name in request.headers for name in _OF_PROXIES)
    return not forwarded and is_loopback(client) and is_loopback(name_in(host))
