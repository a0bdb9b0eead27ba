"""Whatever happens in whatever order, peers end in the present state (a property test)."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime, timezone
from typing import Any

import orjson
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from db_interface.database import Database
from db_interface.owned_objects import OwnedObject
from db_interface.transaction import Tx
from domain.objects.locations import owned_location
from domain.outbox.publishing import publish
from domain.peers import location_groups
from domain.sites.last_updated import stamped
from tests.conftest import Loop
from tests.cpo_app.ocpi.push.conftest import House
from tests.cpo_app.ocpi.push.objects import cdr, evse, location, private, session, tariff
from tests.cpo_app.ocpi.push.receiving_emsp import Receiver, receiving
from tests.drawn import drawn
from tests.one_database import emptied

_GROUP = "some"
_K = st.integers(0, 2)
_FAULTS = [None, "hang", "reset", "500", "503", "ocpi 2001", "after reset", "after half", "401"]
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.sampled_from(["rename", "status", "hide", "tariff", "untariff", "session", "cdr"]),
            _K,
        ),
        st.tuples(st.sampled_from(["join", "leave"]), _K),
        st.tuples(st.sampled_from(["give group", "give all"]), st.none()),
        st.tuples(st.just("fault"), st.sampled_from(_FAULTS)),
        st.tuples(st.sampled_from(["restart", "calm"]), st.none()),
    ),
    min_size=5,
    max_size=40,
)


class World:
    """Objects as they are, with the stamps that they were kept with, and the steps that change
    them."""

    def __init__(self, house: House, emsp: Receiver, peer_id: str) -> None:
        self.house = house
        self.peer_id = peer_id
        self.group: set[str] = set()
        """the locations in the group that the peer may be given alone"""
        self.given = False
        self.emsp = emsp
        self.public: dict[str, dict[str, Any]] = {}
        self.tariffs: dict[str, Any] = {}
        self.sessions: dict[str, Any] = {}
        self.cdrs: dict[str, bytes] = {}
        self._count = itertools.count()
        self._pushing = contextlib.ExitStack()
        self.restart(None)

    def step(self, what: str, which: Any) -> None:
        getattr(self, what.replace(" ", "_"))(
            which if which is None or what == "fault" else f"W{which}"
        )

    def restart(self, _: None) -> None:
        self._pushing.close()
        self._pushing.enter_context(self.house.pushing(timeout_s=0.3))

    def end(self) -> None:
        self._pushing.close()

    def calm(self, _: None) -> None:
        """The peer is well until it has all: what changes then goes in parts."""
        self.fault(None)
        self.house.until(self._nothing_waits, 40)

    def _nothing_waits(self) -> bool:
        time_passes(self.house, self.peer_id)
        return not self.house.marks(peer_id=self.peer_id)

    def fault(self, kind: str | None) -> None:
        self.emsp.fault = lambda _: kind

    def put(self, fields: dict[str, Any]) -> None:
        """As its makers do: what has changed of it bears the moment of the transaction."""
        id_ = fields["id"]

        async def work(tx: Tx) -> dict[str, Any]:
            before = await self.house.store.objects("locations").document(
                f"nl/evc/{id_.lower()}", tx
            )
            known = orjson.loads(before["raw"]) if before else None
            new = stamped(fields, known, tx.now)
            return await self._kept("locations", owned_location(new), tx)

        self.public[id_] = self.house.loop.run(self.house.store.transact(work))

    def keep(self, module: str, obj: OwnedObject) -> dict[str, Any]:
        return self.house.loop.run(
            self.house.store.transact(lambda tx: self._kept(module, obj, tx))
        )

    async def _kept(self, module: str, obj: OwnedObject, tx: Tx) -> dict[str, Any]:
        """The object as it is kept: its own, but for the stamp."""
        await publish(self.house.store, module, obj, tx)
        document = await self.house.store.objects(module).document(obj.key, tx)
        assert document is not None
        kept: dict[str, Any] = orjson.loads(document["raw"])
        assert _unstamped(kept) == _unstamped(obj.fields)
        return kept

    def rename(self, id_: str) -> None:
        self.put(location(id_, name=f"Name {next(self._count)}"))

    def status(self, id_: str) -> None:
        before = self.public.get(id_) or location(id_)
        is_free = before["evses"][0]["status"] == "AVAILABLE"
        changed = evse("E1", "CHARGING" if is_free else "AVAILABLE")
        self.put({**before, "evses": [changed, before["evses"][1]]})

    def hide(self, id_: str) -> None:
        fields = self.public.pop(id_, None)
        if fields is not None:
            self.keep("locations", private(fields))

    def join(self, id_: str) -> None:
        if id_ in self.public:
            self._regroup(location_groups.add, id_)
            self.group.add(id_)

    def leave(self, id_: str) -> None:
        self._regroup(location_groups.remove, id_)
        self.group.discard(id_)

    def _regroup(self, change: Callable[..., Coroutine[Any, Any, int]], id_: str) -> None:
        self.house.loop.run(change(self.house.store, _GROUP, [f"nl/evc/{id_.lower()}"]))
        self._restamped()

    def give_group(self, _: None) -> None:
        if self.group:
            self._give([_GROUP])
            self.given = True

    def give_all(self, _: None) -> None:
        self._give(None)
        self.given = False

    def _give(self, groups: list[str] | None) -> None:
        self.house.loop.run(location_groups.give(self.house.store, self.peer_id, groups))
        self._restamped()

    def _restamped(self) -> None:
        """What opens to the peer bears a new stamp, and is else what it was."""
        for id_, fields in self.public.items():
            kept = self.house.loop.run(self.house.store.get("locations", f"nl/evc/{id_.lower()}"))
            assert kept is not None
            assert _unstamped(kept) == _unstamped(fields)
            self.public[id_] = kept

    @property
    def offered(self) -> dict[str, dict[str, Any]]:
        """The locations as the peer is to have them."""
        seen = self.group if self.given else self.public.keys()
        return {id_: fields for id_, fields in self.public.items() if id_ in seen}

    def tariff(self, id_: str) -> None:
        self.tariffs[id_] = self.keep("tariffs", tariff(id_, next(self._count)))

    def untariff(self, id_: str) -> None:
        self.house.withdraw("tariffs", f"nl/evc/{id_.lower()}")
        self.tariffs.pop(id_, None)

    def session(self, id_: str) -> None:
        if id_ not in self.cdrs:
            self.sessions[id_] = self.keep("sessions", session(id_, float(next(self._count))))

    def cdr(self, id_: str) -> None:
        if id_ in self.cdrs:
            return
        self.sessions[id_] = self.keep("sessions", session(id_, 99.0, "COMPLETED"))
        bill = cdr(id_, id_)
        self.keep("cdrs", bill)
        self.cdrs[id_] = bill.document()["raw"]


def _unstamped(fields: Mapping[str, Any]) -> dict[str, Any]:
    evses = [{**evse, "last_updated": None} for evse in fields.get("evses", ())]
    return {**fields, "evses": evses, "last_updated": None}


def time_passes(house: House, peer_id: str) -> None:
    """All pauses are over, of the peer and of its objects."""
    now = datetime.now(timezone.utc)

    async def turn() -> None:
        await house.peers.set(peer_id, now)
        await house.db["marks"].update_many({}, {"$set": {"due": now}})

    house.loop.run(turn())


@settings(
    max_examples=drawn(6),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@example(
    steps=[
        ("rename", 0), ("join", 0), ("rename", 1), ("rename", 2), ("give group", None),
        ("join", 1), ("leave", 0), ("restart", None), ("status", 0), ("join", 2), ("hide", 2),
    ]
)  # fmt: skip
@example(
    steps=[
        ("rename", 0), ("tariff", 0), ("tariff", 1), ("session", 0), ("calm", None),
        ("status", 0), ("session", 0), ("untariff", 0), ("calm", None),
        ("fault", "after reset"), ("session", 0), ("untariff", 1), ("cdr", 1),
    ]
)  # fmt: skip
@given(steps=STEPS)
def test_peers_end_in_the_present_state(
    db: Database, loop: Loop, steps: list[tuple[str, Any]]
) -> None:
    emptied(db)  # of the example before
    with contextlib.ExitStack() as stack:
        house = House(db, loop, stack)
        emsp = stack.enter_context(receiving(loop))
        peer_id = house.connect(emsp, "DE*TNM")
        world = World(house, emsp, peer_id)
        stack.callback(world.end)
        for what, which in steps:
            world.step(what, which)

        world.calm(None)

        held = emsp.held("locations")
        for id_ in held.keys() - world.offered.keys():
            assert {part["status"] for part in held.pop(id_)["evses"]} == {"REMOVED"}
        assert held == world.offered
        assert emsp.held("tariffs") == world.tariffs
        assert emsp.held("sessions") == world.sessions
        assert emsp.cdrs == {id_: [raw] for id_, raw in world.cdrs.items()}
