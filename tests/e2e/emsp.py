"""An eMSP as its drivers' app would be: asks the CPO, and waits for what its server is told."""

from __future__ import annotations

import base64
import time
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

import httpx

from tests.e2e.emsp_server import CPO_PARTY, EmspServer
from tests.e2e.processes import eventually

Json = dict[str, Any]


@dataclass(frozen=True)
class Answer:
    http_status: int
    status_code: int | None
    data: Any
    message: str | None = None


@dataclass(frozen=True)
class Asked:
    """A command that was sent: its synchronous answer, and later its result."""

    answer: Answer
    server: EmspServer
    name: str
    sent: float

    @property
    def accepted(self) -> bool:
        return self.answer.status_code == 1000 and self.answer.data["result"] == "ACCEPTED"

    @property
    def result(self) -> Json:
        """The body that came to the response_url: exactly one."""
        results = self.server.results
        eventually(lambda: results.get(self.name), what=f"a result of {self.name}")
        (result,) = results[self.name]
        return result.body

    @property
    def took_s(self) -> float:
        """From the request to the arrival of its result."""
        return self.server.results[self.name][0].at - self.sent


class Emsp:
    def __init__(self, server: EmspServer) -> None:
        self.server = server
        self._http = httpx.Client(timeout=20)
        self._token = ""
        self._endpoints: dict[str, str] = {}

    def close(self) -> None:
        self._http.close()

    # --- getting acquainted -------------------------------------------------------------------

    def register(self, versions_url: str, token_a: str) -> None:
        """The handshake from our side, with an invitation."""
        self._discover(versions_url, token_a)
        url = self._endpoints["credentials"]
        answer = self._call("POST", url, self.server.credentials())
        assert answer.status_code == 1000, answer
        self._token = answer.data["token"]

    def registered(self) -> None:
        """The CPO has done the handshake: read what it offers with the token that it gave."""
        credentials = self.server.cpo_credentials
        assert credentials is not None
        self._discover(credentials["url"], credentials["token"])

    def _discover(self, versions_url: str, token: str) -> None:
        self._token = token
        rows = self._call("GET", versions_url).data
        details = next(row["url"] for row in rows if row["version"] == "2.2.1")
        endpoints = self._call("GET", details).data["endpoints"]
        self._endpoints = {row["identifier"]: row["url"] for row in endpoints}

    # --- asking -------------------------------------------------------------------------------

    def ask(self, method: str, module: str, *path: str, body: Any = None, **query: Any) -> Answer:
        url = "/".join([self._endpoints[module].rstrip("/"), *path])
        return self._call(method, url, body, query)

    def all(self, module: str) -> list[Json]:
        """All objects of a module; small enough for one page."""
        query = {"date_from": "2020-01-01T00:00:00Z"} if module == "sessions" else {}
        answer = self.ask("GET", module, **query)
        assert answer.status_code == 1000, answer
        return answer.data

    def push_token(self, uid: str, **fields: Any) -> Json:
        """PUT a token of ours; the token."""
        token = self.token(uid, **fields)
        path = (token["country_code"], token["party_id"], uid)
        answer = self.ask("PUT", "tokens", *path, body=token, type=token["type"])
        assert answer.status_code == 1000, answer
        return token

    def token(self, uid: str, **fields: Any) -> Json:
        country_code, party_id = self.server.party
        return {
            "country_code": country_code,
            "party_id": party_id,
            "uid": uid,
            "type": "RFID",
            "contract_id": f"{country_code}-{party_id}-C00000001-X",
            "issuer": f"eMSP {party_id}",
            "valid": True,
            "whitelist": "ALLOWED",
            "last_updated": ocpi_time(),
            **fields,
        }

    def command(self, command: str, **fields: Any) -> Asked:
        name, sent = f"{command}/{uuid.uuid4()}", time.monotonic()
        body = {"response_url": self.server.response_url(name), **fields}
        return Asked(self.ask("POST", "commands", command, body=body), self.server, name, sent)

    def set_profile(self, session_id: str, watts: float) -> Asked:
        name, sent = f"profile/{uuid.uuid4()}", time.monotonic()
        profile = {
            "charging_rate_unit": "W",
            "charging_profile_period": [{"start_period": 0, "limit": watts}],
        }
        body = {"response_url": self.server.response_url(name), "charging_profile": profile}
        answer = self.ask("PUT", "chargingprofiles", session_id, body=body)
        return Asked(answer, self.server, name, sent)

    def active_profile(self, session_id: str) -> Asked:
        name, sent = f"profile/{uuid.uuid4()}", time.monotonic()
        query = {"duration": 60, "response_url": self.server.response_url(name)}
        answer = self.ask("GET", "chargingprofiles", session_id, **query)
        return Asked(answer, self.server, name, sent)

    def evse_status(self, location_id: str, evse_uid: str) -> str | None:
        """As our own GET tells it now; None: it is not there."""
        location = self.ask("GET", "locations", location_id).data or {"evses": []}
        return next((one["status"] for one in location["evses"] if one["uid"] == evse_uid), None)

    # --- waiting ------------------------------------------------------------------------------

    def session(self, status: str, session_id: str | None = None, **least: float) -> Json:
        """The Session as it was pushed last, once it is in this status (`kwh`: at least so many).

        Without an id: the one that was pushed first of all that are in the status.
        """

        def found() -> Json | None:
            for known_id, session in self.server.told("sessions").items():
                fits = session["status"] == status and session["kwh"] >= least.get("kwh", 0)
                if fits and session_id in (None, known_id):
                    return session
            return None

        return eventually(found, what=f"a session that is {status} {least or ''}")

    def course(self, session_id: str) -> list[Json]:
        """Every state of a Session in the order in which it was pushed."""
        return self.server.objects["sessions", session_id]

    def cdr_of(self, session_id: str) -> Json:
        """The session's CDR, once it is there."""

        def found() -> Json | None:
            cdrs = self.server.told("cdrs").values()
            return next((cdr for cdr in cdrs if cdr["session_id"] == session_id), None)

        return eventually(found, what="its CDR")

    def times_told(self, cdr: Json) -> int:
        return len(self.server.objects["cdrs", cdr["id"]])

    # --- inside -------------------------------------------------------------------------------

    def _call(
        self, method: str, url: str, body: Any = None, query: dict[str, Any] | None = None
    ) -> Answer:
        self.correlation_id = str(uuid.uuid4())
        headers = {
            "Authorization": "Token " + base64.b64encode(self._token.encode()).decode(),
            "X-Request-ID": str(uuid.uuid4()),
            "X-Correlation-ID": self.correlation_id,
            "OCPI-from-country-code": self.server.party[0],
            "OCPI-from-party-id": self.server.party[1],
            "OCPI-to-country-code": CPO_PARTY[0],
            "OCPI-to-party-id": CPO_PARTY[1],
        }
        response = self._http.request(method, url, json=body, params=query or None, headers=headers)
        envelope = response.json() if response.content else {}
        told = (envelope.get(name) for name in ("status_code", "data", "status_message"))
        return Answer(response.status_code, *told)


def ocpi_time(seconds_from_now: float = 0.0) -> str:
    moment = datetime.now(timezone.utc) + timedelta(seconds=seconds_from_now)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def moment(text: str) -> datetime:
    """An OCPI DateTime."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
