"""Keys that have come: each is new once, however many there are."""

from __future__ import annotations

from domain.imports.seen_keys import SeenKeys


def test_each_key_is_new_once() -> None:
    seen = SeenKeys()
    keys = [f"nl/evc/loc-{number}" for number in range(20_000)]
    assert all(seen.add(key) for key in keys)
    assert not any(seen.add(key) for key in keys)
    assert len(seen) == 20_000
    assert seen.add("nl/evc/another")


def test_they_take_little_room() -> None:
    seen = SeenKeys()
    for number in range(20_000):
        seen.add(f"a key that is much longer than what is kept of it: {number}")
    assert seen._places.itemsize * len(seen._places) <= 32 * len(seen)
