"""Whatever two peers do, in whatever order: neither starts, stops, holds or sees the other's."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from py_ocpi.core.enums import Action

from db_interface.database import Database
from domain.errors import UnknownLocationInCommand
from domain.reservations.reservations import inner_id
from tests.conftest import Loop
from tests.cpo_app.central.command_world import Asker, CommandWorld
from tests.drawn import drawn
from tests.one_database import emptied

PARTIES = ("de*aaa", "nl*bbb")
PROFILE = {
    "charging_rate_unit": "W",
    "charging_profile_period": [{"start_period": 0, "limit": 7000}],
}

who = st.sampled_from(PARTIES)
cps = st.sampled_from(["CP-001", "CP-002", None])
steps = st.one_of(
    # `whose`: the party whose token, session or reservation is named in the request.
    st.tuples(st.just("START_SESSION"), who, who, cps),
    st.tuples(st.just("RESERVE_NOW"), who, who, cps),
    st.tuples(st.just("STOP_SESSION"), who, who, cps),
    st.tuples(st.just("CANCEL_RESERVATION"), who, who, cps),
    st.tuples(st.just("UNLOCK_CONNECTOR"), who, who, cps),
    st.tuples(st.just("PROFILE"), who, who, cps),
)


class Play:
    """Carries steps out and knows what belongs to whom."""

    def __init__(self, db: Database, loop: Loop) -> None:
        self.world = CommandWorld(db, loop)
        self.askers = {party: self.world.asker(party) for party in PARTIES}

    def holder(self, session_id: str | None) -> str | None:
        for row in self.world.sessions():
            if row["_id"] == session_id:
                token = row["token"]
                return f"{token['country_code']}*{token['party_id']}".lower()
        return None

    def step(self, command: str, asker: Asker, whose: Asker, cp_id: str | None) -> None:
        evse = {} if cp_id is None else {"evse_uid": cp_id}
        place = {"location_id": "SITE-1", **evse}
        # Both peers use the same card number and the same reservation_id.
        if command == "START_SESSION":
            asker.ask(command, token=whose.token(), **place)
        elif command == "RESERVE_NOW":
            asker.reserve(token=whose.token(), **evse)  # type: ignore[arg-type]
        elif command == "STOP_SESSION":
            asker.ask(command, session_id=self.session_of(whose))
        elif command == "CANCEL_RESERVATION":
            asker.ask(command, reservation_id="R1")
        elif command == "UNLOCK_CONNECTOR":
            asker.ask(command, **{**place, "evse_uid": cp_id or "CP-001", "connector_id": "1"})
        else:
            session_id = self.session_of(whose)
            change = Action.send_update_charging_profile
            asker.profile(change, session_id, charging_profile=PROFILE)
            asker.profile(Action.send_get_chargingprofile, session_id, duration=60)

    def session_of(self, asker: Asker) -> str:
        ids = [engine.session_id for engine in self.world.link.engines.values()]
        own = [one for one in ids if one is not None and self.holder(one) == asker.party]
        return own[0] if own else "none"


@settings(
    max_examples=drawn(10),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(story=st.lists(steps, min_size=4, max_size=12))
def test_neither_peer_reaches_what_is_the_others(
    db: Database, loop: Loop, story: list[tuple[str, str, str, str | None]]
) -> None:
    emptied(db)
    play = Play(db, loop)
    world = play.world
    for command, who_asks, whose, cp_id in story:
        asker, owner = play.askers[who_asks], play.askers[whose]
        done, got = len(world.link.done), len(world.peers.got)
        held = {cp: play.holder(engine.session_id) for cp, engine in world.link.engines.items()}
        reserved = _reserved(world)
        try:
            play.step(command, asker, owner, cp_id)
        except UnknownLocationInCommand:
            continue
        world.settle()
        for cp, kind, fields in world.link.done[done:]:
            if kind == "unlock":
                assert held.get(cp) in (None, asker.party)
            elif kind in ("reserve", "cancel"):
                mine = inner_id(asker.peer_id, asker.party, "R1")
                assert fields["reservation_id"] == mine
            else:
                assert play.holder(fields["session_id"]) == asker.party
            if kind in ("start", "reserve"):
                assert reserved.get(cp, asker.party) == asker.party
        assert {one.peer_id for one in world.peers.got[got:]} <= {asker.peer_id}
        for cp, engine in world.link.engines.items():
            if held.get(cp) not in (None, asker.party):
                assert play.holder(engine.session_id) == held[cp], "the other's session goes on"
        for row in world.sessions():
            for party, one in play.askers.items():
                seen = one.sees(row["_id"]) is not None
                assert seen == (play.holder(row["_id"]) == party)


def _reserved(world: CommandWorld) -> dict[str, str]:
    """The party that holds each reserved charge point."""
    found = world.db["reservations"].find({"active": True})
    rows: list[dict[str, Any]] = world.run(found.to_list(None))
    return {
        row["cp_id"]: f"{row['token']['country_code']}*{row['token']['party_id']}".lower()
        for row in rows
    }
