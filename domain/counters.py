"""What the domain counts for `/metrics`: once, and of what was committed alone. Labels are words of
ours and of OCPI's: no id of a card, a session or a charge point.
"""

from __future__ import annotations

from prometheus_client import Counter

ENERGY_WH = Counter(
    "cpo_energy_delivered_wh", "Energy that has come to sessions, as it became known."
)
AUTHORIZATIONS = Counter(
    "cpo_authorizations",
    "Cards at readers, by what was decided (OCPI's AllowedType), and by whom.",
    ["result", "by"],
)
