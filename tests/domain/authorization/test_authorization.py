"""Who may charge: every cell of the documented table, and what no cell may let through."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from db_interface.database import Database
from db_interface.interface import DbInterface
from db_interface.owned_objects import party_key
from domain.authorization.authorization import Authorizer, Decision
from domain.authorization.authorization_answer import Question
from domain.authorization.emsps import Emsp, Reply
from domain.objects.tokens import owned_token
from tests.conftest import Loop
from tests.domain.authorization.authorization_table import EMSP, ITS_WORD, ROWS, Row
from tests.drawn import drawn

NOW = datetime(2025, 5, 1, 12, tzinfo=timezone.utc)
LOCATION = {"country_code": "NL", "party_id": "EVC", "id": "LOC1"}
EVSE = {"uid": "CP-001"}
CARD = "04A2B3C4D5"


def token(uid: str = CARD, party: str = "DE*TNM", **changed: Any) -> dict[str, Any]:
    country_code, party_id = party.split("*")
    return {
        "country_code": country_code,
        "party_id": party_id,
        "uid": uid,
        "type": "RFID",
        "contract_id": f"{country_code}-{party_id}-C12345678-X",
        "issuer": party,
        "valid": True,
        "whitelist": "NEVER",
        "last_updated": "2025-01-01T00:00:00Z",
        **changed,
    }


def info(allowed: str = "ALLOWED", *, of: dict[str, Any] | None = None, **more: Any) -> Reply:
    return Reply(data={"allowed": allowed, "token": of or token(), **more})


Answer = Reply | Callable[[Question], Reply] | None
"""What an eMSP answers; None: nothing, ever."""


@dataclass
class FakeEmsps:
    """Peers by id, each with one party; `hub` may speak for all parties that have no peer."""

    parties: dict[str, str] = field(default_factory=lambda: {"peer-tnm": "DE*TNM"})
    answers: dict[str, Answer] = field(default_factory=dict)
    hub: str | None = None
    asked: list[tuple[str, Question]] = field(default_factory=list)
    cancelled: list[str] = field(default_factory=list)

    async def behind(self, country_code: str, party_id: str) -> Emsp | None:
        for peer_id, party in self.parties.items():
            if party.lower() == party_key(country_code, party_id):
                return Emsp(peer_id, (country_code, party_id), peer_id in self.answers)
        return Emsp(self.hub, (country_code, party_id)) if self.hub else None

    async def offering(self) -> Sequence[Emsp]:
        own = [Emsp(p, (v[:2], v[3:])) for p, v in self.parties.items() if p in self.answers]
        return [*own, *([Emsp(self.hub, None)] if self.hub else [])]

    async def may_issue(self, peer_id: str, party: str) -> bool:
        taken = {value.lower() for value in self.parties.values()}
        if peer_id == self.hub:
            return party not in taken
        return self.parties[peer_id].lower() == party

    async def ask(self, emsp: Emsp, question: Question, timeout_s: float) -> Reply:
        self.asked.append((emsp.peer_id, question))
        answer = self.answers[emsp.peer_id]
        if answer is None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled.append(emsp.peer_id)
                raise
        assert answer is not None
        return answer(question) if callable(answer) else answer


class World:
    def __init__(self, db: Database, loop: Loop) -> None:
        self.loop = loop
        self.store = DbInterface(db)
        self.emsps = FakeEmsps()

    def know(self, *tokens: dict[str, Any]) -> None:
        for one in tokens:
            self.loop.run(self.store.create("tokens", owned_token(one)))

    def known(self, uid: str = CARD, party: str = "de/tnm") -> dict[str, Any] | None:
        return self.loop.run(self.store.get("tokens", f"{party}/rfid/{uid.lower()}"))

    def forget(self, uid: str = CARD, party: str = "de/tnm") -> None:
        self.loop.run(self.store.delete("tokens", f"{party}/rfid/{uid.lower()}"))

    def forget_all(self) -> None:
        async def work() -> None:
            await self.store.db["tokens"].delete_many({})

        self.loop.run(work())

    def authorizer(self, *, timeout_s: float = 5.0, setting: bool = False) -> Authorizer:
        return Authorizer(self.store, self.emsps, timeout_s=timeout_s, realtime_allowed=setting)

    def swipe(
        self, uid: str = CARD, *, timeout_s: float = 5.0, setting: bool = False, **named: Any
    ) -> Decision:
        authorizer = self.authorizer(timeout_s=timeout_s, setting=setting)
        return self.loop.run(authorizer.at_reader(uid, "RFID", LOCATION, EVSE, NOW, **named))


@pytest.fixture
def world(db: Database, loop: Loop) -> World:
    return World(db, loop)


def cell_of(decision: Decision) -> str:
    if decision.charges:
        return f"{decision.allowed.value}, {decision.auth_method.value}"
    return decision.allowed.value


def test_every_cell_of_the_documented_table(world: World) -> None:
    for row in ROWS:
        for setting in row.settings:
            for emsp in EMSP:
                _play(world, row, setting, emsp)


def _play(world: World, row: Row, setting: bool, emsp: str) -> None:
    known = token(whitelist=row.whitelist, valid=row.valid)
    world.know(known)
    world.emsps = FakeEmsps()
    answers: dict[str, Answer] = {
        "allows": info(of=token(whitelist=row.whitelist, valid=True)),
        "refuses": info("NO_CREDIT", of=known),
        "unknown": Reply(unknown=True),
        "silent": None,
    }
    world.emsps.answers["peer-tnm"] = answers[emsp]
    decision = world.swipe(setting=setting, timeout_s=0.05 if emsp == "silent" else 5)
    wanted = row.cells[emsp]
    assert cell_of(decision) == ("NO_CREDIT" if wanted == ITS_WORD else wanted), (row, emsp)
    assert bool(world.emsps.asked) is row.asked, (row, emsp)
    world.forget()


def test_an_invalid_token_charges_only_if_the_emsp_says_that_it_is_valid_again(
    world: World,
) -> None:
    world.know(token(valid=False))
    world.emsps.answers["peer-tnm"] = info(of=token(valid=False))
    assert world.swipe().allowed == "BLOCKED"
    world.emsps.answers["peer-tnm"] = info(of=token(last_updated="2025-02-01T00:00:00Z"))
    assert world.swipe().charges
    assert (world.known() or {})["valid"] is True


def test_an_allowed_whose_token_cannot_be_read_does_not_make_an_invalid_one_valid(
    world: World,
) -> None:
    world.know(token(valid=False))
    world.emsps.answers["peer-tnm"] = info(of={"uid": CARD})
    assert world.swipe().allowed == "BLOCKED"


def test_the_emsp_is_told_where_the_card_is_and_its_answer_is_passed_on(world: World) -> None:
    world.know(token())
    newer = token(last_updated="2025-03-01T00:00:00Z", group_id="G1")
    world.emsps.answers["peer-tnm"] = info(
        of=newer,
        location={"location_id": "loc1", "evse_uids": ["CP-009", "cp-001"]},
        authorization_reference="REF-1",
        info={"language": "en", "text": "Welcome"},
    )
    decision = world.swipe()
    assert decision == Decision(
        allowed=decision.allowed,
        token=newer,
        auth_method=decision.auth_method,
        authorization_reference="REF-1",
        info="Welcome",
        peer_id="peer-tnm",
    )
    assert cell_of(decision) == "ALLOWED, AUTH_REQUEST"
    assert world.emsps.asked == [
        ("peer-tnm", Question(CARD, "RFID", "LOC1", "CP-001", "NL", "EVC"))
    ]
    assert world.known() == newer


@pytest.mark.parametrize("allowed", ["BLOCKED", "EXPIRED", "NO_CREDIT", "NOT_ALLOWED"])
def test_a_refusal_is_passed_on_with_its_text(world: World, allowed: str) -> None:
    world.know(token(whitelist="ALLOWED_OFFLINE"))
    world.emsps.answers["peer-tnm"] = info(allowed, info={"language": "en", "text": "Sorry"})
    decision = world.swipe()
    assert (decision.allowed, decision.info, decision.charges) == (allowed, "Sorry", False)


def test_a_refusal_counts_even_if_the_rest_of_it_is_malformed(world: World) -> None:
    world.know(token(whitelist="ALLOWED_OFFLINE"))
    world.emsps.answers["peer-tnm"] = Reply(data={"allowed": "BLOCKED", "location": 7})
    assert world.swipe().allowed == "BLOCKED"


@pytest.mark.parametrize(
    ("location", "allowed"),
    [
        ({"location_id": "LOC1"}, "ALLOWED"),
        ({"location_id": "LOC1", "evse_uids": ["CP-001"]}, "ALLOWED"),
        ({"location_id": "LOC1", "evse_uids": ["CP-002"]}, "NOT_ALLOWED"),
        ({"location_id": "LOC1", "evse_uids": []}, "ALLOWED"),
        ({"location_id": "LOC2", "evse_uids": ["CP-001"]}, "NOT_ALLOWED"),
        ({"evse_uids": ["CP-001"]}, "NOT_ALLOWED"),
    ],
)
def test_a_location_restriction_is_honoured(
    world: World, location: dict[str, Any], allowed: str
) -> None:
    world.know(token())
    world.emsps.answers["peer-tnm"] = info(location=location)
    assert world.swipe().allowed == allowed


@pytest.mark.parametrize(
    "data",
    [
        None,
        "ALLOWED",
        {"allowed": "YES"},
        {"allowed": "ALLOWED", "token": token(uid="ANOTHER")},
        {"allowed": "ALLOWED", "token": token(type="OTHER")},
        {"allowed": "ALLOWED", "token": token(), "location": "everywhere"},
    ],
)
def test_what_is_no_decision_is_no_answer(world: World, data: object) -> None:
    world.know(token())
    world.emsps.answers["peer-tnm"] = Reply(data=data)
    assert world.swipe().allowed == "NOT_ALLOWED"
    world.know(token(whitelist="ALLOWED_OFFLINE"))
    assert cell_of(world.swipe()) == "ALLOWED, WHITELIST"


def test_a_known_token_goes_on_as_we_know_it_when_the_answers_is_unreadable(world: World) -> None:
    world.know(token())
    world.emsps.answers["peer-tnm"] = Reply(data={"allowed": "ALLOWED"})
    decision = world.swipe()
    assert (cell_of(decision), decision.token) == ("ALLOWED, AUTH_REQUEST", token())


def test_an_emsp_cannot_answer_with_another_partys_token(world: World) -> None:
    world.know(token())
    world.emsps.answers["peer-tnm"] = info(of=token(party="NL*ABC"))
    assert not world.swipe().charges
    assert world.known(party="nl/abc") is None


def test_a_token_without_a_peer_is_good_for_nothing(world: World) -> None:
    world.know(token(party="FR*OLD", whitelist="ALWAYS"))
    assert not world.swipe().charges


def test_an_emsp_that_cannot_be_asked_is_offline(world: World) -> None:
    world.know(token(whitelist="ALLOWED_OFFLINE"), token("SECOND"))
    assert cell_of(world.swipe()) == "ALLOWED, WHITELIST"
    assert world.swipe("SECOND").allowed == "NOT_ALLOWED"
    assert world.emsps.asked == []


def test_a_card_is_read_in_any_case_but_only_as_its_own_type(world: World) -> None:
    world.know(token(whitelist="ALWAYS"), token("APP-1", type="APP_USER", whitelist="ALWAYS"))
    assert world.swipe(CARD.lower()).charges
    assert not world.swipe("APP-1").charges


def test_one_uid_of_two_parties_is_the_one_known_longest(world: World) -> None:
    world.emsps.parties = {"peer-tnm": "DE*TNM", "peer-abc": "AA*ABC"}
    world.know(token(whitelist="ALWAYS"), token(party="AA*ABC", whitelist="ALWAYS"))
    assert world.swipe().peer_id == "peer-tnm"
    world.know(token(whitelist="ALWAYS", valid=False))
    assert world.swipe().peer_id == "peer-abc"
    world.know(token(party="AA*ABC", whitelist="ALWAYS", valid=False))
    refused = world.swipe()
    assert (refused.allowed, refused.peer_id) == ("BLOCKED", "peer-tnm")


def test_an_unknown_card_is_asked_for_everywhere_and_the_first_yes_wins(world: World) -> None:
    world.emsps.parties = {"peer-a": "DE*AAA", "peer-b": "DE*BBB", "peer-c": "DE*CCC"}
    world.emsps.answers = {
        "peer-a": None,
        "peer-b": Reply(unknown=True),
        "peer-c": info(of=token(party="DE*CCC"), authorization_reference="C-1"),
    }
    decision = world.swipe(timeout_s=60)
    assert (cell_of(decision), decision.peer_id) == ("ALLOWED, AUTH_REQUEST", "peer-c")
    assert decision.authorization_reference == "C-1"
    assert {peer_id for peer_id, _ in world.emsps.asked} == {"peer-a", "peer-b", "peer-c"}
    assert world.emsps.cancelled == ["peer-a"]
    assert world.known(party="de/ccc") == token(party="DE*CCC")


def test_of_several_refusals_the_driver_reads_the_telling_one(world: World) -> None:
    world.emsps.parties = {"peer-a": "DE*AAA", "peer-b": "DE*BBB"}
    world.emsps.answers = {
        "peer-a": info("NOT_ALLOWED", of=token(party="DE*AAA")),
        "peer-b": info("EXPIRED", of=token(party="DE*BBB")),
    }
    assert world.swipe().allowed == "EXPIRED"


def test_a_card_that_nobody_knows_does_not_charge(world: World) -> None:
    assert world.swipe().allowed == "NOT_ALLOWED"
    world.emsps.answers["peer-tnm"] = None
    refused = world.swipe(timeout_s=0.05)
    assert (refused.allowed, refused.info) == ("NOT_ALLOWED", "Unknown card")


def test_a_hub_vouches_for_parties_without_a_peer_of_their_own(world: World) -> None:
    world.emsps.hub = "peer-hub"
    world.emsps.answers["peer-hub"] = info(of=token(party="SE*FAR"))
    assert world.swipe().peer_id == "peer-hub"
    world.emsps.answers["peer-hub"] = info(of=token("SECOND", "DE*TNM"))
    assert not world.swipe("SECOND").charges


def test_a_card_of_the_same_group_and_party_is_recognised(world: World) -> None:
    holder = token(group_id="family")
    world.know(
        token("SECOND", group_id="FAMILY"),
        token("BLOCKED", group_id="family", valid=False),
        token("OTHER", group_id="work"),
    )
    world.emsps.parties["peer-abc"] = "AA*ABC"
    world.know(token("FOREIGN", party="AA*ABC", group_id="family"))

    def in_group(uid: str, of: dict[str, Any] = holder) -> bool:
        return world.loop.run(world.authorizer().in_group(uid, "RFID", of, LOCATION, EVSE))

    assert in_group("SECOND")
    assert not any(map(in_group, ("BLOCKED", "OTHER", "FOREIGN", "NOBODYS")))
    assert not in_group("SECOND", token())
    world.emsps.answers["peer-tnm"] = info("NO_CREDIT", of=token("NEW", group_id="family"))
    assert in_group("NEW")


_PARTIES = ("DE*AAA", "DE*BBB", "SE*FAR")
_token = st.builds(
    token,
    uid=st.sampled_from([CARD, "SECOND"]),
    party=st.sampled_from(_PARTIES),
    valid=st.booleans(),
    whitelist=st.sampled_from(["ALWAYS", "ALLOWED", "ALLOWED_OFFLINE", "NEVER"]),
    type=st.sampled_from(["RFID", "APP_USER"]),
)
_answer = st.one_of(
    st.builds(lambda t, a: info(a, of=t), _token, st.sampled_from(["ALLOWED", "BLOCKED"])),
    st.just(Reply(unknown=True)),
    st.just(Reply()),
)


@settings(
    max_examples=drawn(30),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    known=st.lists(_token, max_size=4),
    answers=st.fixed_dictionaries({"peer-a": _answer, "peer-b": _answer}),
    setting=st.booleans(),
)
def test_nothing_charges_that_its_own_party_has_not_allowed(
    world: World, known: list[dict[str, Any]], answers: dict[str, Answer], setting: bool
) -> None:
    """Two peers, a party without one, tokens and answers at random."""
    world.emsps = FakeEmsps({"peer-a": "DE*AAA", "peer-b": "DE*BBB"}, dict(answers))
    world.know(*known)
    latest = {(t["party_id"], t["type"], t["uid"]): t for t in known}
    decision = world.swipe(setting=setting)
    if decision.charges:
        assert decision.token is not None
        charged = decision.token
        party = f"{charged['country_code']}*{charged['party_id']}"
        assert world.emsps.parties[str(decision.peer_id)] == party
        assert (charged["uid"], charged["type"], charged["valid"]) == (CARD, "RFID", True)
        if decision.auth_method == "WHITELIST":
            assert latest[charged["party_id"], "RFID", CARD] == charged
            assert charged["whitelist"] != "NEVER"
        else:
            said = answers[str(decision.peer_id)]
            assert isinstance(said, Reply) and isinstance(said.data, dict)
            assert said.data["allowed"] == "ALLOWED"
    if not any(one["party_id"] == "FAR" for one in known):
        assert world.known(party="se/far") is None
    world.forget_all()
