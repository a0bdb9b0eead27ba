"""A connection of somebody who is known stays open between requests: a charge point that comes
again and again pays once for its handshake, which costs more than its heartbeat.

Strangers' connections close after a few idle seconds, as ever; and so do those that are known
where there are many (doorkeeper.py): they are worth less than a place for somebody new.
"""

from __future__ import annotations

from starlette.types import Scope

EXTENSION = "cpo.kept_connection"
KEPT_FOR_S = 75
"""Idle seconds: more than the interval of most heartbeats."""
CLIENT_KEEPS_FOR_S = 70.0
"""What a client may rely on: the server is not to close what is just being used."""


LONG_BODY_WITHIN_S = 1800.0
"""A log of some megabytes over a poor mobile link."""


def wait_for_body(scope: Scope) -> None:
    """The sender of this request is known: its body may take LONG_BODY_WITHIN_S."""
    wait = scope.get("extensions", {}).get(EXTENSION, {}).get("wait")
    if callable(wait):
        wait()


def keep_open(scope: Scope) -> None:
    """Let the connection of this request, whose sender is known, stay for KEPT_FOR_S."""
    keep = scope.get("extensions", {}).get(EXTENSION, {}).get("keep")
    if callable(keep):
        keep()


def end_when_stopping(scope: Scope) -> None:
    """The answer to this request has no end of its own: a server that stops ends it."""
    end = scope.get("extensions", {}).get(EXTENSION, {}).get("end")
    if callable(end):
        end()


def let_go(scope: Scope) -> None:
    """Close the connection of this request, whose answer is not read in time."""
    close = scope.get("extensions", {}).get(EXTENSION, {}).get("let_go")
    if callable(close):
        close()
