"""The one place that hears of every change of an object that others may be told of: the peers are
marked, and the event stream.
"""

from __future__ import annotations

from collections.abc import Sequence

from db_interface.transaction import Tx
from domain.events.kinds import OCPI_KINDS
from domain.events.marks import Touched, mark_event
from domain.outbox.marks import Changed, identity_of_gone, mark_changes


def tell_of(module: str, changes: Sequence[Changed], tx: Tx) -> None:
    """Have everybody told whom these changes concern; call in the transaction that made them."""
    mark_changes(module, changes, tx)
    if module in OCPI_KINDS:
        for change in changes:
            mark_event(Touched(module, change.key, identity_of_gone(change)), tx)
