"""Which versions a peer is offered: the platform's, narrowed by the operator's word."""

from __future__ import annotations

import pytest

from domain.peers.offered_versions import offered_to

OURS = ["2.1.1", "2.2.1", "2.3.0"]


@pytest.mark.parametrize(
    ("named", "offered"),
    [
        (None, OURS),
        ([], OURS),
        (["2.3.0", "2.1.1"], ["2.1.1", "2.3.0"]),
        (["2.2.1", "9.9"], ["2.2.1"]),
        (["9.9"], OURS),
    ],
)
def test_a_peer_is_offered_what_is_named_for_it(named: object, offered: list[str]) -> None:
    assert offered_to({"versions": named}, OURS) == offered


def test_nothing_said_means_all() -> None:
    assert offered_to({}, OURS) == OURS
