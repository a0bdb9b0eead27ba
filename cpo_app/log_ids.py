"""The ids that stand in every log line: bound once where work begins, found wherever it leads.

    with bound(correlation_id=..., peer_id=...):
        await work()        # every line that it logs, in whatever room, bears them

They are context variables: tasks that begin inside inherit them, others never see them.
"""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Iterator, Mapping
from contextvars import ContextVar

CORRELATION_HEADER = "X-Correlation-ID"
_ID = re.compile(r"[\x21-\x7e]{1,128}")
_NONE: Mapping[str, str] = {}
_BOUND: ContextVar[Mapping[str, str]] = ContextVar("log_ids", default=_NONE)


@contextlib.contextmanager
def bound(**ids: str | None) -> Iterator[None]:
    """Bind ids (request_id, correlation_id, peer_id, cp_id, command_id) for the block; None is
    no id."""
    before = _BOUND.set({**_BOUND.get(), **_given(ids)})
    try:
        yield
    finally:
        _BOUND.reset(before)


def bind(**ids: str | None) -> None:
    """Bind ids from here to the end of the enclosing `bound` (or task), once they are known."""
    _BOUND.set({**_BOUND.get(), **_given(ids)})


def bound_id(name: str) -> str | None:
    """The id of that name which is bound at present."""
    return _BOUND.get().get(name)


def usable_id(given: str | None) -> str | None:
    """An id out of a header, if it can stand in a header and in a log line again."""
    return given if given and _ID.fullmatch(given) else None


class AddIds(logging.Filter):
    """Gives every record `ids`; for the handler, so that no logger is left out."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.ids = _BOUND.get()
        return True


def _given(ids: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in ids.items() if value}
