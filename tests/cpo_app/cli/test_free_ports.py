"""A port that somebody has is named, with the option that chooses another."""

from __future__ import annotations

import socket

import pytest

from cpo_app.cli.errors import CliError
from cpo_app.cli.free_ports import demand_free


def test_a_port_in_use_is_refused_in_one_line() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(CliError, match=f"^port {port} is in use; choose another with --port$"):
            demand_free("127.0.0.1", port)
    demand_free("127.0.0.1", port)


def test_an_address_that_is_not_ours_is_named() -> None:
    with pytest.raises(CliError, match=r"^192\.0\.2\.1, port 8000: "):
        demand_free("192.0.2.1", 8000)
