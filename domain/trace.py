"""The ids of what is going on at present: bound once where work begins, found wherever it leads.

    with bound(correlation_id=..., peer_id=...):
        await work()        # every line that it logs, every audit entry, in whatever room

They are context variables: tasks that begin inside inherit them, others never see them.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar

TRACEPARENT = "traceparent"
TRACESTATE = "tracestate"
"""As W3C names the headers that carry them."""

_NONE: Mapping[str, str] = {}
_BOUND: ContextVar[Mapping[str, str]] = ContextVar("ids", default=_NONE)


class _Bound(AbstractContextManager[None]):
    """No generator, which would cost every request as much again."""

    __slots__ = ("_before", "_ids")

    def __init__(self, ids: Mapping[str, str | None]) -> None:
        self._ids = ids

    def __enter__(self) -> None:
        self._before = _BOUND.set({**_BOUND.get(), **_given(self._ids)})

    def __exit__(self, *_: object) -> None:
        _BOUND.reset(self._before)


def bound(**ids: str | None) -> AbstractContextManager[None]:
    """Bind ids (request_id, correlation_id, peer_id, cp_id, command_id, traceparent) for the
    block; None is no id."""
    return _Bound(ids)


def bind(**ids: str | None) -> None:
    """Bind ids from here to the end of the enclosing `bound` (or task), once they are known."""
    _BOUND.set({**_BOUND.get(), **_given(ids)})


def bound_id(name: str) -> str | None:
    """The id of that name which is bound at present."""
    return _BOUND.get().get(name)


def bound_ids() -> Mapping[str, str]:
    """All that are bound at present."""
    return _BOUND.get()


def _given(ids: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in ids.items() if value}
