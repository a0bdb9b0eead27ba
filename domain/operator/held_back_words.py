"""What an operator can do about a charge point that is not offered to peers, and whether anything
is to be done at all. The reasons themselves name the field that is wrong. Pure."""

from __future__ import annotations

from collections.abc import Sequence

_BY_BEGINNING = (
    ("private:", "It stays private until it is registered with metadata.roaming true, or without."),
    ("deregistered", "It comes back when it registers again, or when you restore it."),
    ("site ", "Let it into its site, or have the owner’s metadata.site_members list it."),
    ("location ", "Register it with another metadata.site_id, or remove the imported location."),
)
_PLANNED = ("private:", "deregistered")
_BY_METADATA = (
    "Register it again with what is named: by its monitor (CP_MONITOR_LOCATION, "
    "CP_MONITOR_METADATA), or at EV_Registry with the operator’s key, whose word goes "
    "before the charge point’s own."
)


def is_planned(reasons: Sequence[str]) -> bool:
    """Somebody wants it so."""
    return bool(reasons) and all(reason.startswith(_PLANNED) for reason in reasons)


def remedy_of(reasons: Sequence[str]) -> str:
    """One or more sentences."""
    said: dict[str, None] = {}
    for reason in reasons:
        known = (text for beginning, text in _BY_BEGINNING if reason.startswith(beginning))
        said[next(known, _BY_METADATA)] = None
    return " ".join(said)
