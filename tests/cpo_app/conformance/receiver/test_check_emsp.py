"""`cpo check --role emsp` finds nothing wrong with our own eMSP, and each fault of others.

What it sends is taken back, also where it fails or is broken off in the middle.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from cpo_app.conformance import Finding, Unusable, Verdict
from cpo_app.conformance.receiver import check_emsp
from cpo_app.conformance.receiver.sameness import difference
from cpo_app.conformance.receiver.standing_cpo import registered_as_cpo
from cpo_app.demo_emsp.receiver import Receiver
from cpo_app.demo_emsp.registered import Door, Role, listening
from db_interface.json_data import JsonObject
from domain.versions import INNER_VERSION, VERSIONS, OcpiVersion
from tests.conftest import Loop

CPO = ("DE", "TST")
CARDS: list[JsonObject] = [
    {
        "country_code": "DE",
        "party_id": "TNM",
        "uid": f"CARD-{number}",
        "type": "RFID",
        "contract_id": f"DE-TNM-C0000000{number}-X",
        "issuer": "An eMSP",
        "valid": True,
        "whitelist": "ALLOWED",
        "last_updated": f"2024-05-0{number}T10:00:00Z",
    }
    for number in range(1, 5)
]
Broken = Callable[[Request, Callable[[], Awaitable[Response]]], Awaitable[Response]]
"""What an eMSP does with a request besides, or instead of, what ours would answer."""


@contextlib.asynccontextmanager
async def an_emsp(
    broken: Broken | None = None, version: OcpiVersion = INNER_VERSION
) -> AsyncIterator[tuple[Receiver, str]]:
    """Our demonstration eMSP with a CPO registered; and the token that the CPO has of it."""
    role = Role(("DE", "TNM"), CARDS, lambda *_: None, version=version)
    around = None if broken is None else _around(broken)
    async with (
        listening(role, Door(), around=around) as emsp,
        registered_as_cpo(emsp.versions_url, emsp.token, version=version, party=CPO) as token,
    ):
        yield emsp, token


def _around(broken: Broken) -> Callable[[ASGIApp], ASGIApp]:
    def wrap(app: ASGIApp) -> ASGIApp:
        async def asked(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            body = await Request(scope, receive).body()

            async def again() -> JsonObject:
                return {"type": "http.request", "body": body, "more_body": False}

            async def ours() -> Response:
                return await _response_of(app, scope, again)

            answer = await broken(Request(scope, again), ours)
            await answer(scope, again, send)

        return asked

    return wrap


async def _response_of(
    app: ASGIApp, scope: Scope, receive: Callable[[], Awaitable[JsonObject]]
) -> Response:
    messages: list[JsonObject] = []

    async def keep(message: JsonObject) -> None:
        messages.append(message)

    await app(scope, receive, keep)  # type: ignore[arg-type]
    start, *rest = messages
    answer = Response(b"".join(part.get("body", b"") for part in rest), start["status"])
    answer.raw_headers = list(start["headers"])
    return answer


_known: dict[Broken | None, tuple[dict[str, Finding], Receiver]] = {}


def judged(loop: Loop, broken: Broken | None = None) -> tuple[dict[str, Finding], Receiver]:
    """Every finding about an eMSP by its rule, and the eMSP afterwards; each is judged once."""
    if broken not in _known:
        _known[broken] = _judged(loop, broken)
    return _known[broken]


def _judged(loop: Loop, broken: Broken | None) -> tuple[dict[str, Finding], Receiver]:

    async def judge() -> tuple[list[Finding], Receiver]:
        async with an_emsp(broken) as (emsp, token):
            return await check_emsp(emsp.versions_url, token, CPO), emsp

    findings, emsp = loop.run(judge())
    return {finding.rule: finding for finding in findings}, emsp


@pytest.mark.parametrize("version", VERSIONS.values(), ids=list(VERSIONS))
def test_our_own_emsp_breaks_no_rule(loop: Loop, version: OcpiVersion) -> None:
    async def judge() -> tuple[list[Finding], Receiver]:
        async with an_emsp(version=version) as (emsp, token):
            return await check_emsp(emsp.versions_url, token, CPO, version=version), emsp

    rows, emsp = loop.run(judge())
    findings = {finding.rule: finding for finding in rows}
    failed = [(one.rule, one.detail) for one in findings.values() if one.verdict is Verdict.failed]
    assert failed == []
    advised = [one.rule for one in findings.values() if one.verdict is Verdict.advised]
    assert advised == ["URLs are https"]
    skipped = [one.rule for one in findings.values() if one.verdict is Verdict.skipped]
    lacks_them = not version.description.has_message_routing
    assert skipped == (
        [
            "X-Request-ID, X-Correlation-ID come back",
            "Routing headers come back swapped",
            "cdrs: a credit CDR is taken",
        ]
        if lacks_them
        else []
    )
    assert len(findings) >= 60
    assert_taken_back(emsp)


def assert_taken_back(emsp: Receiver) -> None:
    """Nothing of what was sent means anything any more."""
    for (module, *_), held in emsp.memory.objects.items():
        match module:
            case "locations":
                assert {evse["status"] for evse in held["evses"]} == {"REMOVED"}
            case "sessions":
                assert held["status"] == "INVALID"
            case "cdrs":
                assert held["total_cost"] in (0.0, {"excl_vat": 0.0}, {"before_taxes": 0.0})
            case _:
                raise AssertionError(f"{module} {held['id']} is still there")


def _is(request: Request, method: str, part: str) -> bool:
    return request.method == method and f"/{part}" in request.url.path


def _ok(data: object = None) -> Response:
    body = {"status_code": 1000, "timestamp": "2024-05-01T10:00:00Z"}
    return JSONResponse(body if data is None else {**body, "data": data})


async def forgets_tariffs(request: Request, ours: Callable[[], Awaitable[Response]]) -> Response:
    return _ok() if _is(request, "PUT", "tariffs/") else await ours()


async def forgets_patches(request: Request, ours: Callable[[], Awaitable[Response]]) -> Response:
    return _ok() if request.method == "PATCH" else await ours()


async def has_no_delete(request: Request, ours: Callable[[], Awaitable[Response]]) -> Response:
    return _ok() if request.method == "DELETE" else await ours()


async def says_no_location(request: Request, ours: Callable[[], Awaitable[Response]]) -> Response:
    answer = await ours()
    if _is(request, "POST", "cdrs"):
        del answer.headers["Location"]
    return answer


async def doubles_cdrs(request: Request, ours: Callable[[], Awaitable[Response]]) -> Response:
    answer = await ours()
    if _is(request, "POST", "cdrs") and answer.status_code == 200:
        answer.headers["Location"] += "-2"
    return answer


async def lets_anybody_in(request: Request, ours: Callable[[], Awaitable[Response]]) -> Response:
    answer = await ours()
    return _ok() if answer.status_code == 401 else answer


async def answers_bare(request: Request, ours: Callable[[], Awaitable[Response]]) -> Response:
    answer = await ours()
    return Response(status_code=204) if _is(request, "PUT", "locations/") else answer


async def stumbles(request: Request, ours: Callable[[], Awaitable[Response]]) -> Response:
    known = _is(request, "GET", "sessions/") and "NOT-THERE" in request.url.path
    return Response("oh", 500) if known else await ours()


async def rounds(request: Request, ours: Callable[[], Awaitable[Response]]) -> Response:
    answer = await ours()
    if _is(request, "GET", "sessions/"):
        changed = bytes(answer.body).replace(b'"kwh":0.5', b'"kwh":1.0')
        answer = Response(changed, answer.status_code, media_type="application/json")
    return answer


async def allows_everybody(request: Request, ours: Callable[[], Awaitable[Response]]) -> Response:
    if _is(request, "POST", "tokens/"):
        return _ok({"allowed": "ALLOWED", "token": CARDS[0]})
    return await ours()


async def fails_at_results(request: Request, ours: Callable[[], Awaitable[Response]]) -> Response:
    if _is(request, "POST", "commands/") and (await ours()).status_code == 200:
        return JSONResponse({"status_code": 3000, "timestamp": "2024-05-01T10:00:00Z"}, 500)
    return await ours()


async def takes_anything(request: Request, ours: Callable[[], Awaitable[Response]]) -> Response:
    answer = await ours()
    taken = request.method == "PUT" and answer.status_code != 401
    return _ok() if taken and b'"status_code":2001' in bytes(answer.body) else answer


async def creates_by_patch(request: Request, ours: Callable[[], Awaitable[Response]]) -> Response:
    answer = await ours()
    return _ok() if request.method == "PATCH" and answer.status_code == 404 else answer


@pytest.mark.parametrize(
    ("broken", "rule", "seen"),
    [
        (forgets_tariffs, "tariffs: GET gives back what was PUT", "HTTP 404"),
        (forgets_patches, "locations: PATCH changes what it names, and nothing else", "name is"),
        (forgets_patches, "sessions: PATCH of an unknown object is refused", "not refused"),
        (forgets_patches, "PATCH of an EVSE's status changes the status alone", "INOPERATIVE"),
        (has_no_delete, "DELETE takes a tariff away", "is there after its DELETE"),
        (has_no_delete, "What was sent is removed again", "is there after its DELETE"),
        (says_no_location, "cdrs: the Location of the answer shows the CDR", "no Location header"),
        (doubles_cdrs, "cdrs: the same POST again makes no second CDR", "as another one"),
        (lets_anybody_in, "locations: wrong tokens: HTTP 401, and nothing is kept", "to no token"),
        (lets_anybody_in, "cdrs: wrong tokens: HTTP 401", "HTTP 200 to no token"),
        (lets_anybody_in, "commands: a result without a token is not let in", "HTTP 200"),
        (answers_bare, "locations: PUT of a new object is taken", "not JSON"),
        (stumbles, "sessions: GET of an unknown object: a 2xxx, HTTP 404", "HTTP 500"),
        (rounds, "sessions: PUT of a newer state replaces the older", "kwh is 1.0, it was 0.5"),
        (allows_everybody, "tokens: a made-up card is not allowed to charge", "is ALLOWED"),
        (fails_at_results, "commands: a result that nobody waits for: no 5xx", "HTTP 500"),
        (takes_anything, "tariffs: what is not JSON is refused in an envelope", "not refused"),
        (creates_by_patch, "locations: PATCH of an unknown object is refused", "not refused"),
    ],
)
def test_each_fault_is_found(loop: Loop, broken: Broken, rule: str, seen: str) -> None:
    findings, _ = judged(loop, broken)
    assert findings[rule].verdict is Verdict.failed
    assert seen in findings[rule].detail


def test_what_the_text_does_not_demand_is_advice(loop: Loop) -> None:
    findings, _ = judged(loop, takes_anything)
    for rule in (
        "locations: an id unlike the URL's is refused",
        "sessions: an object without mandatory fields is refused",
    ):
        assert findings[rule].verdict is Verdict.advised


def test_who_breaks_it_off_leaves_nothing_behind(loop: Loop) -> None:
    async def break_off() -> Receiver:
        reached = asyncio.Event()

        async def hangs(request: Request, ours: Callable[[], Awaitable[Response]]) -> Response:
            if _is(request, "PATCH", "sessions/") and not reached.is_set():
                reached.set()
                await asyncio.Event().wait()
            return await ours()

        async with an_emsp(hangs) as (emsp, token):
            check = asyncio.create_task(check_emsp(emsp.versions_url, token, CPO))
            await reached.wait()
            assert {key[0] for key in emsp.memory.objects} >= {"locations", "sessions"}
            check.cancel()
            with pytest.raises(asyncio.CancelledError):
                await check
            return emsp

    assert_taken_back(loop.run(break_off()))


def test_a_module_can_be_left_out(loop: Loop) -> None:
    async def judge() -> tuple[list[Finding], Receiver]:
        async with an_emsp() as (emsp, token):
            found = await check_emsp(emsp.versions_url, token, CPO, leave_out={"cdrs"})
            return found, emsp

    findings, emsp = loop.run(judge())
    assert not [finding for finding in findings if finding.rule.startswith("cdrs: ")]
    assert not [key for key in emsp.memory.objects if key[0] == "cdrs"]


def test_a_wrong_token_is_said_in_one_line(loop: Loop) -> None:
    async def judge() -> None:
        async with an_emsp() as (emsp, _):
            await check_emsp(emsp.versions_url, "wrong", CPO)

    with pytest.raises(Unusable, match="HTTP 401"):
        loop.run(judge())


@pytest.mark.parametrize(
    ("ours", "theirs", "said"),
    [
        ({"a": 1}, {"a": 1.0, "b": 2}, None),
        ({"at": "2024-05-01T10:00:00Z"}, {"at": "2024-05-01T10:00:00.000Z"}, None),
        ({"id": "Loc"}, {"id": "LOC"}, None),
        ({"rows": []}, {}, None),
        ({"rows": [{"uid": "A"}, {"uid": "B"}]}, {"rows": [{"uid": "B"}, {"uid": "A"}]}, None),
        ({"a": {"b": 1}}, {"a": {}}, "a.b is missing"),
        ({"rows": [1]}, {"rows": [1, 2]}, "rows does not hold 1 elements"),
        ({"rows": [{"b": 1}]}, {"rows": [{"b": 2}]}, "rows.0.b is 2, it was 1"),
        ({"at": "2024-05-01T10:00:00Z"}, {"at": "later"}, "at is 'later', it was"),
        ({}, [], "data is not an object"),
    ],
)
def test_what_comes_back_is_judged_by_its_meaning(
    ours: JsonObject, theirs: object, said: str | None
) -> None:
    found = difference(ours, theirs)
    assert found == said if said is None else (found or "").startswith(said)
