"""Which troubles are told apart and which together."""

from __future__ import annotations

from collections.abc import Callable

from domain.notices.gathering import MAX_APART, MAX_AT_ONCE, arranged, group_id
from domain.notices.troubles import Kind, Trouble

SILENT = Kind.CHARGE_POINT_SILENT


def silent(*cp_ids: str, place: str | None = "Berlin") -> list[Trouble]:
    return [Trouble(SILENT, cp_id, f"charge point {cp_id} is silent", place) for cp_id in cp_ids]


def ids(number: int, prefix: str = "CP") -> list[str]:
    return [f"{prefix}-{n}" for n in range(number)]


def always(_: Trouble) -> bool:
    return True


def of(*cp_ids: str) -> Callable[[Trouble], bool]:
    return lambda trouble: trouble.subject in cp_ids


def test_few_are_told_each_on_its_own_once_they_last() -> None:
    found = arranged(silent("CP-1", "CP-2"), set(), of("CP-2"))
    assert list(found) == ["charge_point_silent:CP-2"]
    sighting = found["charge_point_silent:CP-2"]
    assert (sighting.subject, sighting.place, sighting.number) == ("CP-2", "Berlin", 1)
    assert "cpo charge-points show" in sighting.do


def test_many_of_a_place_are_one_as_soon_as_one_of_them_lasts() -> None:
    found = arranged(silent(*ids(212)), set(), of("CP-7"))
    (sighting,) = found.values()
    assert sighting.said == "Berlin: 212 charge points are silent"
    assert (sighting.subject, sighting.place, sighting.number) == (None, "Berlin", 212)


def test_many_in_many_places_are_one() -> None:
    troubles = [
        trouble for n in range(MAX_AT_ONCE + 1) for trouble in silent(f"CP-{n}", place=f"City {n}")
    ]
    (sighting,) = arranged(troubles, set(), always).values()
    assert sighting.id == group_id(SILENT, None)
    assert sighting.said == "11 charge points are silent"
    assert len(arranged(troubles[:-1], set(), always)) == MAX_AT_ONCE


def test_another_kind_is_another_matter() -> None:
    faulty = Trouble(Kind.CHARGE_POINT_FAULTY, "CP-X", "it is out of order", "Berlin")
    found = arranged([*silent(*ids(9)), faulty], set(), always)
    assert set(found) == {group_id(SILENT, "Berlin"), faulty.id}


def test_each_belongs_to_one_open_matter_and_stays_there() -> None:
    open_ids = {"charge_point_silent:CP-0", group_id(SILENT, "Berlin")}
    found = arranged(silent(*ids(20)), open_ids, always)
    assert set(found) == open_ids
    assert found[group_id(SILENT, "Berlin")].number == 19
    everywhere = arranged(silent("A", *ids(9)), {group_id(SILENT, None)}, always)
    assert set(everywhere) == {group_id(SILENT, None)}


def test_of_many_the_last_few_become_matters_of_their_own() -> None:
    few = silent(*ids(MAX_APART))
    assert arranged(few, {group_id(SILENT, "Berlin")}, always) == {}
    assert len(arranged(few, set(), always)) == MAX_APART
