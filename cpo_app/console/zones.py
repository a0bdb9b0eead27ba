"""Whose time a page is in: the operator's (CPO_TIME_ZONE), else the browser's, which its script
says in a cookie, else UTC. Charts, the sums of days and the filters of lists go by the same.

The address of a list names the zone that its times are of where that is the browser's: who is sent
the link, and sits elsewhere, sees the same rows.
"""

from __future__ import annotations

from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

from starlette.requests import Request

from domain.listing.filters import BadFilter

ZONE_COOKIE = "cpo_zone"
"""Written by times.js."""
IN_ADDRESS = "zone"
UTC = ZoneInfo("UTC")


class Zones:
    """`setting`: CPO_TIME_ZONE; empty: each browser has its own."""

    def __init__(self, setting: str) -> None:
        self._setting = ZoneInfo(setting) if setting else None

    def of_browser(self, request: Request) -> ZoneInfo | None:
        """Where it counts: None: the operator has said whose time it is, or it is not known."""
        if self._setting is not None:
            return None
        name = request.cookies.get(ZONE_COOKIE, "")
        return ZoneInfo(name) if name in _known() else None

    def of(self, request: Request) -> ZoneInfo:
        return self._setting or self.of_browser(request) or UTC

    def of_list(self, request: Request) -> ZoneInfo:
        """Of times without one of their own in the address of a list. Raises BadFilter."""
        named = request.query_params.get(IN_ADDRESS, "").strip()
        if not named:
            return self.of(request)
        if named not in _known():
            raise BadFilter(IN_ADDRESS, "is no time zone such as Europe/Amsterdam")
        return ZoneInfo(named)

    def to_be_named(self, request: Request) -> str:
        """The zone that addresses of lists name; "": whoever is sent one has the same."""
        named = request.query_params.get(IN_ADDRESS, "").strip()
        if named in _known():
            return named
        of_browser = self.of_browser(request)
        return of_browser.key if of_browser else ""


@lru_cache(maxsize=1)
def _known() -> frozenset[str]:
    """A name becomes the path of a file: no other is looked up."""
    return frozenset(available_timezones())
