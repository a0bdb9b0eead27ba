"""When charge points were heard of last: many of them are noted in one change."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from db_interface.collection import Documents
from db_interface.database import Database
from domain.charge_points import signs_of_life
from domain.charge_points.signs_of_life import SIGNS
from tests.clock import Clock
from tests.conftest import Loop


def test_those_heard_at_about_the_same_time_are_one_change(
    db: Database, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = Clock().at
    ids = [f"CP-{n:03d}" for n in range(30)]

    async def story() -> list[str]:
        await signs_of_life.keep(db, dict.fromkeys(ids, at))
        await SIGNS.of(db).update_one({"_id": "CP-003"}, {"$set": {"silent": True}})
        changes: list[str] = []
        for name in ("update_many", "change_each"):
            monkeypatch.setattr(Documents, name, noted(getattr(Documents, name), changes))
        later = at + timedelta(seconds=10)
        heard = {id_: later + timedelta(milliseconds=10 * n) for n, id_ in enumerate(ids)}
        heard["CP-029"] = later + timedelta(seconds=20)
        heard["CP-028"] = at - timedelta(seconds=5)  # what is known is newer
        assert await signs_of_life.keep(db, heard) == ["CP-003"]
        return changes

    assert loop.run(story()) == ["update_many"] * 3
    known = loop.run(signs_of_life.latest(db, ids))
    first = at + timedelta(seconds=10)
    assert known == {
        **dict.fromkeys(ids, first),
        "CP-028": at,
        "CP-029": first + timedelta(seconds=20),
    }


def noted(method: Any, calls: list[str]) -> Any:
    async def noting(*arguments: Any, **options: Any) -> Any:
        calls.append(method.__name__)
        return await method(*arguments, **options)

    return noting


def test_who_was_never_heard_of_is_noted_beside_those_who_were(db: Database, loop: Loop) -> None:
    at = Clock().at

    async def story() -> dict[str, object]:
        await signs_of_life.keep(db, {"CP-001": at})
        later = at + timedelta(seconds=1)
        await signs_of_life.keep(db, {"CP-001": later, "CP-002": later})
        return {**await signs_of_life.latest(db, ["CP-001", "CP-002"])}

    assert loop.run(story()) == dict.fromkeys(["CP-001", "CP-002"], at + timedelta(seconds=1))
