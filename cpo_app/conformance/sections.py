"""Where the OCPI texts say what a rule demands: file, heading, and its number where it has one.
What a version's text does not say is not asked of who speaks it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from domain.versions import VERSIONS, OcpiVersion


@dataclass(frozen=True)
class Section:
    """`of`: by version number. A version that is not named has the heading of the one before it."""

    of: Mapping[str, str | None]

    @cached_property
    def _of_all(self) -> Mapping[str, str | None]:
        found: dict[str, str | None] = {}
        latest: str | None = None
        for number in VERSIONS:
            latest = found[number] = self.of.get(number, latest)
        return found

    def in_text_of(self, version: OcpiVersion) -> str | None:
        """None: that text says nothing of it."""
        return self._of_all.get(version.number)


def _section(of_2_1_1: str | None, of_2_2_1: str, of_2_3_0: str | None = None) -> Section:
    return Section({"2.1.1": of_2_1_1, "2.2.1": of_2_2_1, "2.3.0": of_2_3_0 or of_2_2_1})


_TRANSPORT = "transport_and_format"
SECURITY = _section(
    f"{_TRANSPORT} Security and authentication", f"{_TRANSPORT} 4.1.1 Security and authentication"
)
AUTHORIZATION = _section(
    f"{_TRANSPORT} Security and authentication", f"{_TRANSPORT} 4.1.2 Authorization header"
)
LISTS = _section(f"{_TRANSPORT} Pagination", f"{_TRANSPORT} 4.1.4.1 GET")
RESPONSES = _section(f"{_TRANSPORT} Response format", f"{_TRANSPORT} 4.1.7 Response format")
ROUTING = _section(
    None,
    f"{_TRANSPORT} 4.1.8.2 Message Routing Headers",
    f"{_TRANSPORT} 4.1.9.2 Message Routing Headers",
)
MESSAGE_IDS = _section(None, f"{_TRANSPORT} 4.2 Unique message IDs")
ENDPOINTS = _section(f"{_TRANSPORT} Interface endpoints", f"{_TRANSPORT} 4.3 Interface endpoints")
CLIENT_ERRORS = _section("status_codes 2xxx: Client errors", "status_codes 5.2 2xxx: Client errors")

_VERSIONS = "version_information_endpoint"
VERSION_LIST = _section(f"{_VERSIONS} Version class", f"{_VERSIONS} 6.1.2 Version class")
VERSION_DETAILS = _section(f"{_VERSIONS} Endpoint class", f"{_VERSIONS} 6.2.2 Endpoint class")
MODULES = _section(f"{_VERSIONS} ModuleID enum", f"{_VERSIONS} 6.2.4 ModuleID enum",
                   f"{_VERSIONS} 6.2.4 ModuleID OpenEnum")  # fmt: skip
CREDENTIALS = _section("credentials 1.1 GET Method", "credentials 7.2.1 GET Method")
IDENTIFIERS = _section(
    "types 1.1 CiString type", "types 16.1 CiString type", "types 17.4 CiString type"
)

OBJECTS: Mapping[str, Section] = {
    "locations": _section(
        "mod_locations 3 Object description", "mod_locations 8.3 Object description"
    ),
    "sessions": _section(
        "mod_sessions 3 Object description", "mod_sessions 9.3 Object description"
    ),
    "cdrs": _section("mod_cdrs 3 Object description", "mod_cdrs 10.3 Object description"),
    "tariffs": _section(
        "mod_tariffs 3 Object description",
        "mod_tariffs 11.3 Object description",
        "mod_tariffs 12.3 Object description",
    ),
    "tokens": _section(
        "mod_tokens 3 Object description",
        "mod_tokens 12.3 Object description",
        "mod_tokens 13.3 Object description",
    ),
}
"""What the objects of a module are."""

LOCATIONS_OF_CPO = _section(
    "mod_locations 2.1 CPO Interface", "mod_locations 8.2.1 Sender Interface"
)
RECEIVED: Mapping[str, Section] = {
    "locations": _section(
        "mod_locations 2.2 eMSP Interface", "mod_locations 8.2.2 Receiver Interface"
    ),
    "sessions": _section(
        "mod_sessions 2.2 eMSP Interface", "mod_sessions 9.2.2 Receiver Interface"
    ),
    "cdrs": _section("mod_cdrs 2.2 eMSP Interface", "mod_cdrs 10.2.2 Receiver Interface"),
    "tariffs": _section(
        "mod_tariffs 2.2 eMSP Interface",
        "mod_tariffs 11.2.2 Receiver Interface",
        "mod_tariffs 12.2.2 Receiver Interface",
    ),
}
"""What an eMSP does with what it is sent of a module."""
CREDIT_CDRS = _section(None, "mod_cdrs 10.1.1 Credit CDRs")
REAL_TIME = _section(
    "mod_tokens 2.2 eMSP Interface",
    "mod_tokens 12.2.2 Sender Interface",
    "mod_tokens 13.2.2 Sender Interface",
)
RESULTS = _section(
    "mod_commands 2.2 eMSP Interface",
    "mod_commands 13.2.2 Sender Interface",
    "mod_commands 14.2.2 Sender Interface",
)
