"""Dead letters replayed from beside the servers: telemetry's handlers put on a backend.

Composition only, as cpo_app/backend.py: no behaviour lives here.
"""

from __future__ import annotations

from cpo_app.backend import Backend
from cpo_app.central import charging
from cpo_app.central.telemetry import Telemetry


async def replay(backend: Backend, letter_id: str) -> str | None:
    """As Telemetry.replay: None, or why it was not taken. Raises NoSuchLetter."""
    handlers = charging.handlers(backend.settings.session_rules)
    telemetry = Telemetry(backend.store, backend.settings.parties[0], handlers)
    return await telemetry.replay(letter_id)
