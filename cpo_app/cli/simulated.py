"""What `cpo up` and its simulated charge points have in common. Light: `cpo up` imports it."""

from __future__ import annotations

DEMO_SPEED = 30.0
"""How much faster than real cars those of `cpo up --demo` charge: their charge points and Central,
which judges what they deliver, go by the same figure."""


def charge_point_ids(count: int) -> list[str]:
    """CP-001 on."""
    return [f"CP-{number:03}" for number in range(1, count + 1)]
