"""Which OCPI versions a peer is offered: those of the platform, or what the operator says of them.

What is not offered to a peer is not there for it: not in the list of versions, and 404.
"""

from __future__ import annotations

from collections.abc import Iterable

from db_interface.json_data import JsonMapping

SETTING = "versions"


def offered_to(settings: JsonMapping, offered: Iterable[str]) -> list[str]:
    """Those of the platform's versions that a peer with these settings is offered, in their order.

    All of them where the operator says nothing, or names none of them any more: a peer that is
    offered no version at all could not even read why.
    """
    ours = list(offered)
    named = settings.get(SETTING) or ()
    return [number for number in ours if number in named] or ours
