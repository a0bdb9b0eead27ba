"""What a connector's energy register said when a session ended, beside its start's: links of the
chain that reconciliation follows (domain/reconciliation/register_chain.py)."""

from __future__ import annotations

from db_interface.transaction import Tx
from domain.sessions.session_records import SESSIONS


async def note_register_end(tx: Tx, session_id: str, register_wh: float, energy_wh: float) -> None:
    """The charge point's last word on it. Where the start's reading was never heard it follows
    from the energy; one that is known stays."""
    start_wh = max(0.0, register_wh - energy_wh)
    await SESSIONS.of(tx).update_one(
        {"_id": session_id},
        [
            {
                "$set": {
                    "register_end_wh": register_wh,
                    "register_start_wh": {"$ifNull": ["$register_start_wh", start_wh]},
                }
            }
        ],
    )
