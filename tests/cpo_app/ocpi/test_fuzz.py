"""Whatever a peer sends to whichever route: an envelope, and never a bug of ours."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from py_ocpi.core.enums import ModuleID

from db_interface.database import Database
from db_interface.interface import DbInterface
from domain.schemas import parse_datetime
from domain.versions import VERSIONS, ObjectKind
from tests.conftest import Loop
from tests.cpo_app.ocpi.audit.conftest import ChargePointsThatAccept, SessionsThatTakePreferences
from tests.cpo_app.ocpi.conftest import PeerSide, running_face
from tests.domain.schemas.samples import credentials, evse, location, token
from tests.drawn import drawn
from tests.peers.subjects import NO_TLS

ROUTES = (
    "locations locations/{} locations/{}/{} locations/{}/{}/{} sessions cdrs tariffs "
    "sessions/{}/charging_preferences tokens/{}/{}/{} hubclientinfo/{}/{} credentials "
    "commands/{} commands/START_SESSION commands/RESERVE_NOW commands/STOP_SESSION "
    "commands/UNLOCK_CONNECTOR commands/CANCEL_RESERVATION chargingprofiles/{} {} {}/{} "
    "payments/terminals payments/terminals/{} payments/financial-advice-confirmations"
).split()
SEGMENTS = st.sampled_from(["LOC1", "Evse-1", "1", "DE", "TNM", "AbC-1", "..", "%"]) | st.text(
    st.characters(codec="utf-8"), min_size=1, max_size=40
)
NAMES = st.sampled_from(
    "date_from date_to offset limit cursor type duration response_url".split()
) | st.text(max_size=5)
VALUES = st.sampled_from(
    ["0", "-1", "5", "1e3", "9" * 30, "2024-05-01T10:00:00Z", "2024-05-01T10:00:00+02:00", "RFID",
     "9999-12-31T23:59:59.9999999Z", "0001-01-01T00:00:00+14:00", "http://127.0.0.1/", "٣", "MQ"]
) | st.text(st.characters(codec="utf-8"), max_size=20)  # fmt: skip
START = {"response_url": "http://127.0.0.1:9/r", "token": token(), "location_id": "LOC1"}
SAMPLES = [
    *(
        version.render(kind, inner).object
        for version in VERSIONS.values()
        for kind, inner in (
            (ObjectKind.TOKEN, token()),
            (ObjectKind.CREDENTIALS, credentials(url="http://127.0.0.1:9/versions")),
            (ObjectKind.START_SESSION, START),
        )
    ),
    {"profile_type": "FAST", "energy_need": 5},
    {"valid": False, "last_updated": "2024-05-01T10:00:00Z"},
]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=10)
    | st.sampled_from(["2024-05-01T10:00:00Z", "RFID", "DE"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Bytes, any JSON, or a right object with one field made wrong."""
    kind = draw(st.sampled_from(["bytes", "json", "sample", "sample"]))
    if kind == "bytes":
        return draw(st.binary(max_size=40))
    if kind == "json":
        return json.dumps(draw(JSON)).encode()
    sample: dict[str, Any] = dict(draw(st.sampled_from(SAMPLES)))
    name = draw(st.sampled_from([*sample, "x"]))
    sample[name] = draw(JSON)
    return json.dumps(sample).encode()


@pytest.fixture
def known(db: Database, loop: Loop) -> Iterator[PeerSide]:
    """A registered peer of a face where every module has somebody to answer."""
    modules = {
        ModuleID.commands: ChargePointsThatAccept(),
        ModuleID.charging_profile: ChargePointsThatAccept(),
        ModuleID.sessions: SessionsThatTakePreferences(DbInterface(db)),
    }
    offered = ",".join(VERSIONS)
    with running_face(db, loop, modules, CPO_PEER_TIMEOUT_S=1, CPO_OCPI_VERSIONS=offered) as face:
        face.keep_locations(location(evses=[evse()]))
        yield face.connected("DE*TNM")


@given(
    number=st.sampled_from(list(VERSIONS)),
    method=st.sampled_from(["GET", "PUT", "PATCH", "POST", "DELETE", "OPTIONS", "TRACE"]),
    route=st.sampled_from(ROUTES),
    segments=st.lists(SEGMENTS, min_size=3, max_size=3),
    query=st.lists(st.tuples(NAMES, VALUES), max_size=3),
    body=bodies(),
)
@settings(
    max_examples=drawn(100),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_every_answer_is_an_envelope_and_never_an_error_of_ours(
    known: PeerSide,
    number: str,
    method: str,
    route: str,
    segments: list[str],
    query: list[tuple[str, str]],
    body: bytes,
) -> None:
    path = route.format(*(quote(segment, safe="") for segment in segments))
    if method == "DELETE" and path.rstrip("/") == "credentials":
        return  # it would end the registration
    known_token = known.token
    known = replace(known, version=VERSIONS[number])
    answer = httpx.request(
        method,
        known.face.module(path, known.version),
        params=[*query],
        content=body,
        headers=known.headers,
        timeout=20,
        verify=NO_TLS,
    )
    # A segment ".." leads above the version, where a token in 2.1.1's form is nobody's.
    below = f"/{number}/" in answer.request.url.path
    expected = (200, 201, 400, 404, 405, *(() if below else (401,)))
    assert answer.status_code in expected, (answer.status_code, answer.text)
    envelope = answer.json()
    assert envelope.keys() <= {"data", "status_code", "status_message", "timestamp"}
    assert envelope["status_code"] in (1000, 2000, 2001, 2003, 2004, 3001), envelope
    parse_datetime(envelope["timestamp"])
    assert answer.headers["x-request-id"] and answer.headers["x-correlation-id"]
    assert known_token not in answer.text or path.rstrip("/") == "credentials"
