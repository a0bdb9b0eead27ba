"""The hub's OCPI 2.2.1 face: versions, credentials, senders for its clients, and receivers.

What the CPO pushes is handed on by OCPI-to: the hub's own party means all connected clients
(Broadcast Push); a client means that one; none at all is open routing, by the token's party.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from cpo_app.mock_hub.answers import (
    NOT_CONNECTED,
    UNKNOWN_RECEIVER,
    envelope,
    party_in,
    token_in,
)
from cpo_app.mock_hub.clients import Party
from cpo_app.mock_hub.hub import Hub
from cpo_app.mock_hub.mailbox import Arrived
from db_interface.json_data import JsonObject

RECEIVED = ("locations", "tariffs", "sessions", "cdrs")
RESULTS = ("commands", "chargingprofiles")
PAGE = 50

Handler = Callable[[Request], Awaitable[Response]]


def build_hub_app(hub: Hub) -> Starlette:
    """The app that answers for the hub."""
    return Starlette(routes=_Face(hub).routes())


class _Face:
    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def routes(self) -> list[Route]:
        below = "/ocpi/2.2.1"
        faulty = self._faulty
        return [
            Route("/ocpi/versions", self._guarded(self._versions)),
            Route(below, self._guarded(self._details)),
            Route(
                f"{below}/credentials",
                self._guarded(self._credentials),
                methods=["GET", "POST", "PUT", "DELETE"],
            ),
            Route(f"{below}/tokens", faulty(self._tokens)),
            Route(f"{below}/tokens/{{uid}}/authorize", faulty(self._authorize), methods=["POST"]),
            Route(f"{below}/hubclientinfo", faulty(self._client_info)),
            Route(f"{below}/cdrs", faulty(self._cdr), methods=["POST"]),
            *(
                Route(f"{below}/{module}/{{path:path}}", faulty(self._look), methods=["GET"])
                for module in RECEIVED
            ),
            *(
                Route(
                    f"{below}/{module}/{{path:path}}",
                    faulty(self._take),
                    methods=["PUT", "PATCH", "DELETE", "POST"],
                )
                for module in (*RECEIVED, *RESULTS)
                if module != "cdrs"
            ),
        ]

    def _guarded(self, handler: Handler) -> Handler:
        async def answer(request: Request) -> Response:
            if token_in(request) != self._hub.token_for_cpo:
                return envelope(request, code=2000, message="unknown token", http=401)
            return await handler(request)

        return answer

    def _faulty(self, handler: Handler) -> Handler:
        async def answer(request: Request) -> Response:
            return await self._hub.faults.around(lambda: handler(request))

        return self._guarded(answer)

    async def _versions(self, request: Request) -> Response:
        return envelope(request, [{"version": "2.2.1", "url": self._hub.module_url}])

    async def _details(self, request: Request) -> Response:
        roles = [("credentials", "SENDER"), ("tokens", "SENDER"), ("hubclientinfo", "SENDER")]
        roles += [(module, "RECEIVER") for module in RECEIVED]
        roles += [(module, "SENDER") for module in RESULTS]
        endpoints = [
            {"identifier": module, "role": role, "url": f"{self._hub.module_url}/{module}"}
            for module, role in roles
        ]
        return envelope(request, {"version": "2.2.1", "endpoints": endpoints})

    async def _credentials(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._hub.forget_cpo()
            return envelope(request)
        if request.method in ("POST", "PUT"):
            self._hub.registered_by(await request.json())
        return envelope(request, self._hub.credentials)

    async def _tokens(self, request: Request) -> Response:
        """Of the client in OCPI-to; of all of them where that is the hub ("GET All via Hubs")."""
        to = party_in(request, "to")
        clients = list(self._hub.clients.values())
        if to is not None and to != self._hub.party:
            if not self._hub.reachable(to):
                return self._unreachable(request, to)
            clients = [self._hub.clients[to]]
        rows = [client.token(uid) for client in clients for uid in client.cards]
        return self._page(request, "tokens", rows)

    async def _client_info(self, request: Request) -> Response:
        rows = [client.info() for client in self._hub.clients.values()]
        return self._page(request, "hubclientinfo", rows)

    def _page(self, request: Request, module: str, rows: list[JsonObject]) -> Response:
        since = request.query_params.get("date_from", "")
        found = [row for row in rows if row["last_updated"] >= since]
        offset = int(request.query_params.get("offset", 0))
        limit = min(int(request.query_params.get("limit", PAGE)), PAGE)
        answer = envelope(request, found[offset : offset + limit])
        answer.headers["X-Total-Count"] = str(len(found))
        answer.headers["X-Limit"] = str(PAGE)
        if offset + limit < len(found):
            url = f"{self._hub.module_url}/{module}?offset={offset + limit}&limit={limit}"
            more = f"{url}&date_from={since}" if since else url
            answer.headers["Link"] = f'<{more}>; rel="next"'
        return answer

    async def _authorize(self, request: Request) -> Response:
        """By the client in OCPI-to, else by whoever has such a card (open routing)."""
        uid = request.path_params["uid"].lower()
        to = party_in(request, "to")
        for client in self._hub.clients.values():
            card = next((card for card in client.cards if card.lower() == uid), None)
            if card is None or to not in (None, self._hub.party, client.party):
                continue
            if not self._hub.reachable(client.party):
                return self._unreachable(request, client.party)
            answer = envelope(request, {"allowed": "ALLOWED", "token": client.token(card)})
            answer.headers["OCPI-from-country-code"] = client.country_code
            answer.headers["OCPI-from-party-id"] = client.party_id
            return answer
        return envelope(request, code=2004, message="unknown token", http=404)

    async def _cdr(self, request: Request) -> Response:
        cdr = await request.json()
        path = f"{cdr['country_code']}/{cdr['party_id']}/{cdr['id']}"
        answer = await self._handed_on(request, "cdrs", path, cdr)
        answer.headers["Location"] = f"{self._hub.module_url}/cdrs/{path}"
        return answer

    async def _take(self, request: Request) -> Response:
        body = None if request.method == "DELETE" else await request.json()
        return await self._handed_on(request, _module(request), request.path_params["path"], body)

    async def _look(self, request: Request) -> Response:
        held = self._hub.mailbox.objects.get(
            (_module(request), request.path_params["path"].lower())
        )
        if held is None:
            return envelope(request, code=2003, message="not known here", http=404)
        return envelope(request, held)

    async def _handed_on(self, request: Request, module: str, path: str, body: object) -> Response:
        to = party_in(request, "to")
        if to is None:
            clients = self._by_token(body)
        elif to == self._hub.party:
            clients = tuple(filter(self._hub.reachable, self._hub.clients))
        elif self._hub.reachable(to):
            clients = (to,)
        else:
            return self._unreachable(request, to)
        message = Arrived(
            module, request.method, path, party_in(request, "from"), to, clients, body
        )
        new = await self._hub.mailbox.take(message)
        created = (new and request.method == "PUT") or module == "cdrs"
        return envelope(request, http=201 if created else 200)

    def _by_token(self, body: object) -> tuple[Party, ...]:
        token = body.get("cdr_token") if isinstance(body, dict) else None
        if not isinstance(token, dict):
            return ()
        party = (token["country_code"].upper(), token["party_id"].upper())
        return (party,) if self._hub.reachable(party) else ()

    def _unreachable(self, request: Request, party: Party) -> Response:
        if party in self._hub.clients:
            status = self._hub.clients[party].status
            return envelope(request, code=NOT_CONNECTED, message=f"{'/'.join(party)} is {status}")
        return envelope(request, code=UNKNOWN_RECEIVER, message=f"{'/'.join(party)} is not here")


def _module(request: Request) -> str:
    return request.url.path.removeprefix("/ocpi/2.2.1/").split("/")[0]
