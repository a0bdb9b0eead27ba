"""What a list of networks that the operator names takes and holds."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from cpo_app.addresses.networks import Networks


def test_addresses_and_networks_of_both_kinds() -> None:
    named = Networks.of(" 10.0.0.5, 192.168.1.0/24,,2001:db8::/32 ")
    assert str(named) == "10.0.0.5/32,192.168.1.0/24,2001:db8::/32"
    for one in ("10.0.0.5", "192.168.1.77", "2001:db8:1::1", ip_address("10.0.0.5")):
        assert one in named
    for other in ("10.0.0.6", "192.168.2.1", "2001:db9::1", "box.example", ""):
        assert other not in named


def test_nothing_named_holds_nobody() -> None:
    assert "127.0.0.1" not in Networks.of("")


@pytest.mark.parametrize("entry", ["box.example", "10.0.0.5/33", "10.0.0.5/24"])
def test_an_entry_that_is_neither_is_named(entry: str) -> None:
    with pytest.raises(ValueError, match=f"'{entry}' is neither an address nor a network"):
        Networks.of(f"10.0.0.1, {entry}")
