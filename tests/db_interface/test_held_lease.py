"""A lease is one's own until it could be another's; nothing is begun shortly before that."""

from __future__ import annotations

from functools import partial

import pytest

from db_interface.held_lease import HeldLease


def test_it_ends_by_itself_and_nothing_is_begun_just_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lease = HeldLease()
    seen = []
    lease_at = {0.0: None, 100.0: 3.0, 102.4: None, 102.6: None, 102.9: 3.0, 105.8: None}
    for now, taken_for in lease_at.items():
        monkeypatch.setattr("time.monotonic", partial(float, now))
        if taken_for is not None:
            lease.taken(now, taken_for)
        seen.append((lease.fit_to_send, lease.held))
    assert seen == [
        (False, False),
        (True, True),
        (True, True),
        (False, True),
        (True, True),
        (False, True),
    ]
    lease.lost()
    assert not lease.held
