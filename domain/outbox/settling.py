"""When a change has surely ended that began before a reader was known."""

from __future__ import annotations

from datetime import timedelta

CHANGES_END_WITHIN = timedelta(seconds=65)
"""MongoDB ends transactions after a minute: what began before a switch has ended by then."""
