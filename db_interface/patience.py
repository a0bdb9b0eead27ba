"""A request waits once for a store that does not answer, however often it asks.

Behind a server that hangs each operation would have its whole time, one after another. What was
waited in vain is therefore taken off the time of those that follow in the same request.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from types import TracebackType

import pymongo
from pymongo.errors import ConnectionFailure, PyMongoError, ServerSelectionTimeoutError

_WORTH_TRYING_S = 0.2
"""Whoever has less left hears at once that the store does not answer."""


class _Patience:
    def __init__(self) -> None:
        self.in_vain_s = 0.0
        self._counted_to = float("-inf")
        self.over = False
        """The request has been answered: tasks that it has started wait as all others do."""

    def waited(self, since: float) -> None:
        """In vain; what several operations wait at a time counts once."""
        now = time.monotonic()
        self.in_vain_s += now - max(since, self._counted_to)
        self._counted_to = now


_PATIENCE: ContextVar[_Patience | None] = ContextVar("patience", default=None)


@contextmanager
def one_patience() -> Iterator[None]:
    """Within the block (and the one around it, if there is one) time is waited in vain once."""
    if _of_now() is not None:
        yield
        return
    patience = _Patience()
    token = _PATIENCE.set(patience)
    try:
        yield
    finally:
        patience.over = True
        _PATIENCE.reset(token)


class InTime:
    """`with InTime(seconds):` around one operation; then one of STORE_ERRORS is raised."""

    __slots__ = ("_began", "_limit", "_patience", "_within_s")

    def __init__(self, within_s: float) -> None:
        self._within_s = within_s

    def __enter__(self) -> None:
        self._patience = patience = _of_now()
        within_s = self._within_s
        if patience is not None and patience.in_vain_s:
            within_s -= patience.in_vain_s
            if within_s < _WORTH_TRYING_S:
                raise ServerSelectionTimeoutError("the store has not answered this request in time")
        self._began = time.monotonic()
        self._limit: AbstractContextManager[None] = pymongo.timeout(within_s)
        self._limit.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._limit.__exit__(kind, error, trace)
        in_vain = isinstance(error, ConnectionFailure) or (
            isinstance(error, PyMongoError) and error.timeout
        )
        if in_vain and self._patience is not None:
            self._patience.waited(self._began)


def _of_now() -> _Patience | None:
    patience = _PATIENCE.get()
    return None if patience is None or patience.over else patience
