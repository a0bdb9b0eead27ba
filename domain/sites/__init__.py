"""From EV_Registry's records to the OCPI Locations they stand for. Pure: nothing is read or kept.

A record is {cp_id, location, metadata, status, registration_date, updated_at}; every charge point
is one EVSE, and those with one site id are one Location. `metadata` is an operator's free JSON: it
may hold anything, and must never make this room raise, nor bring a half-valid Location about.
Source: OCPI 2.2.1, mod_locations, object description.
"""

from domain.sites.identifiers import ocpi_id, site_id_of
from domain.sites.location import Built, HeldBack, Party, build_location
from domain.sites.public import public_metadata
from domain.sites.redaction import redacted_metadata
from domain.sites.status_change import with_status

__all__ = [
    "Built",
    "HeldBack",
    "Party",
    "build_location",
    "ocpi_id",
    "public_metadata",
    "redacted_metadata",
    "site_id_of",
    "with_status",
]
