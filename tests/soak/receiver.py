"""The eMSP of a soak: keeps under which request each CDR came, and can lose its own receipts."""

from __future__ import annotations

import contextlib
from collections import defaultdict
from collections.abc import Iterator

from starlette.requests import Request
from starlette.responses import Response

from tests.conftest import Loop
from tests.e2e.emsp_server import EmspServer
from tests.serving import listener, served, url_of

PARTY = ("NL", "SOK")


class Receiver(EmspServer):
    """A CDR that comes again under the same X-Request-ID is the same arrival (a repeat); under
    another it has arrived twice."""

    loses_receipts = False

    def __init__(self, base_url: str) -> None:
        super().__init__(PARTY, base_url)
        self.arrivals: dict[str, set[str]] = defaultdict(set)

    @property
    def protests(self) -> list[str]:
        """What it has to complain of; repeats are judged by `arrivals`."""
        return [one for one in self.complaints if not one.endswith("a request id twice")]

    async def _cdr(self, request: Request) -> Response:
        body = await request.json()
        self.arrivals[body["id"]].add(request.headers["x-request-id"])
        answer = await super()._cdr(request)
        return Response(status_code=502) if self.loses_receipts else answer


@contextlib.contextmanager
def receiving(loop: Loop) -> Iterator[Receiver]:
    """It serves while the block runs."""
    listening = listener()
    server = Receiver(url_of(listening))
    with served(server.app(), loop, listening):
        yield server
