"""The index is made once for a machine, and a bad file of it is no harm."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from domain.places import geonames
from domain.places.city_index import FOLDER, City, CityIndex, block_of, kept

HALLE = City("Halle", "DE", "15", 51.48, 11.96, "Europe/Berlin", 237_000)
HALLE_BE = City("Halle", "BE", "VLG", 50.73, 4.23, "Europe/Brussels", 40_000)
BERLIN = City("Berlin", "DE", "16", 52.52, 13.41, "Europe/Berlin", 3_400_000)
ROWS = [(HALLE, ["halle", "halle saale"]), (HALLE_BE, ["halle", "hal"]), (BERLIN, ["berlin"])]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / FOLDER / "some.places"


class Making:
    """Makes the block, and counts how often."""

    def __init__(self, made_from: int) -> None:
        self.made_from, self.times = made_from, 0

    def __call__(self) -> bytes:
        self.times += 1
        return block_of(ROWS, self.made_from)


def index_of(making: Making) -> CityIndex:
    return kept("some", making.made_from, making)


def test_a_city_is_found_by_each_of_its_names_and_by_its_country(cache: Path) -> None:
    index = index_of(Making(1))
    assert set(index.named("halle")) == {HALLE, HALLE_BE}
    assert list(index.named("hal")) == [HALLE_BE]
    assert list(index.named("hall")) == []
    assert list(index.within("DE")) == [HALLE, BERLIN]
    assert list(index.within("BE")) == [HALLE_BE]
    assert list(index.within("FR")) == []


def test_the_next_process_finds_it_made(cache: Path) -> None:
    first, second = Making(1), Making(1)
    index_of(first)
    assert list(index_of(second).named("berlin")) == [BERLIN]
    assert (first.times, second.times) == (1, 0)
    assert cache.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in cache.parent.iterdir()] == [cache.name]


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="Linux tells of its memory there")
def test_what_was_only_checked_does_not_stay_in_memory(cache: Path) -> None:
    index = index_of(Making(1))
    told = Path("/proc/self/smaps").read_text()
    of_the_file = told[told.index(str(cache)) :]
    rss_kb = next(line for line in of_the_file.splitlines() if line.startswith("Rss:")).split()[1]
    assert rss_kb == "0"
    assert list(index.named("berlin")) == [BERLIN]


def test_it_is_made_anew_from_other_data(cache: Path) -> None:
    index_of(Making(1))
    other = Making(2)
    index_of(other)
    assert other.times == 1


def cut_short(block: bytes) -> bytes:
    return block[:-1]


def with_a_flipped_bit(block: bytes) -> bytes:
    return block[:100] + bytes([block[100] ^ 1]) + block[101:]


def emptied(block: bytes) -> bytes:
    return b""


@pytest.mark.parametrize("damage", [cut_short, with_a_flipped_bit, emptied])
def test_a_damaged_file_is_made_anew(cache: Path, damage: Callable[[bytes], bytes]) -> None:
    index_of(Making(1))
    cache.write_bytes(damage(cache.read_bytes()))
    again = Making(1)
    assert list(index_of(again).named("berlin")) == [BERLIN]
    assert again.times == 1


def test_where_nothing_can_be_written_it_is_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert list(index_of(Making(1)).named("berlin")) == [BERLIN]


@pytest.mark.processes
def test_a_server_does_not_make_the_index_of_cities_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What making it takes would stay with it for as long as it lives."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def refused(*_: object) -> None:
        raise AssertionError("made here")

    monkeypatch.setattr(geonames, "_cities_in", refused)
    geonames.cities.cache_clear()
    try:
        assert [city.alpha2 for city in geonames.cities().named("utrecht")] == ["NL"]
    finally:
        geonames.cities.cache_clear()
