"""Whether a port can be listened on, asked before anything is started."""

from __future__ import annotations

import errno
import socket

from cpo_app.cli.errors import CliError


def demand_free(host: str, port: int, options: str = "--port") -> None:
    """Raise CliError, naming the `options` that choose another, if nobody could listen there."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            said = f"port {port} is in use; choose another with {options}"
        else:
            said = f"{host}, port {port}: {error.strerror}"
        raise CliError(said) from error
