from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from fastapi.routing import APIRoute

from cpo_app.late_route import LateRoute
from cpo_app.main import build_app
from db_interface.database import Database
from tests.cpo_app.doors import Doors


def counted(kind: type[APIRoute], made: Counter[tuple[str, str, str]]) -> Callable[..., None]:
    make = kind.__init__

    def init(self: APIRoute, *args: Any, **named: Any) -> None:
        make(self, *args, **named)
        if isinstance(self, LateRoute) == (kind is LateRoute):  # not when it is read
            made[type(self).__qualname__, self.path, str(sorted(self.methods))] += 1

    return init


def test_each_route_of_ours_is_made_once(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Making routes is most of what building the app takes."""
    backend = Doors.on(db).backend
    made: Counter[tuple[str, str, str]] = Counter()
    for kind in (APIRoute, LateRoute):
        monkeypatch.setattr(kind, "__init__", counted(kind, made))
    build_app(backend)
    ours = {row: times for row, times in made.items() if not row[1].startswith(("/ocpi", "/{"))}
    assert len(ours) > 100
    assert [row for row, times in ours.items() if times > 1] == []
