"""The ids under which a charge point and its site are known over OCPI. They never change.

An id that OCPI or a URL path could not carry as it is gets a digest of itself instead of the part
that does not fit, so that two different names can never become one id.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from db_interface.json_data import JsonMapping

_MAX_ID_LENGTH = 36  # Location.id and EVSE.uid: CiString(36)
_MAX_OUTLET_LENGTH = 30  # eMI3, EVSE ID: power outlet id of 1 to 30 letters, digits and separators
_DIGEST = 8

_UNFIT = re.compile(r"[^A-Za-z0-9._~*:@+-]+")
_EVSE_ID = re.compile(
    r"[A-Z]{2}\*?[A-Z0-9]{3}\*?E[A-Z0-9][A-Z0-9*]{0,30}", re.ASCII | re.IGNORECASE
)


def site_id_of(record: JsonMapping) -> str:
    """The Location id of a record: `metadata.site_id`, else its `cp_id`.

    Ids compare case-insensitively: group records by the folded id.
    """
    metadata = record.get("metadata")
    site_id = metadata.get("site_id") if isinstance(metadata, Mapping) else None
    return ocpi_id(site_id if is_name(site_id) else record.get("cp_id", ""))


def is_name(value: object) -> bool:
    """Whether a value can name a site: text that is not blank, or a whole number."""
    if isinstance(value, str):
        return bool(value.strip())
    return isinstance(value, int) and not isinstance(value, bool)


def ocpi_id(name: object) -> str:
    """A name as CiString(36) that is safe in a URL path; most names stay as they are."""
    text = _text(name).strip()
    fitting = _UNFIT.sub("-", text)
    if fitting == text and 0 < len(text) <= _MAX_ID_LENGTH and text.strip("."):
        return text
    return f"{fitting[: _MAX_ID_LENGTH - _DIGEST - 1].strip('.') or 'x'}-{_digest(text)}"


def evse_id_of(cp_id: str, country_code: str, party_id: str) -> str | None:
    """The eMI3 EVSE id, such as DE*ABC*ECP*001; None where the name has no letter or digit."""
    outlet = re.sub(r"[^A-Z0-9]+", "*", _text(cp_id).upper()).strip("*")
    if not outlet:
        return None
    if len(outlet) > _MAX_OUTLET_LENGTH:
        kept = outlet[: _MAX_OUTLET_LENGTH - _DIGEST - 1].rstrip("*")
        outlet = f"{kept}*{_digest(cp_id).upper()}"
    return f"{country_code}*{party_id}*E{outlet}".upper()


def is_evse_id(text: str) -> bool:
    """Whether a text is an EVSE id in eMI3 form."""
    return _EVSE_ID.fullmatch(text) is not None


def _text(name: object) -> str:
    try:
        return str(name)
    except ValueError:  # an integer of more digits than Python turns into text
        return hex(name) if isinstance(name, int) else ""


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST]
