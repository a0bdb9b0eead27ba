"""What `cpo up` and its simulated charge points have in common. Light: `cpo up` imports it."""

from __future__ import annotations

DEMO_SPEED = 30.0
"""How much faster than real cars those of `cpo up --demo` charge: their charge points and Central,
which judges what they deliver, go by the same figure."""

DEMO_SAMPLE_S = 5
"""How often the OCPP charge point of `cpo up --demo` sends a meter value."""

SIMULATED_PER_CORE = 50
"""How many simulated charge points a core carries beside all else of `cpo up`, by rule of thumb:
100 on each of two busy cores fell behind."""


def charge_point_ids(count: int) -> list[str]:
    """CP-001 on."""
    return [f"CP-{number:03}" for number in range(1, count + 1)]


def ocpp_charge_point_ids(version: str, count: int) -> list[str]:
    """OCPP16-001 on, OCPP201-001 on."""
    kind = f"OCPP{version.replace('.', '')}"
    return [f"{kind}-{number:03}" for number in range(1, count + 1)]
