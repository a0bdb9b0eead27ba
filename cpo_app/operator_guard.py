"""Whether a request is the operator's, for the pages outside EV_Central: console and metrics.

The decision is EV_Central's (central/operator_access.py); here it only becomes a value, so that
each page answers in its own form. Never lets anybody in on its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.requests import Request

from cpo_app.central.errors import CentralError
from cpo_app.central.operator_access import require_operator


@dataclass(frozen=True)
class Refusal:
    """Why not, and what the answer has to say so: 401 with its challenge, or 403."""

    http_status: int
    detail: str
    headers: Mapping[str, str] = field(default_factory=dict)


class OperatorGuard:
    """`password` is CPO_ADMIN_PASSWORD; without one, `open_to_loopback` lets this host in."""

    def __init__(self, password: str, *, open_to_loopback: bool) -> None:
        self._password = password
        self._open_to_loopback = open_to_loopback

    def refusal(self, request: Request) -> Refusal | None:
        """None: the request is the operator's."""
        try:
            require_operator(request, self._password, open_to_loopback=self._open_to_loopback)
        except CentralError as error:
            return Refusal(error.http_status, error.detail, error.headers or {})
        return None
